/**
 * The commit and its undoing. Both only look at which names exist, so both can be cut short at any
 * step and run again.
 */
import { digestFile, sameContent } from "../files/digest.ts";
import { isThere, linkOrCopy, syncFolders } from "../files/durable_files.ts";
import { onFile } from "../files/fs_errors.ts";
import type { JournalFile } from "./journal.ts";
import type { Session } from "../session.ts";
import type { System } from "../system/system.ts";
import { discard } from "../installation/trash.ts";

/**
 * Replaces every target by its staged file. The journal says `committing`, and the staged files and
 * their names are durable. If we die
 *
 * 1. while the old ones get their second name: all targets are old, all staged files are there;
 * 2. before those names are durable: the same;
 * 3. between two renames: some targets are new, every other has its staged file. Had a rename
 *    become durable before the old one's second name, there would be no way back: hence step 2;
 * 4. before the renames are durable: any of them may be lost, as in 3.
 *
 * Throws `filesystem`; then the caller says `rolling-back` in the journal and calls `putBack`.
 */
export async function swapIn(session: Session, files: readonly JournalFile[]): Promise<void> {
  const { system, report } = session;
  const targets = files.map((file) => file.target);
  for (const file of files) keepOld(system, file);
  syncFolders(system.fs, targets);
  for (const { staged, target, aside } of files) {
    await onFile("replace", target, () => moveOver(session, staged, target, aside));
    report({ event: "swapped", path: target });
  }
  syncFolders(system.fs, targets);
}

function keepOld({ fs }: System, { old, target, previous, scratch }: JournalFile): void {
  if (!old || !isThere(fs, target) || isThere(fs, previous)) return;
  onFile("keep the old file of", target, () => linkOrCopy(fs, target, previous, scratch));
}

/**
 * Makes every target the old one again, the last replaced first. If we die on the way, the rest
 * still has its `.previous`, and the journal still says so. A first installation is removed.
 */
export async function putBack(session: Session, files: readonly JournalFile[]): Promise<void> {
  const { system } = session;
  for (const file of files.toReversed()) {
    await onFile("put back the old", file.target, () => putOneBack(session, file));
  }
  syncFolders(system.fs, files.map((file) => file.target));
}

async function putOneBack(session: Session, file: JournalFile): Promise<void> {
  const { fs } = session.system;
  const { target, old, fresh } = file;
  if (!old) {
    if (fresh && holds(fs, target, fresh)) discard(session, target);
    return;
  }
  // Already the old one: then `.previous` is a second name of the same file, for which rename(2)
  // does nothing and reports success. The name is removed with the rest.
  if (holds(fs, target, old)) return;
  const source = [file.previous, file.aside].find((path) => isThere(fs, path));
  if (source) await moveOver(session, source, target, file.scratch);
}

/** Whether the name is a file of exactly that content. */
export function holds(
  fs: System["fs"],
  path: string,
  content: { readonly size: number; readonly sha256: string },
): boolean {
  try {
    const info = fs.lstatSync(path);
    return info.isFile && info.size === content.size &&
      sameContent(digestFile(fs, path), content);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Gives `from` the name `to`, whatever had it. `spare` is a free name in the same folder for an
 * image that is executing. If we die: `to` is the one or the other file; on Windows, while `to`
 * executes, it may be missing and its file be at `spare`.
 */
export async function moveOver(
  { system, report }: Session,
  from: string,
  to: string,
  spare: string,
): Promise<void> {
  await system.platform.replaceFile(
    system,
    from,
    to,
    spare,
    (notice) => report({ event: "warning", ...notice }),
  );
}
