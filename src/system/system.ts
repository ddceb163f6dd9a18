/**
 * The seam: everything that the program does to the world goes through one passed-in `System`.
 *
 * `deno_system.ts` is the real one. Tests pass others that fail, stop or lose power at the n-th
 * step, so every method here is one step: nothing in it may do two things that a crash could
 * separate.
 */

import type { Platform } from "./platform.ts";
import type { Steps } from "./steps.ts";

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
  /** Whether somebody could answer, who may not see what is asked. */
  readonly isAttended: boolean;
  /** read(2) of the standard input; null at its end. */
  readInput(buffer: Uint8Array): Promise<number | null>;
  /** Resolves when the standard input ends or cannot be read. */
  inputEnd(): Promise<void>;
}

/** Signals that ask us to stop. `SIGHUP` means that the terminal was closed. */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** Everything outside of the program. */
export interface System extends Steps {
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
  /** What the systems do in more than one call each. */
  readonly platform: Platform;
  readonly terminal: Terminal;
  /** The network. Redirects are never followed unless `init` says so. */
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** The same over a connection of its own: two requests of one HTTP/2 connection are slow as one. */
  connection(): Disposable & Pick<System, "fetch">;
  /** Calls back at every such signal; from then on the signal does nothing else. */
  onStopSignal(listener: (signal: StopSignal) => void): void;
}
