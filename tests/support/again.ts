/** What the complaint of a sweep ends with: the command that runs it again, alone. */
import { relative } from "@std/path/posix";

/** Where a sweep is, and which task runs it. */
export interface Sweep {
  readonly task: "test" | "test:windows";
  /** `import.meta.url` of its file. */
  readonly url: string;
  readonly name: string;
}

/** The command for a shell. */
export function command({ task, url, name }: Sweep): string {
  // Exactly this one: the names of many begin alike.
  const pattern = name.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  const file = relative(new URL("../..", import.meta.url).pathname, new URL(url).pathname);
  return `deno task ${task} --filter '/^${pattern}$/' ${file}`;
}

/** A test whose complaint ends with its command. */
export function sweepTest(sweep: Sweep, run: () => Promise<void>): void {
  Deno.test(sweep.name, async () => {
    try {
      await run();
    } catch (error) {
      const { message } = error as Error;
      throw new Error(`${message}\n\nagain: ${command(sweep)}`, { cause: error });
    }
  });
}
