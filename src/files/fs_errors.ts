/** Turns the file system's errors into sentences that say what to do. */
import { errorCode, reason, UpdateError } from "../base/errors.ts";
import { isNetworkPath } from "../base/file_names.ts";
import type { System } from "../system/system.ts";
import { errorNumber, windowsHint } from "../system/windows_errors.ts";

const HINTS: Record<string, string> = {
  ENOSPC: "The disk is full: free some space and run again.",
  EDQUOT: "Your quota is used up: free some space and run again.",
  EACCES:
    "Run as the user who installed the tool (on Windows: as administrator). If you are that, give yourself the right to write there (Unix: chmod u+w).",
  EPERM:
    "The file or folder is protected (another owner, immutable, or in use): run as the user who installed the tool (on Windows: as administrator), or install it per user.",
  EROFS:
    "The file system is read-only: remount it, or update with the package manager that owns it.",
  EBUSY: "Another program uses the file: close it and run again.",
  EMFILE:
    "Too many files are open: close some programs or raise the limit (Unix: ulimit -n), and run again.",
  ENFILE: "Too many files are open on this machine: close some programs and run again.",
  EIO: "The disk reports an error: check it before anything else.",
  ENAMETOOLONG:
    "The name is too long for this file system: install into a folder with a shorter path.",
  EISDIR: "A folder stands in the way: move it and run again.",
  EEXIST: "A file of that name is in the way: move it and run again.",
};

/** Whether an error comes from the file system (and not from our own code). */
export function isFilesystemError(error: unknown): boolean {
  if (error instanceof UpdateError) return false;
  if (error instanceof RangeError) return false;
  return /^E[A-Z0-9]+$/.test(errorCode(error) ?? "") || error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.AlreadyExists ||
    error instanceof Deno.errors.Interrupted || error instanceof Deno.errors.NotCapable ||
    // Windows has thousands of errors that the runtime has no code for.
    error instanceof Error && errorCode(error) === undefined && errorNumber(error) !== undefined;
}

/**
 * Refuses a path of another machine, such as `\\\\server\\share`: the runtime opens none for a program
 * that may not do everything. Windows only: elsewhere that is a name like any other.
 */
export function refuseNetworkPath({ os }: Pick<System, "os">, action: string, path: string): void {
  if (os === "windows" && isNetworkPath(path)) throw networkPath(action, path);
}

function networkPath(action: string, path: string, cause?: unknown): UpdateError {
  const why = "it is a network path, which updater-shim cannot open";
  return new UpdateError("filesystem", `Cannot ${action} "${path}": ${why}`, {
    path,
    hint:
      "Give the share a drive letter (net use Z: \\\\server\\share) and name the file or folder by that.",
    cause,
  });
}

/** What the runtime opens for no program that may not do everything. */
function forbiddenPath(action: string, path: string, cause: unknown): UpdateError {
  if (!path.startsWith("/")) return networkPath(action, path, cause);
  const why = "below /dev, /proc and /sys updater-shim may open nothing";
  return new UpdateError("filesystem", `Cannot ${action} "${path}": ${why}`, {
    path,
    hint: "Use another folder.",
    cause,
  });
}

/** "Cannot <action> "<path>": <the system's words>", exit code 7. Others pass through unchanged. */
export function filesystemError(error: unknown, action: string, path: string): unknown {
  if (!isFilesystemError(error)) return error;
  if (error instanceof Deno.errors.NotCapable) return forbiddenPath(action, path, error);
  const hint = HINTS[errorCode(error) ?? ""] ?? windowsHint(error) ??
    "Look at the file and its folder, then run again.";
  // The runtime's own words end with the call and its path, as ours begin.
  const why = reason(error).replace(/: \w+ '[^]*'$/, "");
  return new UpdateError("filesystem", `Cannot ${action} "${path}": ${why}`, {
    path,
    hint,
    cause: error,
  });
}

/** Runs one action on one file; its file system errors become sentences. */
export function onFile<T>(action: string, path: string, step: () => T): T {
  try {
    const result = step();
    if (!(result instanceof Promise)) return result;
    return result.catch((error) => {
      throw filesystemError(error, action, path);
    }) as T;
  } catch (error) {
    throw filesystemError(error, action, path);
  }
}
