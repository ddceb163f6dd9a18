/**
 * `deno run -A .ci/release.ts FOLDER [BASE_URL]`: makes the files of a release out of the
 * executables in FOLDER, which are named `PROGRAM-TRIPLE[.exe]`, for `updater-shim` and
 * `updater-shim-pack`:
 *
 *     PROGRAM-VERSION-TRIPLE.tar.gz, for Windows .zip   the executable, README, LICENSE, manual page
 *     PROGRAM-VERSION.cdx.json                          what the executable is made of
 *     release.json                                      the shim's release manifest, schema 1
 *     SHA256SUMS                                        of all files, also those that lay there before
 *
 * and removes the executables themselves. The same executables give the same bytes, whenever and
 * wherever: all times are the commit's.
 */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type Zippable, zipSync } from "fflate";
import { packTar } from "modern-tar";
import { dirname, fromFileUrl, join, resolve } from "@std/path";
import { manPage } from "../src/cli/man_page.ts";
import { VERSION } from "../src/base/version.ts";
import { billOfMaterials } from "./bill_of_materials.ts";
import { sourceTime } from "./source_time.ts";

/** Rust triples of the systems that a release is for. */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
  "aarch64-pc-windows-msvc",
] as const;

/** The programs that a release has, and where their source begins. */
export const PROGRAMS = {
  "updater-shim": "main.ts",
  "updater-shim-pack": "src/pack/main.ts",
} as const;

type Program = keyof typeof PROGRAMS;

const ROOT = dirname(dirname(fromFileUrl(import.meta.url)));
const YEAR_MS = 365 * 24 * 3600 * 1000;

/** The name of an executable on a system. */
export function executableName(target: string, program: string = "updater-shim"): string {
  return target.includes("windows") ? `${program}.exe` : program;
}

/** Where the executable of a program lies in the folder before the release is made of it. */
export function builtName(target: string, program: string = "updater-shim"): string {
  return `${program}-${target}${target.includes("windows") ? ".exe" : ""}`;
}

/** Makes the release. Throws when an executable is missing. */
export async function makeRelease(folder: string, base = ""): Promise<void> {
  const platforms: Record<string, { files: unknown[] }> = {};
  for (const target of TARGETS) {
    await pack(folder, target, "updater-shim-pack");
    const { archive, member, executable } = await pack(folder, target, "updater-shim");
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
  }
  for (const [program, entry] of Object.entries(PROGRAMS)) {
    const text = await billOfMaterials(entry, program);
    Deno.writeTextFileSync(join(folder, `${program}-${VERSION}.cdx.json`), text);
  }
  const published = (await sourceTime()).getTime();
  const manifest = JSON.stringify(document(platforms, published), null, 2);
  Deno.writeTextFileSync(join(folder, "release.json"), `${manifest}\n`);
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  const sums = names.map((name) => `${describe(join(folder, name)).sha256}  ${name}\n`);
  Deno.writeTextFileSync(join(folder, "SHA256SUMS"), sums.join(""));
}

function document(
  platforms: Record<string, unknown>,
  published: number,
): Record<string, unknown> {
  const instant = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
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
async function pack(folder: string, target: string, program: Program) {
  const built = join(folder, builtName(target, program));
  const name = `${program}-${VERSION}-${target}`;
  const executable = describe(built);
  const files: Packed[] = [
    ...["LICENSE", "README.md"].map((text) => ({
      name: `${name}/${text}`,
      content: Deno.readFileSync(join(ROOT, text)),
      mode: 0o644,
    })),
    ...manual(name, program),
    {
      name: `${name}/${executableName(target, program)}`,
      content: Deno.readFileSync(built),
      mode: 0o755,
    },
  ];
  const windows = target.includes("windows");
  const archive = windows ? `${name}.zip` : `${name}.tar.gz`;
  Deno.writeFileSync(join(folder, archive), windows ? zip(files) : await tarGz(files));
  Deno.removeSync(built);
  return { archive, member: `${name}/${executableName(target, program)}`, executable };
}

/** Of the shim only: `--man` prints the same. */
function manual(folder: string, program: Program): Packed[] {
  if (program !== "updater-shim") return [];
  const content = new TextEncoder().encode(manPage(program));
  return [{ name: `${folder}/${program}.1`, content, mode: 0o644 }];
}

interface Packed {
  readonly name: string;
  readonly content: Uint8Array<ArrayBuffer>;
  readonly mode: number;
}

async function tarGz(files: readonly Packed[]): Promise<Uint8Array> {
  const mtime = await sourceTime();
  const archive = await packTar(files.map(({ name, content, mode }) => ({
    header: { name, size: content.length, mode, mtime, uid: 0, gid: 0 },
    body: content,
  })));
  return gzipSync(archive, { level: 9 });
}

function zip(files: readonly Packed[]): Uint8Array {
  // A zip file holds local time: this one is the same in every time zone.
  const mtime = new Date(1980, 0, 2);
  const UNIX = 3;
  const entries: Zippable = {};
  for (const { name, content, mode } of files) {
    entries[name] = [content, { level: 9, mtime, os: UNIX, attrs: (0o100_000 | mode) << 16 }];
  }
  return zipSync(entries);
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
