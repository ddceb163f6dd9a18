/** The part of the seam that is other programs: see `system.ts`. */

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

/** How a process ended: 128 and its number where a signal ended it. */
export interface Ended {
  readonly code: number;
  readonly signal: string | null;
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
  /** Makes a folder the working folder, of the programs that are run, too, until it is disposed of. */
  enter(folder: string): Disposable;
  /**
   * Runs this very program as somebody else, without supplementary groups and without our terminal,
   * where it only prints; passes the signals on that ask us to stop, and ends it where it does not.
   * Unix, as root, where the program is compiled; throws where that is not so. Not after `confine`.
   */
  runOurselvesAs(account: Account, args: readonly string[]): Promise<Ended>;
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
   * library, until it exits. At most once. What is below `readable` another thread may hash.
   */
  confine(programs: readonly string[], readable: string): void;
  /**
   * Opens a system library, which stays open: a second time it is the same one, also after `confine`,
   * for the same `symbols`. Only Windows builds have the permission, until `confine`.
   */
  openLibrary<const S extends Deno.ForeignLibraryInterface>(
    name: string,
    symbols: S,
  ): Deno.DynamicLibrary<S>;
}
