/** The ends of an update, either way: nothing stays but what the state dir is to keep. */
import { dirname, join } from "node:path";
import {
  isThere,
  moveOrCopy,
  removeIfThere,
  syncFolder,
  syncFolders,
} from "../files/durable_files.ts";
import { examine } from "../files/executable_format.ts";
import { onFile } from "../files/fs_errors.ts";
import { makeFolder } from "../installation/install_dir.ts";
import {
  isUnfinished,
  isUnfinishedOfHome,
  namesBeside,
  unfinishedOf,
} from "../installation/names.ts";
import {
  type JournalRecord,
  type Leftover,
  locate,
  type Located,
  pathOfLeftover,
  removeJournal,
  writeJournal,
} from "./journal.ts";
import { knownReceipt, readReceipt, type Receipt, writeReceipt } from "../installation/receipt.ts";
import type { Session } from "../session.ts";
import { removeStagedFolder, sweepStaged } from "./staged_folder.ts";
import { moveOver } from "../installation/move_over.ts";
import { holds } from "./swap.ts";
import { discard, uniqueName } from "../installation/trash.ts";
import { patiently } from "../system/patience.ts";

/**
 * After `committed`: the old ones become the rollback copy, the receipt is written, the journal goes
 * last. If we die, the journal still says `committed` and all of it is done again. Returns the
 * targets that got their old one back, because somebody has removed or spoilt the new one since.
 * `isOld` says whether the second name of an old one is that file still.
 */
export async function endInstalled(
  session: Session,
  record: JournalRecord,
  isOld: (file: Located) => boolean = ({ previous, old }) =>
    old !== null && holds(session.system.fs, previous, old),
): Promise<string[]> {
  const { system: { fs }, dir } = session;
  const files = locateAll(session, record);
  const restored: string[] = [];
  const kept: Located[] = [];
  const wanted = new Map(record.receipt?.rollback?.files.map((file) => [file.name, file]) ?? []);
  for (const file of files) {
    const { name, old, fresh, target, previous } = file;
    if (!old || !isThere(fs, previous)) continue;
    // The headers first: to read all of a file that is well would only take time.
    const lost = ["missing", "broken"].includes(examine(fs, target).completeness) &&
      !(fresh && holds(fs, target, fresh));
    if (lost && isOld(file)) {
      await onFile(
        "put back the old",
        target,
        () => moveOver(session, previous, target, file.aside),
      );
      session.report({ event: "repaired", path: target, from: previous });
      restored.push(target);
    } else if (wanted.get(name)?.sha256 === old.sha256 && isOld(file)) {
      kept.push(file);
    }
  }
  const before = knownReceipt(readReceipt(session.system, dir));
  if (record.receipt) keepForeign(session, before, record.receipt);
  if (kept.length > 0) {
    makeFolder(session.system, dir.rollback);
    // Each time: whoever made it may have been killed here. Else a power cut takes all that is in it.
    syncFolder(fs, dir.home);
  }
  for (const file of kept) keepForRollback(session, file);
  // Before the second names go: copies have no other.
  if (kept.length > 0) syncFolder(fs, dir.rollback);
  const stuck = [
    ...removeTemporaries(session, record, files).stuck,
    // Also where its rollback copy is on another file system, and where none is wanted.
    ...removePrevious(session, record, files).stuck,
  ];
  syncFolders(fs, files.map((file) => file.target));
  if (record.receipt) {
    const receipt = record.receipt;
    onFile("write the receipt", dir.receipt, () => writeReceipt(fs, dir, receipt));
    removeStaleCopies(session, copiesOf(before), copiesOf(receipt));
  }
  endTransaction(session, record, stuck);
  return restored;
}

/**
 * A rollback copy of what no updater installed may be the only one: before it would go (it is not
 * among the copies of `next`), it moves to where broken executables are kept, and that is said.
 */
export function keepForeign(
  { system, dir, report }: Session,
  before: Receipt | null,
  next: Receipt | null,
): void {
  const { fs } = system;
  for (const copy of before?.rollback?.files ?? []) {
    const { name, sha256, foreign } = copy;
    const path = join(dir.rollback, name);
    const stays = next?.rollback?.files.some((one) => one.name === name && one.sha256 === sha256);
    // Or it was put back just now.
    if (!foreign || stays || !holds(fs, path, copy) || holds(fs, join(dir.path, name), copy)) {
      continue;
    }
    const kept = join(dir.broken, `${uniqueName(system)}-${name}`);
    onFile("keep", path, () => {
      makeFolder(system, dir.broken);
      patiently(fs, () => fs.renameSync(path, kept));
      syncFolders(fs, [kept, dir.broken]);
    });
    report({
      event: "warning",
      message: `"${name}" was not installed by this tool's updater: it is kept as "${kept}"`,
      path: kept,
      hint: "Remove it by hand if you do not need it.",
    });
  }
}

function keepForRollback(session: Session, file: Located): void {
  const { fs } = session.system;
  const copy = join(session.dir.rollback, file.name);
  // The copy of the update before may be executing (Windows): then it cannot be replaced.
  discard(session, copy);
  onFile(
    "keep for --rollback",
    file.previous,
    () => moveOrCopy(fs, file.previous, copy, unfinishedOf(copy)),
  );
}

function copiesOf(receipt: Receipt | null): string[] {
  return receipt?.rollback?.files.map(({ name }) => name) ?? [];
}

/** What `--rollback` would not bring back any more is of no use to anybody. */
function removeStaleCopies(
  session: Session,
  before: readonly string[],
  wanted: readonly string[],
): void {
  const { system: { fs }, dir } = session;
  for (const name of before.filter((name) => !wanted.includes(name))) {
    const path = join(dir.rollback, name);
    if (isThere(fs, path)) onFile("remove", path, () => discard(session, path));
  }
}

/**
 * Before the commit, or after it was put back: every name but the targets goes. While staging, no
 * `.previous` was made yet: one that is there by now is not ours. Returns what was removed.
 */
export function endUnchanged(session: Session, record: JournalRecord): string[] {
  const files = locateAll(session, record);
  const { removed, stuck } = removeTemporaries(session, record, files);
  if (record.phase !== "staging") {
    const old = removePrevious(session, record, files);
    removed.push(...old.removed);
    stuck.push(...old.stuck);
  }
  syncFolders(session.system.fs, files.map((file) => file.target));
  endTransaction(session, record, stuck);
  return removed;
}

interface Gone {
  readonly removed: string[];
  readonly stuck: Leftover[];
}

/** The staged sets, and what has a name that nobody else gives. */
function removeTemporaries(
  session: Session,
  { transaction }: JournalRecord,
  files: readonly Located[],
): Gone {
  const removed: string[] = [], stuck: Leftover[] = [];
  for (const folder of new Set(files.map((file) => file.folder))) {
    const { there, gone } = removeStagedFolder(session, folder);
    if (there && gone) removed.push(folder);
    // Those in the state dir are found again without a record.
    if (!gone && dirname(folder) !== session.dir.staged) {
      const { name } = files.find((file) => file.folder === folder)!;
      stuck.push({ transaction, name, what: "staged", content: null });
    }
  }
  for (const { name, scratch, aside } of files) {
    for (const [what, path] of [["copy", scratch], ["aside", aside]] as const) {
      if (!isThere(session.system.fs, path)) continue;
      if (onFile("remove", path, () => discard(session, path))) removed.push(path);
      else stuck.push({ transaction, name, what, content: null });
    }
  }
  return { removed, stuck };
}

/** The old ones' second names, where they are the old ones. */
export function removePrevious(
  session: Session,
  { transaction }: JournalRecord,
  files: readonly Located[],
): Gone {
  const { fs } = session.system;
  const removed: string[] = [], stuck: Leftover[] = [];
  for (const { name, target, previous, hiddenPrevious, old } of files) {
    const visible = namesBeside(target, transaction).previous;
    for (const path of new Set([previous, hiddenPrevious])) {
      if (!old || !holds(fs, path, old)) continue;
      if (onFile("remove", path, () => discard(session, path))) removed.push(path);
      else {
        const what = path === visible ? "previous" : "hidden-previous";
        stuck.push({ transaction, name, what, content: old });
      }
    }
  }
  return { removed, stuck };
}

/** Leftovers keep the journal alive, so that a later start knows that they are ours. */
export function endTransaction(
  session: Session,
  record: JournalRecord,
  stuck: readonly Leftover[],
): void {
  const { system: { fs }, dir } = session;
  const leftovers = [...record.leftovers.filter((one) => !removeLeftover(session, one)), ...stuck];
  if (leftovers.length === 0) return removeJournal(fs, dir);
  writeJournal(fs, dir, { ...record, phase: "leftovers", files: [], receipt: null, leftovers });
}

function removeLeftover(session: Session, leftover: Leftover): boolean {
  const { system, dir } = session;
  const { fs } = system;
  const path = pathOfLeftover(system, dir, leftover);
  if (leftover.what === "staged") return removeStagedFolder(session, path).gone;
  if (!isThere(fs, path)) return true;
  // A `.previous` that is another file by now is not ours.
  if (leftover.content && !holds(fs, path, leftover.content)) return true;
  return onFile("remove", path, () => discard(session, path));
}

/** The files of a record with the paths that they have now. */
export function locateAll(
  { system, dir }: Session,
  { transaction, files }: JournalRecord,
): Located[] {
  return files.map((file) => locate(system, dir, transaction, file));
}

/**
 * What a kill leaves in the tool's folder and nothing needs: half-written replacements of its files,
 * and, where no update is open, staged sets.
 */
export function sweepHome(session: Session, open: boolean): void {
  const { system: { fs }, dir } = session;
  if (!isThere(fs, dir.home)) return;
  for (const { name } of onFile("list", dir.home, () => [...fs.readDirSync(dir.home)])) {
    const path = join(dir.home, name);
    if (isUnfinishedOfHome(name)) onFile("remove", path, () => removeIfThere(fs, path));
  }
  sweepCopies(session, dir.rollback);
  if (!open) sweepStaged(session);
}

/** The same in a folder of copies: of broken executables, or for `--rollback`. */
export function sweepCopies({ system: { fs } }: Session, folder: string): void {
  if (!isThere(fs, folder)) return;
  for (const { name } of onFile("list", folder, () => [...fs.readDirSync(folder)])) {
    const path = join(folder, name);
    if (isUnfinished(name)) onFile("remove", path, () => removeIfThere(fs, path));
  }
}
