/**
 * The transaction: a set of executables is replaced as a whole, or stays as it was.
 *
 * | phase | written by | on the disk | the next start |
 * | --- | --- | --- | --- |
 * | – | | the old set | has nothing to do |
 * | `staging` | `Staging.begin` | the old set; files in the making in the hidden folders that are named | removes those |
 * | `committing` | `commit`, when every new file is durable, verified and seen running | each target is old or new, each old one has its second name before any target is new | finishes if every target is or can be made new, and all that can be tried run; else puts every old one back |
 * | `rolling-back` | `commit`, after a failure | as before, on the way back | puts every old one back |
 * | `committed` | `commit`, when all are renamed, durable and seen running | the new set, and the old one under its second names | keeps the old one for `--rollback`, writes the receipt, removes the rest |
 * | `leftovers` | whoever ended the update | one complete set; files that could not be removed yet (Windows: they execute) | tries to remove those |
 *
 * Each phase is made durable before the first step that belongs to it. `decision.ts` has the table of
 * what recovery does, `swap.ts` the steps of the commit and of the way back, `tidy.ts` the ends.
 */
import { dirname, join } from "node:path";
import { confine } from "./confine.ts";
import { type Digest, type Digested, digestFileAside, digestOpen } from "../files/digest.ts";
import { lookAt, syncFolder, syncFolders } from "../files/durable_files.ts";
import { errorCode, reason, UpdateError } from "../base/errors.ts";
import { onFile } from "../files/fs_errors.ts";
import type { HealthCheck } from "../base/health_check.ts";
import { checkHealth, tryInstalled } from "./health.ts";
import { type JournalRecord, type Located, readJournal, writeJournal } from "./journal.ts";
import { makeFolder } from "../installation/install_dir.ts";
import { type Planned, planTransaction, type Staged, type Wanted } from "./plan.ts";
import type { Receipt } from "../installation/receipt.ts";
import type { Session } from "../session.ts";
import { openTrusted } from "../files/trusted_file.ts";
import { isOursAlone } from "../installation/trust.ts";
import type { FileInfo, OpenFile } from "../system/file_system.ts";
import { holds, keepOlds, type Named, putBack, replaceAll } from "./swap.ts";
import { makeStagedFolder } from "./staged_folder.ts";
import { endInstalled, endUnchanged } from "./tidy.ts";

/**
 * A transaction before its commit. Disposing it abandons what was not committed: nothing of it stays
 * but what an earlier update could not remove.
 *
 * ```ts
 * await using staging = Staging.begin(session, wanted, check);
 * const filled = await fillAll(staging.files, download, stop);
 * const staged = await staging.prove(filled, stop);
 * await staging.commit(staged, receipt, stop);
 * ```
 */
export class Staging<W extends Wanted> implements AsyncDisposable {
  #open = true;
  /** The versions that the new executables printed when they were tried, by their names. */
  readonly versions = new Map<string, string | undefined>();
  /** Of the targets: what another thread reads while the new files come. */
  readonly #ahead = new Map<string, Promise<Old | undefined>>();

  private constructor(
    readonly session: Session,
    readonly check: HealthCheck,
    /** Each has an empty staged file, made by us alone, to be filled with its new bytes. */
    readonly files: readonly Planned<W>[],
    readonly record: JournalRecord,
  ) {}

  /**
   * Names everything that it will make, then makes the folders and empty files: a folder that we may
   * not write to shows before the first byte is fetched. The lock is held, recovery has run, the
   * state dir is there. Throws `filesystem`; then nothing is left.
   */
  static begin<W extends Wanted>(
    session: Session,
    wanted: readonly W[],
    check: HealthCheck,
  ): Staging<W> {
    const { system, dir } = session;
    const { fs } = system;
    const before = readJournal(system, dir);
    const leftovers = before.state === "valid" ? before.record.leftovers : [];
    const { record, files } = planTransaction(session, wanted, check, leftovers);
    // Its name becomes durable with the journal's.
    makeFolder(session.system, dir.staged);
    const staging = new Staging(session, check, files, record);
    try {
      // Within: a record whose folder could not be synced is there all the same.
      writeJournal(fs, dir, record);
      for (const folder of new Set(files.map(({ folder }) => folder))) {
        makeStagedFolder(session, folder);
      }
      for (const { staged } of files) {
        onFile(
          "write to",
          dirname(staged),
          () => fs.openSync(staged, { write: true, createNew: true, mode: 0o600 }).close(),
        );
      }
      confine(session, files);
      for (const file of files) staging.#ahead.set(file.target, readAhead(session, file));
    } catch (error) {
      staging.#abandon();
      throw error;
    }
    return staging;
  }

  /**
   * Proves what was filled: modes and owners, durable, seen running, read back. Throws `health`,
   * `verification`, `filesystem` or the signal's reason.
   */
  async prove(filled: readonly Filled<W>[], stop: AbortSignal): Promise<Staged<W>[]> {
    const { session, check } = this;
    const { fs } = session.system;
    const held: (OpenFile | undefined)[] = [];
    try {
      for (const file of filled) held.push(hold(session, file));
      for (const file of filled) await seal(session, file);
      syncFolders(fs, filled.map(({ staged }) => staged));
      const before = held.map((file) => settled(session, file));
      for (const { name, staged, run } of filled) {
        if (run) this.versions.set(name, await checkHealth(session, staged, check, stop));
      }
      // Another thread reads the old files, where it has not yet, while this one looks at the new. Not
      // before: the thread that hashes is the one that runs programs.
      const olds = Promise.allSettled(
        filled.map((file) => readOld(session, file, this.#ahead.get(file.target))),
      );
      const infos = filled.map((file, index) => lastLook(session, file, before[index]));
      const staged: Staged<W>[] = [];
      for (const [index, old] of (await olds).entries()) {
        if (old.status === "rejected") throw old.reason;
        staged.push({ ...filled[index]!, ...old.value, stagedInfo: infos[index]! });
      }
      return staged;
    } finally {
      for (const file of held) file?.close();
    }
  }

  /**
   * Replaces all targets or none. `stop` abandons it until the first target is replaced; after that
   * the new set has two seconds to show that it runs, and goes back if it does not. Throws
   * `UpdateError`; then the old set is installed, or the next start makes it so.
   */
  async commit(
    staged: readonly Staged<W>[],
    receipt: Receipt,
    stop: AbortSignal,
  ): Promise<void> {
    const { session } = this;
    const { system: { fs }, dir, report } = session;
    const committing: JournalRecord = {
      ...this.record,
      phase: "committing",
      files: [...staged],
      receipt,
    };
    stop.throwIfAborted();
    for (const file of staged) refuseChangedTarget(session, file);
    writeJournal(fs, dir, committing);
    this.#open = false;
    report({ event: "committing", files: staged.map((file) => file.target) });
    let named: Named<Staged<W>> = { record: committing, files: staged };
    try {
      named = keepOlds(session, committing, staged);
      await replaceAll(session, named.files);
      for (const file of staged) {
        if (!isOurs(session, file)) throw exchanged(file.target);
      }
      await tryInstalled(session, staged, this.check, stop);
      writeJournal(fs, dir, { ...named.record, phase: "committed" });
    } catch (error) {
      await undo(session, named, error);
      throw error;
    }
    try {
      await endInstalled(
        session,
        { ...named.record, phase: "committed" },
        (file) => isOld(session, file, staged.find(({ name }) => name === file.name)),
      );
    } catch (error) {
      // The new set is installed and durable; the journal says so, and the next start tidies.
      report({
        event: "warning",
        message: `The update is done, but not everything could be tidied: ${reason(error)}`,
        hint: "The next start tries again.",
      });
    }
    for (const { name, target, foreign } of staged) {
      if (!foreign) continue;
      report({
        event: "warning",
        message:
          `"${target}" was not installed by this tool's updater: what was there is kept as "${
            join(dir.rollback, name)
          }"`,
        path: target,
        hint: "--rollback puts it back.",
      });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (this.#open) this.#abandon();
    return Promise.resolve();
  }

  /** No target was touched. What cannot be removed now is in the journal for the next start. */
  #abandon(): void {
    this.#open = false;
    try {
      endUnchanged(this.session, this.record);
    } catch (error) {
      this.session.report({
        event: "warning",
        message: `Not everything that was staged could be removed: ${reason(error)}`,
        hint: "The next start tries again.",
      });
    }
  }
}

/** A staged file with its bytes, what they are, and what the file was when they were read. */
export type Filled<W extends Wanted = Wanted> = Planned<W> & {
  readonly fresh: Digest;
  readonly digested: FileInfo | undefined;
};

/**
 * Fills all at once. One that fails stops the others: nobody waits for a download that is of no use
 * any more. `fill` puts verified bytes into `file.staged` and says what they are; where it has
 * read them in that very file, also what that was. Throws what the first one threw, or the signal's
 * reason.
 */
export async function fillAll<W extends Wanted>(
  files: readonly Planned<W>[],
  fill: (file: Planned<W>, stop: AbortSignal) => Promise<Digested>,
  stop: AbortSignal,
): Promise<Filled<W>[]> {
  const failed = new AbortController();
  const either = AbortSignal.any([stop, failed.signal]);
  const fills = files.map(async (file) => {
    try {
      const { size, sha256, info } = await fill(file, either);
      return { ...file, fresh: { size, sha256 }, digested: info };
    } catch (error) {
      failed.abort(error);
      throw error;
    }
  });
  const results = await Promise.allSettled(fills);
  if (failed.signal.aborted) throw stop.aborted ? stop.reason : failed.signal.reason;
  return results.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);
}

/** What chown says where this user, this namespace or this server does not allow it. */
const NO_CHOWN = ["EINVAL", "EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"];

/** Mode and owner of the old one, then all of it durable. */
async function seal(
  { system, report }: Session,
  { executable: { current }, staged, target, mode }: Planned,
): Promise<void> {
  const { fs, user } = system;
  // Opened before the mode changes: the old one may be read-only, and so becomes this one. What was
  // opened gets owner and mode, never a name: that may mean another file by now.
  const open = openTrusted(system, staged, "the staged file", "write");
  if (!open) throw exchanged(staged);
  await onFile("prepare", staged, async () => {
    try {
      // Only root may give files away. chown clears bits that chmod sets: this order.
      if (user?.uid === 0 && current) giveAway(open, current);
      if (user) fs.fchmodSync(open, ((current?.mode ?? mode) & 0o777) | 0o500);
      await open.sync();
    } finally {
      open.close();
    }
  });

  function giveAway(open: OpenFile, { uid, gid }: FileInfo): void {
    const own = open.statSync();
    if (uid === null || gid === null || (own.uid === uid && own.gid === gid)) return;
    try {
      fs.fchownSync(open, uid, gid);
    } catch (error) {
      if (!NO_CHOWN.includes(errorCode(error) ?? "")) throw error;
      report({
        event: "warning",
        message: `"${target}" will belong to you: its owner cannot be kept (${reason(error)})`,
        path: target,
        hint: "The update goes on. Give the file its owner back by hand (chown) if that matters.",
      });
    }
  }
}

/** What is replaced, and the file as it was when it was read; nothing at a first installation. */
type Old = Pick<Staged, "old" | "targetInfo">;

/** Undefined where nobody can read it now, or the file may be another at any time. */
async function readAhead(
  { system }: Session,
  { executable: { current }, target }: Planned,
): Promise<Old | undefined> {
  if (!current || !isOursAlone(system, dirname(target))) return undefined;
  const targetInfo = lookAt(system.fs, target);
  const old = await system.fs.digestBehind(target)?.end();
  return old && targetInfo && { old, targetInfo };
}

async function readOld(
  { system }: Session,
  { executable: { current }, target }: Planned,
  ahead: Promise<Old | undefined> | undefined,
): Promise<Old> {
  const { fs } = system;
  if (!current) return { old: null, targetInfo: undefined };
  if (!isOursAlone(system, dirname(target))) return readSharedOld(system, target);
  const early = await ahead, now = lookAt(fs, target);
  if (early?.targetInfo && now && isSameFile(now, early.targetInfo)) return early;
  return await onFile("read", target, async () => {
    const targetInfo = fs.lstatSync(target);
    return { old: await digestFileAside(fs, target), targetInfo };
  });
}

/** Where its name can mean another file at any time, what was judged is what is read. */
function readSharedOld(system: Session["system"], target: string) {
  const file = openTrusted(system, target, "the target");
  if (!file) return { old: null, targetInfo: undefined };
  try {
    return onFile("read", target, () => ({ targetInfo: file.statSync(), old: digestOpen(file) }));
  } finally {
    file.close();
  }
}

/**
 * Keeps a file open until the last look, so that its inode number is given to no other, if it is known
 * to be what was read. Undefined where that cannot be known: the folder is not ours alone, Windows (its
 * access rules are not judged), a file that was not read since it was made.
 */
function hold({ system }: Session, { staged, digested }: Filled): OpenFile | undefined {
  if (!system.user || !digested || !isOursAlone(system, dirname(staged))) return undefined;
  const file = openTrusted(system, staged, "the staged file");
  if (!file) throw exchanged(staged);
  const info = file.statSync();
  // Not the change time: it has another name by now.
  if (info.ino && isSameFile(info, digested)) return file;
  file.close();
}

/** Two changes of a file within it may leave it with the same times (a tick is 1 to 10 ms). */
const SETTLED_MS = 50;

/** A held file as it is now, if whatever changes it from now on shows in its times. */
function settled({ system: { clock } }: Session, file: OpenFile | undefined): FileInfo | undefined {
  const info = file?.statSync();
  if (!info?.ctime || !info.mtime) return undefined;
  return clock.now() - info.mtime.getTime() >= SETTLED_MS ? info : undefined;
}

/**
 * What was verified is what will be renamed: a health check took its time, and may do anything. One
 * that was held and has its inode, size and times still was not written to (the runtime tells mtime in
 * milliseconds, ctime in seconds); any other is read from its beginning to its end.
 */
function lastLook(
  { system: { fs } }: Session,
  { staged, fresh }: Filled,
  before: FileInfo | undefined,
): FileInfo {
  const info = onFile("look at", staged, () => fs.lstatSync(staged));
  const untouched = before && isSameFile(info, before) &&
    info.ctime?.getTime() === before.ctime?.getTime();
  if (!untouched && !holds(fs, staged, fresh)) throw exchanged(staged);
  return info;
}

/** Another installer may have been here since the plan was made: what it did is not undone by us. */
function refuseChangedTarget({ system: { fs } }: Session, staged: Staged): void {
  const { target, targetInfo, executable: { current } } = staged;
  const now = onFile("look at", target, () => lookAt(fs, target));
  if (!now && !targetInfo) return;
  // What was read is what was judged at the beginning, and is there still.
  const known = [targetInfo, current];
  if (now && known.every((then) => then && isSameFile(now, then))) return;
  throw new UpdateError(
    "filesystem",
    targetInfo
      ? `"${target}" was changed by something else while the update ran`
      : `"${target}" was made by something else while the update ran`,
    { path: target, hint: "Nothing was changed. Look what it is, then run the update again." },
  );
}

/** Owner, inode, size and time identify the file that we read. */
function isSameFile(now: FileInfo, then: FileInfo): boolean {
  return now.isFile && now.dev === then.dev && now.ino === then.ino && now.uid === then.uid &&
    now.size === then.size && now.mtime?.getTime() === then.mtime?.getTime();
}

/**
 * Between the last look and the renames lie a few synced writes: milliseconds in which whoever may
 * write here can exchange a staged file. Where a rename changes what identifies a file, hash again.
 */
function isOurs({ system: { fs } }: Session, { target, fresh, stagedInfo }: Staged): boolean {
  const now = fs.lstatSync(target);
  return isSameFile(now, stagedInfo) || holds(fs, target, fresh);
}

/**
 * Whether an old one's second name still is what was read: where nobody else can give names, the file
 * that the target was. A copy, where there are no links, is read.
 */
function isOld({ system }: Session, { previous, old }: Located, staged?: Staged): boolean {
  const { fs } = system;
  const now = lookAt(fs, previous), then = staged?.targetInfo;
  const same = now?.ino && then && isSameFile(now, then);
  if (same && isOursAlone(system, dirname(previous))) return true;
  return old !== null && holds(fs, previous, old);
}

/** If this fails too, the journal is still there and the next start goes on with it. */
async function undo(
  session: Session,
  { record, files }: Named<Located>,
  cause: unknown,
): Promise<void> {
  const { system: { fs }, dir } = session;
  const rollingBack: JournalRecord = { ...record, phase: "rolling-back" };
  try {
    try {
      writeJournal(fs, dir, rollingBack);
    } catch {
      // A full disk: undo all the same. Until that is done a kill would lead forward again.
    }
    await putBack(session, files);
    endUnchanged(session, rollingBack);
    syncFolder(fs, dir.home);
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

/** Somebody else wrote to it. */
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
