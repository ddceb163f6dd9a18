/** What all sweeps share, and how they share two processors. */
import { join } from "@std/path";
import { compiledShim, type TestServer } from "../support/shim.ts";
import { Bed } from "./bed.ts";
import type { Report } from "./report.ts";
import { Tools } from "./tools.ts";
import { Tracer } from "./tracer.ts";

/** A prefix of the server. */
export type Release = "old" | "new" | "slow" | "sick" | "patched" | "patchable";

/** Built once for a run. */
export class Lab implements AsyncDisposable {
  #beds = 0;

  private constructor(
    readonly scratch: string,
    readonly shim: string,
    readonly tools: Tools,
    readonly tracer: Tracer,
    readonly server: TestServer,
    readonly report: Report,
  ) {}

  /** Compiles the shim, the tools and the tracer in `scratch`, which is made. */
  static async make(scratch: string, report: Report, padding?: number): Promise<Lab> {
    Deno.mkdirSync(scratch, { recursive: true });
    const shim = join(scratch, "updater-shim");
    // A copy: the tests' own is exchanged as soon as somebody changes the sources.
    Deno.copyFileSync(await compiledShim(), shim);
    const tools = await Tools.make(scratch, padding);
    return new Lab(scratch, shim, tools, await Tracer.make(scratch), tools.serve(), report);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }

  /** A new install dir of the old version. */
  bed(release: Release = "new", shim = this.shim): Bed {
    return this.bedIn(join(this.scratch, `bed-${++this.#beds}`), release, shim);
  }

  /** The same in a folder of one's own, which is made. */
  bedIn(folder: string, release: Release = "new", shim = this.shim): Bed {
    Deno.mkdirSync(folder);
    const manifest = `${this.server.url}/${release}/release.json`;
    const bed = new Bed(folder, shim, this.tools, manifest);
    bed.reset();
    return bed;
  }
}

/** Runs two jobs at a time; a job gets nothing but its item. */
export async function inPairs<T>(items: Iterable<T>, job: (item: T) => Promise<void>) {
  const rest = items[Symbol.iterator]();
  const worker = async () => {
    for (let next = rest.next(); !next.done; next = rest.next()) await job(next.value);
  };
  await Promise.all([worker(), worker()]);
}
