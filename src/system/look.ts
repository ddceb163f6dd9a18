/** Whether there is such a name, without an exception for "no". */
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
