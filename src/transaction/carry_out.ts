/**
 * What recovery has decided, carried out: forward, back, or as far as somebody else's changes leave a
 * way. Each can be cut short anywhere; the next start decides anew.
 */
import { type Decision, type Facts, wayOf } from "./decision.ts";
import { isThere, syncFolders } from "../files/durable_files.ts";
import { reason } from "../base/errors.ts";
import { onFile } from "../files/fs_errors.ts";
import { tryInstalled } from "./health.ts";
import { type JournalRecord, type Located, writeJournal } from "./journal.ts";
import type { Unrepaired } from "../orphans/orphans.ts";
import type { Session } from "../session.ts";
import { keepOlds, putBack, replaceAll } from "./swap.ts";
import { endInstalled, endUnchanged, locateAll, removePrevious } from "./tidy.ts";
import { removeStagedFolder } from "./staged_folder.ts";
import { discard } from "../installation/trash.ts";

/** One target of an interrupted update, and what the disk says about it. */
export interface Known {
  readonly file: Located;
  readonly facts: Facts;
}

/** What was done. Paths; an `outcome` where an update was ended, one way or the other. */
export interface Done {
  readonly mended?: readonly string[];
  readonly removed?: readonly string[];
  readonly unrepaired?: readonly Unrepaired[];
  readonly outcome?: "finished" | "rolled-back" | "cleaned";
}

/** Throws what the file system says; the journal is still there then. */
export async function carryOut(
  session: Session,
  decision: Decision,
  record: JournalRecord,
  known: readonly Known[],
  stop: AbortSignal,
): Promise<Done> {
  const files = known.map(({ file }) => file);
  const notYet = (state: Facts["target"]) =>
    known.filter(({ facts }) => facts.target !== state).map(({ file }) => file);
  switch (decision) {
    case "finish":
      return await finish(session, record, files, notYet("fresh"), stop);
    case "put-back": {
      const mended = known.filter(({ facts: { target } }) => target !== "old" && target !== "other")
        .map(({ file }) => file.target);
      // Of what was committed half is back, if this is cut short: the next start has to go on with it.
      const back: JournalRecord = { ...record, phase: "rolling-back" };
      if (record.phase === "committed") writeJournal(session.system.fs, session.dir, back);
      await putBack(session, files);
      return { removed: endUnchanged(session, back), mended, outcome: "rolled-back" };
    }
    case "discard":
      return { removed: endUnchanged(session, record), outcome: "cleaned" };
    case "tidy": {
      const mended = await endInstalled(session, record);
      return { mended, ...(files.length > 0 && { outcome: "cleaned" }) };
    }
    case "give-up":
      return await giveUp(session, record, known);
  }
}

/** Forward, and then asked whether it runs: the run before may have been killed for that very reason. */
async function finish(
  session: Session,
  record: JournalRecord,
  files: readonly Located[],
  missing: readonly Located[],
  stop: AbortSignal,
): Promise<Done> {
  const { system: { fs }, dir, report } = session;
  const { record: current, files: rest } = keepOlds(session, record, missing);
  await replaceAll(session, rest);
  // Also of those that were new already: the run that renamed them may not have come this far.
  syncFolders(fs, files.map((file) => file.target));
  try {
    await tryInstalled(session, files, record.check, stop);
  } catch (error) {
    report({
      event: "warning",
      message: `The interrupted update is undone: ${reason(error)}`,
    });
    const back: JournalRecord = { ...current, phase: "rolling-back" };
    writeJournal(fs, dir, back);
    const located = locateAll(session, back).filter(({ name }) =>
      files.some((file) => file.name === name)
    );
    await putBack(session, located);
    const removed = endUnchanged(session, back);
    return { removed, mended: located.map((file) => file.target), outcome: "rolled-back" };
  }
  const committed: JournalRecord = { ...current, phase: "committed" };
  writeJournal(fs, dir, committed);
  await endInstalled(session, committed);
  return { mended: missing.map((file) => file.target), outcome: "finished" };
}

/**
 * Somebody else changed files between the interruption and now: there is no set of ours to go to.
 * What he put there is left alone; all others go back where all of them can, else only a missing one
 * whose old one is left. What only an update makes goes; an old one beside a complete target stays, for
 * a person to look at. The journal stays, and says the same at every start until the old ones can come
 * back, or an update writes over it. So it is in a copy, for what is the original's.
 */
export async function giveUp(
  session: Session,
  record: JournalRecord,
  known: readonly Known[],
  originals: readonly Located[] = [],
): Promise<Done> {
  const { system: { fs }, dir } = session;
  const hint =
    "Run the update again with --force (and --allow-downgrade, if it asks for that), or install the tool anew.";
  const mended: string[] = [], removed: string[] = [];
  const unrepaired: Unrepaired[] = originals.map(({ target }) => ({
    path: target,
    why: "it belongs to the folder that this one is a copy of, where an update was interrupted",
    hint,
  }));
  // Nothing leads forward from here: the staged files go.
  writeJournal(fs, dir, { ...record, phase: "rolling-back", receipt: null });
  const rest = known.filter(({ facts }) => facts.target !== "other");
  if (
    originals.length === 0 && rest.every(({ facts }) => ["back", "both"].includes(wayOf(facts)))
  ) {
    const files = rest.map(({ file }) => file);
    await putBack(session, files);
    removed.push(...removePrevious(session, record, files).removed);
    mended.push(
      ...rest.filter(({ facts }) => facts.target !== "old").map(({ file }) => file.target),
    );
  }
  for (const { file, facts: { target, kept } } of known) {
    if (mended.includes(file.target)) continue;
    const gone = target === "missing" || target === "broken";
    if (gone && kept) {
      await putBack(session, [file]);
      mended.push(file.target);
    } else if (gone || target === "other") {
      unrepaired.push({
        path: file.target,
        why: gone
          ? `it is ${target}, and no complete old version of it is left`
          : "it is neither the old nor the new version: something else replaced it",
        hint,
      });
    }
    for (const name of [file.scratch, file.aside]) {
      if (isThere(fs, name) && onFile("remove", name, () => discard(session, name))) {
        removed.push(name);
      }
    }
  }
  for (const folder of new Set(known.map(({ file }) => file.folder))) {
    const { there, gone } = removeStagedFolder(session, folder);
    if (there && gone) removed.push(folder);
  }
  return { mended, removed, unrepaired };
}
