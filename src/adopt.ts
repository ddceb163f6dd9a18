/**
 * For main tools written for Deno or Node: starts updater-shim the right way, so that it outlives the
 * tool that it updates. One file without dependencies: import it, or copy it.
 *
 * ```ts
 * import { startUpdate } from "@updater-shim/updater-shim/adopt";
 * await startUpdate(); // "mytool self update": then end; the shim waits for that
 * ```
 *
 * What is easy to get wrong by hand: a child that a Deno or Node program starts on Windows belongs
 * to a job that ends with the program, however that ends and whatever `unref` says, unless it was
 * started `detached` (libuv, `src/win/process.c`). On Unix a child that was not gets the Ctrl-C and
 * the closing of the terminal that are meant for the tool.
 * @module
 */
// deno-lint-ignore seam/no-other-programs -- it runs in the main tool, not in the shim.
import { type ChildProcess, spawn } from "node:child_process";
import { dirname, join } from "node:path";
import process from "node:process";

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
  /**
   * Where the shim writes: nowhere (`"ignore"`, the default; the outcome is in
   * `.updater-shim/last-run.json`), or to the tool's own terminal or pipes (`"inherit"`).
   */
  readonly output?: "ignore" | "inherit";
}

/** How to start the shim for an update. */
export interface UpdateOptions extends ShimOptions {
  /** The tool is started again after the update, with these arguments. */
  readonly relaunch?: readonly string[];
}

/**
 * Starts the shim, which waits until this program has exited and then updates it. Resolves with the
 * shim's process id once it runs: exit then, within the 60 s that it waits (`--wait-timeout`).
 * Rejects with an `Error` that names the file if the shim cannot be started; nothing has changed
 * then. Deno asks for `--allow-run`, and for `--allow-env` because the shim gets the environment.
 */
export async function startUpdate(options: UpdateOptions = {}): Promise<number> {
  const { args = [], relaunch, output = "ignore" } = options;
  const again = relaunch ? ["--relaunch", "--", ...relaunch] : [];
  const shim = await start(options, [...args, "--parent-pid", String(process.pid), ...again], {
    stdio: ["ignore", output, output],
    detached: true,
    // No console window of its own; what it inherits is written to all the same.
    windowsHide: true,
  });
  shim.unref(); // nothing here is to wait for it
  return shim.pid!;
}

/**
 * Puts right what an interrupted update left behind, and resolves with the shim's exit code once it
 * has ended: 0 when all is well, 6 while an update is at work, 9 when something could not be
 * restored. Takes some ten milliseconds. Rejects with an `Error` if the shim cannot be started.
 */
export async function repair(options: ShimOptions = {}): Promise<number> {
  const { args = [], output = "ignore" } = options;
  const shim = await start(options, [...args, "--repair"], {
    stdio: ["ignore", output, output],
    windowsHide: true,
  });
  return await new Promise((resolve) => {
    shim.once("exit", (code) => resolve(code ?? 1));
  });
}

/** The shim's path as the default of `ShimOptions.shim` has it. It need not exist. */
export function shimBeside(executable: string = process.execPath): string {
  const name = process.platform === "win32" ? "updater-shim.exe" : "updater-shim";
  return join(dirname(executable), name);
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
      const child = spawn(shim, [...args], options);
      child.once("error", failed);
      child.once("spawn", () => resolve(child));
    } catch (error) {
      failed(error as Error); // such as a missing permission
    }
  });
}
