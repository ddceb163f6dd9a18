/**
 * One transaction: stage, verify, run, commit, or leave everything as it was. Downloads, local files
 * and rollbacks all come through here; they differ in how a staged file is filled.
 */
import { dirname } from "@std/path";
import type { Digest } from "./digest.ts";
import { digestFileInBackground } from "./digest.ts";
import { isThere, syncFolder, syncFolders } from "./durable_files.ts";
import { reason, UpdateError } from "./errors.ts";
import { onFile } from "./fs_errors.ts";
import { checkHealth, type HealthCheck } from "./health.ts";
import {
  type JournalFile,
  type JournalRecord,
  namesFor,
  readJournal,
  writeJournal,
} from "./journal.ts";
import type { Receipt } from "./receipt.ts";
import type { Session } from "./session.ts";
import type { FileInfo, FileSystem, System } from "./system.ts";
import { holds, putBack, swapIn } from "./swap.ts";
import type { Target } from "./targets.ts";
import { removeStaged, tidyCommitted } from "./tidy.ts";
import { uniqueName } from "./trash.ts";

/** One executable of the new set. */
export interface NewFile {
  readonly target: Target;
  /** Known before the download, or null: then `fill` finds it out. */
  readonly digest: Digest | null;
  /** For a first installation; else the old file's mode is kept. */
  readonly mode: number;
}

/** What to install. */
export interface Installation {
  readonly files: readonly NewFile[];
  /**
   * Puts verified bytes into the staged file (it exists, empty, made by us alone) and says what
   * they are. All are filled at once; the signal stops the others when one fails.
   */
  readonly fill: (index: number, staged: JournalFile, stop: AbortSignal) => Promise<Digest>;
  readonly healthCheck: HealthCheck;
  /** The receipt of the new set. */
  readonly receipt: (files: readonly JournalFile[]) => Receipt;
}

/**
 * Installs all files or none. Until the commit `stop` abandons it (its reason is thrown); during the
 * commit it is not looked at, the few milliseconds. Throws `UpdateError`; then the old set is
 * installed, or the next start makes it so.
 */
export async function install(
  session: Session,
  installation: Installation,
  stop: AbortSignal,
): Promise<void> {
  let record = begin(session, installation, uniqueName(session.system));
  let verified: readonly FileInfo[];
  try {
    record = await stage(session, record, installation, stop);
    verified = lastLook(session.system, record.files);
    stop.throwIfAborted();
    writeJournal(session.system.fs, session.dir, record);
  } catch (error) {
    abandon(session, { ...record, phase: "staging" });
    throw error;
  }
  await commit(session, record, verified, installation.healthCheck);
}

/** The journal names everything before it is made. */
function begin({ system: { fs }, dir }: Session, { files }: Installation, id: string) {
  const entries = files.map(({ target, digest }): JournalFile => {
    const { hiddenPrevious, ...names } = namesFor(target.path, id);
    // A foreign `.previous` beside a complete target is not ours to remove.
    const previous = isThere(fs, names.previous) ? hiddenPrevious : names.previous;
    return { name: target.name, target: target.path, ...names, previous, old: null, fresh: digest };
  });
  const before = readJournal(fs, dir);
  const record: JournalRecord = {
    format: 1,
    transaction: id,
    phase: "staging",
    files: entries,
    leftovers: before.state === "valid" ? before.record.leftovers : [],
    receipt: null,
  };
  writeJournal(fs, dir, record);
  return record;
}

/** Returns the record of the commit: from there on every digest is known, old and new. */
async function stage(
  session: Session,
  record: JournalRecord,
  { files, fill, healthCheck, receipt }: Installation,
  stop: AbortSignal,
): Promise<JournalRecord> {
  const { system: { fs } } = session;
  // Made before the first byte is fetched: a folder that we may not write to shows now.
  for (const { staged } of record.files) {
    onFile(
      "write to",
      dirname(staged),
      () => fs.openSync(staged, { write: true, createNew: true, mode: 0o600 }).close(),
    );
  }
  const oldDigests = digestOld(session, files);
  oldDigests.catch(() => {}); // Awaited below: a failed download comes first.
  const fresh = await fillAll(record.files, fill, stop);
  const old = await oldDigests;
  const filled = record.files.map((file, index) => ({
    ...file,
    old: old[index]!,
    fresh: fresh[index]!,
  }));
  for (const [index, file] of filled.entries()) await seal(session, file, files[index]!);
  syncFolders(fs, filled.map((file) => file.staged));
  for (const { staged } of filled) await checkHealth(session, staged, healthCheck, stop);
  return { ...record, phase: "committing", files: filled, receipt: receipt(filled) };
}

/** In the gaps of the download: it costs no time of its own on all but the fastest networks. */
async function digestOld({ system: { fs } }: Session, files: readonly NewFile[]) {
  const digests: (Digest | null)[] = [];
  for (const { target: { path, current } } of files) {
    const digest = () => onFile("read", path, () => digestFileInBackground(fs, path));
    digests.push(current ? await digest() : null);
  }
  return digests;
}

/** One that fails stops the others: nobody waits for a download that is of no use any more. */
async function fillAll(
  files: readonly JournalFile[],
  fill: Installation["fill"],
  stop: AbortSignal,
): Promise<Digest[]> {
  const failed = new AbortController();
  const either = AbortSignal.any([stop, failed.signal]);
  const fills = files.map(async (file, index) => {
    try {
      return await fill(index, file, either);
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  const results = await Promise.allSettled(fills);
  if (failed.signal.aborted) throw stop.aborted ? stop.reason : failed.signal.reason;
  return results.map((result) => (result as PromiseFulfilledResult<Digest>).value);
}

/** Mode and owner of the old one, then all of it durable. */
async function seal(session: Session, file: JournalFile, { target, mode }: NewFile): Promise<void> {
  const { system } = session;
  const { fs, user } = system;
  await onFile("prepare", file.staged, async () => {
    // Opened before the mode changes: the old one may be read-only, and so becomes this one.
    const open = fs.openSync(file.staged, { read: true, write: true });
    try {
      const { current } = target;
      if (user) {
        // Only root may give files away. chown clears bits that chmod sets: this order.
        if (user.uid === 0 && current) fs.chownSync(file.staged, current.uid, current.gid);
        fs.chmodSync(file.staged, ((current?.mode ?? mode) & 0o777) | 0o500);
      }
      await open.sync();
    } finally {
      open.close();
    }
  });
}

/** What was verified is what will be renamed: a health check took its time, and may do anything. */
function lastLook({ fs }: System, files: readonly JournalFile[]): FileInfo[] {
  return files.map(({ staged, fresh }) => {
    const info = onFile("look at", staged, () => fs.lstatSync(staged));
    if (!fresh || !holds(fs, staged, fresh)) throw exchanged(staged);
    return info;
  });
}

/**
 * Between the last look and the renames lie a few synced writes: milliseconds in which whoever may
 * write here can exchange a staged file. Whose it is and which it is, nobody else can imitate; where
 * a file system does not keep that over a rename, the content says it.
 */
function isStill(fs: FileSystem, { target, fresh }: JournalFile, verified: FileInfo): boolean {
  const now = fs.lstatSync(target);
  const same = now.isFile && now.dev === verified.dev && now.ino === verified.ino &&
    now.uid === verified.uid && now.size === verified.size &&
    now.mtime?.getTime() === verified.mtime?.getTime();
  return same || (fresh !== null && holds(fs, target, fresh));
}

function exchanged(path: string): UpdateError {
  return new UpdateError(
    "verification",
    `The staged file "${path}" changed after it was verified`,
    {
      path,
      hint: "Something else writes to this folder. Nothing was installed; find out what it is.",
    },
  );
}

/** From here on only forward, or back as a whole. */
async function commit(
  session: Session,
  record: JournalRecord,
  verified: readonly FileInfo[],
  healthCheck: HealthCheck,
): Promise<void> {
  const { system: { fs }, dir, report } = session;
  report({ event: "committing", files: record.files.map((file) => file.target) });
  try {
    await swapIn(session, record.files);
    for (const [index, file] of record.files.entries()) {
      if (!isStill(fs, file, verified[index]!)) throw exchanged(file.target);
    }
    for (const { target } of record.files) await checkHealth(session, target, healthCheck);
    writeJournal(fs, dir, { ...record, phase: "committed" });
  } catch (error) {
    await undo(session, record, error);
    throw error;
  }
  try {
    tidyCommitted(session, record);
  } catch (error) {
    // The new set is installed and durable; the journal says so, and the next start tidies.
    report({
      event: "warning",
      message: `The update is done, but not everything could be tidied: ${reason(error)}`,
      hint: "The next start tries again.",
    });
  }
}

/** Nothing was touched yet. What cannot be removed now is in the journal for the next start. */
function abandon(session: Session, record: JournalRecord): void {
  try {
    removeStaged(session, record);
  } catch (error) {
    session.report({
      event: "warning",
      message: `Not everything that was staged could be removed: ${reason(error)}`,
      hint: "The next start tries again.",
    });
  }
}

/** If this fails too, the journal is still there and the next start goes on with it. */
async function undo(session: Session, record: JournalRecord, cause: unknown): Promise<void> {
  const { system: { fs }, dir } = session;
  const rollingBack: JournalRecord = { ...record, phase: "rolling-back" };
  try {
    try {
      writeJournal(fs, dir, rollingBack);
    } catch {
      // A full disk: undo all the same. Until that is done a kill would lead forward again.
    }
    await putBack(session, record.files);
    removeStaged(session, rollingBack);
    syncFolder(fs, dir.state);
  } catch (error) {
    throw new UpdateError(
      "filesystem",
      `The update failed, and so did undoing it: ${reason(error)}`,
      {
        path: dir.journal,
        hint: "Run updater-shim --repair: it goes on from here.",
        cause: new AggregateError([cause, error]),
      },
    );
  }
}
