/** What a recovery means to whoever asked for it: a repair has to say all, an update only what stops it. */
import { UpdateError } from "../base/errors.ts";
import type { Recovery } from "../transaction/recover.ts";
import type { Session } from "../session.ts";

/** The end of `--repair`: tells what was left alone. Throws `repair` if something is still broken. */
export function finishRepair({ report }: Session, recovery: Recovery): number {
  for (const { previous, why } of recovery.left) {
    report({ event: "warning", message: `Left "${previous}" alone: ${why}`, path: previous });
  }
  if (recovery.unrepaired.length > 0) throw unrepaired(recovery);
  const { mended, removed, recovered } = recovery;
  if (mended.length + removed.length === 0 && !recovered) {
    report({ event: "nothing-to-repair" });
  }
  return 0;
}

/**
 * Before an update: an open transaction stops it (throws `repair`); a file that only `--repair` could
 * name does not, and is told.
 */
export function tellUnrepaired({ report }: Session, recovery: Recovery): void {
  if (recovery.blocked) throw unrepaired(recovery);
  for (const { path, why, hint } of recovery.unrepaired) {
    report({ event: "warning", message: `Cannot repair "${path}": ${why}`, path, hint });
  }
}

function unrepaired({ unrepaired: [first, ...others] }: Recovery): UpdateError {
  const more = others.map(({ path, why, hint }) => `; "${path}": ${why} (${hint})`).join("");
  return new UpdateError("repair", `Cannot repair "${first!.path}": ${first!.why}${more}`, {
    path: first!.path,
    hint: first!.hint,
  });
}
