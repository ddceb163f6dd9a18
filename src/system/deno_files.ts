/**
 * Files opened by `node:fs`, for what `Deno.openSync` cannot do: not to wait for a FIFO, and to change
 * mode and owner of what is open. Linux and macOS; on Windows there is neither of these, and a bundle
 * for it has `deno_files_windows.ts` in the place of this file (`.ci/compile.ts`).
 *
 * O_NOFOLLOW is of no use here: Deno resolves every link itself, opens what it found, and adds
 * O_NOFOLLOW on its own (seen by strace with 2.6.10 and 2.9.6).
 */
import * as node from "node:fs";
import { openExistingSync as openOnWindows } from "./deno_files_windows.ts";
import type { Access, OpenFile } from "./file_system.ts";

const { O_APPEND, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = node.constants;
const FLAGS: Record<Access, number> = {
  read: O_RDONLY,
  write: O_RDWR,
  append: O_WRONLY | O_APPEND,
};

/** See `FileSystem.openExistingSync`. */
export function openExistingSync(path: string, access: Access): OpenFile {
  if (Deno.build.os === "windows") return openOnWindows(path, access);
  return asDeno(() => new UnixFile(node.openSync(path, FLAGS[access] | O_NONBLOCK), access));
}

/** See `FileSystem.fchmodSync`. */
export function fchmodSync(file: OpenFile, mode: number): void {
  if (file instanceof UnixFile) asDeno(() => node.fchmodSync(file.fd, mode));
}

/** See `FileSystem.fchownSync`. */
export function fchownSync(file: OpenFile, uid: number, gid: number): void {
  if (file instanceof UnixFile) asDeno(() => node.fchownSync(file.fd, uid, gid));
}

/** `node:fs` has the system's codes; the rest of the program knows Deno's classes of errors. */
function asDeno<T>(step: () => T): T {
  try {
    return step();
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    const known = code === "ENOENT"
      ? Deno.errors.NotFound
      : code === "EACCES" || code === "EPERM"
      ? Deno.errors.PermissionDenied
      : undefined;
    throw known ? Object.assign(new known(message), { code }) : error;
  }
}

class UnixFile implements OpenFile {
  /** Where the next read or write is. Null where the system knows it: at the end. */
  #position: number | null;

  constructor(readonly fd: number, access: Access) {
    this.#position = access === "append" ? null : 0;
  }

  readSync(buffer: Uint8Array): number | null {
    const count = node.readSync(this.fd, buffer, 0, buffer.length, this.#position);
    this.#advance(count);
    return count === 0 ? null : count;
  }

  writeSync(bytes: Uint8Array): number {
    const count = node.writeSync(this.fd, bytes, 0, bytes.length, this.#position);
    this.#advance(count);
    return count;
  }

  #advance(count: number): void {
    if (this.#position !== null) this.#position += count;
  }

  seekSync(offset: number | bigint): number {
    return this.#position = Number(offset);
  }

  truncateSync(length = 0): void {
    node.ftruncateSync(this.fd, length);
  }

  statSync(): Deno.FileInfo {
    const stats = node.fstatSync(this.fd);
    const { size, mtime, ctime, mode, uid, gid, dev, ino } = stats;
    const kind = { isFile: stats.isFile(), isDirectory: stats.isDirectory(), isSymlink: false };
    // The seam asks for less than Deno's own type has.
    return { ...kind, size, mtime, ctime, mode, uid, gid, dev, ino } as Deno.FileInfo;
  }

  syncSync(): void {
    node.fsyncSync(this.fd);
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      node.fsync(this.fd, (error) => error ? reject(error) : resolve());
    });
  }

  close(): void {
    node.closeSync(this.fd);
  }
}
