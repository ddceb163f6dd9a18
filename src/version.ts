/** The shim's own version, and whether an offered version may replace the installed one. */
import { compare, parse, type SemVer } from "@std/semver";
import { UpdateError } from "./errors.ts";
import config from "../deno.json" with { type: "json" };

/** Of the shim itself. */
export const VERSION: string = config.version;

const parseVersion: (text: string) => SemVer = parse;
const compareParsed: (a: SemVer, b: SemVer) => number = compare;

/** A version and what it consists of. */
export interface KnownRelease {
  readonly version: string;
  /** `releaseDigest` of its files. */
  readonly release: string;
}

/** Less than, equal to or greater than zero, by semver precedence (build metadata counts not). */
export function compareVersions(a: string, b: string): number {
  return compareParsed(parseVersion(a), parseVersion(b));
}

/** Whether it is a semver version as 2.0.0 of the specification writes it. */
export function isVersion(text: string): boolean {
  try {
    parseVersion(text);
    return /^\d/.test(text);
  } catch {
    return false;
  }
}

/**
 * | offered | then |
 * | --- | --- |
 * | older than the installed or the highest seen version | refused without `--allow-downgrade` |
 * | equal to the installed or the highest seen one, other bytes | refused without `--force` |
 * | equal to the installed one | up to date; with `--force` installed again |
 * | newer, or nothing known to be installed | installed |
 *
 * The highest version seen may come again: after a rollback that is no attack.
 * Throws `verification`.
 */
export function decideVersion(
  installed: { readonly version: string | null; readonly release: string | null },
  highest: KnownRelease | null,
  offered: KnownRelease,
  { allowDowngrade, force }: { readonly allowDowngrade: boolean; readonly force: boolean },
): "update" | "up-to-date" {
  const current = installed.version !== null && isVersion(installed.version)
    ? { version: installed.version, release: installed.release }
    : undefined;
  for (const known of [current, highest ?? undefined]) {
    if (!known) continue;
    const order = compareVersions(offered.version, known.version);
    const what = known === current ? "installed" : "highest seen";
    if (order < 0 && !allowDowngrade) {
      throw refused(
        `Version ${offered.version} is older than the ${what} ${known.version}`,
        "An old release can bring old holes back. If you want it, use --allow-downgrade.",
      );
    }
    const changed = known.release !== null && known.release !== offered.release;
    if (order === 0 && changed && !force) {
      throw refused(
        `Version ${offered.version} is ${what} already, with other bytes than those offered`,
        "A release does not change. Ask the tool's authors; to install it anyway, use --force.",
      );
    }
  }
  const same = current && compareVersions(offered.version, current.version) === 0;
  return same && !force ? "up-to-date" : "update";
}

function refused(message: string, hint: string): UpdateError {
  return new UpdateError("verification", message, { hint });
}
