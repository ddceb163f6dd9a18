/**
 * One transaction: stage, verify, run, commit, or leave everything as it was. Downloads, local files
 * and rollbacks all come through here; they differ in how a staged file is filled.
 */
import { confine } from "./confine.ts";
import type { Digest } from "../files/digest.ts";
import { isThere, syncFolder } from "../files/durable_files.ts";
import { reason, UpdateError } from "../base/errors.ts";
import type { HealthCheck } from "../base/health_check.ts";
import { checkHealth } from "./health.ts";
import {
  type JournalFile,
  type JournalRecord,
  namesFor,
  readJournal,
  writeJournal,
} from "./journal.ts";
import type { Receipt } from "../installation/receipt.ts";
import type { Session } from "../session.ts";
import { exchanged, stage, type StagedFile } from "./stage.ts";
import type { FileSystem } from "../system/system.ts";
import { holds, putBack, swapIn } from "./swap.ts";
import type { Target } from "../installation/targets.ts";
import { removeStaged, tidyCommitted } from "./tidy.ts";
import { uniqueName } from "../installation/trash.ts";

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
  const record = plan(session, installation, uniqueName(session.system));
  let staged: readonly StagedFile[], committing: JournalRecord;
  try {
    // Everything is named before it is made.
    writeJournal(session.system.fs, session.dir, record);
    confine(session, record.files);
    staged = await stage(session, record.files, installation, stop);
    const files = staged.map(({ file }) => file);
    committing = { ...record, phase: "committing", files, receipt: installation.receipt(files) };
    stop.throwIfAborted();
    writeJournal(session.system.fs, session.dir, committing);
  } catch (error) {
    abandon(session, record);
    throw error;
  }
  await commit(session, committing, staged, installation.healthCheck);
}

/** What will be made, and under which names. */
function plan(
  { system: { fs }, dir }: Session,
  { files }: Installation,
  id: string,
): JournalRecord {
  const entries = files.map(({ target, digest }): JournalFile => {
    const { hiddenPrevious, ...names } = namesFor(target.path, id);
    // A foreign `.previous` beside a complete target is not ours to remove.
    const previous = isThere(fs, names.previous) ? hiddenPrevious : names.previous;
    return { name: target.name, target: target.path, ...names, previous, old: null, fresh: digest };
  });
  const before = readJournal(fs, dir);
  return {
    format: 1,
    transaction: id,
    phase: "staging",
    files: entries,
    leftovers: before.state === "valid" ? before.record.leftovers : [],
    receipt: null,
  };
}

/** From here on only forward, or back as a whole. */
async function commit(
  session: Session,
  record: JournalRecord,
  staged: readonly StagedFile[],
  healthCheck: HealthCheck,
): Promise<void> {
  const { system: { fs }, dir, report } = session;
  report({ event: "committing", files: record.files.map((file) => file.target) });
  try {
    await swapIn(session, record.files);
    for (const file of staged) {
      if (!isInstalled(fs, file)) throw exchanged(file.file.target);
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

/**
 * Between the last look and the renames lie a few synced writes: milliseconds in which whoever may
 * write here can exchange a staged file. Whose it is and which it is, nobody else can imitate; where
 * a file system does not keep that over a rename, the content says it.
 */
function isInstalled(fs: FileSystem, { file: { target, fresh }, info }: StagedFile): boolean {
  const now = fs.lstatSync(target);
  const same = now.isFile && now.dev === info.dev && now.ino === info.ino &&
    now.uid === info.uid && now.size === info.size &&
    now.mtime?.getTime() === info.mtime?.getTime();
  return same || (fresh !== null && holds(fs, target, fresh));
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
