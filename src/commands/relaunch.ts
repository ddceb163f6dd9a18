/** Starts the tool again after an update (`--relaunch -- ARGS…`). */
import { join } from "node:path";
import { reason } from "../base/errors.ts";
import { knownReceipt, readReceipt } from "../installation/receipt.ts";
import type { Session } from "../session.ts";

/**
 * Starts the executable that has the tool's name, else the first one of the set. The update is done
 * by then: that a program does not start is told, and is no failure of the update.
 */
export async function relaunch(
  { system, dir, report }: Session,
  name: string | undefined,
  args: readonly string[],
): Promise<void> {
  const receipt = knownReceipt(readReceipt(system.fs, dir));
  const files = receipt?.files ?? [];
  const tool = name ?? receipt?.name;
  const file = files.find((file) => file.name === tool || file.name === `${tool}.exe`) ?? files[0];
  if (!file) return;
  const path = join(dir.path, file.name);
  try {
    await system.processes.spawn(path, args);
    report({ event: "relaunched", path, args: [...args] });
  } catch (error) {
    report({ event: "warning", message: `Cannot start "${path}": ${reason(error)}`, path });
  }
}
