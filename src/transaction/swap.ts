/**
 * The commit and its undoing. Both look only at which names exist and what they hold, so both can be
 * cut short at any step and run again.
 */
import { type Digest, digestFile, sameContent } from "../files/digest.ts";
import { copyFile, isThere, linkOrCopy, lookAt, removeIfThere } from "../files/durable_files.ts";
import { syncFolders } from "../files/durable_files.ts";
import { errorCode, UpdateError } from "../base/errors.ts";
import { onFile } from "../files/fs_errors.ts";
import { moveOver } from "../installation/move_over.ts";
import { dirname } from "node:path";
import { lookAtTrusted, openTrusted } from "../files/trusted_file.ts";
import { isOursAlone } from "../installation/trust.ts";
import { type JournalFile, type JournalRecord, type Located, writeJournal } from "./journal.ts";
import type { Session } from "../session.ts";
import type { FileSystem } from "../system/file_system.ts";
import type { System } from "../system/system.ts";
import { discard } from "../installation/trash.ts";

/** A record and its files, after some of them got another name. */
export interface Named<F extends Located> {
  readonly record: JournalRecord;
  readonly files: readonly F[];
}

/**
 * Gives every old one its second name, before any target is replaced. The journal says `committing`.
 * Where `<target>.previous` was taken meanwhile, it gets a hidden name, which is journaled first. If
 * we die, all targets are old and all staged files are there. Throws `filesystem`.
 */
export function keepOlds<F extends Located>(
  session: Session,
  record: JournalRecord,
  files: readonly F[],
): Named<F> {
  const { system: { fs }, dir } = session;
  const taken = files.filter((file) => !keepOld(session.system, file));
  if (taken.length === 0) {
    syncFolders(fs, files.map((file) => file.target));
    return { record, files };
  }
  const stuck = taken.find(({ hidden }) => hidden);
  if (stuck) {
    throw new UpdateError("filesystem", `"${stuck.previous}" is in the way of the old version`, {
      path: stuck.previous,
      hint: "Move it away and run again.",
    });
  }
  const isTaken = ({ name }: JournalFile) => taken.some((file) => file.name === name);
  const hidden = {
    ...record,
    files: record.files.map((file) => isTaken(file) ? { ...file, hidden: true } : file),
  };
  writeJournal(fs, dir, hidden);
  return keepOlds(
    session,
    hidden,
    files.map((file) =>
      isTaken(file) ? { ...file, hidden: true, previous: file.hiddenPrevious } : file
    ),
  );
}

/**
 * Replaces every target by its staged file. The old ones have their second names, and those are
 * durable, as the staged files are. If we die
 *
 * 1. between two renames: some targets are new, every other has its staged file. Had a rename become
 *    durable before an old one's second name, there would be no way back;
 * 2. before the renames are durable: any of them may be lost, as in 1.
 *
 * Throws `filesystem`; then the caller says `rolling-back` in the journal and calls `putBack`.
 */
export async function replaceAll(session: Session, files: readonly Located[]): Promise<void> {
  const { system: { fs }, report } = session;
  for (const file of files) {
    await onFile("replace", file.target, () => placeNew(session, file));
    report({ event: "swapped", path: file.target });
  }
  // Not the folders that they came from: with its new name a file has lost the old one.
  syncFolders(fs, files.map((file) => file.target));
}

/** Gives the old one its second name. False where something else has that name. */
function keepOld(system: System, { old, target, previous, scratch }: Located): boolean {
  const { fs } = system;
  if (!old || !isThere(fs, target)) return true;
  return onFile("keep the old file of", target, () => {
    try {
      if (!isThere(fs, previous)) {
        linkOrCopy(fs, target, previous, scratch);
        // What would be brought back, and run: it is the file that was read.
        lookAtTrusted(system, previous, "the old file");
        if (!isOursAlone(system, dirname(target)) && !holds(fs, previous, old)) {
          throw exchangedOld(target);
        }
        return true;
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
    // Of a recovery: an earlier run came this far.
    return isSecondName(fs, previous, target) || holds(fs, previous, old);
  });
}

function exchangedOld(path: string): UpdateError {
  return new UpdateError("filesystem", `"${path}" was exchanged while it was replaced`, {
    path,
    hint: "Somebody else writes to its folder. Find out who, then run again.",
  });
}

/** Whether two names are known to be one file. */
function isSecondName(fs: FileSystem, name: string, other: string): boolean {
  const [a, b] = [lookAt(fs, name), lookAt(fs, other)];
  return a?.isFile === true && b?.isFile === true && Boolean(a.ino) && a.ino === b.ino &&
    a.dev === b.dev;
}

/**
 * One target becomes the new one. A first installation is a link, which never replaces what somebody
 * else has put there meanwhile; its staged name goes with the folder.
 */
async function placeNew(session: Session, file: Located): Promise<void> {
  const { fs } = session.system;
  const { staged, target, aside, scratch, old } = file;
  if (!old) {
    try {
      return fs.linkSync(staged, target);
    } catch (error) {
      // Links cannot be made everywhere; then the look has to do.
      if (isThere(fs, target)) throw appeared(target, error);
    }
  }
  try {
    await moveOver(session, staged, target, aside);
  } catch (error) {
    if (errorCode(error) !== "EXDEV") throw error;
    // Two mounts of one file system: they look like one.
    copyDurably(session.system, staged, scratch);
    await moveOver(session, scratch, target, aside);
  }
}

/** With mode and owner. The name is not durable. */
function copyDurably(system: System, from: string, to: string): void {
  const { fs } = system;
  const { mode, uid, gid } = fs.lstatSync(from);
  removeIfThere(fs, to);
  copyFile(fs, from, to, 0o700);
  const file = openTrusted(system, to, "the copy", "write");
  if (!file) throw new Deno.errors.NotFound(`there is no "${to}" any more`);
  try {
    if (uid !== null && gid !== null) fs.fchownSync(file, uid, gid);
  } catch {
    // As when it was staged: told there.
  }
  try {
    if (mode !== null) fs.fchmodSync(file, mode & 0o777);
    file.syncSync();
  } finally {
    file.close();
  }
}

function appeared(target: string, cause: unknown): UpdateError {
  return new UpdateError(
    "filesystem",
    `"${target}" was made by something else while the update ran`,
    { path: target, hint: "It was left alone. Look what it is, then run the update again.", cause },
  );
}

/**
 * Makes every target the old one again, the last replaced first. If we die on the way, the rest
 * still has its second name, and the journal still says so. A first installation is removed.
 */
export async function putBack(session: Session, files: readonly Located[]): Promise<void> {
  for (const file of files.toReversed()) {
    await onFile("put back the old", file.target, () => putOneBack(session, file));
  }
  syncFolders(session.system.fs, files.map((file) => file.target));
}

async function putOneBack(session: Session, file: Located): Promise<void> {
  const { fs } = session.system;
  const { target, old } = file;
  if (!old) {
    if (isPlacedByUs(fs, file)) discard(session, target);
    return;
  }
  // Already the old one: then `.previous` is a second name of the same file, for which rename(2)
  // does nothing and reports success. The name is removed with the rest.
  if (holds(fs, target, old)) return;
  // Only what was there before: others can give such names, too.
  const source = [file.previous, file.hiddenPrevious, file.aside].find((path) =>
    holds(fs, path, old)
  );
  if (source) await moveOver(session, source, target, file.scratch);
}

/** Whether a first installation came so far that its target is ours. */
function isPlacedByUs(fs: FileSystem, { staged, target, fresh }: Located): boolean {
  if (!fresh || !holds(fs, target, fresh)) return false;
  const [ours, there] = [lookAt(fs, staged), lookAt(fs, target)];
  // Without a staged file it was renamed, or the names do not tell which file is which.
  return !ours || !ours.ino || (ours.ino === there?.ino && ours.dev === there?.dev);
}

/** Whether the name is a file of exactly that content. */
export function holds(fs: FileSystem, path: string, content: Digest): boolean {
  try {
    const info = fs.lstatSync(path);
    return info.isFile && info.size === content.size &&
      sameContent(digestFile(fs, path), content);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
