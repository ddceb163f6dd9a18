/**
 * Makes each change of the install dir fail, one by one, with every error that a file system has.
 * The run ends with 0 (it found another way, or only tidying failed) or with 7 and a sentence that
 * says what to do; the set is all old or all new and runs; after the next start nothing is left.
 */
import type { Bed } from "./bed.ts";
import type { Start } from "./folders.ts";
import type { Broken } from "./kill_sweep.ts";
import { inPairs, type Lab } from "./lab.ts";
import type { Row } from "./report.ts";
import type { Traced } from "./tracer.ts";

const ERRORS = ["ENOSPC", "EIO", "EACCES", "EROFS", "EMFILE", "EXDEV", "EPERM", "EINTR"] as const;
/** What ends a patch: a full disk, and a file that cannot be read or written. */
const PATCH_ERRORS = ["ENOSPC", "EIO"] as const;
const FILE_SYSTEM = 7;
const SENTENCE = /(updater-shim|\w+ could not be [a-z ]+): .+\n {2}\S/;
/** What cannot be tidied now stays, journaled and said, until the next start. */
const NOT_TIDIED = /not everything (could be tidied|that was staged could be removed)/i;

/** What is swept. */
export interface ErrorSweep {
  readonly name: string;
  readonly errors: readonly string[];
  /** Which calls fail; default: all but writes. */
  readonly class?: "other" | "any";
  readonly release?: "new" | "patchable";
  /** Only every so many-th call. */
  readonly step?: number;
  /** What kind of folder it begins in. */
  readonly start?: Start;
  /** Calls that each error must reach. */
  readonly least: number;
  /** A shim that was broken on purpose: ends when it is seen, and nothing is reported. */
  readonly broken?: Broken;
}

/** Of full files and of patches: those may fail, and the full file is taken. */
export async function errorSweeps(lab: Lab): Promise<void> {
  await errorSweep(lab, { name: "an error at each call", errors: ERRORS, least: 40 });
  const patched = { errors: PATCH_ERRORS, class: "any", release: "patchable", least: 60 } as const;
  await errorSweep(lab, { name: "an error, by patches", ...patched });
}

/** One shim that was broken on purpose; until that is seen. */
export async function brokenErrorSweep(lab: Lab, name: string, broken: Broken): Promise<Row> {
  return await errorSweep(lab, { name, errors: ERRORS, least: 0, broken });
}

/** Sweeps the errors over the calls. */
export async function errorSweep(lab: Lab, sweep: ErrorSweep): Promise<Row> {
  const { name, errors, release = "new", step = 1, start, broken } = sweep;
  const row = lab.report.row(name);
  const { only } = lab.report;
  await inPairs(errors.filter((error) => !only || error === only.of), async (error) => {
    const bed = lab.bed(release, broken?.shim);
    const first = only?.at ?? 1;
    for (let at = first; !(broken && row.shows(broken.columns)); at += step) {
      if (only && at > first) break;
      bed.reset();
      await start?.prepare(bed);
      const wanted = sweep.class ?? "other";
      const trace = { folders: [bed.install], class: wanted, at, action: error } as const;
      const run = await lab.tracer.trace(trace, bed.command());
      const call = run.calls.filter((call) => wanted === "any" || call.class === wanted)[at - 1];
      if (!call) break;
      const names = call.paths.map((path) => path.split("/").at(-1)).join(" ");
      const found = await look(await start?.arrive(bed) ?? bed, run);
      row.add({
        at: `${error}:${at}`,
        where: `${error} at ${at}: ${call.kind} ${names}`,
        ...found,
        other: [found.other, start?.complaint(bed)].filter(Boolean).join("; ") || undefined,
      });
    }
  });
  if (!broken) lab.report.close(row, sweep.least * errors.length);
  return row;
}

async function look(bed: Bed, { code, output }: Traced) {
  const problems: string[] = [];
  const before = bed.verdict();
  if (code !== 0 && code !== FILE_SYSTEM) problems.push(`it ends with ${code}: ${output}`);
  if (code !== 0 && !SENTENCE.test(output)) problems.push(`it does not say what to do: ${output}`);
  if (code !== 0 && before !== "old") problems.push(`it fails, and leaves the set ${before}`);
  if (code === 0 && before !== "new") problems.push(`it ends with 0, and leaves the set ${before}`);
  if (!await bed.runs()) problems.push("it does not run");
  // Who holds the lock is written anew by the next one.
  const strangers = NOT_TIDIED.test(output)
    ? []
    : bed.strangers(true).filter((name) => name !== ".updater-shim/holder.json");
  const repair = await bed.shimRun("--repair");
  if (repair.code !== 0) problems.push(`--repair ends with ${repair.code}: ${repair.stderr}`);
  const after = bed.verdict();
  if (after !== before) problems.push(`--repair makes it ${after}`);
  strangers.push(...bed.strangers(true).filter((name) => !strangers.includes(name)));
  return { before, after, strangers, other: problems.join("; ") || undefined };
}
