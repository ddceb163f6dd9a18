/** The fields of `updater-shim.json`. Others are refused: a typing error must not be a default. */
import { didYouMean } from "../base/nearest.ts";
import * as v from "valibot";
import { DEFAULT_HEALTH_CHECK } from "../base/health_check.ts";
import { describeIssue } from "../base/json_issue.ts";

const DEFAULTS = DEFAULT_HEALTH_CHECK as { args: string[]; timeoutMs: number };
const MAX_TIMEOUT_MS = 600_000;
const MAX_ENTRIES = 64;
const MAX_MIRRORS = 16;

/** What a channel may be called. */
export const CHANNEL_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** The same in words. */
export const CHANNEL_NAMES = "a name of up to 64 letters, digits and . _ -";

const Text = v.pipe(
  v.string("a string"),
  v.transform((text) => text.trim()),
  v.minLength(1, "a string that is not empty"),
);

/** No argument of a program can hold a NUL. */
const Argument = v.pipe(
  v.string("a string"),
  v.check((text) => !text.includes("\0"), "a string without NUL"),
);

/** valibot itself takes an array for an object without required fields. */
const AnObject = (expected: string) =>
  v.custom<object>(
    (input) => typeof input === "object" && input !== null && !Array.isArray(input),
    expected,
  );

const HealthSchema = v.strictObject({
  args: v.optional(
    v.pipe(v.array(Argument, "a list of arguments"), v.maxLength(MAX_ENTRIES, "fewer arguments")),
    DEFAULTS.args,
  ),
  timeoutMs: v.optional(
    v.pipe(
      v.number("a number of milliseconds"),
      v.safeInteger("a whole number"),
      v.check((ms) => ms >= 1, "at least 1"),
      v.check((ms) => ms <= MAX_TIMEOUT_MS, "at most ten minutes (600000)"),
    ),
    DEFAULTS.timeoutMs,
  ),
});

/** One address, or mirrors in the order in which they are tried. Not a union: that would say "a string or a list" of
 * a list with one wrong entry. */
const Mirrors = v.lazy((input) =>
  Array.isArray(input)
    ? v.pipe(
      v.array(Text, "a list of addresses"),
      v.minLength(1, "at least one address"),
      v.maxLength(MAX_MIRRORS, `at most ${MAX_MIRRORS} mirrors`),
    )
    : v.pipe(Text, v.transform((address) => [address]))
);

const FieldsSchema = v.strictObject({
  name: v.optional(Text),
  manifest: v.optional(Mirrors),
  channels: v.optional(
    v.pipe(
      AnObject("an object of channels"),
      v.record(v.pipe(v.string(), v.regex(CHANNEL_NAME, CHANNEL_NAMES)), Mirrors),
    ),
  ),
  channel: v.optional(v.pipe(Text, v.regex(CHANNEL_NAME, CHANNEL_NAMES))),
  pinnedManifest: v.optional(
    v.pipe(Text, v.check((text) => text.includes("{version}"), "an address with {version} in it")),
  ),
  authFile: v.optional(Text),
  publicKeys: v.optional(
    v.pipe(
      v.array(Text, "a list of minisign public keys"),
      v.maxLength(MAX_ENTRIES, "fewer keys"),
    ),
    [],
  ),
  healthCheck: v.optional(
    // Not a union: that would say "false or an object" where one field of the object is wrong.
    v.lazy((input) =>
      input === false
        ? v.literal(false)
        : v.pipe(AnObject("false, or an object with args and timeoutMs"), HealthSchema)
    ),
    DEFAULTS,
  ),
});

/** The whole document; what is left out has its default. */
export const ConfigSchema = v.pipe(AnObject("an object"), FieldsSchema);

/** The defaults of one install dir. */
export type Config = Readonly<v.InferOutput<typeof ConfigSchema>>;

/** What is wrong, with the path of the field; for an unknown field the nearest known one. */
export function describeConfigIssue(issue: v.BaseIssue<unknown>): string {
  const keys = (issue.path ?? []).map(({ key }) => String(key));
  const key = keys.at(-1);
  if (issue.type !== "strict_object" || issue.expected !== "never" || key === undefined) {
    return describeIssue(issue);
  }
  const inner = keys.length > 1;
  // A file that others may write must not decide what only a person may decide.
  if (!inner && /^allow[-_]?(downgrade|http)$/i.test(key)) {
    return `"${key}" exists on the command line only`;
  }
  const known = Object.keys((inner ? HealthSchema : FieldsSchema).entries);
  const where = inner ? ` in "${keys[0]}"` : "";
  const name = key.slice(0, 60);
  return `"${name}" is not known${where}${didYouMean(name, known)}`;
}
