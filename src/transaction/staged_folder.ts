/**
 * The hidden folder of a staged set: mode 0700, made by us alone, its name in the journal before. The
 * new executables lie in it under their real names, so that one which looks at its own name, or
 * starts another one of the set, finds what it will find once it is installed.
 */
import { join } from "node:path";
import { lookAt } from "../files/durable_files.ts";
import { requireOwnFolder } from "../installation/trust.ts";
import { onFile } from "../files/fs_errors.ts";
import { discard } from "../installation/trash.ts";
import { isTransaction } from "../installation/names.ts";
import type { Session } from "../session.ts";

/** Throws `filesystem` where it exists, or where it does not turn out to be ours alone. */
export function makeStagedFolder({ system }: Session, folder: string): void {
  onFile("make the folder", folder, () => system.fs.mkdirSync(folder, { mode: 0o700 }));
  requireOwnFolder(system, folder, "to stage in");
}

/**
 * Removes it with all that is in it: a program that was tried there may have left something. Returns
 * whether there was one, and whether it is gone (on Windows a program may still run in it).
 */
export function removeStagedFolder(
  session: Session,
  folder: string,
): { there: boolean; gone: boolean } {
  const { fs, os } = session.system;
  if (!lookAt(fs, folder)?.isDirectory) return { there: false, gone: true };
  let gone = true;
  onFile("remove", folder, () => {
    // In one step that follows no link on the way; where programs keep their files, one by one.
    if (os !== "windows") return fs.removeSync(folder, { recursive: true });
    for (const { name } of [...fs.readDirSync(folder)]) {
      const path = join(folder, name);
      if (lookAt(fs, path)?.isDirectory) fs.removeSync(path, { recursive: true });
      else if (!discard(session, path)) gone = false;
    }
    if (gone) fs.removeSync(folder);
  });
  return { there: true, gone };
}

/** No update is open: whatever lies among the staged sets is of one that is over. */
export function sweepStaged(session: Session): void {
  const { system: { fs }, dir } = session;
  if (!lookAt(fs, dir.staged)?.isDirectory) return;
  for (const { name } of onFile("list", dir.staged, () => [...fs.readDirSync(dir.staged)])) {
    // Only what is called as staged sets are: were the folder exchanged, the rest would be somebody's.
    if (!isTransaction(name)) continue;
    const path = join(dir.staged, name);
    if (!removeStagedFolder(session, path).there) {
      onFile("remove", path, () => discard(session, path));
    }
  }
}
