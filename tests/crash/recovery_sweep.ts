/**
 * Kills the recovery before its n-th change, for every n, from every kind of interrupted update. The
 * recovery after that ends where an undisturbed one ends, and a third one changes nothing.
 */
import type { Interrupted } from "./kill_sweep.ts";
import { inPairs, type Lab } from "./lab.ts";
import type { Bed } from "./bed.ts";
import type { Row } from "./report.ts";

/** What came of a state of the disk; many kills leave the same one. */
export type Proven = Map<string, Awaited<ReturnType<typeof repairTwice>>>;

/** Sweeps all; two workers never share a bed, because a journal knows its path. */
export async function recoverySweep(lab: Lab, states: readonly Interrupted[]): Promise<void> {
  const row = lab.report.row("recovery killed");
  await inPairs(new Set(states.map(({ bed }) => bed)), async (bed) => {
    const proven: Proven = new Map();
    for (const state of states.filter((state) => state.bed === bed)) {
      await sweepOne(lab, row, state, proven);
    }
  });
  lab.report.close(row, 300);
}

/** Kills the recovery of one state at each of its calls; a bed's shim may be a broken one. */
export async function sweepOne(
  lab: Lab,
  row: Row,
  { bed, kept, where, at: killed }: Interrupted,
  proven: Proven = new Map(),
  step = 1,
): Promise<void> {
  await bed.restore(kept);
  const folders = [bed.install];
  const undisturbed = await lab.tracer.trace({ folders }, bed.command("--repair"));
  const end = bed.signature();
  const { only } = lab.report;
  for (let at = only?.at ?? 1; at <= (only?.at ?? undisturbed.calls.length); at += step) {
    await bed.restore(kept);
    const trace = { folders, class: "any", at, action: "kill" } as const;
    const run = await lab.tracer.trace(trace, bed.command("--repair"));
    if (!run.killed) break;
    const before = bed.verdict();
    const state = `${end}\n\n${bed.signature()}`;
    const outcome = proven.get(state) ?? await repairTwice(bed, end);
    proven.set(state, outcome);
    const what = `after "${where}", its ${at}: ${run.calls.at(-1)!.kind}`;
    row.add({ at: `${killed}:${at}`, where: what, before, ...outcome });
  }
}

async function repairTwice(bed: Bed, end: string) {
  const problems: string[] = [];
  const { code, stderr } = await bed.shimRun("--repair");
  if (code !== 0) problems.push(`--repair ends with ${code}: ${stderr}`);
  if (bed.signature() !== end) problems.push("the end is another one than undisturbed");
  const after = bed.verdict(), strangers = bed.strangers(true);
  const once = bed.signature(true);
  await bed.shimRun("--repair");
  if (bed.signature(true) !== once) problems.push("a third run changes something");
  return { after, strangers, other: problems.join("; ") || undefined };
}
