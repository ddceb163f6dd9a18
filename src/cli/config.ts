/** The configuration file of a tool, and what the command line makes of it. */
import { basename, dirname, join, resolve } from "node:path";
import * as v from "valibot";
import type { CommonOptions } from "./cli.ts";
import { type Config, ConfigSchema, describeConfigIssue } from "./config_schema.ts";
import { reason, UpdateError } from "../base/errors.ts";
import { readTrusted, type World } from "../files/trusted_file.ts";
import type { HealthCheck } from "../base/health_check.ts";
import type { InstallDir } from "../installation/install_dir.ts";
import { toolIdOf } from "../installation/names.ts";
import { nearest } from "../base/nearest.ts";
import { isThere } from "../files/durable_files.ts";
import type { System } from "../system/system.ts";
import { isUrl } from "../base/url_policy.ts";

export type { Config };

const LIMIT = 64 * 1024;

/** Of a tool without a configuration. */
export const DEFAULT_CONFIG: Config = v.parse(ConfigSchema, {});

/** What an update works with: command line over file. */
export interface Options {
  /** http(s) or file URLs, or absolute paths: mirrors in the order in which they are tried. */
  readonly manifests: readonly string[];
  readonly name: string | undefined;
  readonly publicKeys: readonly string[];
  /** Credentials for private servers: the path of a file, or an open file descriptor. */
  readonly auth: string | number | undefined;
  readonly healthCheck: HealthCheck;
  /** The only version that the manifest may have. */
  readonly pin: string | undefined;
  readonly allowDowngrade: boolean;
  readonly allowHttp: boolean;
  readonly force: boolean;
  /** A person asked for this very release: it is installed whatever share is to have it. */
  readonly ignoreRollout: boolean;
  /** How old an answer of `--check` may be. */
  readonly maxAgeMs: number | undefined;
  readonly downloadOnly: boolean;
  readonly dryRun: boolean;
  /** `--check`: that what is installed is newer than the release is an answer, and no failure. */
  readonly mayBeNewer?: boolean;
}

/**
 * Reads the file; without one, the defaults. Throws `usage`, and `filesystem` if it cannot be read or
 * somebody else could have written it: it says whose releases are installed.
 */
export function loadConfig(world: World, dir: Pick<InstallDir, "config">): Config {
  const path = dir.config;
  const result = v.safeParse(ConfigSchema, readJson(world, path), { abortEarly: true });
  if (result.success) return result.output;
  throw invalid(path, describeConfigIssue(result.issues[0]));
}

/** What looks like a tool's configuration in a folder: it says where releases are. */
export function configurationsIn(
  world: World,
  folder: string,
): { readonly path: string; readonly config: Config }[] {
  const names = [...world.fs.readDirSync(folder)].map(({ name }) => name).filter(toolIdOf);
  return names.sort().flatMap((name) => {
    const path = join(folder, name);
    try {
      const config = loadConfig(world, { config: path });
      return config.manifest ?? config.channels ? [{ path, config }] : [];
    } catch {
      return [];
    }
  });
}

/** A mistyped `--config` would be a tool that nobody ever installed. Throws `usage`. */
export function requireConfig(
  { config, manifest }: CommonOptions,
  system: System,
  dir: InstallDir,
): void {
  if (config === undefined || manifest !== undefined) return;
  if ([dir.config, dir.home].some((path) => isThere(system.fs, path))) return;
  const folder = dirname(dir.config);
  const others = configurationsIn(system, folder).map(({ path }) => basename(path));
  // A folder without any is mended, removed from and looked at all the same.
  if (others.length === 0) return;
  throw new UpdateError("usage", `There is no file "${dir.config}"`, {
    path: dir.config,
    hint: `Did you mean "${join(folder, nearest(basename(dir.config), others))}"?`,
  });
}

function readJson(world: World, path: string): unknown {
  let bytes: Uint8Array | undefined;
  try {
    bytes = readTrusted(world, path, "the configuration", LIMIT);
  } catch (error) {
    if (error instanceof RangeError) throw invalid(path, reason(error), error);
    throw error;
  }
  if (!bytes) return {};
  if (isUtf16(bytes)) throw invalid(path, "it is UTF-16 text: save it as UTF-8");
  let json: unknown, control: string | undefined;
  try {
    // Drops the byte order mark that Windows editors write.
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    json = JSON.parse(text, (key, value) => {
      const isPlace = /manifest$/i.test(key) && typeof value === "string";
      if (isPlace && /\p{Cc}/u.test(value)) control = JSON.stringify(value);
      return value;
    });
  } catch (error) {
    throw invalid(
      path,
      error instanceof SyntaxError
        ? `it is not JSON (${reason(error)})${backslashHint(bytes)}`
        : "it is not UTF-8 text: save it as UTF-8",
      error,
    );
  }
  // Such as "..\rel", where \r is a carriage return.
  if (control) throw invalid(path, `${control} has a control character: ${BACKSLASHES}`);
  return json;
}

/** The usual mistake with paths of Windows. */
const BACKSLASHES = "in JSON write paths with / or \\\\, not with \\";

/** What Windows' own editors and PowerShell call "Unicode"; JSON begins with an ASCII character. */
function isUtf16([first, second]: Uint8Array): boolean {
  return first === 0xff && second === 0xfe || first === 0xfe && second === 0xff ||
    first === 0 && second !== 0 || first !== 0 && second === 0;
}

function backslashHint(bytes: Uint8Array): string {
  return bytes.includes(0x5c) ? `: ${BACKSLASHES}` : "";
}

function invalid(path: string, what: string, cause?: unknown): UpdateError {
  return new UpdateError("usage", `The configuration "${path}" is not valid: ${what}`, {
    path,
    hint: "Mend the file: updater-shim's page CONFIGURATION.md has its fields.",
    cause,
  });
}

/** Throws `usage` where there is no manifest to read. */
export function resolveOptions(
  command: CommonOptions,
  config: Config,
  dir: Pick<InstallDir, "path" | "config">,
  { cwd }: Pick<System, "cwd">,
): Options {
  const { publicKeys, pin, allowDowngrade, allowHttp, force, maxAgeMs, downloadOnly, dryRun } =
    command;
  return {
    // On the command line a path is the user's; in the file it belongs to the install dir.
    manifests: command.manifest === undefined
      ? configuredManifests(command, config, dir).map((place) => absolute(place, dir.path))
      : [absolute(command.manifest, cwd)],
    name: config.name,
    publicKeys: publicKeys.length > 0 ? publicKeys : config.publicKeys,
    auth: command.authFd ?? authFile(command, config, dir, cwd),
    healthCheck: config.healthCheck,
    pin,
    allowDowngrade,
    allowHttp,
    force,
    ignoreRollout: force || pin !== undefined || command.channel !== undefined,
    maxAgeMs,
    downloadOnly,
    dryRun,
  };
}

function authFile(
  { authFile }: CommonOptions,
  config: Config,
  dir: Pick<InstallDir, "path">,
  cwd: string,
): string | undefined {
  if (authFile !== undefined) return resolve(cwd, authFile);
  return config.authFile === undefined ? undefined : resolve(dir.path, config.authFile);
}

function absolute(location: string, folder: string): string {
  // The prefix that turns Windows' limits off is no part of a path that others are relative to.
  return isUrl(location) ? location : resolve(folder, location.replace(/^\\\\\?\\(?=[a-z]:)/i, ""));
}

function configuredManifests(
  { pin, channel: asked }: CommonOptions,
  { manifest, pinnedManifest, channels = {}, channel: usual }: Config,
  dir: Pick<InstallDir, "path" | "config">,
): readonly string[] {
  const path = dir.config;
  if (pin !== undefined) {
    if (pinnedManifest !== undefined) return [fillIn(pinnedManifest, pin)];
    throw new UpdateError(
      "usage",
      `Cannot pin version ${pin}: it is not known where old manifests are`,
      {
        path,
        hint:
          `Put {"pinnedManifest": "https://.../{version}/..."} into "${path}", or name that version's manifest with --manifest.`,
      },
    );
  }
  const channel = asked ?? usual;
  if (channel !== undefined) return channelOf(channel, channels, path);
  if (manifest !== undefined) return manifest;
  throw new UpdateError("usage", `There is no release manifest to read in "${dir.path}"`, {
    path,
    hint:
      `Put {"manifest": "https://...", "publicKeys": ["RW..."]} into "${path}", or use --manifest. For all options: updater-shim --help`,
  });
}

function channelOf(
  name: string,
  channels: NonNullable<Config["channels"]>,
  path: string,
): readonly string[] {
  if (Object.hasOwn(channels, name)) return channels[name]!;
  const known = Object.keys(channels).sort();
  throw new UpdateError("usage", `There is no channel "${name}"`, {
    path,
    hint: known.length > 0
      ? `"${path}" has: ${known.join(", ")}.`
      : `Put {"channels": {"${name}": "https://..."}} into "${path}".`,
  });
}

/** A version's "+" would be a space to some servers; in a path it is itself. */
function fillIn(template: string, version: string): string {
  const text = isUrl(template) ? encodeURIComponent(version) : version;
  return template.replaceAll("{version}", () => text);
}
