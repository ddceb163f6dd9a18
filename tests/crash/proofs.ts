/**
 * Proof that the sweeps can fail: each runs a shim that was compiled from sources broken on purpose,
 * and must see what is wrong with it.
 */
import { Bed } from "./bed.ts";
import { brokenShim, type Change } from "./broken_shim.ts";
import { brokenErrorSweep } from "./error_sweep.ts";
import { type Interrupted, killSweep } from "./kill_sweep.ts";
import type { Lab } from "./lab.ts";
import { sweepOne } from "./recovery_sweep.ts";
import type { Column, Row } from "./report.ts";

interface Breakage extends Change {
  readonly name: string;
  readonly sweep: "kill" | "error" | "recovery";
  /** At least one of them must be seen. */
  readonly columns: readonly Column[];
}

const RENAME = "fs.renameSync(from, to);";

/** Each makes a promise untrue. */
export const BREAKAGES: readonly Breakage[] = [
  {
    name: "a target is removed before the new one is renamed",
    file: "src/system/posix.ts",
    from: RENAME,
    to: `fs.removeSync(to); ${RENAME}`,
    sweep: "kill",
    columns: ["missing"],
  },
  {
    name: "a new file is copied over the old one instead of renamed",
    file: "src/system/posix.ts",
    from: RENAME,
    to: "Deno.copyFileSync(from, to); fs.removeSync(from);",
    sweep: "kill",
    columns: ["corrupt"],
  },
  {
    name: "the journal is not told of the commit",
    file: "src/transaction/transaction.ts",
    from: "writeJournal(fs, dir, committing);",
    to: "",
    sweep: "kill",
    columns: ["mixed", "left over"],
  },
  {
    name: "recovery does nothing",
    file: "src/transaction/recover.ts",
    from: "= await carryOut(session, decision, own, known, stop);",
    to:
      ": Done = decision as string === 'never' ? await carryOut(session, decision, own, known, stop) : {};",
    sweep: "kill",
    columns: ["mixed", "left over"],
  },
  {
    name: "an error in the commit is not undone",
    file: "src/transaction/transaction.ts",
    from: "await undo(session, named, error);",
    to: "",
    sweep: "error",
    columns: ["other", "mixed", "left over"],
  },
  {
    name: "the old one gets no second name",
    file: "src/transaction/swap.ts",
    from: "files.filter((file) => !keepOld(session.system, file));",
    to: "files.filter((file) => files.length > 99 && !keepOld(session.system, file));",
    sweep: "error",
    columns: ["other", "mixed"],
  },
  {
    name: "recovery removes the target before it puts the old one back",
    file: "src/transaction/swap.ts",
    from: "if (source) await moveOver(session, source, target, file.scratch);",
    to:
      "if (source) { fs.removeSync(target); await moveOver(session, source, target, file.scratch); }",
    sweep: "recovery",
    columns: ["missing"],
  },
  {
    name: "recovery forgets the journal before it has put anything back",
    file: "src/transaction/carry_out.ts",
    from: "await putBack(session, files);\n      return { removed",
    to:
      "session.system.fs.removeSync(session.dir.journal);\n      await putBack(session, files);\n      return { removed",
    sweep: "recovery",
    columns: ["mixed", "left over", "other"],
  },
];

/** `states` are interrupted updates of the sound shim. */
export async function proofs(lab: Lab, states: readonly Interrupted[]): Promise<void> {
  for (const breakage of BREAKAGES) {
    const shim = await brokenShim(lab, breakage);
    const row = await sweepWith(lab, breakage, shim, states);
    lab.report.expectBad(row, breakage.columns);
  }
}

async function sweepWith(
  lab: Lab,
  { name, sweep, columns }: Breakage,
  shim: string,
  states: readonly Interrupted[],
): Promise<Row> {
  const broken = { shim, columns };
  if (sweep === "kill") return await killSweep(lab, { name, class: "other", least: 1, broken });
  if (sweep === "error") return await brokenErrorSweep(lab, name, broken);
  const row = lab.report.row(name);
  // Of updates that were being undone: there the old ones are put back.
  const undone = states.filter(({ bed }) => bed.manifest.includes("/sick/"));
  for (const state of undone.toReversed()) {
    const { folder, tools, manifest } = state.bed;
    await sweepOne(lab, row, { ...state, bed: new Bed(folder, shim, tools, manifest) });
    if (row.shows(columns)) break;
  }
  return row;
}
