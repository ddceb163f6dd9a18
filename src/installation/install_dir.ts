/**
 * The install dir and its state dir: the one place that knows what lies where, and that both belong
 * to us alone.
 */
import { join } from "@std/path";
import { isThere, lookAt, realPath, syncFolder } from "../files/durable_files.ts";
import { UpdateError } from "../base/errors.ts";
import { onFile, refuseNetworkPath } from "../files/fs_errors.ts";
import type { System } from "../system/system.ts";

/** Absolute real paths. */
export interface InstallDir {
  /** The folder of the main tool's executables. */
  readonly path: string;
  /** `.updater-shim/` in it. */
  readonly state: string;
  readonly lock: string;
  readonly holder: string;
  readonly journal: string;
  readonly receipt: string;
  readonly lastRun: string;
  readonly log: string;
  /** Downloads that a later run can resume. */
  readonly partial: string;
  /** What the last update replaced. */
  readonly rollback: string;
  /** Old images that were still executing; deleted by a later start. */
  readonly trash: string;
  /** Executables that were found cut off. */
  readonly broken: string;
}

/** Finds the install dir. Throws `filesystem` where it is missing or no folder. */
export function openInstallDir(system: System, folder: string): InstallDir {
  const { fs } = system;
  refuseNetworkPath(system, "use the install dir", folder);
  let path: string;
  try {
    path = realPath(fs, folder);
    if (!fs.statSync(path).isDirectory) throw new Error("it is not a folder");
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    throw new UpdateError(
      "filesystem",
      `Cannot use the install dir "${folder}": ${
        missing ? "there is no such folder" : (error as Error).message
      }`,
      {
        path: folder,
        hint: "Name the folder of the executables with --install-dir.",
        cause: error,
      },
    );
  }
  refuseNetworkPath(system, "use the install dir", path);
  const state = join(path, ".updater-shim");
  const inState = (name: string) => join(state, name);
  return {
    path,
    state,
    lock: inState("lock"),
    holder: inState("holder.json"),
    journal: inState("journal"),
    receipt: inState("receipt.json"),
    lastRun: inState("last-run.json"),
    log: inState("log.txt"),
    partial: inState("partial"),
    rollback: inState("rollback"),
    trash: inState("trash"),
    broken: inState("broken"),
  };
}

/** Whether a shim has ever worked here. */
export function hasStateDir({ fs }: System, dir: InstallDir): boolean {
  return isThere(fs, dir.state);
}

/**
 * Makes the state dir (mode 0700) where it is missing, and refuses one that somebody else could
 * have prepared: a link, another owner, writable by others. Throws `filesystem`.
 */
export function openStateDir(system: System, dir: InstallDir): void {
  const { fs } = system;
  makeFolder(system, dir.state);
  // Each time: a run that was killed may have made it and not come this far. Without its own name
  // no name in it is durable, not even the journal's, however often that is synced.
  syncFolder(fs, dir.path);
  const info = fs.lstatSync(dir.state);
  const refuse = (why: string) => {
    throw new UpdateError("filesystem", `Refusing the state dir "${dir.state}": ${why}`, {
      path: dir.state,
      hint: "Look who made it; remove it, and the next run makes a safe one.",
    });
  };
  if (info.isSymlink || !info.isDirectory) refuse("it is not a folder of its own");
  // Unix only: on Windows the folder inherits the access rules of the install dir.
  if (!system.user) return;
  if (info.uid !== null && info.uid !== system.user.uid) refuse("it belongs to another user");
  if (info.mode !== null && (info.mode & 0o022) !== 0) refuse("other users can write to it");
}

/** Makes a folder of the state dir where it is missing. */
export function makeFolder({ fs }: System, path: string): void {
  onFile("make the folder", path, () => {
    try {
      fs.mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  });
}

/**
 * Refuses a folder where any user of the machine could exchange a staged file (world-writable
 * without the sticky bit). Group-writable is common (`umask 002`) and left to the group.
 */
export function refuseOpenFolder(system: System, folder: string): void {
  const mode = lookAt(system.fs, folder)?.mode;
  if (!system.user || mode === null || mode === undefined) return;
  if ((mode & 0o002) !== 0 && (mode & 0o1000) === 0) {
    throw new UpdateError(
      "filesystem",
      `Refusing to stage in "${folder}": every user can write to it`,
      {
        path: folder,
        hint: `Take that right away (chmod o-w "${folder}") and run again.`,
      },
    );
  }
}
