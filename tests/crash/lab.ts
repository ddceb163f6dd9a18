/** What all sweeps share, and how they share two processors. */
import { join } from "@std/path";
import { compiledShim, type TestServer } from "../support/shim.ts";
import { Bed } from "./bed.ts";
import type { Report } from "./report.ts";
import { Tools } from "./tools.ts";
import { Tracer } from "./tracer.ts";

/** Built once for a run. */
export class Lab {
  #beds = 0;

  private constructor(
    readonly scratch: string,
    readonly shim: string,
    readonly tools: Tools,
    readonly tracer: Tracer,
    readonly server: TestServer,
    readonly report: Report,
  ) {}

  /** Compiles the shim, the tools and the tracer in `scratch`. */
  static async make(scratch: string, report: Report): Promise<Lab> {
    const shim = join(scratch, "updater-shim");
    // A copy: the tests' own is exchanged as soon as somebody changes the sources.
    Deno.copyFileSync(await compiledShim(), shim);
    const tools = await Tools.make(scratch);
    return new Lab(scratch, shim, tools, await Tracer.make(scratch), tools.serve(), report);
  }

  /** A new install dir of the old version; `release` is a prefix of the server. */
  bed(release: "old" | "new" | "slow" | "sick" = "new", shim = this.shim): Bed {
    const folder = join(this.scratch, `bed-${++this.#beds}`);
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
