/** From whatever was thrown to an error that is told, and an exit code. */
import { reason, UpdateError } from "../base/errors.ts";
import type { Report } from "../base/events.ts";
import { filesystemError, isFilesystemError } from "../files/fs_errors.ts";

/** One sentence, one hint, one code. What we did not expect is our fault, and says so. */
export function fail(thrown: unknown, report: Report): number {
  const error = thrown instanceof UpdateError
    ? thrown
    : isFilesystemError(thrown)
    ? filesystemError(thrown, "use", "a file of the install dir") as UpdateError
    : new UpdateError("bug", `A fault of updater-shim's own: ${reason(thrown)}`, {
      hint: "Please report it, with .updater-shim/log.txt from the install dir.",
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
