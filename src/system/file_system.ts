/** The part of the seam that is files: see `system.ts`. */

/** What is open. `Deno.FsFile` has all of it. */
export type OpenFile = Pick<
  Deno.FsFile,
  | "readSync"
  | "writeSync"
  | "seekSync"
  | "truncateSync"
  | "statSync"
  | "syncSync"
  | "sync"
  | "close"
>;

/** What an existing file is opened for: reading; reading and writing; writing at its end. */
export type Access = "read" | "write" | "append";

/** Size in bytes and SHA-256 (lower-case hex) of a complete file. */
export interface Digest {
  readonly size: number;
  readonly sha256: string;
}

/** The digest of a file that grows, taken by another thread of what is on the disk. */
export interface DigestBehind {
  /**
   * So many bytes of it are written. Fewer than before: those that come are of another version. To be
   * called with where the writing begins, each time that it does.
   */
  reached(size: number): void;
  /** All that is there, now that it is complete; undefined if it could not be done, for whatever reason. */
  end(): Promise<Digest | undefined>;
}

/** What is known of a name. A part of `Deno.FileInfo`, so that a simulation can fill it. */
export type FileInfo = Pick<
  Deno.FileInfo,
  | "isFile"
  | "isDirectory"
  | "isSymlink"
  | "size"
  | "mtime"
  | "ctime"
  | "mode"
  | "uid"
  | "gid"
  | "dev"
  | "ino"
>;

/**
 * The file system, in single steps. All throw `Deno.errors.*`; paths are absolute.
 * Steps are synchronous so that nothing else of the program runs between two renames.
 */
export interface FileSystem {
  /** open(2). The caller closes. */
  openSync(path: string, options: Deno.OpenOptions): OpenFile;
  /** rename(2): replaces the destination in one step (Windows: only if nobody executes it). */
  renameSync(from: string, to: string): void;
  /** link(2): a second name for the same file. Never replaces. */
  linkSync(existing: string, added: string): void;
  /** unlink(2) or rmdir(2); with `recursive` everything below. */
  removeSync(path: string, options?: { recursive?: boolean }): void;
  /** mkdir(2). */
  mkdirSync(path: string, options?: { mode?: number }): void;
  /**
   * open(2) of a file that is there, with O_NONBLOCK: a FIFO or a device is not waited for. A link is
   * followed all the same (Deno resolves paths itself): `src/files/trusted_file.ts` sees to that.
   */
  openExistingSync(path: string, access: Access): OpenFile;
  /** fchmod(2) of what `openExistingSync` opened; nothing on Windows. */
  fchmodSync(file: OpenFile, mode: number): void;
  /** fchown(2) of what `openExistingSync` opened; nothing on Windows. */
  fchownSync(file: OpenFile, uid: number, gid: number): void;
  /** readlink(2). */
  readLinkSync(path: string): string;
  /** chmod(2). */
  chmodSync(path: string, mode: number): void;
  /** chown(2); not on Windows. */
  chownSync(path: string, uid: number | null, gid: number | null): void;
  /** lstat(2): the name itself. */
  lstatSync(path: string): FileInfo;
  /** stat(2): what the name leads to. */
  statSync(path: string): FileInfo;
  /** The entries of a folder, in no order. */
  readDirSync(path: string): Iterable<{ name: string; isSymlink: boolean }>;
  /** The absolute path with every link resolved. */
  realPathSync(path: string): string;
  /**
   * Makes the names in a folder durable: fsync of the folder on Unix. A stated no-op on Windows,
   * where a folder cannot be flushed and NTFS journals names itself.
   */
  syncDirectory(path: string): void;
  /** Takes the system's exclusive lock of an open file, or says that somebody else holds it. */
  tryLock(file: OpenFile): Promise<boolean>;
  /**
   * Size and SHA-256 of a file, read by another thread; undefined if that could not be done, for
   * whatever reason.
   */
  digestAside(path: string): Promise<Digest | undefined>;
  /**
   * The same for a file that is still written to; undefined where there is no thread that may read it,
   * and on Windows, where a file that somebody reads cannot be replaced.
   */
  digestBehind(path: string): DigestBehind | undefined;
  /** Bytes that this user can still write on the file system of `path`. */
  freeBytes(path: string): number;
  /** Does nothing for `ms`, and lets nothing else of the program happen. */
  pause(ms: number): void;
}
