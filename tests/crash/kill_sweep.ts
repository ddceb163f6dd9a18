/**
 * Kills the shim, its whole process tree, before its n-th change of the install dir, for every n.
 * Before any repair each target is complete; after a repair the set is all old or all new, runs, and
 * nothing is left over; after the next update it is the new one.
 */
import type { Bed } from "./bed.ts";
import type { Start } from "./folders.ts";
import type { Lab } from "./lab.ts";
import type { Column, Row } from "./report.ts";
import type { Trace } from "./tracer.ts";

/** An interrupted update, kept for the sweep of the recovery. */
export interface Interrupted {
  /** Before which call it was killed. */
  readonly at: number;
  readonly where: string;
  /** The only place where it can be recovered: the journal knows its path. */
  readonly bed: Bed;
  /** What `restore` brings back. */
  readonly kept: string;
}

/** A shim that was broken on purpose, and what has to be seen of it: one of these is enough. */
export interface Broken {
  readonly shim: string;
  readonly columns: readonly Column[];
}

/** What is swept. */
export interface KillSweep {
  readonly name: string;
  readonly class: "other" | "write";
  readonly release?: "new" | "slow" | "sick" | "patched";
  /** Rules of the tracer that lead the shim down another path. */
  readonly fail?: readonly string[];
  /** Only every so many-th call: the writes of a download are all alike. */
  readonly step?: number;
  /** How the program ends where it is not killed. Default: 0. */
  readonly ends?: number;
  /** Points that must be reached. */
  readonly least: number;
  /** What kind of folder it begins in. */
  readonly start?: Start;
  /** Gets every state that was not seen yet. */
  readonly keep?: (interrupted: Interrupted) => void;
  /** A shim that was broken on purpose: ends when it is seen, and nothing is reported. */
  readonly broken?: Broken;
}

/** Sweeps until the program ends by itself. */
export async function killSweep(lab: Lab, sweep: KillSweep): Promise<Row> {
  const row = lab.report.row(sweep.name);
  const bed = lab.bed(sweep.release ?? "new", sweep.broken?.shim);
  const seen = new Set<string>();
  const { only } = lab.report;
  // Of a point of the recovery, what the kill left from which it starts.
  const first = only ? Number(only.of ?? only.at) : 1;
  for (let at = first; !only || at === first; at += sweep.step ?? 1) {
    bed.reset();
    await sweep.start?.prepare(bed);
    const trace: Trace = {
      folders: [bed.install],
      class: sweep.class,
      at,
      action: "kill",
      fail: sweep.fail ?? [],
    };
    const { killed, calls, code, output } = await lab.tracer.trace(trace, bed.command());
    if (!killed) {
      if (code !== (sweep.ends ?? 0)) {
        const text = `${sweep.name}: undisturbed it ends with ${code}: ${output}`;
        row.complaints.push({ text, at: String(at) });
      }
      break;
    }
    const call = calls.at(-1)!;
    const where = `${at}: ${call.kind} ${
      call.paths.map((path) => path.split("/").at(-1)).join(" ")
    }`;
    const there = await sweep.start?.arrive(bed) ?? bed;
    await keepNew(there, seen, { at, where }, sweep);
    const found = await recoverAndLook(there, sweep.release === "sick");
    const other = [found.other, sweep.start?.complaint(bed)].filter(Boolean).join("; ") ||
      undefined;
    row.add({ at: String(at), where, ...found, other });
    if (sweep.broken && row.shows(sweep.broken.columns)) return row;
  }
  if (!sweep.broken) lab.report.close(row, sweep.least);
  return row;
}

async function keepNew(
  bed: Bed,
  seen: Set<string>,
  { at, where }: Pick<Interrupted, "at" | "where">,
  { keep, name }: KillSweep,
) {
  if (!keep) return;
  const signature = bed.signature();
  if (seen.has(signature)) return;
  seen.add(signature);
  keep({ at, where, bed, kept: await bed.save(`${name} ${where}`.replaceAll(/\W+/g, "-")) });
}

/** What a dead shim left, and what comes of it; a sick new version is not asked to run. */
export async function recoverAndLook(bed: Bed, sick = false) {
  const before = bed.verdict();
  const lockedOut = bed.names().includes(".updater-shim/holder.json");
  const repair = await bed.shimRun("--repair");
  const after = bed.verdict();
  const strangers = bed.strangers(true);
  const problems: string[] = [];
  if (repair.code !== 0) problems.push(`--repair ends with ${repair.code}: ${repair.stderr}`);
  if (lockedOut && repair.code === 6) problems.push("the lock is not free at once");
  if (sick) {
    if (after !== "old") problems.push("a version that does not run stays");
    return { before, after, strangers, other: problems.join() || undefined };
  }
  if (!await bed.runs()) problems.push("it does not run");
  const update = await bed.shimRun();
  if (update.code !== 0) {
    problems.push(`the next update ends with ${update.code}: ${update.stderr}`);
  }
  if (bed.verdict() !== "new") problems.push(`the next update leaves it ${bed.verdict()}`);
  strangers.push(...bed.strangers(false).filter((name) => !strangers.includes(name)));
  return { before, after, strangers, other: problems.join("; ") || undefined };
}
