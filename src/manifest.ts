/** The release manifest, schema 1: checked field by field, errors name the JSON path. */
import { dirname, fromFileUrl, isAbsolute, resolve, toFileUrl } from "@std/path";
import * as v from "valibot";
import { UpdateError } from "./errors.ts";
import { isUrl, redactUrl } from "./url_policy.ts";
import { isVersion } from "./version.ts";

const MAX_SIZE = 4 * 1024 ** 3;

const Size = v.pipe(
  v.number("a number"),
  v.safeInteger("a whole number"),
  v.minValue(1, "at least 1"),
  v.maxValue(MAX_SIZE, "at most 4 GiB"),
);
const Sha256 = v.pipe(
  v.string("a string"),
  v.regex(/^[0-9a-f]{64}$/i, "64 hex digits"),
  v.toLowerCase(),
);
const Instant = v.pipe(
  v.string("a string"),
  v.isoTimestamp("a time such as 2026-11-01T12:00:00Z"),
  v.check((text) => !Number.isNaN(Date.parse(text)), "a time that exists"),
);
const TargetName = v.pipe(
  v.string("a string"),
  v.check(isPlainName, "a plain file name, without a path, that every system allows"),
);
const Member = v.pipe(
  v.string("a string"),
  v.check(isRelativePath, "a relative path with / and without .."),
);
const Mode = v.pipe(
  v.string("a string"),
  v.regex(/^0?[0-7]{3}$/, "three octal digits, without setuid, setgid or sticky bit"),
  v.transform((text) => parseInt(text, 8)),
);

const FileSchema = v.pipe(
  v.object({
    target: TargetName,
    url: v.pipe(v.string("a string"), v.minLength(1, "not empty"), v.maxLength(8192, "shorter")),
    size: Size,
    sha256: Sha256,
    member: v.optional(Member),
    executable: v.optional(v.object({ size: Size, sha256: Sha256 })),
    mode: v.optional(Mode, "755"),
  }),
  v.check(
    (file) => file.executable === undefined || file.member !== undefined,
    'no "executable" without "member"',
  ),
);

const ManifestSchema = v.object({
  schema: v.literal(1, "the number 1"),
  name: v.pipe(
    v.string("a string"),
    v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, "letters, digits, . _ -"),
  ),
  version: v.pipe(v.string("a string"), v.check(isVersion, "a semver version such as 1.4.0")),
  published: v.optional(Instant),
  expires: v.optional(Instant),
  platforms: v.record(
    v.string(),
    v.object({
      files: v.pipe(
        v.array(FileSchema, "a list"),
        v.minLength(1, "at least one file"),
        v.maxLength(64, "at most 64 files"),
        v.check(
          (files) => haveDistinctTargets(files),
          "each target once, also when upper and lower case count alike",
        ),
      ),
    }),
  ),
});

/** A release: what a version consists of, by platform. */
export type Manifest = Readonly<v.InferOutput<typeof ManifestSchema>>;
/** One executable of a release; `url` is absolute after `selectFiles`. */
export type ManifestFile = Readonly<v.InferOutput<typeof FileSchema>>;

/** Throws `usage` with the JSON path of the first thing that is wrong. */
export function parseManifest(bytes: Uint8Array, location: string): Manifest {
  const where = redactUrl(location);
  const refuse = (what: string, hint: string, cause?: unknown): never => {
    throw new UpdateError("usage", `The release manifest ${where} is not valid: ${what}`, {
      ...(isUrl(location) ? { url: where } : { path: location }),
      hint,
      cause,
    });
  };
  const tell = "Tell the tool's authors, or check the address of the manifest.";
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    return refuse("it is not JSON", tell, error);
  }
  const schema = (json as { schema?: unknown } | null)?.schema;
  if (typeof schema === "number" && schema !== 1) {
    refuse(
      `schema ${schema} is not known to this updater-shim`,
      "Update updater-shim itself first: the manifest is made for a newer one.",
    );
  }
  const result = v.safeParse(ManifestSchema, json, { abortEarly: true });
  return result.success ? result.output : refuse(describeIssue(result.issues[0]), tell);
}

/** `platforms["x86_64-…"].files[0].size: expected a whole number, found 1.5`. */
export function describeIssue(issue: v.BaseIssue<unknown>): string {
  const path = (issue.path ?? []).map(({ key }, index) =>
    typeof key === "number"
      ? `[${key}]`
      : /^[A-Za-z_]\w*$/.test(String(key))
      ? `${index ? "." : ""}${key}`
      : `[${JSON.stringify(key)}]`
  ).join("");
  const expected = issue.kind === "schema" && issue.type.endsWith("object")
    ? issue.expected?.startsWith('"') ? "this field" : "an object"
    : issue.message;
  const found = JSON.stringify(issue.input)?.slice(0, 80) ?? "nothing";
  return `${path || "the document"}: expected ${expected}, found ${found}`;
}

/** The files for one platform, with absolute URLs or paths. Throws `usage`. */
export function selectFiles(
  manifest: Manifest,
  target: string,
  location: string,
): readonly ManifestFile[] {
  const platform = Object.hasOwn(manifest.platforms, target)
    ? manifest.platforms[target]
    : undefined;
  if (!platform) {
    const known = Object.keys(manifest.platforms).join(", ") || "none";
    throw new UpdateError(
      "usage",
      `${manifest.name} ${manifest.version} is not made for this platform (${target})`,
      { hint: `The manifest has: ${known}. Ask the tool's authors for yours.` },
    );
  }
  return platform.files.map((file) => ({ ...file, url: resolveUrl(file.url, location) }));
}

function resolveUrl(url: string, location: string): string {
  if (isUrl(url)) return url;
  if (isUrl(location)) return new URL(url, location).href;
  // Both are paths; a manifest in a folder names files relative to it.
  return isAbsolute(url)
    ? url
    : fromFileUrl(new URL(url, toFileUrl(resolve(dirname(location), "x"))));
}

/** A manifest of another tool, or one past its date, is refused (`verification`). */
export function checkIdentity(
  { name, version, expires }: Manifest,
  configured: { readonly name: string | undefined; readonly now: number },
): void {
  if (configured.name !== undefined && configured.name !== name) {
    throw new UpdateError(
      "verification",
      `The release manifest is of "${name}", not of "${configured.name}"`,
      { hint: 'Check the manifest\'s address, and "name" in updater-shim.json.' },
    );
  }
  if (expires === undefined || Date.parse(expires) > configured.now) return;
  throw new UpdateError(
    "verification",
    `The release manifest of ${name} ${version} expired on ${expires}`,
    {
      hint: `Somebody may be holding newer releases back. If your clock is wrong (it says ${
        new Date(configured.now).toISOString()
      }), set it; else ask the tool's authors.`,
    },
  );
}

/** Windows reserves names, drops trailing dots and spaces, and has streams behind a colon. */
function isPlainName(name: string): boolean {
  return name.length > 0 && new TextEncoder().encode(name).length <= 200 &&
    // deno-lint-ignore no-control-regex
    !/[\u0000-\u001f\u007f-\u009f/\\:*?"<>|]/.test(name) && name.isWellFormed() &&
    !/^\.|[. ]$/.test(name) &&
    !/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(name) &&
    !/\.(previous|staged)(\.exe)?$/i.test(name) && name.toLowerCase() !== "updater-shim.json";
}

function isRelativePath(path: string): boolean {
  // deno-lint-ignore no-control-regex
  return path.length <= 1024 && !/[\\:\u0000-\u001f]/.test(path) &&
    path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

function haveDistinctTargets(files: readonly { readonly target: string }[]): boolean {
  return new Set(files.map(({ target }) => target.normalize("NFC").toLowerCase())).size ===
    files.length;
}
