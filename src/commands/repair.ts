/** What a recovery means to whoever asked for it: a repair has to say all, an update only what stops it. */
import { join } from "node:path";
import { reason, UpdateError } from "../base/errors.ts";
import type { HealthCheck } from "../base/health_check.ts";
import { lookAt } from "../files/durable_files.ts";
import { onFile } from "../files/fs_errors.ts";
import type { Unrepaired } from "../orphans/orphans.ts";
import { knownReceipt, readReceipt, type Receipt } from "../installation/receipt.ts";
import type { Recovery } from "../transaction/recover.ts";
import { holds } from "../transaction/swap.ts";
import type { Session } from "../session.ts";
import { quickFileState } from "./file_state.ts";
import { rollBack } from "./local_install.ts";

/**
 * The rest of `--repair`, after recovery: executables that the receipt lists and that are missing or
 * cut off come back from the rollback copy, as a set, so that there is never a mix. Tells what was
 * left alone. Throws `repair` if something is still broken.
 */
export async function repair(
  session: Session,
  recovery: Recovery,
  healthCheck: HealthCheck,
  stop: AbortSignal,
): Promise<void> {
  const { report } = session;
  tellLeft(session, recovery.left);
  const receipt = knownReceipt(readReceipt(session.system, session.dir));
  const runnable = receipt ? makeRunnable(session, receipt) : 0;
  const broken = receipt ? brokenFiles(session, receipt) : [];
  const still = broken.length > 0 && !recovery.blocked
    ? await goBack(session, receipt!, broken, healthCheck, stop)
    : broken;
  const unrepaired = [...recovery.unrepaired, ...still];
  if (unrepaired.length > 0) throw cannotRepair(unrepaired);
  const { mended, removed, recovered } = recovery;
  if (mended.length + removed.length + broken.length + runnable === 0 && !recovered) {
    report({ event: "nothing-to-repair" });
  }
}

/** What the orphan rule leaves as it is, a line for each. */
export function tellLeft({ report }: Session, left: Recovery["left"]): void {
  for (const { previous, why } of left) {
    report({ event: "warning", message: `Left "${previous}" alone: ${why}`, path: previous });
  }
}

/** What is as it was installed, but lost its right to be executed. Returns how many. */
function makeRunnable({ system: { fs, user }, dir, report }: Session, receipt: Receipt): number {
  const lost = receipt.files.flatMap((file) => {
    const path = join(dir.path, file.name), info = user && lookAt(fs, path);
    const isLost = info?.isFile === true && ((info.mode ?? 0o100) & 0o100) === 0;
    // What somebody else put there is as he wants it.
    return isLost && holds(fs, path, file) ? [path] : [];
  });
  for (const path of lost) {
    onFile("make executable", path, () => {
      const mode = fs.statSync(path).mode! & 0o777;
      // Whoever may read it may run it, as it was installed.
      fs.chmodSync(path, mode | 0o100 | (mode & 0o444) >> 2);
    });
    report({ event: "repaired", path, from: path });
  }
  return lost.length;
}

/** An executable that does not run any more, by its name too. */
interface Broken extends Unrepaired {
  readonly name: string;
}

function brokenFiles(session: Session, receipt: Receipt): Broken[] {
  return receipt.files.flatMap((file): Broken[] => {
    const { path, state } = quickFileState(session, file);
    if (state !== "missing" && state !== "broken") return [];
    const why = state === "missing" ? "it is missing" : "it is empty or cut off";
    return [{ name: file.name, path, why, hint: "Run the update: it installs it again." }];
  });
}

/** An older version that runs is better than none. Returns what is still broken. */
async function goBack(
  session: Session,
  receipt: Receipt,
  broken: readonly Broken[],
  healthCheck: HealthCheck,
  stop: AbortSignal,
): Promise<readonly Broken[]> {
  const { system: { fs }, dir, report } = session;
  const copies = receipt.rollback?.files ?? [];
  const copyOf = (name: string) => join(dir.rollback, name);
  const complete = broken.every(({ name }) => copies.some((copy) => copy.name === name)) &&
    // Never over what somebody put there since.
    receipt.files.every((file) => quickFileState(session, file).state !== "changed") &&
    copies.every((copy) => holds(fs, copyOf(copy.name), copy));
  if (!complete) return broken;
  try {
    await rollBack(session, healthCheck, stop, "repair");
  } catch (error) {
    if (!(error instanceof UpdateError) || stop.aborted) throw error;
    return broken.map((file) => ({ ...file, why: `${file.why}; ${reason(error)}` }));
  }
  for (const { name, path } of broken) report({ event: "repaired", path, from: copyOf(name) });
  report({
    event: "warning",
    message: "What was there could not be mended: the whole set is the version before now",
    hint: "Run the update: it installs the newer one again.",
  });
  return [];
}

/**
 * Before an update: an open transaction stops it (throws `repair`); a file that only `--repair` could
 * name does not, and is told.
 */
export function tellUnrepaired({ report }: Session, recovery: Recovery): void {
  if (recovery.blocked) throw cannotRepair(recovery.unrepaired);
  for (const { path, why, hint } of recovery.unrepaired) {
    report({ event: "warning", message: `Cannot repair "${path}": ${why}`, path, hint });
  }
}

function cannotRepair([first, ...others]: readonly Unrepaired[]): UpdateError {
  const more = others.map(({ path, why, hint }) => `; "${path}": ${why} (${hint})`).join("");
  return new UpdateError("repair", `Cannot repair "${first!.path}": ${first!.why}${more}`, {
    path: first!.path,
    hint: first!.hint,
  });
}
