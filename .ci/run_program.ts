/** Runs a program of the build and says what it said when it fails. */

/** How to run it. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  /** It is ended after this many milliseconds, which counts as a failure. */
  readonly timeoutMs?: number;
}

/** Its standard output. Throws when it cannot be started, fails, or is still running in the end. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { cwd, env, timeoutMs }: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    ...(cwd !== undefined && { cwd }),
    ...(env !== undefined && { env }),
    ...(timeoutMs !== undefined && { signal: AbortSignal.timeout(timeoutMs) }),
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (code === 0) return text(stdout);
  throw new Error(`${program} ${args.join(" ")}\nended with code ${code}: ${text(stderr)}`);
}
