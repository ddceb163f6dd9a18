/**
 * Recovery: what every start does first, and `--repair` does alone. It runs under the lock, looks
 * after every tool of the folder, decides from the disk (the journal only explains the names), and can
 * be cut short anywhere and run again.
 */
import { dirname } from "node:path";
import { carryOut, giveUp } from "./carry_out.ts";
import { decide, look } from "./decision.ts";
import { isThere, syncFolder } from "../files/durable_files.ts";
import { UpdateError } from "../base/errors.ts";
import { filesystemError, isFilesystemError, onFile } from "../files/fs_errors.ts";
import { toolsOf } from "../installation/install_dir.ts";
import {
  isOriginals,
  type Journal,
  type JournalRecord,
  readJournal,
  setJournalAside,
} from "./journal.ts";
import { mendOrphans, type Orphan, type Unrepaired } from "../orphans/orphans.ts";
import { knownReceipt, readReceipt } from "../installation/receipt.ts";
import { pathOf } from "../installation/targets.ts";
import type { Session } from "../session.ts";
import { locateAll, sweepCopies, sweepHome } from "./tidy.ts";
import { putBackInstalled } from "./without_journal.ts";
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
  /** An interrupted update of this tool is still open: no other may begin. */
  readonly blocked: boolean;
  /** An interrupted update was ended, one way or the other, and that was told. */
  readonly recovered: boolean;
}

/** What recovery of one tool, or of one folder, adds to the result. */
type Part = { readonly [Key in keyof Recovery]?: Recovery[Key] };

/**
 * Puts right whatever was interrupted, of every tool of the folder, and what other updaters left in
 * it. The lock is held. What cannot be put right is in the result, and does not stop the rest; `stop`
 * ends the trying of what was finished, as it does in an update.
 */
export async function recover(
  session: Session,
  stop: AbortSignal = new AbortController().signal,
): Promise<Recovery> {
  const { system, dir } = session;
  const parts: Part[] = [];
  const named: string[] = [];
  if (isThere(system.fs, dir.state)) {
    parts.push(attempt(dir.trash, () => (emptyTrash(session), {})));
    parts.push(attempt(dir.broken, () => (sweepCopies(session, dir.broken), {})));
    for (const tool of toolsOf(system, dir)) {
      const one = { ...session, dir: tool };
      const { record, part } = await recoverTool(one, tool.id === dir.id, stop);
      parts.push(part);
      if (record) named.push(...namesIn(one, record));
    }
  }
  const { mended } = joined(parts);
  const expected = installedPaths(session);
  const folders = new Set([dir.path, ...expected.map((path) => dirname(path))]);
  // What was behind a link may be gone, with its folder.
  for (const folder of [...folders].filter((folder) => isThere(system.fs, folder))) {
    parts.push(await mendOrphans(session, folder, { named, mended, expected }));
  }
  return joined(parts);
}

function joined(parts: readonly Part[]): Recovery {
  return {
    mended: parts.flatMap(({ mended = [] }) => mended),
    unrepaired: parts.flatMap(({ unrepaired = [] }) => unrepaired),
    removed: parts.flatMap(({ removed = [] }) => removed),
    left: parts.flatMap(({ left = [] }) => left),
    blocked: parts.some(({ blocked = false }) => blocked),
    recovered: parts.some(({ recovered = false }) => recovered),
  };
}

/** One step that must not stop the rest. */
function attempt(path: string, step: () => Part): Part {
  try {
    return step();
  } catch (error) {
    return failed(error, path);
  }
}

/** Throws what is not the file system's doing. */
function failed(error: unknown, path: string): Part {
  const told = isFilesystemError(error) ? filesystemError(error, "use", path) : error;
  if (!(told instanceof UpdateError) || told.kind === "bug") throw error;
  const hint = told.hint ?? "Run updater-shim --repair again.";
  return { unrepaired: [{ path: told.path ?? path, why: told.message, hint }] };
}

/** Real paths of the executables that the receipts of the folder name, also behind links of its own. */
function installedPaths({ system, dir }: Session): string[] {
  return toolsOf(system, dir).flatMap((tool) => {
    const receipt = ifReadable(() => knownReceipt(readReceipt(system, tool)));
    const files = [...receipt?.files ?? [], ...receipt?.dropped ?? []];
    return files.flatMap(({ name, folder }) => {
      const path = ifReadable(() => pathOf(system, dir, name));
      return path && !isOriginals(system.fs, dir, folder, path) ? [path] : [];
    });
  });
}

function ifReadable<T>(step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    // Of another tool's: what is not to be believed does not stop the rest.
    const distrusted = error instanceof UpdateError && error.kind === "filesystem";
    if (!distrusted && !isFilesystemError(error)) throw error;
    return undefined;
  }
}

/** Paths that the orphan rule leaves alone, because a journal that is still open names them. */
function namesIn(session: Session, record: JournalRecord): string[] {
  try {
    return locateAll(session, record).flatMap(({ target, previous }) => [target, previous]);
  } catch (error) {
    if (!(error instanceof UpdateError)) throw error;
    return [];
  }
}

/** Returns the record too where it is still open. */
async function recoverTool(
  session: Session,
  own: boolean,
  stop: AbortSignal,
): Promise<{ part: Part; record?: JournalRecord }> {
  const { system, dir } = session;
  const { fs } = system;
  try {
    if (!isThere(fs, dir.home)) return { part: {} };
    const journal = readJournal(system, dir);
    if (journal.state === "valid") {
      // A run that was killed may have come no further than the rename of this record. Were it lost
      // after we acted on it, the record before would be believed: `staging`, with targets replaced.
      syncFolder(fs, dir.home);
      const part = await recoverUpdate(session, journal.record, stop);
      if (part.blocked) return { part: { ...part, blocked: own }, record: journal.record };
      sweepHome(session, false);
      return { part };
    }
    sweepHome(session, journal.state === "newer");
    if (journal.state === "none") return { part: {} };
    const part = await tellUnreadable(session, journal);
    return { part: { ...part, blocked: own && part.blocked === true } };
  } catch (error) {
    return { part: failed(error, dir.home) };
  }
}

async function tellUnreadable(
  session: Session,
  journal: Exclude<Journal, { state: "none" | "valid" }>,
): Promise<Part> {
  const { system: { fs }, dir, report } = session;
  if (journal.state === "newer") {
    return {
      blocked: true,
      unrepaired: [{
        path: dir.journal,
        why: `it was written by a newer updater-shim (format ${journal.format})`,
        hint:
          "Run that newer updater-shim with --repair; until then only missing files are restored.",
      }],
    };
  }
  const part = await putBackInstalled(session);
  // Where a mix is left, it stays where it is: so that it is told again.
  const stays = part.unrepaired.length > 0;
  const path = stays
    ? dir.journal
    : onFile("put aside", dir.journal, () => setJournalAside(fs, dir));
  report({
    event: "warning",
    message: `The journal "${dir.journal}" cannot be read: ${journal.why}`,
    path,
    hint: stays
      ? "Without it nobody knows which of the executables are the update's."
      : `It is kept as "${path}"; the executables are put right without it.`,
  });
  return part;
}

async function recoverUpdate(
  session: Session,
  record: JournalRecord,
  stop: AbortSignal,
): Promise<Part> {
  const { system: { fs }, dir } = session;
  try {
    const ours = (file: { readonly target: string }) =>
      !isOriginals(fs, dir, record.folder, file.target);
    const all = locateAll(session, record);
    const files = all.filter(ours);
    const known = files.map((file) => ({ file, facts: look(fs, file) }));
    const own: JournalRecord = {
      ...record,
      files,
      leftovers: record.leftovers.filter(({ name }) =>
        ours({ target: pathOf(session.system, dir, name) })
      ),
    };
    if (files.length < all.length && record.phase !== "staging") {
      return await giveUp(session, record, known, all.filter((file) => !ours(file)));
    }
    const decision = decide(
      record.phase,
      known.map(({ facts }) => facts),
    );
    const { outcome, ...part } = await carryOut(session, decision, own, known, stop);
    if (outcome) {
      session.report({ event: "recovered", outcome, files: files.map((file) => file.target) });
    }
    return { ...part, recovered: outcome !== undefined };
  } catch (error) {
    // The journal is still there: the next start goes on from here.
    return { ...failed(error, dir.journal), blocked: true };
  }
}
