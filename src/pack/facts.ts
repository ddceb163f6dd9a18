/** Name, version, times and share of a release, from what the build and the author say. */
import { UpdateError } from "../base/errors.ts";
import { isVersion } from "../base/version.ts";
import type { ReleaseFacts } from "./document.ts";
import type { Layout } from "./layout.ts";
import type { ReleaseOptions } from "./pack_command.ts";
import type { PackSystem } from "./pack_system.ts";

const DAY_MS = 24 * 3600 * 1000;

/** The version of a release. Throws `usage` with what to give instead. */
export function versionOf(given: string | undefined, layouts: readonly Layout[]): string {
  const said = new Set(
    layouts.map(({ version }) => version).filter((found) => found !== undefined),
  );
  if (given === undefined && said.size > 1) {
    throw new UpdateError("usage", `The folders are of several versions: ${[...said].join(", ")}`, {
      hint: "Empty them before the build; or say which version this is: --version VERSION",
    });
  }
  const found = given ?? [...said][0];
  if (found === undefined) {
    throw new UpdateError("usage", "Nothing there says which version this is", {
      hint: "Say it: --version 1.4.0",
    });
  }
  // Tags begin with a v, which is no part of the version.
  const version = found.replace(/^v(?=\d)/, "");
  if (isVersion(version)) return version;
  const better = threeNumbers(version);
  throw new UpdateError(
    "usage",
    `"${found}" is no version that a shim can compare: it needs three numbers (semver.org)`,
    { hint: better ? `Perhaps: --version ${better}` : "Say it: --version 1.4.0" },
  );
}

/** `1.4` → `1.4.0`, `2026.07.1` → `2026.7.1`; undefined where that is a guess. */
function threeNumbers(text: string): string | undefined {
  const [, numbers, rest = ""] = /^(\d+(?:\.\d+){0,2})([-+].*)?$/.exec(text) ?? [];
  if (numbers === undefined) return undefined;
  const parts = numbers.split(".").map(Number);
  const version = [...parts, 0, 0].slice(0, 3).join(".") + rest;
  return isVersion(version) ? version : undefined;
}

/** The name of a release: `names` are those of its executables. Throws `usage`. */
export function nameOf(
  given: string | undefined,
  layouts: readonly Layout[],
  names: readonly string[],
): string {
  const said = given ?? layouts.find(({ name }) => name !== undefined)?.name;
  if (said !== undefined) return said;
  // A shim that lies beside the tool is not what the tool is called after.
  const own = names.filter((name) => name !== "updater-shim" && !name.endsWith("-updater"));
  if (own.length === 1) return own[0]!;
  if (names.length === 1) return names[0]!;
  // `uv` of uv, uvx and uvw.
  const stem = own.find((name) => own.every((other) => other.startsWith(name)));
  if (stem !== undefined) return stem;
  throw new UpdateError("usage", "Nothing there says what the tool is called", {
    hint: `Say it: --name ${own[0] ?? names[0] ?? "NAME"}`,
  });
}

/**
 * When it was published and when it expires. No clock is asked but for `--published now`, and for
 * an `--expires 400d` that has nothing else to count from: that counts from today's midnight (UTC).
 */
export function timesOf(
  { clock, env }: PackSystem,
  { published, expires }: ReleaseOptions,
  layouts: readonly Layout[],
): { published: string | undefined; expires: string | undefined } {
  const epoch = env("SOURCE_DATE_EPOCH");
  const said = layouts.find(({ date }) => date !== undefined)?.date;
  const now = published === "now" ? instant(clock.now()) : undefined;
  const time = now ?? (published === undefined ? undefined : readTime("--published", published)) ??
    (epoch && /^\d{1,12}$/.test(epoch) ? instant(Number(epoch) * 1000) : undefined) ??
    (said === undefined ? undefined : readTime("the build", said));
  const [, count, unit] = /^(\d{1,4})([dwy])$/.exec(expires ?? "") ?? [];
  if (expires === undefined || count === undefined) {
    return {
      published: time,
      expires: expires === undefined ? undefined : readTime("--expires", expires),
    };
  }
  const days = Number(count) * { d: 1, w: 7, y: 365 }[unit as "d" | "w" | "y"];
  const from = time === undefined ? Math.floor(clock.now() / DAY_MS) * DAY_MS : Date.parse(time);
  return { published: time, expires: instant(from + days * DAY_MS) };
}

function readTime(what: string, text: string): string {
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(ms)) return instant(ms);
  throw new UpdateError("usage", `${what} says "${text.slice(0, 60)}", which is no time`, {
    hint: "Write 400d, or 2027-11-01T12:00:00Z; --published also takes now.",
  });
}

function instant(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

/** `5%` or `5`. Throws `usage`. */
export function percentOf(rollout: string | undefined): number | undefined {
  if (rollout === undefined) return undefined;
  const [, number] = /^(\d{1,3}(?:\.\d{1,4})?)\s*%?$/.exec(rollout) ?? [];
  if (number !== undefined && Number(number) <= 100) return Number(number);
  throw new UpdateError(
    "usage",
    `--rollout needs a share such as 5%, not "${rollout.slice(0, 60)}"`,
  );
}

/** All of it. */
export function factsOf(
  system: PackSystem,
  options: ReleaseOptions,
  layouts: readonly Layout[],
  names: readonly string[],
): ReleaseFacts {
  return {
    name: nameOf(options.name, layouts, names),
    version: versionOf(options.version, layouts),
    ...timesOf(system, options, layouts),
    notes: options.notes ?? layouts.find(({ notes }) => notes !== undefined)?.notes,
    homepage: options.homepage,
    percent: percentOf(options.rollout),
  };
}
