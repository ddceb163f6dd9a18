/** The release manifest: read, checked, and narrowed down to this machine's files. */
import * as v from "valibot";
import { refuseArchive } from "../archive/kinds.ts";
import { reason, UpdateError } from "../base/errors.ts";
import { describeIssue, jsonPath } from "../base/json_issue.ts";
import { resolveLocation } from "./locations.ts";
import {
  type Manifest,
  type ManifestFile,
  type ManifestPatch,
  ManifestSchema,
} from "./manifest_schema.ts";
import { isUrl, redactUrl } from "../base/url_policy.ts";

export type { Manifest, ManifestFile };

/** A patch of one executable, and where it is fetched from. */
export interface ReleasePatch extends ManifestPatch {
  /** Where else the same bytes are. */
  readonly mirrors: readonly string[];
}

/** One executable of a release, and where it is fetched from. */
export interface ReleaseFile extends ManifestFile {
  readonly patches: ReleasePatch[];
  /** Where else the same bytes are: the manifest's mirrors have the files beside it, too. */
  readonly mirrors: readonly string[];
}

const TELL = "Tell the tool's authors, or check the address of the manifest.";
const LIMIT = 1024 * 1024;

/**
 * Reads schema 1. Throws `usage` with the JSON path of the first thing that is wrong.
 * Of two equal keys the last one counts, as everywhere in JavaScript; a signature covers both.
 */
export function parseManifest(bytes: Uint8Array, location: string): Manifest {
  const json = readJson(bytes, location);
  const schema = (json as { schema?: unknown } | null)?.schema;
  if (typeof schema === "number" && Number.isSafeInteger(schema) && schema > 1) {
    throw invalid(
      location,
      `schema ${schema} is not known to this updater-shim`,
      "It was made for a newer updater-shim: update updater-shim itself first.",
    );
  }
  const result = v.safeParse(ManifestSchema, json, { abortEarly: true });
  if (result.success) return result.output;
  throw invalid(location, describeIssue(result.issues[0]));
}

function readJson(bytes: Uint8Array, location: string): unknown {
  if (bytes.length > LIMIT) throw invalid(location, "it is larger than 1 MiB");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw invalid(location, "it is not UTF-8 text", TELL, error);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(location, `it is not JSON (${reason(error)})`, TELL, error);
  }
}

function invalid(location: string, what: string, hint = TELL, cause?: unknown): UpdateError {
  const where = redactUrl(location);
  return new UpdateError("usage", `The release manifest "${where}" is not valid: ${what}`, {
    ...(isUrl(location) ? { url: where } : { path: location }),
    hint,
    cause,
  });
}

/**
 * The files for one platform (a Rust target triple, or what serves for it), their URLs made absolute by where the manifest
 * lies: `location` is an http(s) or file URL or an absolute path; `mirrors` are other places of the
 * manifest. Throws `usage`.
 */
export function selectFiles(
  manifest: Manifest,
  target: string,
  location: string,
  mirrors: readonly string[] = [],
): readonly ReleaseFile[] {
  const { name, version, platforms } = manifest;
  const key = servingPlatforms(target).find((name) => Object.hasOwn(platforms, name));
  const platform = key === undefined ? undefined : platforms[key];
  if (key === undefined || !platform) {
    const known = Object.keys(platforms).sort().join(", ") || "none";
    throw new UpdateError(
      "usage",
      `${name} ${version} is not made for this platform, ${target}`,
      { hint: `The manifest has: ${known}. Ask the tool's authors for yours.` },
    );
  }
  return platform.files.map((file, index) => {
    const path = jsonPath(["platforms", key, "files", index, "url"]);
    const { location: url, refusal } = resolveLocation(file.url, location);
    if (refusal !== undefined) {
      throw invalid(location, `${path}: expected ${refusal}, found ${shown(file.url)}`);
    }
    // Before anything is fetched, and so for --check, too.
    const archive = refuseArchive(url, file.member);
    if (archive) throw invalid(location, `${path}: ${archive.problem}`, `${archive.hint} ${TELL}`);
    const patches = placedPatches(file.patches, location, mirrors);
    return { ...file, url, patches, mirrors: elsewhere(file.url, url, mirrors) };
  });
}

/** One whose URL leads nowhere is left out: the full file serves. */
function placedPatches(
  patches: readonly ManifestPatch[],
  location: string,
  mirrors: readonly string[],
): ReleasePatch[] {
  return patches.flatMap((patch) => {
    const { location: url, refusal } = resolveLocation(patch.url, location);
    if (refusal !== undefined) return [];
    return [{ ...patch, url, mirrors: elsewhere(patch.url, url, mirrors) }];
  });
}

/**
 * An absolute URL is the same wherever the manifest lies. What a document from the network says is
 * never resolved against a local mirror: it would lead to local files and network shares.
 */
function elsewhere(reference: string, url: string, manifests: readonly string[]): string[] {
  const usable = manifests.filter((place) => !/^https?:/i.test(url) || /^https?:/i.test(place));
  const places = usable.map((manifest) => resolveLocation(reference, manifest).location);
  return [...new Set(places)].filter((place) => place !== undefined && place !== url) as string[];
}

/**
 * The entries that serve a platform, the best first: its own; for glibc also musl, which is linked
 * statically and runs there; for macOS also a universal one, by the names that cargo-dist and others
 * give it.
 */
export function servingPlatforms(target: string): string[] {
  const names = [target];
  if (target.endsWith("-linux-gnu")) names.push(target.replace(/-gnu$/, "-musl"));
  if (target.endsWith("-apple-darwin")) {
    names.push("universal2-apple-darwin", "universal-apple-darwin");
  }
  return names;
}

/** Without the query, where signed URLs carry their secret. */
function shown(url: string): string {
  return JSON.stringify(redactUrl(url).replace(/[?#].*$/s, "").slice(0, 200));
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
      {
        hint:
          'Check its address and "name". Another tool in this folder needs a configuration of its own: --config NAME.json.',
      },
    );
  }
  if (expires === undefined || Date.parse(expires) > configured.now) return;
  const now = new Date(configured.now).toISOString();
  throw new UpdateError(
    "verification",
    `The release manifest of ${name} ${version} expired on ${expires}`,
    {
      hint:
        `Newer releases may be held back from you. This machine's clock says ${now}: if that is wrong, set it; otherwise ask the tool's authors.`,
    },
  );
}
