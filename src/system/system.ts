/**
 * The seam: everything that the program does to the world goes through one passed-in `System`.
 *
 * `deno_system.ts` is the real one. Tests pass others that fail, stop or lose power at the n-th
 * step, so every method here is one step: nothing in it may do two things that a crash could
 * separate.
 */

import type { Platform } from "./platform.ts";

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

/** What is known of a name. A part of `Deno.FileInfo`, so that a simulation can fill it. */
export type FileInfo = Pick<
  Deno.FileInfo,
  "isFile" | "isDirectory" | "isSymlink" | "size" | "mtime" | "mode" | "uid" | "gid" | "dev" | "ino"
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
  readDirSync(path: string): Iterable<{ name: string }>;
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
  /** Bytes that this user can still write on the file system of `path`. */
  freeBytes(path: string): number;
  /** Does nothing for `ms`, and lets nothing else of the program happen. */
  pause(ms: number): void;
}

/** How a program that we ran ended. */
export interface RunResult {
  /** Exit code; 128 + signal where one ended it. */
  readonly code: number;
  /** At most the first 64 KiB. */
  readonly stdout: string;
  /** At most the first 64 KiB. */
  readonly stderr: string;
  /** It was still running after `timeoutMs` and was killed. */
  readonly timedOut: boolean;
}

/** Whose rights a process has. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  /** All that it finds in its environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** Other processes. */
export interface Processes {
  /** Our own process id. */
  readonly pid: number;
  /** Who started us, as of now: it changes when the parent exits (Unix; 0 on Windows). */
  parentPid(): number;
  /** Whether a process of that id exists, zombies included. Unix only; not after `confine`. */
  exists(pid: number): boolean;
  /**
   * Runs a program with no input to its end, or kills it after `timeoutMs` or at the signal. Opens no
   * window, and a Ctrl-C that is meant for us does not decide how it ends.
   */
  run(
    path: string,
    args: readonly string[],
    timeoutMs: number,
    stop?: AbortSignal,
  ): Promise<RunResult>;
  /**
   * Runs this very program as somebody else, without supplementary groups, on our terminal; passes the
   * signals on that ask us to stop. Returns its exit code. Unix, as root, where the program is
   * compiled; throws where that is not so. Not after `confine`.
   */
  runOurselvesAs(account: Account, args: readonly string[]): Promise<number>;
  /** Starts a program that outlives us, on our terminal if we have one: never on our pipes. */
  spawn(path: string, args: readonly string[]): Promise<void>;
  /**
   * Starts a program that outlives us and does not have our terminal; its standard input ends when
   * we do. It runs in its own folder, with `commandLine` as it stands, and `env` besides ours.
   * Windows only; not after `confine`.
   */
  leaveBehind(path: string, commandLine: string, env: Record<string, string>): void;
  /**
   * From now on the compiled program can run only these programs, by these very paths, and open no
   * library, until it exits. At most once.
   */
  confine(programs: readonly string[]): void;
  /**
   * Opens a system library, which stays open: a second time it is the same one, also after `confine`,
   * for the same `symbols`. Only Windows builds have the permission, until `confine`.
   */
  openLibrary<const S extends Deno.ForeignLibraryInterface>(
    name: string,
    symbols: S,
  ): Deno.DynamicLibrary<S>;
}

/** Time. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds since some instant; never goes back. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
  delay(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Where text goes. A closed terminal or pipe is no error: an update must not stop for it. */
export interface Terminal {
  /** Answers and events. */
  out(text: string): void;
  /** Text for people. */
  err(text: string): void;
  /** Whether `err` is a terminal that can show a progress bar; `TERM=dumb` says that it cannot. */
  readonly isTerminal: boolean;
  /** Width of that terminal in columns. */
  columns(): number;
  /** Whether somebody at a terminal can be asked, and can answer. */
  readonly isInteractive: boolean;
  /** read(2) of the standard input; null at its end. */
  readInput(buffer: Uint8Array): Promise<number | null>;
  /** Resolves when the standard input ends or cannot be read. */
  inputEnd(): Promise<void>;
}

/** Signals that ask us to stop. `SIGHUP` means that the terminal was closed. */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** Everything outside of the program. */
export interface System {
  readonly os: "linux" | "darwin" | "windows";
  /** Rust target triple of this executable, such as `x86_64-unknown-linux-gnu`. */
  readonly target: string;
  /** Our own executable, read once at the start (later it may read "… (deleted)" on Linux). */
  readonly execPath: string;
  /** Base name of the shim's executable; `updater-shim` where it is not compiled. */
  readonly shimName: string;
  /** Current folder. */
  readonly cwd: string;
  /** Effective user and group; undefined on Windows. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  readonly fs: FileSystem;
  /** What the systems do in more than one call each. */
  readonly platform: Platform;
  readonly processes: Processes;
  readonly clock: Clock;
  readonly terminal: Terminal;
  /** The network. Redirects are never followed unless `init` says so. */
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** `count` unpredictable bytes. */
  randomBytes(count: number): Uint8Array<ArrayBuffer>;
  /** Calls back at every such signal; from then on the signal does nothing else. */
  onStopSignal(listener: (signal: StopSignal) => void): void;
}
