/**
 * Windows: an executable cannot be removed while it runs, so somebody else has to remove the shim
 * once it has exited. Ways that were weighed:
 *
 * | way | why not |
 * | --- | --- |
 * | a copy of the shim in TEMP, removed by FILE_FLAG_DELETE_ON_CLOSE (self-replace, rustup) | 100 MB are written to be removed, and a power cut leaves them; needs a system program to hold the handle anyway |
 * | the image renamed into TEMP | litter for ever where nobody removes it there |
 * | the image's data renamed into a stream, then deleted | undocumented, and what malware does |
 * | MoveFileEx, at the next boot | administrators only |
 *
 * So: the system's own cmd.exe, by its full path, in the system's folder, with built-in commands
 * only and without AutoRun: there is nothing that PATH, the current folder or the environment could
 * put in its place. It has no file of its own. Paths reach it in variables that are expanded after
 * parsing (`!X!`): no character of theirs is ever read as a command.
 */
import { reason } from "../base/errors.ts";
import { retryWhileLocked } from "./patience.ts";
import type { Removal } from "./platform.ts";
import type { System } from "./system.ts";

/** Also the folder it runs in: the current folder of a process cannot be removed. */
const COMMAND_SHELL = "C:\\Windows\\System32\\cmd.exe";
/** A tool that has just exited may be locked for moments. */
const EXIT_MS = 5000;

/**
 * 1. Wait for our end, which ends the standard input: no pid that could be used again.
 * 2. Remove the first file, again and again while it is held: 200 times with about 0.1 s between
 *    (counted, because each program that waits would open a window).
 * 3. If it is gone, the state dir's last files, the state dir, and the install dir if it is empty.
 *    Else all of it stays: with the receipt, the shim can be run again.
 */
const SCRIPT = 'set /p X=& (for /l %i in (1,1,200) do if exist "!SHIM_FIRST!" ' +
  '(del /f /q "!SHIM_FIRST!" & for /l %j in (1,1,20000) do set Y=%j)) & ' +
  'if not exist "!SHIM_FIRST!" ' +
  '(del /f /q "!SHIM_STATE!\\*" & rmdir "!SHIM_STATE!" & rmdir "!SHIM_FOLDER!")';

/** See `Platform.isInUse`. Nobody may write to an image that is executing; only error 32 says so. */
export async function isInUse(system: System, path: string): Promise<boolean> {
  try {
    await retryWhileLocked(system, EXIT_MS, () => openForWriting(system, path));
    return false;
  } catch {
    return true;
  }
}

function openForWriting({ fs }: System, path: string): void {
  try {
    fs.openSync(path, { write: true }).close();
  } catch (error) {
    if (/\(os error 32\)/.test(reason(error))) throw error;
  }
}

/** See `Platform.removeAfterExit`. */
export function removeAfterExit({ processes }: System, { file, state, folder }: Removal): void {
  // /d: no AutoRun; /v:on: !X!; /s: only the outer quotes are cmd's.
  processes.leaveBehind(COMMAND_SHELL, `/d /q /v:on /s /c "${SCRIPT}"`, {
    SHIM_FIRST: file,
    SHIM_STATE: state,
    SHIM_FOLDER: folder,
  });
}
