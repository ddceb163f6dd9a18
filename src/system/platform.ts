/**
 * Where the systems differ in more than one call: `posix.ts` and `windows.ts` each make one
 * `Platform`, `own_platform.ts` chooses between them. Neither keeps anything between two calls:
 * all that they do to the world goes through the `Steps` that are handed in, so that each of their
 * steps is a step of the seam, where a test can stop it.
 */
import type { Processes } from "./processes.ts";
import type { Steps } from "./steps.ts";

/** What a user may want to know while a file is waited for, or after that. */
export interface Notice {
  readonly message: string;
  readonly path: string;
  readonly hint: string;
}

/** A process that was running when the watch began. */
export interface WatchedProcess {
  /** Whether it has exited by now. A zombie has; another process with its pid is not it. */
  hasExited(): Promise<boolean>;
  /** Lets go of what was opened to watch it. */
  close(): void;
}

/** The last files of an uninstall. Absolute paths. */
export interface Removal {
  /** The file that cannot go before we do: the shim, or else the lock. */
  readonly file: string;
  /** Folders that go with all that is in them, once `file` is gone. */
  readonly trees: readonly string[];
  /** Folders that go after those, in this order, each if it is empty then. */
  readonly folders: readonly string[];
}

/** See the top of this file. */
export interface Platform {
  /**
   * A path that is the working folder, whatever is done to its names; undefined where there is none.
   * Programs in it can be run by that. Nothing else: the runtime does not even look at it.
   */
  heldFolder(os: Steps["os"]): string | undefined;

  /**
   * Gives the file `from` the name `to`, whatever file had it. `spare` is a free name in the folder
   * of `to`, used only where the old file is executing (Windows) and left there then.
   *
   * If we die: `to` is the old or the new file; on Windows, where the old one is executing, `to` may
   * be missing, its old file is at `spare` then and the new one at `from`. Throws the system's error
   * or `filesystem`; then `to` is the old file, except where the message says otherwise.
   */
  replaceFile(
    system: Steps,
    from: string,
    to: string,
    spare: string,
    notify: (notice: Notice) => void,
  ): Promise<void>;

  /**
   * Starts to watch a process. Undefined if it has exited, or if a process that has its pid now
   * started after `startedBy` (milliseconds since 1970; without it: after we did) and so is another.
   * Only before `confine`.
   */
  watchProcess(
    system: Steps,
    pid: number,
    startedBy?: number,
  ): Promise<WatchedProcess | undefined>;

  /** Whether a process has been killed and only has to leave a system call (Linux). False: unknown. */
  isBeingKilled(system: Steps, pid: number): Promise<boolean>;

  /** Programs that have a file open or execute it, such as `uv.exe (process 1234)`. Empty: unknown. */
  holdersOf(system: Steps, path: string): string[];

  /**
   * Whether an executable is executing and could therefore not be removed. Waits up to five seconds
   * for a program that is just exiting. Never so on Unix.
   */
  isInUse(system: Steps, path: string): Promise<boolean>;

  /**
   * Removes the last files of an uninstall: at once where that is possible while we run, else as soon
   * as we have exited. Says which. Throws the system's error.
   */
  removeAfterExit(system: Steps, removal: Removal): "now" | "later";

  /** Opens what `holdersOf` needs, if it is to answer after `confine`. Never throws. */
  openHolders(processes: Pick<Processes, "openLibrary">): void;

  /** Lets programs that we start get no streams but those that they are given. Only before `confine`. */
  keepStreams(processes: Pick<Processes, "openLibrary">): void;

  /** Whether Ctrl-C reaches us through a console of Windows. Only before `confine`. */
  sharesConsole(processes: Pick<Processes, "openLibrary">): boolean;

  /** Whether two names in one folder are the same name. */
  sameName(a: string, b: string): boolean;
}
