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
import { lookAt } from "./look.ts";
import { retryWhileLocked } from "./patience.ts";
import type { Removal } from "./platform.ts";
import type { Steps } from "./steps.ts";
import { errorNumber } from "./windows_errors.ts";

/** Also the folder it runs in: the current folder of a process cannot be removed. */
const COMMAND_SHELL = "C:\\Windows\\System32\\cmd.exe";
/** A tool that has just exited may be locked for moments. */
const EXIT_MS = 5000;
const SHARING_VIOLATION = 32;

/** cmd.exe knows longer paths only with the prefix that turns their limit off. */
const LONG_PATH = 240;
const READ_ONLY = 0o444, WRITABLE = 0o666;

/**
 * 1. Wait for our end, which ends the standard input: no pid that could be used again.
 * 2. Remove the first file, again and again while it is held: 200 times with about 0.1 s between
 *    (counted, because each program that waits would open a window).
 * 3. If it is gone, the trees (hidden files in them, too), and the folders that are empty then. Else all
 *    of it stays: with the receipt, the shim can be run again.
 */
function script(rest: readonly string[]): string {
  return 'set /p X=& (for /l %i in (1,1,200) do if exist "!SHIM_FIRST!" ' +
    '(del /f /q /a "!SHIM_FIRST!" & for /l %j in (1,1,20000) do set Y=%j)) & ' +
    `if not exist "!SHIM_FIRST!" (${rest.join(" & ")})`;
}

/** See `Platform.isInUse`. Nobody may write to an image that is executing; only error 32 says so. */
export async function isInUse(system: Steps, path: string): Promise<boolean> {
  try {
    await retryWhileLocked(system, EXIT_MS, () => openForWriting(system, path));
    return false;
  } catch {
    return true;
  }
}

function openForWriting({ fs }: Steps, path: string): void {
  const isReadOnly = ((lookAt(fs, path)?.mode ?? WRITABLE) & 0o200) === 0;
  try {
    // Else NTFS may say "access denied", which would tell nothing.
    if (isReadOnly) fs.chmodSync(path, WRITABLE);
    fs.openSync(path, { write: true }).close();
  } catch (error) {
    if (errorNumber(error) === SHARING_VIOLATION) throw error;
  } finally {
    if (isReadOnly) fs.chmodSync(path, READ_ONLY);
  }
}

/** See `Platform.removeAfterExit`. */
export function removeAfterExit(
  { processes }: Steps,
  { file, trees, folders }: Removal,
): "later" {
  const paths = [
    ["SHIM_FIRST", file],
    ...trees.map((path, index) => [`SHIM_TREE${index}`, path]),
    ...folders.map((path, index) => [`SHIM_FOLDER${index}`, path]),
  ] as [string, string][];
  const rest = paths.slice(1).map(([name]) =>
    `rmdir ${name.startsWith("SHIM_TREE") ? "/s /q " : ""}"!${name}!"`
  );
  const env = paths.map(([name, path]) => [
    name,
    path.length > LONG_PATH && /^[a-z]:/i.test(path) ? `\\\\?\\${path}` : path,
  ]);
  // /d: no AutoRun; /v:on: !X!; /s: only the outer quotes are cmd's.
  const line = `/d /q /v:on /s /c "${script(rest)}"`;
  processes.leaveBehind(COMMAND_SHELL, line, Object.fromEntries(env));
  return "later";
}
