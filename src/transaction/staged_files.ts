/**
 * The new files between their last byte and their rename: sealed, held open, looked at once more. What
 * is renamed is what was verified, whoever else may write there.
 */
import { dirname } from "node:path";
import { errorCode, reason, UpdateError } from "../base/errors.ts";
import type { HealthCheck } from "../base/health_check.ts";
import { isSameFile } from "../files/durable_files.ts";
import { onFile } from "../files/fs_errors.ts";
import { openTrusted } from "../files/trusted_file.ts";
import { isOursAlone } from "../installation/trust.ts";
import type { Session } from "../session.ts";
import type { FileInfo, OpenFile } from "../system/file_system.ts";
import { checkHealth } from "./health.ts";
import { fromWithin } from "./held_folder.ts";
import type { Filled, Planned, Staged } from "./plan.ts";
import { holds } from "./swap.ts";

/** What chown says where this user, this namespace or this server does not allow it. */
const NO_CHOWN = ["EINVAL", "EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"];

/** Mode and owner of the old one, then all of it durable. */
export async function seal(
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

/**
 * Keeps a file open until the last look, so that its inode number is given to no other, if it is known
 * to be what was read. Undefined where that cannot be known: the folder is not ours alone, Windows (its
 * access rules are not judged), a file that was not read since it was made.
 */
export function hold({ system }: Session, { staged, digested }: Filled): OpenFile | undefined {
  if (!system.user || !digested || !isOursAlone(system, dirname(staged))) return undefined;
  const file = openTrusted(system, staged, "the staged file");
  if (!file) throw exchanged(staged);
  const info = file.statSync();
  // Not the change time: it has another name by now.
  if (info.ino && isSameFile(info, digested)) return file;
  file.close();
}

/** Seen running; returns the version that it prints. Throws `health`, `verification`. */
export function tryStaged(
  session: Session,
  { staged, fresh }: Filled,
  check: HealthCheck,
  stop: AbortSignal,
): Promise<string | undefined> {
  const { system } = session;
  return fromWithin(system, staged, async (program) => {
    // Under another name it is looked at again: the path by which it was verified may have been led away.
    if (check && program.run !== staged && !holds(system.fs, program.read, fresh)) {
      throw exchanged(staged);
    }
    return await checkHealth(session, staged, check, stop, program);
  });
}

/** Two changes of a file within it may leave it with the same times (a tick is 1 to 10 ms). */
const SETTLED_MS = 50;

/** A held file as it is now, if whatever changes it from now on shows in its times. */
export function settled(
  { system: { clock } }: Session,
  file: OpenFile | undefined,
): FileInfo | undefined {
  const info = file?.statSync();
  if (!info?.ctime || !info.mtime) return undefined;
  return clock.now() - info.mtime.getTime() >= SETTLED_MS ? info : undefined;
}

/**
 * What was verified is what will be renamed: a health check took its time, and may do anything. One
 * that was held and has its inode, size and times still was not written to (the runtime tells mtime in
 * milliseconds, ctime in seconds); any other is read from its beginning to its end.
 */
export function lastLook(
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

/**
 * Between the last look and the renames lie a few synced writes: milliseconds in which whoever may
 * write here can exchange a staged file. Where a rename changes what identifies a file, hash again.
 */
export function isOurs(
  { system: { fs } }: Session,
  { target, fresh, stagedInfo }: Staged,
): boolean {
  const now = fs.lstatSync(target);
  return isSameFile(now, stagedInfo) || holds(fs, target, fresh);
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
