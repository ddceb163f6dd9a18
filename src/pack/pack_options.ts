/** The command line of `updater-shim-pack`. Pure. */
import { parseArgs } from "node:util";
import { closestString } from "@std/text/closest-string";
import { reason, UpdateError } from "../base/errors.ts";
import type { PasswordSource } from "./password.ts";

/** One option, in the order of the help. */
interface Spec {
  readonly name: string;
  /** None: a switch. */
  readonly value?: string;
  readonly many?: boolean;
  readonly help: string;
  readonly group: "Instead of a folder" | "The release" | "Its files" | "Signing";
}

const text = (
  group: Spec["group"],
  name: string,
  value: string,
  help: string,
  many = false,
): Spec => ({ group, name, value, help, many });

/** Every option there is. */
export const PACK_OPTIONS: readonly Spec[] = [
  text("Instead of a folder", "github", "OWNER/REPO@TAG", "A release that is on GitHub already"),
  {
    group: "Instead of a folder",
    name: "merge",
    help: "Make one of several manifests: A.json B.json",
  },
  text("Instead of a folder", "lint", "URL|PATH", "Check a published release as a shim sees it"),
  text("Instead of a folder", "new-key", "FILE", "Make a key pair, FILE and FILE.pub"),
  text("The release", "url", "BASE", "Where the files will be; default: beside the manifest"),
  text("The release", "name", "NAME", "The tool's name, where the build does not say it"),
  text("The release", "version", "VERSION", "Its version, where the build does not say it"),
  text("The release", "expires", "400d|TIME", "After this no shim takes the manifest any more"),
  text(
    "The release",
    "published",
    "now|TIME",
    "Written down; default: SOURCE_DATE_EPOCH or nothing",
  ),
  text("The release", "rollout", "PERCENT", "Offer it to so many installations"),
  text("The release", "notes", "URL|LINE", "What is new"),
  text("The release", "homepage", "URL", "Where messages send people"),
  text("The release", "output", "FILE", "Default: release.json in the folder"),
  text("Its files", "executable", "NAME", "One that belongs to the tool; may be repeated", true),
  text("Its files", "exclude", "PATTERN", "Files to leave out, with *; may be repeated", true),
  text("Its files", "platform", "FILE=TRIPLES", "What a file is for; may be repeated", true),
  text("Its files", "previous", "FOLDER|URL", "An older release, to make patches from", true),
  text("Signing", "sign", "KEYFILE", "Write FILE.minisig with this minisign key"),
  text("Signing", "password-file", "FILE", "The key's password is its first line"),
  text("Signing", "password-env", "NAME", "The key's password is in this variable"),
  text(
    "Signing",
    "public-key",
    "KEY",
    "With --lint: who has to have signed; may be repeated",
    true,
  ),
  text(
    "Instead of a folder",
    "github-api",
    "URL",
    "Of an own GitHub; default: https://api.github.com",
  ),
];

/** What the manifest is to say, where the build does not say it. */
export interface ReleaseOptions {
  readonly url: string | undefined;
  readonly name: string | undefined;
  readonly version: string | undefined;
  readonly expires: string | undefined;
  readonly published: string | undefined;
  readonly rollout: string | undefined;
  readonly notes: string | undefined;
  readonly homepage: string | undefined;
  readonly executables: readonly string[];
  readonly exclude: readonly string[];
  readonly platforms: readonly string[];
  readonly previous: readonly string[];
}

/** How to sign. */
export interface SigningOptions {
  readonly keyFile: string | undefined;
  readonly password: PasswordSource;
}

/** Where the result goes. */
interface OutputOptions {
  readonly output: string | undefined;
  readonly signing: SigningOptions;
}

/** What to do. */
export type PackCommand =
  | { readonly kind: "help" }
  | { readonly kind: "new-key"; readonly file: string; readonly password: PasswordSource }
  | {
    readonly kind: "lint";
    readonly location: string;
    readonly publicKeys: readonly string[];
    readonly name: string | undefined;
  }
  | OutputOptions & { readonly kind: "merge"; readonly manifests: readonly string[] }
  | OutputOptions & {
    readonly kind: "pack";
    readonly folders: readonly string[];
    readonly github: string | undefined;
    readonly githubApi: string;
    readonly release: ReleaseOptions;
  };

/** Throws `usage`. */
export function parsePackCommand(args: readonly string[]): PackCommand {
  const { values, positionals } = parse(args);
  const one = (name: string) => values[name] as string | undefined;
  const many = (name: string) => (values[name] ?? []) as readonly string[];
  if (values["help"] || args.length === 0) return { kind: "help" };
  const password = { file: one("password-file"), variable: one("password-env") };
  if (password.file !== undefined && password.variable !== undefined) {
    throw wrong("--password-file and --password-env exclude each other");
  }
  const file = one("new-key"), location = one("lint");
  if (file !== undefined) return { kind: "new-key", file, password };
  if (location !== undefined) {
    return { kind: "lint", location, publicKeys: many("public-key"), name: one("name") };
  }
  if (many("public-key").length > 0) throw wrong("--public-key goes with --lint only");
  const output = one("output");
  const signing = { keyFile: one("sign"), password };
  if (values["merge"]) {
    if (positionals.length < 2) throw wrong("--merge needs two manifests or more");
    return { kind: "merge", manifests: positionals, output, signing };
  }
  const github = one("github");
  if (positionals.length === 0 && github === undefined) throw wrong("Which folder?");
  return {
    kind: "pack",
    folders: positionals,
    github,
    githubApi: one("github-api") ?? "https://api.github.com",
    output,
    signing,
    release: {
      url: one("url"),
      name: one("name"),
      version: one("version"),
      expires: one("expires"),
      published: one("published"),
      rollout: one("rollout"),
      notes: one("notes"),
      homepage: one("homepage"),
      executables: many("executable").map((name) => name.replace(/\.exe$/i, "")),
      exclude: many("exclude"),
      platforms: many("platform"),
      previous: many("previous"),
    },
  };
}

function parse(
  args: readonly string[],
): { values: Record<string, unknown>; positionals: string[] } {
  const options = Object.fromEntries(
    PACK_OPTIONS.map(({ name, value, many }) => [
      name,
      { type: value === undefined ? "boolean" : "string", multiple: many ?? false } as const,
    ]),
  );
  try {
    return parseArgs({
      args: [...args],
      options: { ...options, help: { type: "boolean", short: "h" } },
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    const [, unknown] = /'--([^' ]+)'/.exec(reason(error)) ?? [];
    const names = PACK_OPTIONS.map(({ name }) => name);
    if (unknown === undefined || names.includes(unknown)) throw wrong(reason(error));
    throw wrong(
      `Unknown option "--${unknown.slice(0, 60)}"; did you mean "--${nearest(unknown, names)}"?`,
    );
  }
}

const nearest: (text: string, options: string[]) => string = closestString;

function wrong(message: string): UpdateError {
  return new UpdateError("usage", message, { hint: "For all options: updater-shim-pack --help" });
}

/** At most 80 columns wide. */
export function packUsage(): string {
  const groups = [...new Set(PACK_OPTIONS.map(({ group }) => group))].map((group) => {
    const rows = PACK_OPTIONS.filter((option) => option.group === group).map((option) =>
      `  ${`--${option.name}${option.value ? ` ${option.value}` : ""}`.padEnd(26)} ${option.help}\n`
    );
    return `\n${group}:\n${rows.join("")}`;
  });
  return `updater-shim-pack makes the release manifest of a tool out of what its build left
in a folder: by dist, by GoReleaser, or by anything else.

Usage:
  updater-shim-pack FOLDER... [--url BASE] [--sign KEYFILE] [options]
  updater-shim-pack --github OWNER/REPO@TAG [options]
  updater-shim-pack --merge A.json B.json [--sign KEYFILE]
  updater-shim-pack --lint URL|PATH [--public-key KEY]
  updater-shim-pack --new-key FILE
${groups.join("")}
Exit codes: 0 done, 1 a fault of its own, 2 usage or not clear, 3 network,
4 a user's shim would refuse it, 7 file system, 130 interrupted.
`;
}
