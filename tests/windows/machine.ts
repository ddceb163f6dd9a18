/** What the tests of Windows ask of the machine that they run on: Wine on Linux, or Windows itself. */
import { growingText } from "./growing_text.ts";

/** Programs of the cache; a name is enough for `runWindows`. */
export type CachedProgram =
  | "deno-2.9.4.exe"
  | "deno-2.9.5.exe"
  | "esbuild-0.28.1.exe"
  | "esbuild-0.28.2.exe";

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

/** One way to run Windows programs. */
export interface Machine {
  /** The path of a program of the cache, for copying it into an install dir. Fetches it if need be. */
  cachedProgram(name: CachedProgram): string;
  /** What a Windows program calls the file that we call `path` (absolute). */
  windowsPath(path: string): string;
  /** The folder that Windows programs have as TEMP, as we call it. */
  readonly temporary: string;
  /** Starts a program in the folder `dir`. Its standard input stays open. */
  spawn(
    dir: string,
    program: string,
    args: readonly string[],
    options: WindowsOptions,
  ): Promise<WindowsProcess>;
}

/** A started program, for tests; `kill` ends it the hard way. */
export function processOf(
  program: string,
  child: Deno.ChildProcess,
  kill: () => Promise<void>,
): WindowsProcess {
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
    await kill();
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
