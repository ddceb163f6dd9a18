/** The fields of the release manifest, schema 1. Unknown ones are let pass: newer tools add some. */
import * as v from "valibot";
import { openObject } from "../base/open_object.ts";
import { areDistinct, isMemberPath, isPlainName, PLAIN_NAME } from "../base/file_names.ts";
import { isVersion } from "../base/version.ts";

const MAX_SIZE = 4 * 1024 ** 3;
const MAX_FILES = 256;
const MAX_PLATFORMS = 64;

const Text = v.string("a string");

const Size = v.pipe(
  v.number("a number of bytes"),
  v.safeInteger("a whole number"),
  v.check((size) => size >= 1, "at least 1"),
  v.check((size) => size <= MAX_SIZE, "at most 4 GiB"),
);

const Sha256 = v.pipe(
  Text,
  v.regex(/^[0-9a-f]{64}$/i, "64 hex digits"),
  v.transform((text) => text.toLowerCase()),
);

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

/** Shown to people as it is, so it is one line and short. */
const Line = v.pipe(
  Text,
  v.minLength(1, "a line of text"),
  v.maxLength(500, "at most 500 characters"),
  v.check((text) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text), "one line of text"),
);

const Url = v.pipe(Text, v.minLength(1, "a URL"), v.maxLength(8192, "a shorter URL"));

const ContentSchema = openObject({ size: Size, sha256: Sha256 });

/** Makes the executable out of the installed one with the digest `from`. */
const PatchSchema = openObject({
  from: ContentSchema,
  url: Url,
  size: Size,
  sha256: Sha256,
  /** Unknown formats are let pass: the full file is there for shims that do not know them. */
  format: v.pipe(Text, v.minLength(1, "a format"), v.maxLength(40, "a shorter name")),
});

const MAX_PATCHES = 16;

const FileSchema = v.pipe(
  openObject({
    target: v.pipe(Text, v.check(isPlainName, PLAIN_NAME)),
    url: Url,
    size: Size,
    sha256: Sha256,
    member: v.optional(v.pipe(
      Text,
      v.check(isMemberPath, "a relative path with / and without . and .."),
    )),
    executable: v.optional(ContentSchema),
    mode: v.optional(Mode, "755"),
    /** False: not an executable that can be tried (a library). */
    run: v.optional(v.boolean("true or false"), true),
    patches: v.optional(
      v.pipe(
        v.array(PatchSchema, "a list"),
        v.maxLength(MAX_PATCHES, `at most ${MAX_PATCHES} patches`),
      ),
      [],
    ),
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
export const ManifestSchema = openObject({
  schema: v.literal(1, "the number 1"),
  name: v.pipe(
    Text,
    v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, "up to 100 letters, digits and . _ -"),
  ),
  version: Version,
  published: v.optional(Instant),
  expires: v.optional(Instant),
  /** What is new: a URL or one line. */
  notes: v.optional(Line),
  /** Where messages send people. */
  homepage: v.optional(v.pipe(Line, v.regex(/^https?:\/\//i, "an http(s) URL"))),
  /** How large a share of the installations is offered this release. */
  rollout: v.optional(openObject({
    percent: v.pipe(
      v.number("a number from 0 to 100"),
      v.check((percent) => percent >= 0, "at least 0"),
      v.check((percent) => percent <= 100, "at most 100"),
    ),
  })),
  platforms: v.pipe(
    v.record(
      v.pipe(Text, v.maxLength(100, "names of at most 100 characters")),
      openObject({ files: Files }),
    ),
    v.check(
      (platforms) => Object.keys(platforms).length <= MAX_PLATFORMS,
      `at most ${MAX_PLATFORMS} platforms`,
    ),
  ),
});

/** A release: what a version consists of, by platform. */
export type Manifest = Readonly<v.InferOutput<typeof ManifestSchema>>;
/** A patch of one executable. */
export type ManifestPatch = Readonly<v.InferOutput<typeof PatchSchema>>;
/** One executable of a release. */
export type ManifestFile = Readonly<v.InferOutput<typeof FileSchema>>;
