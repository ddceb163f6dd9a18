/** The shim's own version, and whether an offered version may replace the installed one. */
import { UpdateError } from "./errors.ts";

/**
 * Of the shim itself. The same as in deno.json, which a test compares: importing that file would put
 * all of it into the executable.
 */
export const VERSION = "0.1.0";

const NUMBER = "0|[1-9][0-9]*";
const IDENTIFIER = `(?:${NUMBER}|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)`;
const BUILD = "[0-9a-zA-Z-]+";
const NUMERIC = /^\d+$/;
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
  const core = compareParts(one.core, other.core);
  if (core !== 0) return core;
  // Whatever comes before a release is older than it.
  const released = Number(one.before.length === 0) - Number(other.before.length === 0);
  return released !== 0 ? released : compareParts(one.before, other.before);
}

/** Part by part: numbers by value, numbers before words, words by their characters; fewer parts first. */
function compareParts(one: readonly string[], other: readonly string[]): number {
  for (const [index, a] of one.entries()) {
    const b = other[index];
    if (b === undefined) return 1;
    if (a === b) continue;
    const [isNumber, otherIsNumber] = [NUMERIC.test(a), NUMERIC.test(b)];
    if (isNumber !== otherIsNumber) return isNumber ? -1 : 1;
    // Without zeros in front, the longer number is the greater one.
    if (isNumber && a.length !== b.length) return a.length - b.length;
    return a < b ? -1 : 1;
  }
  return one.length - other.length;
}

/** Whether it is a version as semver.org writes it, with numbers that can be told apart. */
export function isVersion(text: string): boolean {
  return parseVersion(text) !== undefined;
}

/** Major, minor and patch, and what is before the release: the parts of `rc.1`. */
function parseVersion(text: string): { core: string[]; before: string[] } | undefined {
  // It is shown in full.
  if (text.length > MAX_LENGTH) return undefined;
  const [, major, minor, patch, prerelease] = VERSION_PATTERN.exec(text) ?? [];
  if (major === undefined) return undefined;
  const core = [major, minor!, patch!], before = prerelease?.split(".") ?? [];
  // Other programs, which take them for numbers, would not tell greater ones apart.
  const numbers = [...core, ...before.filter((part) => NUMERIC.test(part))].map(Number);
  return numbers.every(Number.isSafeInteger) ? { core, before } : undefined;
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
