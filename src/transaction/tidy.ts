/** What an update leaves when it is over, either way: nothing but the state dir. */
import { join } from "@std/path";
import { isThere, moveOrCopy, removeIfThere, syncFolders } from "../files/durable_files.ts";
import { examine } from "../files/executable_format.ts";
import { onFile } from "../files/fs_errors.ts";
import { makeFolder } from "../installation/install_dir.ts";
import { type JournalFile, type JournalRecord, removeJournal, writeJournal } from "./journal.ts";
import { writeReceipt } from "../installation/receipt.ts";
import type { Session } from "../session.ts";
import { discard } from "../installation/trash.ts";

/**
 * After `committed`: the old ones become the rollback copy, the receipt is written, the journal goes
 * last. If we die, the journal still says `committed` and all of it is done again.
 */
export function tidyCommitted(session: Session, record: JournalRecord): void {
  const { fs } = session.system;
  // A target that somebody has removed or spoilt since: its old one is left to the orphan rule.
  const kept = record.files.filter((file) =>
    file.old && isThere(fs, file.previous) && examine(fs, file.target).completeness === "complete"
  );
  if (kept.length > 0) makeFolder(session.system, session.dir.rollback);
  for (const file of kept) keepForRollback(session, file);
  // A `.previous` is still there if its rollback copy is on another file system.
  const names = [...record.files.flatMap(temporaryNames), ...kept.map((file) => file.previous)];
  const stuck = removeNames(session, names).stuck;
  syncFolders(fs, record.files.map((file) => file.target));
  if (record.receipt) {
    const receipt = record.receipt;
    onFile("write the receipt", session.dir.receipt, () => writeReceipt(fs, session.dir, receipt));
  }
  endTransaction(session, record, stuck);
}

function keepForRollback(session: Session, file: JournalFile): void {
  const { fs } = session.system;
  const copy = join(session.dir.rollback, file.name);
  // The copy of the update before may be executing (Windows): then it cannot be replaced.
  discard(session, copy);
  onFile(
    "keep for --rollback",
    file.previous,
    () => moveOrCopy(fs, file.previous, copy, `${copy}.new`),
  );
}

/**
 * Before the commit, or after it was put back: every name but the targets goes. While staging, no
 * `.previous` was made yet: one that is there by now is not ours.
 */
export function removeStaged(session: Session, record: JournalRecord): string[] {
  const names = record.files.flatMap((file) =>
    record.phase === "staging" ? temporaryNames(file) : [...temporaryNames(file), file.previous]
  );
  const { removed, stuck } = removeNames(session, names);
  syncFolders(session.system.fs, record.files.map((file) => file.target));
  endTransaction(session, record, stuck);
  return removed;
}

function temporaryNames({ staged, scratch, aside }: JournalFile): string[] {
  return [staged, scratch, aside];
}

function removeNames(session: Session, names: readonly string[]) {
  const there = names.filter((name) => isThere(session.system.fs, name));
  const stuck = there.filter((name) => !onFile("remove", name, () => discard(session, name)));
  return { removed: there.filter((name) => !stuck.includes(name)), stuck };
}

/** Leftovers keep the journal alive, so that a later start knows that they are ours. */
function endTransaction(session: Session, record: JournalRecord, stuck: readonly string[]): void {
  const { system: { fs }, dir } = session;
  const leftovers = [...removeNames(session, record.leftovers).stuck, ...stuck];
  if (leftovers.length === 0) return removeJournal(fs, dir);
  writeJournal(fs, dir, { ...record, phase: "committed", files: [], receipt: null, leftovers });
}

/** Half-written replacements of the state dir's own files: a kill leaves them, nothing needs them. */
export function sweepStateDir({ system: { fs }, dir }: Session): void {
  for (const folder of [dir.state, dir.rollback, dir.broken]) {
    if (!isThere(fs, folder)) continue;
    for (const { name } of [...fs.readDirSync(folder)]) {
      const path = join(folder, name);
      if (name.endsWith(".new")) onFile("remove", path, () => removeIfThere(fs, path));
    }
  }
}
