/** What became of an executable since it was installed. */
import { dirname, join } from "node:path";
import { lookAt, realPath } from "../files/durable_files.ts";
import { examine } from "../files/executable_format.ts";
import { filesystemError, isFilesystemError } from "../files/fs_errors.ts";
import { toolIdOfShim } from "../installation/names.ts";
import type { Installed } from "../installation/receipt.ts";
import { pathOf } from "../installation/targets.ts";
import type { Session } from "../session.ts";
import type { FileSystem } from "../system/file_system.ts";
import { holds } from "../transaction/swap.ts";

/** One executable of the receipt, and what is there now. */
export interface FileState {
  /** Its real path, where its name leads anywhere. */
  readonly path: string;
  /** `changed`: complete, but not what the last update installed. */
  readonly state: "installed" | "changed" | "broken" | "missing" | "not-a-file";
}

/** By digest. Throws `filesystem` for what cannot be looked at. */
export function fileState(session: Session, file: Installed): FileState {
  return stateOf(session, file, holds);
}

/** The same for an everyday start: a file of the installed size and time counts as untouched. */
export function quickFileState(session: Session, file: Installed): FileState {
  return stateOf(session, file, (fs, path) => isUntouched(fs, path, file) || holds(fs, path, file));
}

/** Whether a file still has the size and the time that it was installed with. */
export function isUntouched(fs: FileSystem, path: string, file: Installed): boolean {
  const now = lookAt(fs, path);
  return now?.size === file.size && now.mtime?.getTime() === file.modified;
}

function stateOf(
  { system, dir }: Session,
  file: Installed,
  isSame: (fs: FileSystem, path: string, file: Installed) => boolean,
): FileState {
  const { fs } = system;
  let path = join(dir.path, file.name);
  try {
    path = pathOf(system, dir, file.name);
    if (isSame(fs, path, file)) return { path, state: "installed" };
    const { completeness } = examine(fs, path);
    return { path, state: completeness === "complete" ? "changed" : completeness };
  } catch (error) {
    if (!isFilesystemError(error)) throw error;
    throw filesystemError(error, "look at", path);
  }
}

/** The real path of the shim that runs. */
export function runningShim({ system: { fs, execPath } }: Session): string {
  try {
    return realPath(fs, execPath);
  } catch {
    // Removed or renamed since we started.
    return execPath;
  }
}

/** The shim's executable if it is the tool's own: another one serves other tools, too. */
export function ownExecutable(session: Session): string | undefined {
  const { dir } = session, path = runningShim(session);
  return dirname(path) === dir.path && toolIdOfShim(path) === dir.id ? path : undefined;
}
