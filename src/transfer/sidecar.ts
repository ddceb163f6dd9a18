/**
 * What a later run must know to go on with a partial file: `<partial>.json` beside it. Not made
 * durable: one that a power cut damages only means that the download starts over, and bytes that do
 * not belong together are found out by the digest.
 */
import * as v from "valibot";
import { removeIfThere, writeAll } from "../files/durable_files.ts";
import { readKept, type World } from "../files/trusted_file.ts";
import { onFile } from "../files/fs_errors.ts";
import type { FileSystem } from "../system/file_system.ts";
import { redactUrl } from "../base/url_policy.ts";

const LIMIT = 64 * 1024;
/**
 * A longer entity tag is not kept: sent back in `If-Range`, it would have honest servers refuse the
 * request (HTTP 431) at every later run.
 */
const VALIDATOR = /^[\x20-\x7e]{1,256}$/;

const SidecarSchema = v.strictObject({
  /** Without its query, which may be a secret and differs whenever a URL is signed anew. */
  url: v.string(),
  sha256: v.string(),
  validator: v.pipe(v.string(), v.regex(VALIDATOR)),
});

const FORM = { what: "the note of a download", limit: LIMIT, format: 1, schema: SidecarSchema };

/** The file that the bytes are to become. */
interface Wanted {
  readonly url: string;
  readonly sha256: string;
}

/** The validator for `If-Range`; undefined where the kept bytes cannot be gone on with. Throws `filesystem`. */
export function readSidecar(world: World, partial: string, file: Wanted): string | undefined {
  const kept = readKept(world, sidecarOf(partial), FORM);
  if (kept.state !== "valid") return undefined;
  const { url, sha256, validator } = kept.value;
  return url === redactUrl(file.url) && sha256 === file.sha256 ? validator : undefined;
}

/**
 * Notes the version that a body is of, or that it has none. RFC 9110, 13.1.5: `If-Range` wants a
 * strong entity tag, or else the date.
 */
export function writeSidecar(
  fs: FileSystem,
  partial: string,
  { url, sha256 }: Wanted,
  headers: Headers,
): void {
  const path = sidecarOf(partial);
  const etag = headers.get("etag");
  const validator = etag?.startsWith('"') ? etag : headers.get("last-modified");
  onFile("write", path, () => {
    removeIfThere(fs, path);
    if (!validator || !VALIDATOR.test(validator)) return;
    const file = fs.openSync(path, { write: true, createNew: true, mode: 0o600 });
    try {
      const content = JSON.stringify({ url: redactUrl(url), sha256, validator });
      writeAll(file, new TextEncoder().encode(content));
    } finally {
      file.close();
    }
  });
}

/** Removes a partial file and what is noted about it. */
export function discardPartial(fs: FileSystem, partial: string): void {
  for (const path of [partial, sidecarOf(partial)]) {
    onFile("remove", path, () => removeIfThere(fs, path));
  }
}

function sidecarOf(partial: string): string {
  return `${partial}.json`;
}
