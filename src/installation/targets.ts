/** Which file a name of the manifest stands for, and whether we may replace it. */
import { basename, dirname, join, relative, resolve } from "node:path";
import { lookAt, realPath } from "../files/durable_files.ts";
import { UpdateError } from "../base/errors.ts";
import { onFile } from "../files/fs_errors.ts";
import type { InstallDir } from "./install_dir.ts";
import { requireTrustedFolder, resolveTrusted } from "./trust.ts";
import { lookAtTrusted, type World } from "../files/trusted_file.ts";
import type { FileInfo, FileSystem } from "../system/file_system.ts";
import type { System } from "../system/system.ts";

/** One executable to be replaced, or installed for the first time. */
export interface Target {
  /** The name in the manifest. */
  readonly name: string;
  /** The real path: a link stays, the file behind it is replaced. */
  readonly path: string;
  /** Undefined at a first installation. */
  readonly current: FileInfo | undefined;
}

/** As Linux does. */
const MOST_LINKS = 40;

/**
 * The real path that a name of the install dir stands for now: through links, also where the last one
 * leads to a file that is missing. Throws the file system's errors (a circle of links), and `filesystem`
 * where somebody else says what the name stands for.
 */
export function pathOf(world: World, dir: Pick<InstallDir, "path">, name: string): string {
  const { fs, user } = world;
  let path = join(dir.path, name);
  if (user) return resolveTrusted(world, path);
  for (let links = 0;; links++) {
    try {
      // Not only of links: on Windows the name on the disk may have other letters' case.
      return realPath(fs, path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound) || links === MOST_LINKS) throw error;
    }
    if (!lookAt(fs, path)?.isSymlink) return path;
    path = resolve(dirname(path), fs.readLinkSync(path));
  }
}

/** The receipt's `behind` of a target: undefined unless its name is a link. */
export function behindOf(
  fs: FileSystem,
  dir: Pick<InstallDir, "path">,
  { name, path }: Pick<Target, "name" | "path">,
): string | undefined {
  if (!lookAt(fs, join(dir.path, name))?.isSymlink) return undefined;
  return relative(dir.path, path).replaceAll("\\", "/");
}

/** Package managers keep their own books: a file that they own is theirs to replace. */
const MANAGED: readonly (readonly [RegExp, string])[] = [
  [/[\\/]Cellar[\\/]/, "brew upgrade"],
  [/^\/nix\/store\//, "nix"],
  [/[\\/]scoop[\\/]apps[\\/]/i, "scoop update"],
  [/[\\/]WinGet[\\/]Packages[\\/]/i, "winget upgrade"],
  [/[\\/]chocolatey[\\/]lib[\\/]/i, "choco upgrade"],
  [/[\\/]WindowsApps[\\/]/i, "the Microsoft Store"],
  [/^\/snap\//, "snap refresh"],
];

/** Follows links and checks. Throws `filesystem` for whatever is no plain file of ours. */
export function resolveTarget(system: System, dir: InstallDir, name: string): Target {
  const { fs } = system;
  const named = join(dir.path, name);
  const refuse = (why: string, hint: string): never => {
    throw new UpdateError("filesystem", `Cannot replace "${named}": ${why}`, { path: named, hint });
  };
  const info = lookAt(fs, named);
  const path = onFile("look at", named, () => pathOf(system, dir, name));
  const current = lookAt(fs, path);
  if (info?.isSymlink && !current) {
    return refuse("it is a link that leads nowhere", "Remove the link, or put its file back.");
  }
  if (current && !current.isFile) {
    return refuse(
      current.isDirectory ? "a folder of that name is in the way" : "it is no plain file",
      "Move it away and run again.",
    );
  }
  if (current && ((current.mode ?? 0) & 0o6000) !== 0) {
    return refuse(
      "it is setuid or setgid, and an updater must not hand such rights to a new file",
      "Take the bit away (chmod ug-s), update, and set it again if you trust the new version.",
    );
  }
  // It is run to tell its version, and its owner is given the new one.
  lookAtTrusted(system, path, "the target");
  const manager = MANAGED.find(([pattern]) => pattern.test(path))?.[1];
  if (manager) refuse(`it belongs to a package manager ("${path}")`, `Update with ${manager}.`);
  // The install dir itself was judged at the start.
  if (dirname(path) !== dir.path) requireTrustedFolder(system, dirname(path));
  refuseLongName(path);
  return { name, path, current };
}

/** `<target>.previous` must be a possible name: 255 bytes on nearly every file system. */
function refuseLongName(path: string): void {
  if (new TextEncoder().encode(`${basename(path)}.previous`).length <= 255) return;
  throw new UpdateError("filesystem", `Cannot replace "${path}": its name is too long`, {
    path,
    hint: "Install it under a name of at most 246 bytes.",
  });
}
