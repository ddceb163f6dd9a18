/** `updater-shim.json` in the install dir, and what the command line makes of it. */
import { join, resolve } from "@std/path";
import { closestString } from "@std/text/closest-string";
import * as v from "valibot";
import type { CommonOptions } from "./cli.ts";
import { readIfThere } from "./durable_files.ts";
import { reason, UpdateError } from "./errors.ts";
import { DEFAULT_HEALTH_CHECK, type HealthCheck } from "./health.ts";
import type { InstallDir } from "./install_dir.ts";
import { describeIssue } from "./manifest.ts";
import type { System } from "./system.ts";
import { isUrl } from "./url_policy.ts";

/** The file's name in the install dir. */
export const CONFIG_NAME = "updater-shim.json";
const LIMIT = 64 * 1024;

const Text = v.pipe(v.string("a string"), v.minLength(1, "not empty"));
const ConfigSchema = v.strictObject({
  name: v.optional(Text),
  manifest: v.optional(Text),
  pinnedManifest: v.optional(
    v.pipe(Text, v.includes("{version}", "an address with {version} in it")),
  ),
  publicKeys: v.optional(v.array(Text, "a list of minisign public keys"), []),
  healthCheck: v.optional(
    v.union([
      v.literal(false),
      v.strictObject({
        args: v.optional(v.array(v.string("a string")), ["--version"]),
        timeoutMs: v.optional(
          v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(600_000)),
          10_000,
        ),
      }),
    ], "false, or args and timeoutMs"),
    DEFAULT_HEALTH_CHECK as { args: string[]; timeoutMs: number },
  ),
});

/** The defaults of one install dir. */
export type Config = Readonly<v.InferOutput<typeof ConfigSchema>>;

/** What an update works with: command line over file. */
export interface Options {
  readonly manifest: string;
  readonly name: string | undefined;
  readonly publicKeys: readonly string[];
  readonly healthCheck: HealthCheck;
  readonly pin: string | undefined;
  readonly allowDowngrade: boolean;
  readonly allowHttp: boolean;
  readonly force: boolean;
  readonly dryRun: boolean;
}

const nearest: (text: string, options: string[]) => string = closestString;

/** Reads the file; without one, the defaults. Throws `usage`. */
export function loadConfig({ fs }: System, dir: InstallDir): Config {
  const path = join(dir.path, CONFIG_NAME);
  let json: unknown = {};
  try {
    const bytes = readIfThere(fs, path, LIMIT);
    if (bytes) json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid(path, error instanceof SyntaxError ? "it is not JSON" : reason(error), error);
  }
  refuseKeys(path, json);
  const result = v.safeParse(ConfigSchema, json, { abortEarly: true });
  if (result.success) return result.output;
  throw invalid(path, describeIssue(result.issues[0]));
}

/** A file that others may write must not be able to open what only a person may decide. */
function refuseKeys(path: string, json: unknown): void {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return;
  for (const key of Object.keys(json)) {
    if (Object.hasOwn(ConfigSchema.entries, key)) continue;
    if (/^allow-?(downgrade|http)$/i.test(key)) {
      throw invalid(path, `"${key}" exists on the command line only`);
    }
    const known = nearest(key, Object.keys(ConfigSchema.entries));
    throw invalid(path, `"${key}" is not known; did you mean "${known}"?`);
  }
}

function invalid(path: string, what: string, cause?: unknown): UpdateError {
  return new UpdateError("usage", `The configuration "${path}" is not valid: ${what}`, {
    path,
    hint: 'Mend the file; README, "Configuration", has its fields.',
    cause,
  });
}

/** Throws `usage` where there is no manifest to read. */
export function resolveOptions(
  command: CommonOptions,
  config: Config,
  dir: InstallDir,
  system: System,
): Options {
  return {
    manifest: findManifest(command, config, dir, system),
    name: config.name,
    publicKeys: command.publicKeys.length > 0 ? command.publicKeys : config.publicKeys,
    healthCheck: config.healthCheck,
    pin: command.pin,
    allowDowngrade: command.allowDowngrade,
    allowHttp: command.allowHttp,
    force: command.force,
    dryRun: command.dryRun,
  };
}

function findManifest(
  { manifest, pin }: CommonOptions,
  config: Config,
  dir: InstallDir,
  { cwd }: System,
): string {
  // On the command line a path is the user's; in the file it belongs to the install dir.
  if (manifest !== undefined) return isUrl(manifest) ? manifest : resolve(cwd, manifest);
  if (pin !== undefined && config.pinnedManifest === undefined) {
    throw new UpdateError(
      "usage",
      `Cannot pin version ${pin}: it is not known where old manifests are`,
      {
        hint: `Configure "pinnedManifest" in "${join(dir.path, CONFIG_NAME)}", or use --manifest.`,
      },
    );
  }
  const configured = pin === undefined
    ? config.manifest
    : config.pinnedManifest!.replaceAll("{version}", encodeURIComponent(pin));
  if (configured === undefined) {
    throw new UpdateError("usage", `There is no release manifest to read in "${dir.path}"`, {
      path: join(dir.path, CONFIG_NAME),
      hint:
        `Put {"manifest": "https://…"} into that file, or use --manifest; updater-shim --help has more.`,
    });
  }
  return isUrl(configured) ? configured : resolve(dir.path, configured);
}
