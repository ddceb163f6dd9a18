/** From whatever was thrown to an error that is told, and an exit code. */
import { reason, UpdateError } from "../base/errors.ts";
import type { Report, ShimEvent } from "../base/events.ts";
import { filesystemError, isFilesystemError } from "../files/fs_errors.ts";
import { windowsHint } from "../system/windows_errors.ts";

/**
 * Of an error that no step gave a sentence: the runtime's own words end with the call and its path,
 * such as `open '/opt/tool/.updater-shim/lock'`.
 */
function fromFileSystem(thrown: unknown): UpdateError {
  const [, call = "use", path] = /: (\w+) '([^']+)'/.exec(reason(thrown)) ??
    /^Requires [\w-]+ access to ()"([^"]+)"/.exec(reason(thrown)) ?? [];
  if (path !== undefined) return filesystemError(thrown, call || "use", path) as UpdateError;
  return new UpdateError("filesystem", `The system refused a step: ${reason(thrown)}`, {
    hint: windowsHint(thrown) ?? "Look at the files of the install dir, then run again.",
    cause: thrown,
  });
}

/** One sentence, one hint, one code. What we did not expect is our fault, and says so. */
export function fail(thrown: unknown, report: Report): number {
  const error = thrown instanceof UpdateError
    ? thrown
    : isFilesystemError(thrown)
    ? fromFileSystem(thrown)
    : new UpdateError("bug", `A fault of updater-shim's own: ${reason(thrown)}`, {
      hint: "Please report it, with log.txt of the tool from .updater-shim in the install dir.",
      cause: thrown,
    });
  const { message, path, url, hint, exitCode: code } = error;
  report({
    event: "error",
    code,
    message,
    ...(path !== undefined && { path }),
    ...(url !== undefined && { url }),
    ...(hint !== undefined && { hint }),
  });
  return code;
}

/** What does not stop a command that only looks, or needs that file for nothing. */
export function asWarning({ message, path, hint }: UpdateError): ShimEvent {
  return {
    event: "warning",
    message,
    ...(path !== undefined && { path }),
    ...(hint !== undefined && { hint }),
  };
}
