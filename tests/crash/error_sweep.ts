/**
 * Makes each change of the install dir fail, one by one, with every error that a file system has.
 * The run ends with 0 (it found another way, or only tidying failed) or with 7 and a sentence that
 * says what to do; the set is all old or all new and runs; after the next start nothing is left.
 */
import type { Bed } from "./bed.ts";
import type { Broken } from "./kill_sweep.ts";
import { inPairs, type Lab } from "./lab.ts";
import type { Row } from "./report.ts";
import type { Traced } from "./tracer.ts";

const ERRORS = ["ENOSPC", "EIO", "EACCES", "EROFS", "EMFILE", "EXDEV", "EPERM", "EINTR"] as const;
const FILE_SYSTEM = 7;
const SENTENCE = /(updater-shim|\w+ could not be [a-z ]+): .+\n {2}\S/;
/** What cannot be tidied now stays, journaled and said, until the next start. */
const NOT_TIDIED = /not everything (could be tidied|that was staged could be removed)/i;

/** Sweeps every error over every call; a broken shim only until that is seen. */
export async function errorSweep(
  lab: Lab,
  broken?: Broken & { readonly name: string },
): Promise<Row> {
  const row = lab.report.row(broken?.name ?? "an error at each call");
  const { only } = lab.report;
  await inPairs(only ? ERRORS.filter((error) => error === only.of) : ERRORS, async (error) => {
    const bed = lab.bed("new", broken?.shim);
    const first = only?.at ?? 1;
    for (let at = first; !(broken && row.shows(broken.columns)); at++) {
      if (only && at > first) break;
      bed.reset();
      const trace = { folders: [bed.install], class: "other", at, action: error } as const;
      const run = await lab.tracer.trace(trace, bed.command());
      const call = run.calls.filter((call) => call.class === "other")[at - 1];
      if (!call) break;
      const names = call.paths.map((path) => path.split("/").at(-1)).join(" ");
      row.add({
        at: `${error}:${at}`,
        where: `${error} at ${at}: ${call.kind} ${names}`,
        ...await look(bed, run),
      });
    }
  });
  if (!broken) lab.report.close(row, 40 * ERRORS.length);
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
