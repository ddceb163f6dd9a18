/** Platforms: which there are shims for, how release files name them, and which file serves which. */
import { describeMachine, type Machine } from "./machine.ts";
import { withoutEnd } from "../base/text_end.ts";

/** Triples that a compiled shim can have (`deno compile --target`). */
export const SHIM_TRIPLES = [
  "aarch64-apple-darwin",
  "aarch64-pc-windows-msvc",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "x86_64-pc-windows-msvc",
  "x86_64-unknown-linux-gnu",
] as const;

/** These serve a `-gnu` shim where the manifest has nothing else for it. */
const MUSL_TRIPLES = ["aarch64-unknown-linux-musl", "x86_64-unknown-linux-musl"] as const;

/** Every key that a manifest of ours may have. */
export const MANIFEST_TRIPLES: readonly string[] = [...SHIM_TRIPLES, ...MUSL_TRIPLES];

/** What a name says. Empty `triples`: it names a platform that there is no shim for. */
export interface NamedPlatform {
  /** Undefined: it says nothing, or not enough. */
  readonly triples: readonly string[] | undefined;
  /** The words that said so, as they stand in the name. */
  readonly words: readonly string[];
}

interface Rule {
  readonly pattern: RegExp;
  readonly means: string;
}

/** A word, and what it means; the first that is found counts. `"no"`: not for any shim. */
const rule = (words: string, means: string): Rule => ({
  pattern: new RegExp(`(?<![a-z0-9])(?:${words})(?![a-z0-9])`, "i"),
  means,
});

const TRIPLES: readonly Rule[] = [
  ...MANIFEST_TRIPLES.map((triple) => rule(triple, triple)),
  rule("(?:universal2?|all)-apple-darwin", "aarch64-apple-darwin x86_64-apple-darwin"),
  // Whatever it was compiled with, it is a program for Windows.
  rule("x86_64-pc-windows-gnu(?:llvm)?", "x86_64-pc-windows-msvc"),
  rule("aarch64-pc-windows-gnu(?:llvm)?", "aarch64-pc-windows-msvc"),
  rule("[a-z0-9_]+-(?:unknown|pc|apple|wrs|sun|nvidia|uwp)-[a-z0-9_]+(?:-[a-z0-9_]+)?", ""),
];

const SYSTEMS: readonly Rule[] = [
  // `aarch64-linux-android` says linux, too.
  rule("android", "no"),
  rule("linux(?:64)?", "linux"),
  rule("macos(?:64|\\d+)?|darwin|mac|osx|apple", "darwin"),
  rule("windows(?:64)?|win(?:32|64)?", "windows"),
  rule("(?:free|net|open)bsd|dragonfly(?:bsd)?|solaris|sunos|illumos|aix|plan9", "no"),
  rule("wasm(?:32)?|wasi(?:p[12])?", "no"),
];

const PROCESSORS: readonly Rule[] = [
  rule("(?:x86[_-]64|amd64|x64)[_-]?v[234]", "no"),
  rule("x86[_-]64(?:[_-]?v1)?|amd64(?:[_-]?v1)?|x64|64-?bit", "x86_64"),
  rule("aarch64|arm64(?:[_-]?v8(?:\\.0)?)?|armv8", "aarch64"),
  rule("universal2?|all", "universal"),
  rule("i[3-6]86|386|x86|32-?bit|ia32|arm(?:v?[5-7][a-z]*|hf|el)?|riscv64(?:gc)?|s390x", "no"),
  rule("(?:powerpc|ppc)64(?:le|el)?|mips[a-z0-9]*|loong(?:arch)?64", "no"),
];

const LIBRARIES: readonly Rule[] = [rule("musl", "musl"), rule("gnu|glibc", "gnu")];

/** Reads the words of a file name, or of a path. */
export function platformOfName(name: string): NamedPlatform {
  const triple = find(TRIPLES, name);
  if (triple) return { triples: triple.means.split(" ").filter(Boolean), words: [triple.word] };
  const system = find(SYSTEMS, name), processor = find(PROCESSORS, name);
  const library = find(LIBRARIES, name);
  const found = [system, processor, system?.means === "linux" ? library : undefined]
    .filter((word) => word !== undefined);
  const words = found.map(({ word }) => word);
  if (found.some(({ means }) => means === "no")) return { triples: [], words };
  if (!system) return { triples: undefined, words };
  // npm and Node call every Windows "win32"; with "64" it is as good as the processor's name.
  const arch = processor?.means ?? (/64$/.test(system.word) ? "x86_64" : undefined);
  if (arch === undefined) return { triples: undefined, words };
  return { triples: triplesOf(system.means, arch, library?.means), words };
}

function find(rules: readonly Rule[], name: string): { word: string; means: string } | undefined {
  for (const { pattern, means } of rules) {
    const word = pattern.exec(name)?.[0];
    if (word !== undefined) return { word, means };
  }
  return undefined;
}

/** By Go's, or anybody's, words for system, processor and C library; none: no shim for it. */
function triplesOf(os: string, arch: string, libc = "gnu"): readonly string[] {
  const archs = arch === "universal" ? ["aarch64", "x86_64"] : [arch];
  const ends: Record<string, string> = {
    linux: `unknown-linux-${libc}`,
    darwin: "apple-darwin",
    windows: "pc-windows-msvc",
  };
  if (arch === "universal" && os !== "darwin") return [];
  return archs.map((one) => `${one}-${ends[os]}`).filter((one) => MANIFEST_TRIPLES.includes(one));
}

/** By what an executable's header says; none: no shim for it. */
export function triplesOfMachine({ os, archs, libc }: Machine): readonly string[] {
  if (os === "other") return [];
  return archs.flatMap((arch) => triplesOf(os, arch, libc)).sort();
}

/** Why an executable cannot be what a release says it is; undefined if it can. */
export function wrongMachine(machine: Machine, triple: string): string | undefined {
  const { os, archs, libc } = machine;
  const [arch] = triple.split("-");
  const system = triple.includes("-linux-")
    ? "linux"
    : triple.endsWith("-darwin")
    ? "darwin"
    : "windows";
  const right = os === system && archs.includes(arch!) &&
    (libc === undefined || triple.endsWith(libc));
  return right ? undefined : `an executable for ${describeMachine(machine)}, not for ${triple}`;
}

/** What is left of a file's name without platform and version: the tool's own part of it. */
export function plainStem(name: string, version: string | undefined): string {
  const words = [...platformOfName(name).words, version, versionInName(name)];
  const rest = words.reduce((text: string, word) => word ? text.replace(word, "\0") : text, name);
  const parts = rest.split("\0").map((part) => part.replace(/^[-_.]+|[-_.]+v?$/g, ""));
  return parts.filter((part) => part !== "" && part !== "v").join("-") || name;
}

/** The version in a name, as it stands there; undefined where there is none, or no one. */
export function versionInName(name: string): string | undefined {
  let rest = name;
  for (const word of platformOfName(name).words) rest = rest.replace(word, "");
  const [found] = /(?<![0-9a-z])v?\d+\.\d+(?:\.\d+)*(?:-(?:alpha|beta|rc|pre|dev)[0-9A-Za-z.]*)?/i
    .exec(rest) ?? [];
  return found && withoutEnd(found, ".-").replace(/^v/i, "");
}
