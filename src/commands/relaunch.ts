/** Starts the tool again after an update (`--relaunch -- ARGS…`). */
import { join } from "node:path";
import { reason } from "../base/errors.ts";
import { knownReceipt, readReceipt } from "../installation/receipt.ts";
import { lookAtTrusted } from "../files/trusted_file.ts";
import { pathOf } from "../installation/targets.ts";
import type { Session } from "../session.ts";
import { isThere } from "../files/durable_files.ts";
import { mainOf } from "./installed.ts";

/**
 * Starts the executable that has the tool's name, else the first one of the set: the new version, or
 * after a failure the old one, so that a service is not down for it. That a program does not start is
 * told, and is no failure of the update.
 */
export async function relaunch(
  { system, dir, report }: Session,
  name: string | undefined,
  args: readonly string[],
): Promise<void> {
  const file = mainOf(knownReceipt(readReceipt(system, dir)), name)?.name ??
    namedIn(system, dir, name);
  if (file === undefined) return;
  const path = join(dir.path, file);
  try {
    lookAtTrusted(system, pathOf(system, dir, file), "the tool");
    await system.processes.spawn(path, args);
    report({ event: "relaunched", path, args: [...args] });
  } catch (error) {
    report({ event: "warning", message: `Cannot start "${path}": ${reason(error)}`, path });
  }
}

/** Before the first update there is no receipt: then the tool is what has its name. */
function namedIn(
  { fs, os }: Session["system"],
  dir: Session["dir"],
  name: string | undefined,
): string | undefined {
  if (name === undefined) return undefined;
  const file = os === "windows" ? `${name}.exe` : name;
  return isThere(fs, join(dir.path, file)) ? file : undefined;
}
