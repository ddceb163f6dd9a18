/**
 * For main tools written for Node or Deno: runs updater-shim the right way. One file without
 * dependencies: import it, or copy it; Node 22.18 and newer, Deno and bundlers take it as it is.
 *
 * ```ts
 * import process from "node:process";
 * import { selfUpdate } from "@updater-shim/updater-shim/adopt";
 * const [command, ...given] = process.argv.slice(2);
 * if (command === "self-update") process.exit(await selfUpdate({ given }));
 * ```
 *
 * What is easy to get wrong by hand:
 * - On Windows a child belongs to a job that ends with the program, whatever `unref` says, unless it was
 *   started `detached` (libuv, `src/win/process.c`; Deno does the same).
 * - Ctrl-C ends a program at once that only waits for another one: then the prompt is back while the
 *   update still goes on.
 * - A folder that was removed meanwhile is no folder to start a program in: the shim gets one that is
 *   there. So name files in `args` by absolute paths.
 * @module
 */
// deno-lint-ignore seam/no-other-programs -- it runs in the main tool, not in the shim.
import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";

const onWindows = process.platform === "win32";

/** How to start the shim. */
export interface ShimOptions {
  /**
   * Path of the shim's executable. Default: `updater-shim` (on Windows `updater-shim.exe`) beside the
   * running program, which is right for a compiled tool. Under `deno run` and `node` the running
   * program is Deno or Node itself: then it has to be given.
   */
  readonly shim?: string;
  /** Further options, such as `["--pin", "1.4.0"]` or `["--install-dir", folder]`. */
  readonly args?: readonly string[];
}

/** How a `self-update` on the terminal starts the shim. */
export interface SelfUpdateOptions extends ShimOptions {
  /**
   * What the user gave after `self-update`, such as `--check` or `--pin 1.4.0`: goes on to the shim, and
   * with it the current folder, for the paths in it.
   */
  readonly given?: readonly string[];
}

/** How to start the shim for an update in the background. */
export interface BackgroundOptions extends ShimOptions {
  /** The tool is started again after the update, with these arguments. */
  readonly relaunch?: readonly string[];
}

/**
 * Updates the tool: its `self update`, on the user's terminal. Resolves with the exit code that the
 * tool should end with, at once: 0 when all is well, 130 after Ctrl-C; the README lists the others.
 *
 * On Unix the update is made by then: nothing minds that the tool still runs. On Windows, where a
 * program that runs cannot be replaced in one step, everything is downloaded and verified by then; the
 * rest is made when the tool has exited, and takes a fraction of a second.
 *
 * Rejects with an `Error` that names the file if the shim cannot be started; nothing has changed then.
 * Deno asks for `--allow-run`, and for `--allow-env` because the shim gets the environment.
 */
export async function selfUpdate(options: SelfUpdateOptions = {}): Promise<number> {
  const { args = [], given = [] } = options;
  // Whatever else it is that the user asks for, on Windows too, is answered in the foreground.
  if (!onWindows || given.length > 0) {
    return await runToEnd(options, [...args, ...given], "inherit", given.length > 0);
  }
  const code = await runToEnd(options, [...args, "--download-only"], "inherit");
  if (code === 0) await startUpdate(options);
  return code;
}

/**
 * For a tool that stays alive or updates by itself: starts the shim in the background, which waits until
 * this program has exited and then updates it. Resolves with the shim's process id once it runs: exit
 * then, within the 60 s that it waits (`--wait-timeout`). It prints nothing; its outcome is in
 * `.updater-shim/`, and `updater-shim --status` shows it. Rejects as `selfUpdate` does.
 *
 * Not in a container whose first process is the tool: what it leaves behind ends with it.
 */
export async function startUpdate(options: BackgroundOptions = {}): Promise<number> {
  const { args = [], relaunch } = options;
  const again = relaunch ? ["--relaunch", "--", ...relaunch] : [];
  const shim = await start(options, [...args, "--parent-pid", String(process.pid), ...again], {
    stdio: "ignore",
    detached: true,
  });
  shim.unref(); // nothing here is to wait for it
  return shim.pid!;
}

/**
 * Puts right what an interrupted update left behind, and resolves with the shim's exit code once it
 * has ended: 0 when all is well, 6 while an update is at work, 9 when something could not be
 * restored. Prints nothing, and takes some ten milliseconds. Rejects as `selfUpdate` does.
 */
export async function repair(options: ShimOptions = {}): Promise<number> {
  return await runToEnd(options, [...options.args ?? [], "--repair"], "ignore");
}

/** The shim's path as the default of `ShimOptions.shim` has it. It need not exist. */
export function shimBeside(executable: string = process.execPath): string {
  return join(dirname(executable), onWindows ? "updater-shim.exe" : "updater-shim");
}

/** Resolves with the exit code; 128 and the number of the signal where one ended it. */
async function runToEnd(
  options: ShimOptions,
  args: readonly string[],
  stdio: "inherit" | "ignore",
  here = false,
): Promise<number> {
  const cwd = here ? { cwd: undefined } : {};
  const shim = await start(options, args, { stdio, windowsHide: true, ...cwd });
  // Until it has ended we are not to: it says what Ctrl-C means. A terminal sends that to both of us,
  // and hearing of it twice does no harm; `kill` sends its signal to us alone.
  const signals = onWindows ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM", "SIGHUP"];
  const passOn = (signal: NodeJS.Signals) => void (onWindows || shim.kill(signal));
  for (const signal of signals) process.on(signal, passOn);
  try {
    return await new Promise((resolve) => {
      shim.once("exit", (code, signal) => {
        resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
      });
    });
  } finally {
    for (const signal of signals) process.off(signal, passOn);
  }
}

/** Resolves when it runs. */
function start(
  { shim = shimBeside() }: ShimOptions,
  args: readonly string[],
  options: Parameters<typeof spawn>[2],
): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error & { code?: string }) => {
      const hint = error.code === "ENOENT" ? ". Is it beside the tool?" : "";
      reject(new Error(`Cannot start "${shim}": ${error.message}${hint}`, { cause: error }));
    };
    try {
      const child = spawn(shim, [...args], { cwd: dirname(shim), ...options });
      child.once("error", failed);
      child.once("spawn", () => resolve(child));
    } catch (error) {
      failed(error as Error); // such as a missing permission
    }
  });
}
