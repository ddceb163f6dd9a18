/** What a name is, without an exception for "nothing", and whether it still is the same file. */
import type { FileInfo, FileSystem } from "./file_system.ts";

/** What the name itself is (a link is a link), or undefined where there is none. */
export function lookAt(fs: FileSystem, path: string): FileInfo | undefined {
  try {
    return fs.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Whether there is such a name, even a dangling link. */
export function isThere(fs: FileSystem, path: string): boolean {
  return lookAt(fs, path) !== undefined;
}

/** Owner, inode, size and time identify the file that we read. */
export function isSameFile(now: FileInfo, then: FileInfo): boolean {
  return now.isFile && now.dev === then.dev && now.ino === then.ino && now.uid === then.uid &&
    now.size === then.size && now.mtime?.getTime() === then.mtime?.getTime();
}
