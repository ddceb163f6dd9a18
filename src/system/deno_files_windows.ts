/** `deno_files.ts` of a bundle for Windows. */
import type { Access, OpenFile } from "./file_system.ts";

/** See `FileSystem.openExistingSync`. */
export function openExistingSync(path: string, access: Access): OpenFile {
  const append = access === "append";
  return Deno.openSync(path, { read: !append, write: access === "write", append });
}

/** See `FileSystem.fchmodSync`. */
export function fchmodSync(_file: OpenFile, _mode: number): void {}

/** See `FileSystem.fchownSync`. */
export function fchownSync(_file: OpenFile, _uid: number, _gid: number): void {}
