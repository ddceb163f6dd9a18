/**
 * The few file steps that everything else is made of. Each says what is on the disk when it is cut
 * short. Order is everything here: a name may become durable before the bytes it stands for, unless
 * the file is synced first (ext4 guesses right for small files only, XFS and btrfs do not).
 */
import { dirname } from "node:path";
import { errorCode, reason } from "../base/errors.ts";
import { isNetworkPath } from "../base/file_names.ts";
import { onFile } from "./fs_errors.ts";
import { UpdateError } from "../base/errors.ts";
import { isThere } from "../system/look.ts";
import { openPatiently, opensLater, patiently } from "../system/patience.ts";
import type { FileSystem, OpenFile } from "../system/file_system.ts";

export { isSameFile, isThere, lookAt } from "../system/look.ts";

const CHUNK = 256 * 1024;
/** What file systems say that cannot sync a folder. */
const NO_FOLDER_SYNC = ["EINVAL", "ENOTSUP", "EOPNOTSUPP"];

/**
 * The absolute path with every link resolved, in the letters' case on the disk. As given where the
 * system finds it too long to tell (Wine above 260 characters: ERROR_MORE_DATA), and where nothing
 * but a drive's letter was resolved: what it stands for is a network path, which we may not open.
 */
export function realPath(fs: FileSystem, path: string): string {
  try {
    const real = fs.realPathSync(path);
    const isMapped = isNetworkPath(real) && !isNetworkPath(path) && !hasLink(fs, path);
    return isMapped ? path : real;
  } catch (error) {
    if (/\(os error 234\)/.test(reason(error))) return path;
    throw error;
  }
}

/** Whether the path or a folder above it is a link. */
function hasLink(fs: FileSystem, path: string): boolean {
  const above = dirname(path);
  return above !== path && (fs.lstatSync(path).isSymlink || hasLink(fs, above));
}

/** Removes a file; false where there was none. */
export function removeIfThere(fs: FileSystem, path: string): boolean {
  try {
    patiently(fs, () => fs.removeSync(path));
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/**
 * The whole file, or undefined where there is none. Throws RangeError above `limit` bytes, and
 * `filesystem` for what is no plain file: somebody's FIFO would be waited for without an end.
 */
export function readIfThere(fs: FileSystem, path: string, limit: number): Uint8Array | undefined {
  let file: OpenFile;
  try {
    file = patiently(fs, () => fs.openExistingSync(path, "read"), opensLater);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    if (!file.statSync().isFile) {
      throw new UpdateError("filesystem", `Cannot read "${path}": it is no plain file`, {
        path,
        hint: "Name a file, or an address that begins with https://.",
      });
    }
    return readFully(file, limit);
  } finally {
    file.close();
  }
}

/** All of an open file. Throws RangeError above `limit` bytes. */
export function readFully(file: OpenFile, limit: number): Uint8Array {
  const { size } = file.statSync();
  if (size > limit) throw new RangeError(`it is larger than ${limit} bytes`);
  const bytes = new Uint8Array(size);
  let length = 0;
  while (length < size) {
    const count = file.readSync(bytes.subarray(length));
    if (count === null) break;
    length += count;
  }
  return bytes.subarray(0, length);
}

/** Writes all of `bytes`: write(2) may take fewer. */
export function writeAll(file: OpenFile, bytes: Uint8Array): void {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(file.writeSync(rest));
}

/**
 * Replaces a small file in one step and makes that durable. Cut short: the old content is there, or
 * the new one; `<path>.new` may be left, and the next call replaces it.
 */
export function replaceFile(fs: FileSystem, path: string, content: string): void {
  replaceFileSoon(fs, path, content);
  syncFolder(fs, dirname(path));
}

/** The same, but after a power cut the old content may be there again. */
export function replaceFileSoon(fs: FileSystem, path: string, content: string): void {
  const fresh = `${path}.new`;
  try {
    writeDurably(fs, fresh, content);
    patiently(fs, () => fs.renameSync(fresh, path));
  } catch (error) {
    try {
      removeIfThere(fs, fresh);
    } catch {
      // The first error counts.
    }
    throw error;
  }
}

function writeDurably(fs: FileSystem, path: string, content: string): void {
  const file = createAnew(fs, path);
  try {
    writeAll(file, new TextEncoder().encode(content));
    file.syncSync();
  } finally {
    file.close();
  }
}

/**
 * Writes a small file that nothing depends on. Cut short: none, or a part of it. Throws the file
 * system's errors.
 */
export function writeAnew(fs: FileSystem, path: string, content: string): void {
  const file = createAnew(fs, path);
  try {
    writeAll(file, new TextEncoder().encode(content));
  } finally {
    file.close();
  }
}

/** Never through a link, into a FIFO, or into a file that somebody else has open. */
function createAnew(fs: FileSystem, path: string): OpenFile {
  const create = () => openPatiently(fs, path, { write: true, createNew: true, mode: 0o600 });
  try {
    return create();
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  removeIfThere(fs, path);
  return create();
}

/**
 * Copies a file under a name that must not exist yet, and syncs its bytes (not its name).
 * Cut short: an incomplete file of that name, so the name must be journaled.
 */
export function copyFile(fs: FileSystem, from: string, to: string, mode: number): void {
  const source = openPatiently(fs, from, { read: true });
  try {
    copyOpen(fs, source, to, mode);
  } finally {
    source.close();
  }
}

/** The same for a file that is open, from where it is. */
export function copyOpen(fs: FileSystem, source: OpenFile, to: string, mode: number): void {
  const copy = fs.openSync(to, { write: true, createNew: true, mode });
  try {
    const buffer = new Uint8Array(CHUNK);
    for (let n = source.readSync(buffer); n !== null; n = source.readSync(buffer)) {
      writeAll(copy, buffer.subarray(0, n));
    }
    copy.syncSync();
  } finally {
    copy.close();
  }
}

/**
 * Gives a file a second name, in one step. Where the file system has no hard links (FAT, exFAT, some
 * network drives) or forbids this one (`fs.protected_hardlinks`), the second name is a copy, made
 * under `scratch` first so that `added` is never an incomplete file.
 */
export function linkOrCopy(fs: FileSystem, existing: string, added: string, scratch: string): void {
  try {
    return patiently(fs, () => fs.linkSync(existing, added));
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists || isMissing(error)) throw error;
  }
  removeIfThere(fs, scratch);
  copyFile(fs, existing, scratch, (fs.statSync(existing).mode ?? 0o755) & 0o777);
  patiently(fs, () => fs.renameSync(scratch, added));
}

/**
 * Moves a file over another name, or copies it to another file system, durable but for its name.
 * Cut short: `to` is the old or the new file, never an incomplete one. Returns whether it was
 * copied: then `from` is still there (Windows may not let it go yet), and what was verified before
 * has to be verified again.
 */
export function moveOrCopy(fs: FileSystem, from: string, to: string, scratch: string): boolean {
  try {
    patiently(fs, () => fs.renameSync(from, to));
    return false;
  } catch (error) {
    if ((error as { code?: string }).code !== "EXDEV") throw error;
  }
  removeIfThere(fs, scratch);
  copyFile(fs, from, scratch, 0o700);
  patiently(fs, () => fs.renameSync(scratch, to));
  return true;
}

/** Makes the names in the folders of these paths durable, each folder once. One that is gone has none. */
export function syncFolders(fs: FileSystem, paths: readonly string[]): void {
  for (const folder of new Set(paths.map((path) => dirname(path)))) {
    if (isThere(fs, folder)) syncFolder(fs, folder);
  }
}

/** fsync of a folder, where the file system knows such a thing. Throws `filesystem`. */
export function syncFolder(fs: FileSystem, folder: string): void {
  onFile("sync the folder", folder, () => {
    try {
      fs.syncDirectory(folder);
    } catch (error) {
      if (!NO_FOLDER_SYNC.includes(errorCode(error) ?? "")) throw error;
    }
  });
}

function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound;
}
