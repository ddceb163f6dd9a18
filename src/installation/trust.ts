/**
 * Who can exchange what lies in a folder: whoever may write to it or to a folder above it. OpenSSH
 * asks the same before it believes a user's keys (sshd_config(5), StrictModes).
 *
 * | folder | owner: the user or root | another owner |
 * | --- | --- | --- |
 * | nobody else may write to it | ours alone | refused |
 * | its group may (not a private one) | shared: what lies in it is judged file by file | refused |
 * | everybody may, sticky | above the install dir: ours alone; itself: refused | refused |
 * | everybody may | refused | refused |
 *
 * Windows: the folder's access rules hold for what is in it, and nothing is judged here.
 */
import { dirname, isAbsolute, join } from "node:path";
import { onFile } from "../files/fs_errors.ts";
import {
  isPrivateGroup,
  lookAtTrusted,
  refusal,
  whyDistrusted,
  type World,
} from "../files/trusted_file.ts";
import { lookAt } from "../files/durable_files.ts";
import { UpdateError } from "../base/errors.ts";
import type { FileInfo } from "../system/file_system.ts";

/** What a folder is to us. */
export interface FolderTrust {
  /**
   * A group may write to it or above it. Then a name in it can mean another file at any time: nothing
   * in it may be run under its own name.
   */
  readonly shared: boolean;
}

/** The sticky bit: only the owner of a file may rename or remove it. */
const STICKY = 0o1000;
/** As many links as Linux follows (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * Judges a folder and each one above it. `folder` is a real path. Throws `filesystem` with the one
 * that is not to be trusted.
 */
export function requireTrustedFolder(world: World, folder: string): FolderTrust {
  let shared = false;
  for (let path = folder, above = false;; path = dirname(path), above = true) {
    const info = onFile("look at the folder", path, () => world.fs.lstatSync(path));
    const why = whyFolderDistrusted(world.user, info, above);
    if (why) throw refusal(world, above ? "the folder" : "to work in", path, info, why);
    shared ||= isShared(world.user, info);
    if (path === dirname(path)) return { shared };
  }
}

/** Whether nobody else can exchange a file in a folder between a look and its use. */
export function isOursAlone(world: World, folder: string): boolean {
  try {
    return !requireTrustedFolder(world, folder).shared;
  } catch (error) {
    if (error instanceof UpdateError) return false;
    throw error;
  }
}

/**
 * A folder of the state dir: a real one, ours and not root's or anybody else's, and nobody else may
 * write to it. Returns what it is, to be compared later. Throws `filesystem`.
 */
export function requireOwnFolder(world: World, path: string, what: string): FileInfo {
  return judgeFolderOf(world, path, what, (uid) => uid === world.user?.uid);
}

/** The same for what is only looked at: it may be root's as well. Nothing where there is none. */
export function requireBelievedFolder(world: World, path: string, what: string): void {
  if (!lookAt(world.fs, path)) return;
  judgeFolderOf(world, path, what, (uid) => uid === world.user?.uid || uid === 0);
}

function judgeFolderOf(
  world: World,
  path: string,
  what: string,
  isOwner: (uid: number) => boolean,
): FileInfo {
  const { user } = world;
  const info = onFile(`look at ${what}`, path, () => world.fs.lstatSync(path));
  const why = info.isSymlink || !info.isDirectory
    ? "it is not a folder of its own"
    : user && info.uid !== null && !isOwner(info.uid)
    ? "it belongs to another user"
    : whyDistrusted(user, info);
  if (why) throw refusal(world, what, path, info, why);
  return info;
}

/**
 * All that lies in a folder of the state dir is a plain file that can be believed, or a folder of our
 * own: whatever else is there, somebody put there. Throws `filesystem`.
 */
export function requireOwnEntries(world: World, folder: string): void {
  for (const { name } of onFile("list", folder, () => [...world.fs.readDirSync(folder)])) {
    const path = join(folder, name);
    const info = lookAt(world.fs, path);
    if (info?.isDirectory && !info.isSymlink) requireOwnFolder(world, path, "the folder");
    else lookAtTrusted(world, path, "the file");
  }
}

function whyFolderDistrusted(
  user: World["user"],
  info: FileInfo,
  above: boolean,
): string | undefined {
  if (!user || info.uid === null || info.mode === null) return undefined;
  if (info.uid !== user.uid && info.uid !== 0) return "it belongs to another user";
  if ((info.mode & 0o002) === 0 || (above && (info.mode & STICKY) !== 0)) return undefined;
  return "every user can write to it";
}

function isShared(user: World["user"], info: FileInfo): boolean {
  if (!user || info.mode === null || (info.mode & 0o020) === 0) return false;
  return (info.mode & STICKY) === 0 && !isPrivateGroup(user, info);
}

/**
 * The real path of a name, also of one that is missing. Every link on the way belongs to the user or
 * to root, and lies in a folder that can be trusted: else somebody else would say which file it is.
 * Throws `filesystem`.
 */
export function resolveTrusted(world: World, path: string): string {
  const { fs, user } = world;
  if (!user) return fs.realPathSync(path);
  let found = "/", links = 0;
  const rest = path.split("/");
  while (rest.length > 0) {
    const name = rest.shift()!;
    const at = join(found, name);
    const info = lookAt(fs, at);
    // There is nothing there to be judged, nor below it.
    if (!info) return join(at, ...rest);
    // Whoever can write where the name lies says what it leads to: the link's folder, or the one of
    // a folder that is left again.
    if (info.isSymlink) requireTrustedFolder(world, found);
    if (name === "..") requireTrustedFolder(world, dirname(found));
    if (!info.isSymlink) {
      found = at;
      continue;
    }
    if (++links > MAX_LINKS) throw refusal(world, "the link", at, info, "it leads in a circle");
    if (info.uid !== user.uid && info.uid !== 0) {
      throw refusal(world, "the link", at, info, "it belongs to another user");
    }
    const leadsTo = onFile("read the link", at, () => fs.readLinkSync(at));
    if (isAbsolute(leadsTo)) found = "/";
    rest.unshift(...leadsTo.split("/"));
  }
  // In the letters' case on the disk (macOS).
  return fs.realPathSync(found);
}
