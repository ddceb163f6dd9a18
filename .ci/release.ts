/**
 * `deno run -A .ci/release.ts FOLDER [BASE_URL]`: makes the files of a release out of the
 * executables in FOLDER, which are named `updater-shim-TRIPLE[.exe]`:
 *
 *     updater-shim-VERSION-TRIPLE.tar.gz, for Windows .zip   the executable, README, LICENSE
 *     release.json                                          the release manifest, schema 1
 *     SHA256SUMS                                            of all of the above
 *
 * and removes the executables themselves. Needs GNU tar and zip. The same input gives the same
 * bytes, but for the two times in the manifest.
 */
import { createHash } from "node:crypto";
import { dirname, fromFileUrl, join, resolve } from "@std/path";
import { VERSION } from "../src/base/version.ts";
import { runProgram } from "./run_program.ts";

/** Rust triples of the systems that a release is for. */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
] as const;

const ROOT = dirname(dirname(fromFileUrl(import.meta.url)));
const YEAR_MS = 365 * 24 * 3600 * 1000;

/** The name of the executable on a system. */
export function executableName(target: string): string {
  return target.includes("windows") ? "updater-shim.exe" : "updater-shim";
}

/** Makes the release. Throws when an executable is missing. */
export async function makeRelease(folder: string, base = ""): Promise<void> {
  const platforms: Record<string, { files: unknown[] }> = {};
  const sums: string[] = [];
  for (const target of TARGETS) {
    const { archive, member, executable } = await pack(folder, target);
    const packed = describe(join(folder, archive));
    platforms[target] = {
      files: [{
        target: executableName(target),
        url: base + archive,
        ...packed,
        member,
        executable,
      }],
    };
    sums.push(`${packed.sha256}  ${archive}\n`);
  }
  const manifest = join(folder, "release.json");
  Deno.writeTextFileSync(manifest, JSON.stringify(document(platforms), null, 2) + "\n");
  sums.push(`${describe(manifest).sha256}  release.json\n`);
  Deno.writeTextFileSync(join(folder, "SHA256SUMS"), sums.join(""));
}

function document(platforms: Record<string, unknown>): Record<string, unknown> {
  const instant = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
  const published = Date.now();
  return {
    schema: 1,
    name: "updater-shim",
    version: VERSION,
    published: instant(published),
    // Somebody who holds back newer releases from a user can do so for this long.
    expires: instant(published + YEAR_MS),
    platforms,
  };
}

/** One archive; what is known of the executable in it. */
async function pack(folder: string, target: string) {
  const suffix = target.includes("windows") ? ".exe" : "";
  const built = join(folder, `updater-shim-${target}${suffix}`);
  const name = `updater-shim-${VERSION}-${target}`;
  const inside = join(folder, name);
  Deno.mkdirSync(inside);
  Deno.renameSync(built, join(inside, executableName(target)));
  for (const text of ["README.md", "LICENSE"]) {
    Deno.copyFileSync(join(ROOT, text), join(inside, text));
  }
  // Artifacts come without modes, and the umask is the machine's own.
  for (const { name } of Deno.readDirSync(inside)) Deno.chmodSync(join(inside, name), 0o644);
  Deno.chmodSync(join(inside, executableName(target)), 0o755);
  const executable = describe(join(inside, executableName(target)));
  const archive = suffix ? await zip(folder, name) : await tar(folder, name);
  Deno.removeSync(inside, { recursive: true });
  return { archive, member: `${name}/${executableName(target)}`, executable };
}

async function tar(cwd: string, name: string): Promise<string> {
  const same = ["--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "--sort=name"];
  await runProgram("tar", ["--format=ustar", ...same, "-cf", `${name}.tar`, name], { cwd });
  await runProgram("gzip", ["--best", "--no-name", `${name}.tar`], { cwd });
  return `${name}.tar.gz`;
}

async function zip(cwd: string, name: string): Promise<string> {
  for (const entry of Deno.readDirSync(join(cwd, name))) {
    Deno.utimeSync(join(cwd, name, entry.name), new Date("1980-01-02"), new Date("1980-01-02"));
  }
  const args = ["-X", "-9", "-q", "-r", "-D", `${name}.zip`, name];
  await runProgram("zip", args, { cwd, env: { TZ: "UTC" } });
  return `${name}.zip`;
}

function describe(path: string): { size: number; sha256: string } {
  const bytes = Deno.readFileSync(path);
  return { size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}

if (import.meta.main) {
  const [folder, base] = Deno.args;
  if (!folder) throw new Error("usage: release.ts FOLDER [BASE_URL]");
  await makeRelease(resolve(folder), base);
}
