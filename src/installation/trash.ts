/**
 * Files to be rid of that Windows may not let go yet: an image that is executing can be renamed,
 * but not removed. It goes into the state dir and is deleted by a later start.
 */
import { basename, join } from "node:path";
import { isThere } from "../files/durable_files.ts";
import { makeFolder, type OpenedDir } from "./install_dir.ts";
import { isTransient, patiently } from "../system/patience.ts";
import type { System } from "../system/system.ts";

/**
 * Removes a file, or moves it to the trash. False where it has to stay: the journal keeps it.
 * Throws what is no matter of time.
 */
export function discard(opened: OpenedDir, path: string): boolean {
  const { fs } = opened.system;
  try {
    fs.removeSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    if (!isTransient(error)) throw error;
  }
  try {
    const place = placeInTrash(opened, path);
    patiently(fs, () => fs.renameSync(path, place));
    return true;
  } catch {
    // Another volume, or held without sharing: it keeps its hidden, journaled name.
    return false;
  }
}

/** A free name in the trash, for a file that has to leave its own. */
export function placeInTrash({ system, dir }: OpenedDir, path: string): string {
  makeFolder(system, dir.trash);
  return join(dir.trash, `${uniqueName(system)}-${basename(path)}`);
}

/** Deletes what can be deleted by now. Never fails: there is always a later start. */
export function emptyTrash({ system, dir }: OpenedDir): void {
  const { fs } = system;
  if (!isThere(fs, dir.trash)) return;
  for (const { name } of [...fs.readDirSync(dir.trash)]) {
    // Only names that are given here: were the folder exchanged, others would be somebody's files.
    if (!/^[0-9a-f]{16}-/.test(name)) continue;
    try {
      fs.removeSync(join(dir.trash, name));
    } catch {
      // Still executing.
    }
  }
}

/** Sixteen hex digits that nobody can foresee. */
export function uniqueName(system: System): string {
  return system.randomBytes(8).toHex();
}
