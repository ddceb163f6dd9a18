/**
 * One shim an install dir. The lock is the operating system's own, so it is free the instant its
 * holder dies, however it dies; a pid file would have to be stolen, and stealing races.
 * Update, repair and clean-up all take it: a start-up clean-up that runs beside a live updater is
 * a known way to destroy an installation (rust-lang/rustup#5076).
 */
import { readIfThere, removeIfThere, writeAll } from "../files/durable_files.ts";
import { UpdateError } from "../base/errors.ts";
import { onFile } from "../files/fs_errors.ts";
import type { InstallDir } from "./install_dir.ts";
import { openPatiently } from "../system/patience.ts";
import type { OpenFile, System } from "../system/system.ts";

/** Who holds the lock, as its holder wrote it down. */
export interface Holder {
  readonly pid: number;
  /** ISO 8601. */
  readonly since: string;
}

/** A lock held until it is released or the process ends. */
export interface Lock {
  /** A second time it does nothing. */
  release(): void;
}

/** Takes the lock or throws `locked`, naming the holder. The state dir must exist. */
export async function takeLock(system: System, dir: InstallDir): Promise<Lock> {
  const lock = await tryLock(system, dir);
  if (lock) return lock;
  const holder = readHolder(system, dir);
  const who = holder ? ` (process ${holder.pid}, since ${holder.since})` : "";
  throw new UpdateError("locked", `Another update of "${dir.path}" is running${who}`, {
    path: dir.lock,
    hint: "Wait until it has ended, then run again.",
  });
}

/** Takes the lock, or undefined where somebody holds it. */
export async function tryLock(system: System, dir: InstallDir): Promise<Lock | undefined> {
  const { fs, clock, processes } = system;
  const file = onFile(
    "open the lock",
    dir.lock,
    () => openPatiently(fs, dir.lock, { read: true, write: true, create: true, mode: 0o600 }),
  );
  if (!await onFile("lock", dir.lock, () => fs.tryLock(file))) {
    file.close();
    return undefined;
  }
  writeHolder(system, dir, { pid: processes.pid, since: new Date(clock.now()).toISOString() });
  let released = false;
  return {
    release() {
      if (released) return;
      released = true;
      removeHolder(system, dir);
      file.close();
    },
  };
}

/** Beside the lock and not in it: Windows lets nobody read a locked file. Only for messages. */
function writeHolder({ fs }: System, dir: InstallDir, holder: Holder): void {
  let file: OpenFile | undefined;
  try {
    file = fs.openSync(dir.holder, { write: true, create: true, truncate: true, mode: 0o600 });
    writeAll(file, new TextEncoder().encode(JSON.stringify(holder) + "\n"));
  } catch {
    // The lock counts, not this: a full disk must not keep a repair from running.
  } finally {
    file?.close();
  }
}

/** Still under the lock: after a kill the file stays, and says who was killed. */
function removeHolder({ fs }: System, dir: InstallDir): void {
  try {
    removeIfThere(fs, dir.holder);
  } catch {
    // As above.
  }
}

/** The last holder; meaningful only while the lock is held. */
export function readHolder({ fs }: System, dir: InstallDir): Holder | undefined {
  try {
    const bytes = readIfThere(fs, dir.holder, 4096);
    if (!bytes) return undefined;
    const { pid, since } = JSON.parse(new TextDecoder().decode(bytes));
    if (Number.isSafeInteger(pid) && !Number.isNaN(Date.parse(since))) return { pid, since };
  } catch {
    // Cut off or foreign: then nothing is known.
  }
  return undefined;
}
