/**
 * Files to be rid of that Windows may not let go yet: an image that is executing can be renamed,
 * but not removed. It goes into the state dir and is deleted by a later start.
 */
import { basename, join } from "@std/path";
import { isThere, removeIfThere } from "./durable_files.ts";
import { makeFolder } from "./install_dir.ts";
import type { Session } from "./session.ts";

/** Removes a file, or moves it to the trash. False where it has to stay: the journal keeps it. */
export function discard({ system, dir }: Session, path: string): boolean {
  const { fs } = system;
  try {
    removeIfThere(fs, path);
    return true;
  } catch (error) {
    if (system.os !== "windows") throw error;
  }
  try {
    makeFolder(system, dir.trash);
    fs.renameSync(path, join(dir.trash, `${uniqueName(system)}-${basename(path)}`));
    return true;
  } catch {
    // Another volume, or held without sharing: it keeps its hidden, journaled name.
    return false;
  }
}

/** Deletes what can be deleted by now. Never fails: there is always a later start. */
export function emptyTrash({ system, dir }: Session): void {
  const { fs } = system;
  if (!isThere(fs, dir.trash)) return;
  for (const { name } of [...fs.readDirSync(dir.trash)]) {
    try {
      removeIfThere(fs, join(dir.trash, name));
    } catch {
      // Still executing.
    }
  }
}

/** Sixteen hex digits that nobody can foresee. */
export function uniqueName(system: Session["system"]): string {
  return Array.from(system.randomBytes(8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
