/**
 * Real Windows programs on Linux, for tests: what `bed.sh` gives, as functions.
 *
 * What is real: the programs, and Windows' rules on executing images, share modes, locks, handles,
 * console events and names, as Wine 10 has them. What is not: see the README on what Wine cannot
 * show, and `bed_test.ts` for the rules that the other tests build on.
 */
import { fromFileUrl, join } from "@std/path";
import { growingText } from "./growing_text.ts";
import { killInnermost } from "./process_tree.ts";

const SCRIPT = fromFileUrl(new URL("./bed.sh", import.meta.url));
const CACHE = Deno.env.get("UPDATER_SHIM_WINE_BED") ??
  join(
    Deno.env.get("XDG_CACHE_HOME") ?? join(Deno.env.get("HOME") ?? "/root", ".cache"),
    "updater-shim/wine-bed",
  );

/** Programs of the cache; a name is enough for `runWindows`. */
export type CachedProgram =
  | "deno-2.9.4.exe"
  | "deno-2.9.5.exe"
  | "esbuild-0.28.1.exe"
  | "esbuild-0.28.2.exe";

/** The Windows Deno that runs scripts and the bundled shim. */
export const DENO: CachedProgram = "deno-2.9.5.exe";

/** What a Windows program gets from us. */
export interface WindowsOptions {
  /** Its whole environment, besides what Windows itself sets. */
  readonly env?: Record<string, string>;
  /** Its standard input; none by default. */
  readonly stdin?: string;
  /** It is ended after that long, and `code` is 124. Default: 120. */
  readonly timeoutSeconds?: number;
}

/** How a Windows program ended. */
export interface WindowsResult {
  /** Its exit code modulo 256: an ending by Ctrl-C, 0xC000013A, shows as 58. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A Windows program that is running; it is ended with its scope. */
export interface WindowsProcess extends AsyncDisposable {
  /** How it ended, once it has. */
  readonly result: Promise<WindowsResult>;
  /**
   * Resolves with its output so far as soon as that or its errors contain `text`; rejects if it
   * ends without.
   */
  printed(text: string): Promise<string>;
  /** Writes to its standard input. */
  write(text: string): Promise<void>;
  /** Ends its standard input. */
  closeInput(): Promise<void>;
  /** Ends it the hard way, as TerminateProcess does: at any instruction, nothing of it runs on. */
  terminate(): Promise<WindowsResult>;
}

/** Makes the bed if it is not there: two minutes the first time, then no time at all. */
export async function ensureBed(): Promise<void> {
  const { success } = await new Deno.Command("bash", { args: [SCRIPT, "up"], stdout: "inherit" })
    .output();
  if (!success) throw new Error(`Cannot make the Windows test bed: see above and ${SCRIPT}`);
}

/** The Linux path of a program of the cache, for copying it into an install dir. */
export function cachedProgram(name: CachedProgram): string {
  const path = join(CACHE, "programs", name);
  // On a bare machine the first test that asks for one waits until the bed is made.
  if (!isFile(path)) {
    const { success } = new Deno.Command("bash", {
      args: [SCRIPT, "up"],
      stdout: "inherit",
      stderr: "inherit",
    }).outputSync();
    if (!success) throw new Error("the Windows test bed could not be made");
  }
  return path;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** The arguments that make the Windows Deno run a program of the folder `programs`. */
export function helper(
  name: "console" | "hold_file" | "process" | "start",
  ...args: string[]
): string[] {
  const script = fromFileUrl(new URL(`./programs/${name}.ts`, import.meta.url));
  return ["run", "-A", "--no-config", windowsPath(script), ...args];
}

/** What a Windows program calls the file that we call `path` (absolute). */
export function windowsPath(path: string): string {
  const shared = "/dev/shm/";
  const name = path.startsWith(shared) ? `E:/${path.slice(shared.length)}` : `D:${path}`;
  return name.replaceAll("/", "\\");
}

/**
 * Runs a Windows program in the folder `dir` to its end.
 * @param program a program of the cache, or as Windows finds it: `.\\tool.exe`, `D:\\x\\tool.exe`
 */
export async function runWindows(
  dir: string,
  program: string,
  args: readonly string[],
  options: WindowsOptions = {},
): Promise<WindowsResult> {
  const process = await spawnWindows(dir, program, args, options);
  if (options.stdin !== undefined) await process.write(options.stdin);
  await process.closeInput();
  return await process.result;
}

/** Starts a Windows program in the folder `dir`. Its standard input stays open. */
export async function spawnWindows(
  dir: string,
  program: string,
  args: readonly string[],
  options: WindowsOptions = {},
): Promise<WindowsProcess> {
  await ensureBed();
  const child = new Deno.Command("bash", {
    args: [SCRIPT, "run", dir, "--", program, ...args],
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      HOME: Deno.env.get("HOME") ?? "",
      UPDATER_SHIM_WINE_BED: CACHE,
      UPDATER_SHIM_WINE_TIMEOUT: String(options.timeoutSeconds ?? 120),
      NO_COLOR: "1",
      ...options.env,
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stdout = growingText(child.stdout);
  const stderr = growingText(child.stderr);
  const result = Promise.all([child.status, stdout.end, stderr.end])
    .then(([{ code }]) => ({ code, stdout: stdout.text(), stderr: stderr.text() }));
  const printed = async (text: string) => {
    await Promise.any([stdout.contains(text), stderr.contains(text)]).catch(async () => {
      const ended = JSON.stringify(await result);
      throw new Error(`"${program}" ended without printing "${text}": ${ended}`);
    });
    return stdout.text();
  };
  const input = child.stdin.getWriter();
  const closeInput = () => input.close().catch(() => {}); // it may have ended, or closed before
  const terminate = async () => {
    await killInnermost(child.pid, child.status);
    await closeInput();
    return await result;
  };
  return {
    result,
    printed,
    write: (text) => input.write(new TextEncoder().encode(text)),
    closeInput,
    terminate,
    [Symbol.asyncDispose]: async () => void await terminate(),
  };
}
