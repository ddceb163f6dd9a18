/** The fields of the release manifest, schema 1. Unknown ones are let pass: newer tools add some. */
import * as v from "valibot";
import { areDistinct, isMemberPath, isPlainName, PLAIN_NAME } from "../base/file_names.ts";
import { isVersion } from "../base/version.ts";

const MAX_SIZE = 4 * 1024 ** 3;
const MAX_FILES = 64;
const MAX_PLATFORMS = 64;

const Text = v.string("a string");

const Size = v.pipe(
  v.number("a number of bytes"),
  v.safeInteger("a whole number"),
  v.minValue(1, "at least 1"),
  v.maxValue(MAX_SIZE, "at most 4 GiB"),
);

const Sha256 = v.pipe(Text, v.regex(/^[0-9a-f]{64}$/i, "64 hex digits"), v.toLowerCase());

const Version = v.pipe(
  Text,
  v.check(isVersion, "a semver version such as 1.4.0, without a v"),
);

/** An instant that exists: `Date` moves the 30th of February into March. */
const Instant = v.pipe(
  Text,
  v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/, "a time such as 2026-11-01T12:00:00Z"),
  v.check((text) => {
    const time = new Date(text);
    return !Number.isNaN(time.getTime()) && time.toISOString().slice(0, 19) === text.slice(0, 19);
  }, "a time that exists"),
);

const Mode = v.pipe(
  Text,
  v.regex(/^0?[0-7]{3}$/, "three octal digits, without setuid, setgid or sticky bit"),
  v.transform((text) => parseInt(text, 8)),
  v.check((mode) => (mode & 0o500) === 0o500, "a mode that lets the owner read and execute"),
  v.check((mode) => (mode & 0o002) === 0, "a mode that does not let every user write"),
);

const FileSchema = v.pipe(
  v.object({
    target: v.pipe(Text, v.check(isPlainName, PLAIN_NAME)),
    url: v.pipe(Text, v.minLength(1, "a URL"), v.maxLength(8192, "a shorter URL")),
    size: Size,
    sha256: Sha256,
    member: v.optional(v.pipe(
      Text,
      v.check(isMemberPath, "a relative path with / and without . and .."),
    )),
    executable: v.optional(v.object({ size: Size, sha256: Sha256 })),
    mode: v.optional(Mode, "755"),
  }),
  v.check(
    ({ executable, member }) => executable === undefined || member !== undefined,
    'no "executable" without "member"',
  ),
);

const Files = v.pipe(
  v.array(FileSchema, "a list"),
  v.minLength(1, "at least one file"),
  v.maxLength(MAX_FILES, `at most ${MAX_FILES} files`),
  v.check(
    (files) => areDistinct(files.map(({ target }) => target)),
    "each target once, also where upper and lower case count alike",
  ),
  v.check(
    (files) =>
      new Set(files.map(({ sha256, size }) => `${sha256} ${size}`)).size ===
        new Set(files.map(({ sha256 }) => sha256)).size,
    "one size for one sha256",
  ),
);

/** The whole document. */
export const ManifestSchema = v.object({
  schema: v.literal(1, "the number 1"),
  name: v.pipe(
    Text,
    v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, "up to 100 letters, digits and . _ -"),
  ),
  version: Version,
  published: v.optional(Instant),
  expires: v.optional(Instant),
  platforms: v.pipe(
    v.record(Text, v.object({ files: Files })),
    v.check(
      (platforms) => Object.keys(platforms).length <= MAX_PLATFORMS,
      `at most ${MAX_PLATFORMS} platforms`,
    ),
  ),
});

/** A release: what a version consists of, by platform. */
export type Manifest = Readonly<v.InferOutput<typeof ManifestSchema>>;
/** One executable of a release. */
export type ManifestFile = Readonly<v.InferOutput<typeof FileSchema>>;
