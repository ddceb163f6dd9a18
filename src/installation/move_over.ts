/** One file gets the name of another, by the steps that the system needs for it. */
import { errorCode, reason, UpdateError } from "../base/errors.ts";
import type { Report } from "../base/events.ts";
import type { System } from "../system/system.ts";

/**
 * Gives `from` the name `to`, whatever had it. `spare` is a free name in the same folder for an
 * image that is executing. If we die: `to` is the one or the other file; on Windows, while `to`
 * executes, it may be missing and its file be at `spare`.
 */
export async function moveOver(
  { system, report }: { readonly system: System; readonly report: Report },
  from: string,
  to: string,
  spare: string,
): Promise<void> {
  try {
    await system.platform.replaceFile(
      system,
      from,
      to,
      spare,
      (notice) => report({ event: "warning", ...notice }),
    );
  } catch (error) {
    if (system.os === "windows" || errorCode(error) !== "EBUSY") throw error;
    throw new UpdateError("filesystem", `Cannot replace "${to}": ${reason(error)}`, {
      path: to,
      hint: "The file is a mount of its own (a bind mount): update what is mounted there instead.",
      cause: error,
    });
  }
}
