/** Users of the machine that need no account: what the system asks for is their numbers. Root only. */
import { join } from "@std/path";
import { compiledShim, type ShimRun } from "./shim.ts";

/** Whether this test can be anybody. */
export const isRoot = Deno.build.os !== "windows" && Deno.uid() === 0;

/** A user with a private group, as umask 002 goes with. */
export const USER = 1001;
/** Somebody else, with a group of the same number. */
export const OTHER = 1002;
/** A group that more than one user is in. */
export const STAFF = 50;

/** A folder that any user can reach, with the compiled shim in it; only root can write to it. */
export interface Machine extends Disposable {
  readonly folder: string;
  readonly shim: string;
}

/** Ends with its folder. */
export async function makeMachine(): Promise<Machine> {
  const folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-" }));
  Deno.chmodSync(folder, 0o755);
  const shim = join(folder, "updater-shim");
  // A link, as it has 90 MB, unless it is on another file system.
  const compiled = await compiledShim();
  try {
    Deno.linkSync(compiled, shim);
  } catch {
    Deno.copyFileSync(compiled, shim);
  }
  Deno.chmodSync(shim, 0o755);
  return { folder, shim, [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }) };
}

/** Runs a program as somebody, and ends it if it hangs: then the code is 124, as by timeout(1). */
export async function runAs(
  uid: number,
  program: string,
  args: readonly string[],
  options: { gid?: number; env?: Record<string, string>; timeoutMs?: number } = {},
): Promise<ShimRun> {
  const { gid = uid, env = {}, timeoutMs = 20_000 } = options;
  const as = uid === Deno.uid() ? {} : { uid, gid };
  const child = new Deno.Command(program, {
    ...{ args: [...args], ...as, env, cwd: "/", stdin: "null", stdout: "piped", stderr: "piped" },
  }).spawn();
  let hung = false;
  const timer = setTimeout(() => {
    hung = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code: hung ? 124 : code, stdout: text(stdout), stderr: text(stderr) };
}

/** Makes a folder or a file with owner, group and mode; a text makes it a file. */
export function put(path: string, owner: readonly [number, number], mode: number, text?: string) {
  if (text === undefined) Deno.mkdirSync(path, { recursive: true });
  else Deno.writeTextFileSync(path, text);
  Deno.chownSync(path, ...owner);
  Deno.chmodSync(path, mode);
  return path;
}
