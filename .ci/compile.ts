/**
 * `deno task compile [--program pack] [--target TRIPLE] [--engine quickjs] [--output PATH] [--no-fallback]`:
 * bundles the program and compiles it into one executable with the permissions that it needs and no
 * others.
 */
import { basename, dirname, extname, fromFileUrl, join, resolve } from "@std/path";
import { parseArgs } from "@std/cli/parse-args";
import { importMap } from "./import_map.ts";
import { PINNED, pinnedRuntime } from "./pinned_runtime.ts";
import { runProgram } from "./run_program.ts";
import { sourceTime } from "./source_time.ts";

/** Bytes that our code and its dependencies may have, and what ties the parts that are loaded later. */
export const BUNDLE_LIMIT = 221 * 1024;

/** How a file of the bundle names a part. */
const PART = /"\.\/([\w-]+-[0-9A-Z]{8}\.js)"/g;

/** How long the normal download of the runtime may take where there is another way. */
const DOWNLOAD_TIMEOUT_MS = 60_000;

const ROOT = dirname(dirname(fromFileUrl(import.meta.url)));

/** The two programs: what users get, and what authors make releases with. */
const PROGRAMS = {
  shim: { entry: "main.ts", name: "updater-shim", limit: BUNDLE_LIMIT, permissions },
  pack: {
    entry: "src/pack/main.ts",
    name: "updater-shim-pack",
    limit: 2 * BUNDLE_LIMIT,
    permissions: packPermissions,
  },
} as const;

/** What to make. */
export interface CompileOptions {
  readonly output: string;
  /** Default: the shim. */
  readonly program?: keyof typeof PROGRAMS;
  /** Default: this machine's. */
  readonly target?: string;
  /** Whether the pinned runtime will do where Deno's own cannot be had. Default: true. */
  readonly fallback?: boolean;
  /** Default: the program itself. */
  readonly entry?: string;
  /** Deno's smaller, experimental one; its runtime is only to be had from Deno's own download. */
  readonly engine?: "quickjs";
}

/** Makes the executable; returns the bytes of the bundle, all its files. Throws above the limit. */
export async function compileShim(options: CompileOptions): Promise<number> {
  const { entry, limit } = PROGRAMS[options.program ?? "shim"];
  // A folder without a configuration or node_modules in sight: both would be embedded.
  const scratch = Deno.makeTempDirSync({ prefix: "updater-shim-compile-" });
  try {
    const files = await bundleInto(options.entry ?? join(ROOT, entry), scratch, options.target);
    const size = files.reduce((sum, file) => sum + Deno.statSync(file).size, 0);
    if (size > limit) {
      throw new Error(`the bundle has ${size} bytes, more than the ${limit} it may have`);
    }
    // The executable holds the bundle with its time: anybody who builds this source gets these bytes.
    const time = await sourceTime();
    for (const file of files) Deno.utimeSync(file, time, time);
    Deno.mkdirSync(dirname(options.output), { recursive: true });
    await compile(files[0]!, options);
    return size;
  } finally {
    Deno.removeSync(scratch, { recursive: true });
  }
}

/** Makes one minified file of `entry` and all that it imports on `target` (default: this machine's). */
export async function bundleTo(
  entry: string,
  output: string,
  target = Deno.build.target,
): Promise<void> {
  await bundle(entry, target, ["--output", output]);
}

/**
 * Makes a file of `entry` in an empty folder, and one of each part that it loads later: V8 reads all
 * of a file, 200 KB in the time in which the runtime starts. Returns their paths, `entry`'s first;
 * `more` are further options of `deno bundle`.
 */
export async function bundleInto(
  entry: string,
  folder: string,
  target = Deno.build.target,
  more: readonly string[] = [],
): Promise<string[]> {
  await bundle(entry, target, ["--code-splitting", "--outdir", folder, ...more]);
  return numberParts(folder, `${basename(entry, extname(entry))}.js`);
}

/**
 * Numbers the parts in the order in which they are named: the bundler's names for them are digests of
 * where the sources lie, too, and one source is to give one executable.
 */
function numberParts(folder: string, first: string): string[] {
  const texts = new Map<string, string>();
  const queue = [first];
  // It grows while it is walked through.
  for (const name of queue) {
    const text = Deno.readTextFileSync(join(folder, name));
    texts.set(name, text);
    for (const [, part] of text.matchAll(PART)) if (!queue.includes(part!)) queue.push(part!);
  }
  const numbered = (name: string) => name === first ? name : `${queue.indexOf(name)}.js`;
  const maps = [...Deno.readDirSync(folder)].map(({ name }) => /(.+)\.map$/.exec(name)?.[1]);
  for (const name of maps) {
    if (name) Deno.renameSync(join(folder, `${name}.map`), join(folder, `${numbered(name)}.map`));
  }
  return [...texts].map(([name, text]) => {
    Deno.removeSync(join(folder, name));
    const path = join(folder, numbered(name));
    Deno.writeTextFileSync(path, text.replace(PART, (_, part) => `"./${numbered(part)}"`));
    return path;
  });
}

async function bundle(entry: string, target: string, more: readonly string[]): Promise<void> {
  const scratch = Deno.makeTempDirSync({ prefix: "updater-shim-imports-" });
  try {
    const map = join(scratch, "imports.json");
    Deno.writeTextFileSync(map, JSON.stringify(importMap(entry, target, scratch)));
    const args = ["bundle", "--quiet", "--minify", "--import-map", map, ...more, entry];
    await runProgram(Deno.execPath(), args, { cwd: ROOT });
  } finally {
    Deno.removeSync(scratch, { recursive: true });
  }
}

/** Each with its reason in the README, "Permissions". */
export function permissions(target: string): string[] {
  // --deny-import: what a compiled program may import by default is not written down; `deno run`
  // permits six hosts on the network.
  const all = ["--allow-read", "--allow-write", "--allow-net", "--allow-run", "--deny-import"];
  all.push("--allow-env=TERM");
  if (!target.includes("windows")) return [...all, "--allow-sys=uid,gid,statfs"];
  // By its full path: a bare name in this list means a file in the current folder, and then neither
  // that nor the system's library can be opened (seen with Deno 2.9.5).
  const libraries = ["kernel32.dll", "rstrtmgr.dll"].map((name) =>
    `C:\\Windows\\System32\\${name}`
  );
  return [...all, "--allow-sys=statfs", `--allow-ffi=${libraries.join(",")}`];
}

/** No programs and no libraries; the environment for the password of a key (`--password-env`). */
function packPermissions(): string[] {
  const all = ["--allow-read", "--allow-write", "--allow-net", "--allow-env", "--deny-import"];
  return [...all, "--allow-sys=uid,gid,statfs"];
}

async function compile(bundle: string, options: CompileOptions): Promise<void> {
  const { target = Deno.build.target, fallback = true } = options;
  const cwd = dirname(bundle);
  const allowed = PROGRAMS[options.program ?? "shim"].permissions(target);
  const common = [
    ...["compile", "--quiet", "--no-config", "--no-lock", "--no-check", "--no-prompt"],
    // So that a Worker may have fewer permissions than its maker (src/system/deno_programs.ts).
    "--unstable-worker-options",
    // The cache would be read from a predictable name in a folder that everybody can write to.
    "--no-code-cache",
    ...[`--env-file=${writeEnvironment(cwd)}`, ...allowed],
    ...["--output", resolve(options.output)],
  ];
  // V8: else whoever ends soon waits for what it has begun to compile for later, 3 ms of each start.
  const v8 = "--v8-flags=--no-concurrent-sparkplug";
  const engine = options.engine ? ["--engine", options.engine] : [v8];
  const normal = [...common, ...engine, "--target", target, bundle];
  if (!fallback || options.engine || target !== PINNED.target) {
    await runProgram(Deno.execPath(), normal, { cwd });
    return;
  }
  try {
    await runProgram(Deno.execPath(), normal, { cwd, timeoutMs: DOWNLOAD_TIMEOUT_MS });
  } catch {
    // Whatever else than the download was wrong with it is wrong with this one too.
    const env = { DENORT_BIN: await pinnedRuntime() };
    await runProgram("npx", ["-y", PINNED.compiler, ...common, v8, bundle], { cwd, env });
  }
}

/**
 * What the executable sets in its environment, where the user has not set it: to trust both the
 * system's authorities, which know a company's own, and Mozilla's, which are there on every machine.
 * `deno compile` embeds that choice only in this form. Programs that the shim starts inherit it.
 */
function writeEnvironment(folder: string): string {
  const path = join(folder, "environment");
  Deno.writeTextFileSync(path, "DENO_TLS_CA_STORE=system,mozilla\n");
  return path;
}

async function main(): Promise<void> {
  const parse: (
    args: string[],
    options: Record<string, unknown>,
  ) => {
    target: string;
    output?: string;
    program: string;
    engine?: string;
    fallback: boolean;
  } = parseArgs;
  const { target, output, program, engine, fallback } = parse(Deno.args, {
    string: ["target", "output", "program", "engine"],
    boolean: ["fallback"],
    negatable: ["fallback"],
    default: { fallback: true, target: Deno.build.target, program: "shim" },
    unknown(argument: string) {
      throw new Error(`deno task compile does not know ${argument}`);
    },
  });
  if (program !== "shim" && program !== "pack") throw new Error(`there is no program "${program}"`);
  if (engine !== undefined && engine !== "quickjs") {
    throw new Error(`there is no engine "${engine}" to choose: quickjs, or V8 without --engine`);
  }
  const { name, limit } = PROGRAMS[program];
  const suffix = target.includes("windows") ? ".exe" : "";
  const path = output ?? join(ROOT, "dist", name + suffix);
  const chosen = engine === "quickjs" ? { engine } as const : {};
  const size = await compileShim({ output: path, program, target, fallback, ...chosen });
  console.log(`${path} for ${target}; the bundle has ${size} of at most ${limit} bytes`);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(`compile: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
