/**
 * One lock for the folder, whatever tools are in it. It is the operating system's own, so it is free
 * the instant its holder dies, however it dies; a pid file would have to be stolen, and stealing
 * races. Update, repair and clean-up all take it: a start-up clean-up that runs beside a live updater
 * is a known way to destroy an installation (rust-lang/rustup#5076).
 */
import { UpdateError } from "../base/errors.ts";
import type { Report } from "../base/events.ts";
import { onFile } from "../files/fs_errors.ts";
import { describeHolder, isEnding, readHolder, removeHolder, writeHolder } from "./holder.ts";
import { openLockable } from "../files/trusted_file.ts";
import type { InstallDir } from "./install_dir.ts";
import type { System } from "../system/system.ts";

/** A lock held until it is released or the process ends. */
export interface Lock {
  /** A second time it does nothing. */
  release(): void;
}

/** How one waits for it. */
export interface LockOptions {
  /** What the holder wants to do, for whoever has to wait for it. */
  readonly command: string;
  /** How long another tool's shim is waited for. */
  readonly timeoutMs: number;
  readonly report: Report;
  readonly stop: AbortSignal;
}

/** How long one that is just ending is waited for: the system closes its files one by one. */
const ENDING_MS = 5000;
const PAUSE_MS = 50;

/**
 * Takes the lock. Held by another tool's shim, it is waited for, and that is said; held by this
 * tool's, it is only waited for if that is just ending. Throws `locked`, naming the holder, and the
 * signal's reason. The state dir must exist.
 */
export async function takeLock(
  system: System,
  dir: InstallDir,
  { command, timeoutMs, report, stop }: LockOptions,
): Promise<Lock> {
  const { clock } = system;
  const start = clock.monotonic();
  for (let told = false;;) {
    const lock = await tryLock(system, dir, command);
    if (lock) return lock;
    const holder = readHolder(system, dir);
    const foreign = holder !== undefined && holder.tool !== dir.id;
    const waited = clock.monotonic() - start;
    const mayWait = foreign
      ? waited < timeoutMs
      : waited < ENDING_MS && await isEnding(system, holder);
    if (!mayWait) {
      const who = holder ? await describeHolder(system, holder) : "";
      throw new UpdateError("locked", `Another update of "${dir.path}" is running${who}`, {
        path: dir.lock,
        hint: "Wait until it has ended, then run again.",
      });
    }
    if (foreign && !told) {
      told = true;
      report({ event: "waiting", pid: holder.pid, tool: holder.tool });
    }
    await clock.delay(PAUSE_MS, stop);
  }
}

/** Takes the lock, or undefined where somebody holds it. */
export async function tryLock(
  system: System,
  dir: InstallDir,
  command: string,
): Promise<Lock | undefined> {
  const { fs } = system;
  const file = openLockable(system, dir.lock, "the lock");
  if (!await onFile("lock", dir.lock, () => fs.tryLock(file))) {
    file.close();
    return undefined;
  }
  writeHolder(system, dir, command);
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
