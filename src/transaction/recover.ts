/**
 * Recovery: what every start does first, and `--repair` does alone. It runs under the lock, decides
 * from the disk (the journal only explains the names), and can be cut short anywhere and run again.
 */
import { dirname } from "@std/path";
import { decide, type Decision, type Facts, look } from "./decision.ts";
import { isThere, removeIfThere, syncFolder, syncFolders } from "../files/durable_files.ts";
import { UpdateError } from "../base/errors.ts";
import { onFile } from "../files/fs_errors.ts";
import {
  type Journal,
  type JournalRecord,
  readJournal,
  setJournalAside,
  writeJournal,
} from "./journal.ts";
import { mendOrphans, type Orphan, type Unrepaired } from "../orphans/orphans.ts";
import type { Session } from "../session.ts";
import { putBack, swapIn } from "./swap.ts";
import { removeStaged, sweepStateDir, tidyCommitted } from "./tidy.ts";
import { emptyTrash } from "../installation/trash.ts";

/** What recovery did: the caller tells nothing-to-do from repaired from failed. */
export interface Recovery {
  /** Paths that were restored, finished or put back. */
  readonly mended: readonly string[];
  readonly unrepaired: readonly Unrepaired[];
  /** Files that were removed because an interrupted update had made them. */
  readonly removed: readonly string[];
  /** Notes about files that were left alone. */
  readonly left: readonly Orphan[];
  /** An interrupted update is still open: no other may begin. */
  readonly blocked: boolean;
}

/**
 * Puts right whatever was interrupted, in the folders named and those that the journal names. The
 * lock is held. What cannot be put right is in the result; throws `filesystem` only where the state
 * dir itself or a folder cannot be read.
 */
export async function recover(session: Session, folders: readonly string[]): Promise<Recovery> {
  const { system: { fs }, dir } = session;
  const result: Result = { mended: [], unrepaired: [], removed: [], left: [], blocked: false };
  let named: string[] = [];
  if (isThere(fs, dir.state)) {
    emptyTrash(session);
    sweepStateDir(session);
    const journal = readJournal(fs, dir);
    if (journal.state === "valid") {
      // A run that was killed may have come no further than the rename of this record. Were it lost
      // after we acted on it, the record before would be believed: `staging`, with targets replaced.
      syncFolder(fs, dir.state);
      named = journal.record.files.map((file) => dirname(file.target));
      await recoverUpdate(session, journal.record, result);
    } else if (journal.state !== "none") {
      setUnreadableAside(session, journal, result);
    }
  }
  for (const folder of new Set([...folders, ...named])) await mendOrphans(session, folder, result);
  return result;
}

function setUnreadableAside(
  { system: { fs }, dir, report }: Session,
  journal: Exclude<Journal, { state: "none" | "valid" }>,
  result: Result,
): void {
  if (journal.state === "newer") {
    result.blocked = true;
    result.unrepaired.push({
      path: dir.journal,
      why: `it was written by a newer updater-shim (format ${journal.format})`,
      hint:
        "Run that newer updater-shim with --repair; until then only missing files are restored.",
    });
    return;
  }
  const kept = onFile("put aside", dir.journal, () => setJournalAside(fs, dir));
  report({
    event: "warning",
    message: `The journal "${dir.journal}" cannot be read: ${journal.why}`,
    path: kept,
    hint: `It is kept as "${kept}"; the executables are put right without it.`,
  });
}

type Result = {
  -readonly [Key in keyof Recovery]: Recovery[Key] extends readonly (infer Item)[] ? Item[]
    : Recovery[Key];
};

async function recoverUpdate(
  session: Session,
  record: JournalRecord,
  result: Result,
): Promise<void> {
  const { fs } = session.system;
  const facts = record.files.map((file) => look(fs, file));
  const decision = decide(record.phase, facts);
  try {
    await carryOut(session, decision, record, facts, result);
  } catch (error) {
    if (!(error instanceof UpdateError)) throw error;
    // The journal is still there: the next start goes on from here.
    result.blocked = true;
    result.unrepaired.push({
      path: error.path ?? session.dir.journal,
      why: error.message,
      hint: error.hint ?? "Run updater-shim --repair again.",
    });
    return;
  }
  if (decision === "give-up" || record.files.length === 0) return;
  const outcomes = { finish: "finished", "put-back": "rolled-back" } as const;
  session.report({
    event: "recovered",
    outcome: decision === "finish" || decision === "put-back" ? outcomes[decision] : "cleaned",
    files: record.files.map((file) => file.target),
  });
}

async function carryOut(
  session: Session,
  decision: Decision,
  record: JournalRecord,
  facts: readonly Facts[],
  result: Result,
): Promise<void> {
  const { system: { fs }, dir } = session;
  const filesThatAreNot = (state: Facts["target"]) =>
    record.files.filter((_, index) => facts[index]!.target !== state);
  switch (decision) {
    case "finish":
      await swapIn(session, filesThatAreNot("fresh"));
      // Also of those that were new already: the run that renamed them may not have come this far.
      syncFolders(fs, record.files.map((file) => file.target));
      writeJournal(fs, dir, { ...record, phase: "committed" });
      tidyCommitted(session, record);
      result.mended.push(...filesThatAreNot("fresh").map((file) => file.target));
      return;
    case "put-back":
      await putBack(session, record.files);
      result.removed.push(...removeStaged(session, record));
      result.mended.push(...filesThatAreNot("old").map((file) => file.target));
      return;
    case "discard":
      result.removed.push(...removeStaged(session, record));
      return;
    case "tidy":
      return tidyCommitted(session, record);
    case "give-up":
      return await giveUp(session, record, facts, result);
  }
}

/**
 * Somebody else changed files between the interruption and now: there is no set of ours to go to.
 * Complete executables are left alone; a missing one whose old one is left gets that back.
 */
async function giveUp(
  session: Session,
  record: JournalRecord,
  facts: readonly Facts[],
  result: Result,
): Promise<void> {
  const { fs } = session.system;
  for (const [index, file] of record.files.entries()) {
    const { target, kept } = facts[index]!;
    const gone = target === "missing" || target === "broken";
    if (gone && kept) {
      await putBack(session, [file]);
      result.mended.push(file.target);
    } else if (gone || target === "other") {
      result.unrepaired.push({
        path: file.target,
        why: gone
          ? `it is ${target}, and no complete old version of it is left`
          : "it is neither the old nor the new version: something else replaced it",
        hint: "Run the update again with --force, or install the tool anew.",
      });
    }
    for (const name of [file.staged, file.scratch]) {
      if (onFile("remove", name, () => removeIfThere(fs, name))) result.removed.push(name);
    }
  }
  onFile("put aside", session.dir.journal, () => setJournalAside(fs, session.dir));
}
