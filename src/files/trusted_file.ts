/**
 * The one place that opens what we believe: what we interpret, run or restore belongs to the user or
 * to root, nobody else may write to it, and it is a plain file. Judged on the open file, because a
 * name can be given to another file between a look and an opening. In the manner of OpenSSH's
 * StrictModes (sshd_config(5)).
 *
 * On Windows owner and mode are not judged: a folder's access rules are inherited by what is in it.
 */
import * as v from "valibot";
import { errorCode, UpdateError } from "../base/errors.ts";
import { describeIssue } from "../base/json_issue.ts";
import type { Access, FileInfo, FileSystem, OpenFile } from "../system/file_system.ts";
import type { System } from "../system/system.ts";
import { lookAt, readFully } from "./durable_files.ts";
import { onFile } from "./fs_errors.ts";
import { openPatiently, opensLater, patiently } from "../system/patience.ts";

/** What is needed to judge: the disk, and who we are (undefined on Windows). */
export type World = Pick<System, "fs" | "user">;

/** Somebody may replace a file as often as we look: an update does that with its journal. */
const TRIES = 10;

/**
 * Why a file is not to be believed, or undefined. Its owner must be the user or root, and nobody else
 * may write: a private group (umask 002) is the user.
 */
export function whyDistrusted(user: System["user"], info: FileInfo): string | undefined {
  if (!user || info.uid === null || info.mode === null) return undefined;
  if (info.uid !== user.uid && info.uid !== 0) return "it belongs to another user";
  if ((info.mode & 0o002) !== 0) return "every user can write to it";
  if ((info.mode & 0o020) !== 0 && !isPrivateGroup(user, info)) return "its group can write to it";
  return undefined;
}

/** Whether the group of a file has nobody in it but the user: it has his number, and is his own. */
export function isPrivateGroup({ uid, gid }: NonNullable<System["user"]>, info: FileInfo): boolean {
  return info.gid === uid && gid === uid;
}

/** Whose it is and who may write to it, for people. */
export function ownerAndMode({ uid, gid, mode }: FileInfo): string {
  if (uid === null || mode === null) return "";
  return ` (owner ${uid}, group ${gid}, mode ${(mode & 0o7777).toString(8).padStart(4, "0")})`;
}

/** Exit code 7, with the path, its owner and mode, and what to do. */
export function refusal(
  { user }: Pick<System, "user">,
  what: string,
  path: string,
  info: FileInfo,
  why: string,
): UpdateError {
  const foreign = user && info.uid !== user.uid && info.uid !== 0;
  const special = !isPlain(info) && !info.isDirectory;
  const open = ((info.mode ?? 0) & 0o022) !== 0;
  const hint = special || (!foreign && !open)
    ? `Look who made it, and remove it.`
    : foreign
    ? `Look who made it, and remove it if you do not know. If it is yours: chown ${user.uid} "${path}", as root.`
    : `Look whether it is what you want, then: chmod go-w "${path}"`;
  return new UpdateError(
    "filesystem",
    `Refusing ${what} "${path}": ${why}${ownerAndMode(info)}`,
    { path, hint },
  );
}

/** One step that opens what is there; undefined where something else has taken its place. */
type Open = (fs: FileSystem, path: string) => OpenFile;

/**
 * Opens a file, or undefined where there is none. `what` is its name in a sentence ("the receipt").
 * Throws `filesystem` for what is not to be believed: never waits for a FIFO, and leaves a device or
 * what a link leads to alone.
 */
export function openTrusted(
  world: World,
  path: string,
  what: string,
  access: Access = "read",
): OpenFile | undefined {
  return openBy(world, path, what, (fs) => fs.openExistingSync(path, access));
}

/** The same, and makes the file (mode 0600) where there is none. */
export function openOrMake(
  world: World,
  path: string,
  what: string,
  access: Access = "write",
): OpenFile {
  return openTrusted(world, path, what, access) ?? create(world, path, what);
}

/**
 * The same for a file that `fs.tryLock` can lock, which it cannot with what `openTrusted` opens. With
 * both rights: then not even the opening of a FIFO waits for anybody.
 */
export function openLockable(world: World, path: string, what: string): OpenFile {
  const open: Open = (fs) => fs.openSync(path, { read: true, write: true });
  return openBy(world, path, what, open) ?? create(world, path, what);
}

/** Exclusively: not through a link, and not what somebody else has made meanwhile. */
function create({ fs }: World, path: string, what: string): OpenFile {
  const options = { read: true, write: true, createNew: true, mode: 0o600 };
  return onFile(`make ${what}`, path, () => openPatiently(fs, path, options));
}

function openBy(world: World, path: string, what: string, open: Open): OpenFile | undefined {
  const { fs, user } = world;
  for (let tries = 1;; tries++) {
    const named = lookAtTrusted(world, path, what);
    if (!named) return undefined;
    const file = onFile(`open ${what}`, path, () => patiently(fs, () => attempt(fs), opensLater));
    if (file) {
      const info = file.statSync();
      if (!user || (info.dev === named.dev && info.ino === named.ino)) return judged(file, info);
      file.close();
    }
    if (tries === TRIES) {
      throw refusal(world, what, path, named, "somebody exchanges it all the time");
    }
  }

  /** ELOOP, ENXIO: a link or a socket took the place of what was looked at. */
  function attempt(fs: FileSystem): OpenFile | undefined {
    try {
      return open(fs, path);
    } catch (error) {
      const gone = error instanceof Deno.errors.NotFound ||
        ["ELOOP", "ENXIO"].includes(errorCode(error) ?? "");
      if (!gone) throw error;
    }
  }

  function judged(file: OpenFile, info: FileInfo): OpenFile {
    try {
      judge(world, path, what, info);
      return file;
    } catch (error) {
      file.close();
      throw error;
    }
  }
}

/**
 * Judges a file by its name, for what can only be used by its name (a program that is to be run, a
 * file to be renamed); undefined where there is none. Throws `filesystem`.
 */
export function lookAtTrusted(world: World, path: string, what: string): FileInfo | undefined {
  const info = onFile(`look at ${what}`, path, () => lookAt(world.fs, path));
  if (info) judge(world, path, what, info);
  return info;
}

function judge(world: World, path: string, what: string, info: FileInfo): void {
  const why = isPlain(info) ? whyDistrusted(world.user, info) : kindOf(info);
  if (why) throw refusal(world, what, path, info, why);
}

function isPlain({ isFile, isSymlink }: FileInfo): boolean {
  return isFile && !isSymlink;
}

function kindOf({ isSymlink, isDirectory }: FileInfo): string {
  if (isSymlink) return "it is a link";
  return isDirectory ? "it is a folder" : "it is a FIFO, a socket or a device";
}

/** The whole file, or undefined where there is none. Throws RangeError above `limit` bytes. */
export function readTrusted(
  world: World,
  path: string,
  what: string,
  limit: number,
): Uint8Array | undefined {
  const file = openTrusted(world, path, what);
  if (!file) return undefined;
  try {
    return onFile(`read ${what}`, path, () => readFully(file, limit));
  } finally {
    file.close();
  }
}

/** What stands in a file that we keep. Damage is an answer, not an error. */
export type Kept<T> =
  | { readonly state: "none" }
  | { readonly state: "valid"; readonly value: T }
  /** A later version of the shim wrote it. */
  | { readonly state: "newer"; readonly format: number }
  | { readonly state: "damaged"; readonly why: string };

/** What a kept file must look like. */
export interface Form<T> {
  /** Its name in a sentence. */
  readonly what: string;
  /** Bytes that it may have. */
  readonly limit: number;
  /** The `format` that we write; above it is "newer". */
  readonly format: number;
  readonly schema: v.GenericSchema<unknown, T>;
}

/** Reads a JSON file of ours. Throws `filesystem` where it must not be believed or cannot be read. */
export function readKept<T>(world: World, path: string, form: Form<T>): Kept<T> {
  try {
    const bytes = readTrusted(world, path, form.what, form.limit);
    return bytes ? parseKept(new TextDecoder().decode(bytes), form) : { state: "none" };
  } catch (error) {
    if (error instanceof RangeError) return { state: "damaged", why: error.message };
    throw error;
  }
}

/** Pure part of reading. */
export function parseKept<T>(
  text: string,
  { format, schema }: Pick<Form<T>, "format" | "schema">,
): Kept<T> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { state: "damaged", why: "it is not JSON" };
  }
  const found = (json as { format?: unknown } | null)?.format;
  if (typeof found === "number" && found > format) return { state: "newer", format: found };
  const result = v.safeParse(schema, json, { abortEarly: true });
  if (result.success) return { state: "valid", value: result.output };
  return { state: "damaged", why: describeIssue(result.issues[0]) };
}
