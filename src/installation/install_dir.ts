/**
 * The install dir, its state dir and the tools in it: the one place that knows what lies where, and
 * that it belongs to us alone.
 */
import { dirname, join, resolve } from "node:path";
import { isThere, lookAt, realPath, syncFolder } from "../files/durable_files.ts";
import { UpdateError } from "../base/errors.ts";
import { onFile, refuseNetworkPath } from "../files/fs_errors.ts";
import { DEFAULT_TOOL_ID, IN_STATE, IN_TOOL, isToolId, STATE_DIR } from "./names.ts";
import { toolIdOf, toolIdOfShim } from "./names.ts";
import { refusal, type World } from "../files/trusted_file.ts";
import { requireOwnEntries, requireOwnFolder } from "./trust.ts";
import type { FileInfo } from "../system/file_system.ts";
import type { System } from "../system/system.ts";

/** A folder, and the system that it is on. */
export interface OpenedDir {
  readonly system: System;
  readonly dir: InstallDir;
}

/** One tool in an install dir. Absolute real paths. */
export interface InstallDir {
  /** The folder of the main tool's executables. */
  readonly path: string;
  /** `.updater-shim/` in it. */
  readonly state: string;
  /** One for the folder. */
  readonly lock: string;
  readonly holder: string;
  /** Old images that were still executing; deleted by a later start. */
  readonly trash: string;
  /** Executables that were found cut off. */
  readonly broken: string;
  /** The tool id. */
  readonly id: string;
  /** The tool's configuration file, which may lie elsewhere and need not exist. */
  readonly config: string;
  /** `<state>/<tool id>/`; all that follows lies in it. */
  readonly home: string;
  readonly journal: string;
  readonly receipt: string;
  readonly lastRun: string;
  readonly log: string;
  /** Says for whom a run waits; left behind where it was ended meanwhile. */
  readonly waits: string;
  /** Downloads that a later run can resume. */
  readonly partial: string;
  /** The staged set of the update in progress. */
  readonly staged: string;
  /** What the last update replaced. */
  readonly rollback: string;
  /** A release that was fetched beforehand. */
  readonly downloaded: string;
  /** A random number, for rollouts. */
  readonly installationId: string;
  /** The kept answer of `--check --max-age`. */
  readonly answer: string;
  /** The lock of whoever asks for it. */
  readonly asking: string;
  /** This run made the folder. */
  readonly made: boolean;
}

/** What the command line says about the place. */
export interface Place {
  /** `--install-dir`, as given. */
  readonly installDir?: string | undefined;
  /** `--config`, as given. */
  readonly config?: string | undefined;
  /** A folder that is missing is made, in one that is there: for a first installation. */
  readonly make?: boolean;
}

/**
 * Where to work, and on which tool: `--config` names the tool and, without `--install-dir`, the
 * folder; without `--config` the shim's own name and folder do. Throws `usage` where the tool id
 * cannot be one, `filesystem` where the folder is missing or none.
 */
export function findInstallDir(system: System, place: Place): InstallDir {
  const { cwd, execPath, shimName } = system;
  const config = place.config === undefined ? undefined : resolve(cwd, place.config);
  const folder = place.installDir === undefined
    ? dirname(config ?? execPath)
    : resolve(cwd, place.installDir);
  const id = config === undefined ? toolIdOfShim(shimName) : toolIdOf(config);
  if (id === undefined) {
    throw new UpdateError("usage", `"${config}" cannot be the configuration of a tool`, {
      path: config!,
      hint: 'Its name says which tool it is: a plain file name that ends in ".json".',
    });
  }
  if (!isToolId(id)) {
    throw new UpdateError("usage", `A shim called "${id}" does not say which tool it is for`, {
      path: execPath,
      hint: "Name the tool's configuration with --config, or give the shim a plain name.",
    });
  }
  const made = place.make === true && place.installDir !== undefined && makeMissing(system, folder);
  return { ...openInstallDir(system, folder, id, config), made };
}

function makeMissing({ fs }: Pick<System, "fs">, folder: string): boolean {
  if (isThere(fs, folder) || !isThere(fs, dirname(folder))) return false;
  onFile("make the install dir", folder, () => fs.mkdirSync(folder, { mode: 0o755 }));
  syncFolder(fs, dirname(folder));
  return true;
}

/** Opens a folder for one tool. Throws `filesystem` where it is missing or no folder. */
export function openInstallDir(
  system: Pick<System, "fs" | "os">,
  folder: string,
  id: string = DEFAULT_TOOL_ID,
  config?: string,
): InstallDir {
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
  return installDirOf(path, id, config ?? join(path, `${id}.json`));
}

function installDirOf(
  path: string,
  id: string,
  config: string,
  name: string = STATE_DIR,
): InstallDir {
  const state = join(path, name), home = join(state, id);
  return {
    path,
    state,
    lock: join(state, IN_STATE.lock),
    holder: join(state, IN_STATE.holder),
    trash: join(state, IN_STATE.trash),
    broken: join(state, IN_STATE.broken),
    id,
    config,
    home,
    journal: join(home, IN_TOOL.journal),
    receipt: join(home, IN_TOOL.receipt),
    lastRun: join(home, IN_TOOL.lastRun),
    log: join(home, IN_TOOL.log),
    waits: join(home, IN_TOOL.waits),
    partial: join(home, IN_TOOL.partial),
    staged: join(home, IN_TOOL.staged),
    rollback: join(home, IN_TOOL.rollback),
    made: false,
    downloaded: join(home, IN_TOOL.downloaded),
    installationId: join(home, IN_TOOL.installationId),
    answer: join(home, IN_TOOL.answer),
    asking: join(home, IN_TOOL.asking),
  };
}

/** This tool first, then every other one that has a folder in the state dir, by name. */
export function toolsOf({ fs }: Pick<System, "fs">, dir: InstallDir): InstallDir[] {
  if (!isThere(fs, dir.state)) return [dir];
  const ids = onFile("list", dir.state, () => [...fs.readDirSync(dir.state)])
    .map(({ name }) => name)
    .filter((name) => name !== dir.id && isToolId(name))
    .filter((name) => lookAt(fs, join(dir.state, name))?.isDirectory);
  return [
    dir,
    ...ids.sort().map((id) => installDirOf(dir.path, id, join(dir.path, `${id}.json`))),
  ];
}

/** Whether a shim has ever worked in the folder. */
export function hasStateDir({ fs }: Pick<System, "fs">, dir: InstallDir): boolean {
  return isThere(fs, dir.state);
}

/** Whether the state dir is one that we may not look into: root's, in a folder that root installed. */
export function isStateDirHidden({ fs }: Pick<System, "fs">, dir: InstallDir): boolean {
  try {
    for (const path of [dir.lock, dir.receipt]) lookAt(fs, path);
    return false;
  } catch (error) {
    return error instanceof Deno.errors.PermissionDenied;
  }
}

/** As it is to one who may not look into the state dir: as if there were none. Only to look. */
export function withoutState({ path, id, config }: InstallDir): InstallDir {
  return installDirOf(path, id, config, `${STATE_DIR}-unseen`);
}

/** Whether a shim has ever worked on this tool. */
export function hasHome({ fs }: Pick<System, "fs">, dir: InstallDir): boolean {
  return isThere(fs, dir.home);
}

/**
 * Makes the state dir and the tool's folder in it (mode 0700) where they are missing, and refuses
 * what somebody else could have prepared: a link, another owner, writable by others, special files.
 * Returns what the state dir is. Throws `filesystem`.
 */
export function makeStateDir(system: System, dir: InstallDir): FileInfo {
  const opened = makeFolder(system, dir.state, "the state dir");
  makeFolder(system, dir.home, "the state dir");
  for (const folder of [dir.state, dir.home]) requireOwnEntries(system, folder);
  return opened;
}

/** As `makeStateDir`, and its names are durable. */
export function openStateDir(system: System, dir: InstallDir): FileInfo {
  const opened = makeStateDir(system, dir);
  // Each time: a run that was killed may have made it and not come this far. Without its own name
  // no name in it is durable, not even the journal's, however often that is synced.
  for (const folder of [dir.path, dir.state]) syncFolder(system.fs, folder);
  return opened;
}

/** Under the lock: the state dir is the one that was opened. Throws `filesystem`. */
export function requireSameStateDir(system: System, { state }: InstallDir, opened: FileInfo): void {
  const now = requireOwnFolder(system, state, "the state dir");
  if (now.dev === opened.dev && now.ino === opened.ino) return;
  throw refusal(system, "the state dir", state, now, "somebody exchanged it");
}

/**
 * Makes a folder of the state dir where it is missing, and refuses what somebody else could have
 * prepared: a link, another owner, writable by others. Throws `filesystem`.
 */
export function makeFolder(world: World, path: string, what = "the folder"): FileInfo {
  onFile("make the folder", path, () => {
    try {
      world.fs.mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  });
  return requireOwnFolder(world, path, what);
}
