/** An install dir with a tool in it, for tests of the compiled shim. */
import { join } from "@std/path";
import { runShim, type ShimRun } from "./shim.ts";
import { tool } from "./world.ts";

/** Ends with its folder. */
export class ToolFolder implements AsyncDisposable {
  readonly folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-tool-" }));

  /** `version` of the tool is there, as some installer put it there; null: nothing is. */
  constructor(version: string | null = "1.0.0") {
    if (version !== null) this.write("tool", tool(version), 0o755);
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** In what the shim keeps of the tool. */
  state(...names: string[]): string {
    return this.path(".updater-shim", "updater-shim", ...names);
  }

  write(name: string, content: string | Uint8Array, mode = 0o600): string {
    const path = this.path(name);
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    Deno.writeFileSync(path, bytes, { mode });
    return path;
  }

  configure(config: Record<string, unknown>): void {
    this.write("updater-shim.json", JSON.stringify(config));
  }

  run(...args: string[]): Promise<ShimRun> {
    return runShim(this.folder, ...args);
  }

  /** What the tool answers, such as "tool 1.0.0". */
  async says(): Promise<string> {
    const { stdout } = await new Deno.Command(this.path("tool"), { args: ["--version"] }).output();
    return new TextDecoder().decode(stdout).trim();
  }

  /** Everything below the folder, relative and sorted, with sizes and times: equal if untouched. */
  snapshot(folder = this.folder): string[] {
    return [...Deno.readDirSync(folder)].flatMap(({ name }) => {
      const path = join(folder, name);
      const { isDirectory, size, mtime, ino } = Deno.lstatSync(path);
      const line = `${path} ${size} ${mtime?.getTime()} ${ino}`;
      return isDirectory ? [line, ...this.snapshot(path)] : [line];
    }).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** The events of a `--json` run. */
export function eventsOf({ stdout }: Pick<ShimRun, "stdout">): Record<string, unknown>[] {
  return stdout.trim().split("\n").filter(Boolean).map((line) => JSON.parse(line));
}
