/** From the arguments of `updater-shim-pack` to what is to be done. Pure. */
import { didYouMean } from "../base/nearest.ts";
import { parseArgs } from "node:util";
import { reason, UpdateError } from "../base/errors.ts";
import { PACK_OPTIONS } from "./pack_options.ts";
import type { PasswordSource } from "./password.ts";

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
  | { readonly kind: "version" }
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
  // With a value it is the tool's version.
  if (args.length === 1 && ["--version", "-V"].includes(args[0]!)) return { kind: "version" };
  const { values, positionals } = parse(args);
  const one = (name: string) => values[name] as string | undefined;
  const many = (name: string) => (values[name] ?? []) as readonly string[];
  if (values["help"]) return { kind: "help" };
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
    const option = `--${unknown.slice(0, 60)}`;
    const known = ["help", ...names].map((name) => `--${name}`);
    throw wrong(`Unknown option "${option}"${didYouMean(option, known)}`);
  }
}

function wrong(message: string): UpdateError {
  return new UpdateError("usage", message, { hint: "For all options: updater-shim-pack --help" });
}
