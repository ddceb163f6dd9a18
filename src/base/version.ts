/** The shim's own version, and whether an offered version may replace the installed one. */
import type { SemVer } from "@std/semver";
import { compare } from "@std/semver/compare";
import { UpdateError } from "./errors.ts";

/**
 * Of the shim itself. The same as in deno.json, which a test compares: importing that file would put
 * all of it into the executable.
 */
export const VERSION = "0.1.0";

const compareParsed: (a: SemVer, b: SemVer) => number = compare;

const NUMBER = "0|[1-9][0-9]*";
const IDENTIFIER = `(?:${NUMBER}|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)`;
const BUILD = "[0-9a-zA-Z-]+";
/** https://semver.org, the grammar. */
const MAX_LENGTH = 256;
const VERSION_PATTERN = new RegExp(
  `^(${NUMBER})\\.(${NUMBER})\\.(${NUMBER})` +
    `(?:-(${IDENTIFIER}(?:\\.${IDENTIFIER})*))?(?:\\+(${BUILD}(?:\\.${BUILD})*))?$`,
);

/** A version and what it consists of. */
export interface KnownRelease {
  readonly version: string;
  /** `releaseDigest` of its files. */
  readonly release: string;
}

/** Less than, equal to or greater than zero, by semver precedence (build metadata counts not). */
export function compareVersions(a: string, b: string): number {
  const [one, other] = [parseVersion(a), parseVersion(b)];
  if (!one || !other) throw new TypeError(`Cannot compare "${a}" with "${b}": not versions`);
  return compareParsed(one, other);
}

/** Whether it is a version as semver.org writes it, with numbers that can be told apart. */
export function isVersion(text: string): boolean {
  return parseVersion(text) !== undefined;
}

/**
 * The library's own parser would also take spaces and a leading "v", where two spellings of one
 * version must not exist, and takes `12e4567`, an abbreviated commit, for a number.
 */
function parseVersion(text: string): SemVer | undefined {
  // As long as the library takes them; it is shown in full.
  if (text.length > MAX_LENGTH) return undefined;
  const [, major, minor, patch, prerelease, build] = VERSION_PATTERN.exec(text) ?? [];
  if (major === undefined) return undefined;
  const identifiers = (prerelease?.split(".") ?? []).map((part) =>
    /^\d+$/.test(part) ? Number(part) : part
  );
  const core = { major: Number(major), minor: Number(minor), patch: Number(patch) };
  const numbers = [...Object.values(core), ...identifiers].filter((part) =>
    typeof part === "number"
  );
  if (!numbers.every(Number.isSafeInteger)) return undefined;
  return { ...core, prerelease: identifiers, build: build?.split(".") ?? [] };
}

/** What the user decided, and what the disk says. */
export interface VersionOptions {
  readonly allowDowngrade: boolean;
  readonly force: boolean;
  /** An executable of the offered release is not there: an equal version mends that. */
  readonly incomplete?: boolean;
}

/**
 * | offered | then |
 * | --- | --- |
 * | older than the installed or the highest seen version | refused without `--allow-downgrade` |
 * | equal to the installed or the highest seen one, other bytes | refused without `--force` |
 * | equal to the installed one | up to date; incomplete or with `--force`: installed again |
 * | newer, or nothing known to be installed | installed |
 *
 * The highest version seen may come again: after a rollback that is no attack. Two versions that
 * differ in build metadata only are equal. An installed version that is none counts as not known.
 * Throws `verification`.
 */
export function decideVersion(
  installed: { readonly version: string | null; readonly release: string | null },
  highest: KnownRelease | null,
  offered: KnownRelease,
  { allowDowngrade, force, incomplete = false }: VersionOptions,
): "update" | "up-to-date" {
  const { version, release } = installed;
  const current = version !== null && isVersion(version) ? { version, release } : null;
  for (const [known, what] of [[current, "installed"], [highest, "highest seen"]] as const) {
    if (!known) continue;
    const order = compareVersions(offered.version, known.version);
    if (order < 0 && !allowDowngrade) {
      throw refused(
        `Version ${offered.version} is older than the ${what} version ${known.version}`,
        "An old release can bring old holes back. If you want it, use --allow-downgrade.",
      );
    }
    const changed = known.release !== null && known.release !== offered.release;
    if (order === 0 && changed && !force) {
      throw refused(
        `Version ${offered.version} has other bytes than the ${what} version ${known.version}`,
        "A release does not change. Ask the tool's authors; to install it anyway, use --force.",
      );
    }
  }
  if (!current || force || incomplete) return "update";
  return compareVersions(offered.version, current.version) === 0 ? "up-to-date" : "update";
}

function refused(message: string, hint: string): UpdateError {
  return new UpdateError("verification", message, { hint });
}
