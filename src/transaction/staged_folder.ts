/**
 * The hidden folder of a staged set: mode 0700, made by us alone, its name in the journal before. The
 * new executables lie in it under their real names, so that one which looks at its own name, or
 * starts another one of the set, finds what it will find once it is installed.
 */
import { join } from "node:path";
import { lookAt } from "../files/durable_files.ts";
import { UpdateError } from "../base/errors.ts";
import { onFile } from "../files/fs_errors.ts";
import { discard } from "../installation/trash.ts";
import type { Session } from "../session.ts";

/** Throws `filesystem` where it exists, or where it does not turn out to be ours alone. */
export function makeStagedFolder({ system }: Session, folder: string): void {
  const { fs, user } = system;
  onFile("make the folder", folder, () => fs.mkdirSync(folder, { mode: 0o700 }));
  const info = onFile("look at", folder, () => fs.lstatSync(folder));
  const ours = info.isDirectory && !info.isSymlink &&
    (!user || ((info.uid === null || info.uid === user.uid) && ((info.mode ?? 0) & 0o077) === 0));
  if (ours) return;
  throw new UpdateError("filesystem", `Refusing to stage in "${folder}": it is not ours alone`, {
    path: folder,
    hint: "Something else writes to this folder. Nothing was changed; find out what it is.",
  });
}

/**
 * Removes it with all that is in it: a program that was tried there may have left something. Returns
 * whether there was one, and whether it is gone (on Windows a program may still run in it).
 */
export function removeStagedFolder(
  session: Session,
  folder: string,
): { there: boolean; gone: boolean } {
  const { fs } = session.system;
  if (!lookAt(fs, folder)?.isDirectory) return { there: false, gone: true };
  let gone = true;
  onFile("remove", folder, () => {
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
    const path = join(dir.staged, name);
    // Whatever else lies in a folder of ours alone is not wanted there.
    if (!removeStagedFolder(session, path).there) {
      onFile("remove", path, () => discard(session, path));
    }
  }
}
