/** Before the commit: new files beside the old ones, complete, durable, verified and seen running. */
import { dirname } from "@std/path";
import { type Digest, digestFileAside } from "../files/digest.ts";
import { syncFolders } from "../files/durable_files.ts";
import { UpdateError } from "../base/errors.ts";
import { onFile } from "../files/fs_errors.ts";
import { checkHealth } from "./health.ts";
import type { Installation, NewFile } from "./install.ts";
import type { JournalFile } from "./journal.ts";
import { openPatiently } from "../system/patience.ts";
import type { Session } from "../session.ts";
import { holds } from "./swap.ts";
import type { FileInfo, FileSystem } from "../system/system.ts";

/** A file that may be installed. */
export interface StagedFile {
  /** With both digests. */
  readonly file: JournalFile;
  /** The staged file, as it was when it was read for the last time. */
  readonly info: FileInfo;
}

/**
 * Fills the staged files, whose names are journaled, and proves them. Throws `UpdateError` or the
 * signal's reason; what is there by then is the caller's to remove.
 */
export async function stage(
  session: Session,
  files: readonly JournalFile[],
  { files: wanted, fill, healthCheck }: Installation,
  stop: AbortSignal,
): Promise<StagedFile[]> {
  const { fs } = session.system;
  // Made before the first byte is fetched: a folder that we may not write to shows now.
  for (const { staged } of files) {
    onFile(
      "write to",
      dirname(staged),
      () => fs.openSync(staged, { write: true, createNew: true, mode: 0o600 }).close(),
    );
  }
  const fresh = await fillAll(files, fill, stop);
  const filled = files.map((file, index) => ({ ...file, fresh: fresh[index]! }));
  for (const [index, file] of filled.entries()) await seal(session, file, wanted[index]!);
  syncFolders(fs, filled.map((file) => file.staged));
  for (const { staged } of filled) await checkHealth(session, staged, healthCheck, stop);
  // Another thread reads the old files while this one reads the new. Not before: the thread that
  // hashes is the one that runs programs.
  const oldDigests = Promise.allSettled(wanted.map((file) => digestOld(fs, file)));
  const infos = filled.map((file) => lastLook(fs, file));
  const old = valuesOf(await oldDigests);
  return filled.map((file, index) => ({
    file: { ...file, old: old[index]! },
    info: infos[index]!,
  }));
}

async function digestOld(fs: FileSystem, { target: { path, current } }: NewFile) {
  return current ? await onFile("read", path, () => digestFileAside(fs, path)) : null;
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
  return valuesOf(results);
}

function valuesOf<T>(results: readonly PromiseSettledResult<T>[]): T[] {
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
}

/** Mode and owner of the old one, then all of it durable. */
async function seal(session: Session, file: JournalFile, { target, mode }: NewFile): Promise<void> {
  const { system } = session;
  const { fs, user } = system;
  await onFile("prepare", file.staged, async () => {
    // Opened before the mode changes: the old one may be read-only, and so becomes this one.
    const open = openPatiently(fs, file.staged, { read: true, write: true });
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
function lastLook(fs: FileSystem, { staged, fresh }: JournalFile): FileInfo {
  const info = onFile("look at", staged, () => fs.lstatSync(staged));
  if (!fresh || !holds(fs, staged, fresh)) throw exchanged(staged);
  return info;
}

/** Somebody else wrote to it. */
export function exchanged(path: string): UpdateError {
  return new UpdateError(
    "verification",
    `The staged file "${path}" changed after it was verified`,
    {
      path,
      hint: "Something else writes to this folder. Nothing was installed; find out what it is.",
    },
  );
}
