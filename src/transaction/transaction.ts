/**
 * The transaction: a set of executables is replaced as a whole, or stays as it was.
 *
 * | phase | written by | on the disk | the next start |
 * | --- | --- | --- | --- |
 * | – | | the old set | has nothing to do |
 * | `staging` | `Staging.begin` | the old set; files in the making in the hidden folders that are named | removes those |
 * | `committing` | `commit`, when every new file is durable, verified and seen running | each target is old or new, each old one has its second name before any target is new | finishes if every target is or can be made new, and all that can be tried run; else puts every old one back |
 * | `rolling-back` | `commit`, after a failure | as before, on the way back | puts every old one back |
 * | `committed` | `commit`, when all are renamed, durable and seen running | the new set, and the old one under its second names | keeps the old one for `--rollback`, writes the receipt, removes the rest; puts every old one back where a new one is gone |
 * | `leftovers` | whoever ended the update | one complete set; files that could not be removed yet (Windows: they execute) | tries to remove those |
 *
 * Each phase is made durable before the first step that belongs to it. `decision.ts` has the table of
 * what recovery does, `staged_files.ts` and `old_files.ts` say what makes a file the one that was
 * verified, `swap.ts` has the steps of the commit and of the way back, `tidy.ts` the ends.
 */
import { dirname, join } from "node:path";
import { confine } from "./confine.ts";
import type { Digested } from "../files/digest.ts";
import { syncFolder } from "../files/durable_files.ts";
import { reason, UpdateError } from "../base/errors.ts";
import { onFile } from "../files/fs_errors.ts";
import type { HealthCheck } from "../base/health_check.ts";
import { tryInstalled } from "./health.ts";
import { type JournalRecord, type Located, readJournal, writeJournal } from "./journal.ts";
import { makeFolder } from "../installation/install_dir.ts";
import { type Filled, type Planned, planTransaction, type Staged, type Wanted } from "./plan.ts";
import { isOld, type Old, readAhead, readOld, refuseChangedTarget } from "./old_files.ts";
import type { Receipt } from "../installation/receipt.ts";
import type { Session } from "../session.ts";
import type { OpenFile } from "../system/file_system.ts";
import { keepOlds, type Named, putBack, replaceAll } from "./swap.ts";
import { exchanged, hold, isOurs, lastLook, seal, settled, tryStaged } from "./staged_files.ts";
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
    const held: (OpenFile | undefined)[] = [];
    try {
      for (const file of filled) held.push(hold(session, file));
      for (const file of filled) await seal(session, file);
      const before = held.map((file) => settled(session, file));
      for (const file of filled) {
        const { name, run } = file;
        if (run) this.versions.set(name, await tryStaged(session, file, check, stop));
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
