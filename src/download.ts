/**
 * One file of a release, into a partial file that a later run can go on with. What is on the disk is
 * hashed, never what went past: the runtime's streams have lost a last chunk without an error while
 * a hash taken on the way was right.
 */
import { fromFileUrl } from "@std/path";
import * as v from "valibot";
import { type Digest, digestFileInBackground, sameContent } from "./digest.ts";
import {
  copyFile,
  lookAt,
  readIfThere,
  removeIfThere,
  replaceFile,
  writeAll,
} from "./durable_files.ts";
import { UpdateError } from "./errors.ts";
import { onFile } from "./fs_errors.ts";
import {
  DEFAULT_LIMITS,
  type FetchOptions,
  type Limits,
  PassingError,
  readBody,
  request,
  withRetries,
} from "./http.ts";
import type { FileSystem, OpenFile } from "./system.ts";
import { isUrl, redactUrl } from "./url_policy.ts";

/** What to fetch, and what it must be. */
export interface RemoteFile {
  readonly url: string;
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** Download options; `progress` gets the bytes of this file that are on the disk. */
export interface DownloadOptions extends FetchOptions {
  readonly progress: (received: number) => void;
}

/** Which version of the file the kept bytes are of (RFC 9110, 13.1.5: strong validators only). */
const SidecarSchema = v.strictObject({ url: v.string(), validator: v.string() });

/**
 * Fills `partial`: on return it has exactly `size` bytes of that digest, durable. Goes on with what
 * is there. Throws `network` (what came is kept), `verification` (nothing is kept), `filesystem`,
 * `usage`, or the signal's reason.
 */
export async function download(
  file: RemoteFile,
  partial: string,
  options: DownloadOptions,
): Promise<void> {
  const { fs } = options.system;
  if (!isUrl(file.url) || /^file:/i.test(file.url)) {
    const path = isUrl(file.url) ? fromFileUrl(file.url) : file.url;
    onFile("copy", path, () => {
      removeIfThere(fs, partial);
      copyFile(fs, path, partial, 0o600);
    });
    return await verify(file, partial, options);
  }
  const kept = lookAt(fs, partial)?.size ?? 0;
  const resumed = await new Transfer(file, partial, options).run();
  try {
    await verify(file, partial, options);
  } catch (error) {
    if (!resumed || kept === 0) throw error;
    // The bytes of an earlier run may have been of another file: once more, from nothing.
    await new Transfer(file, partial, options).run();
    await verify(file, partial, options);
  }
}

/** What is on the disk, made durable while it is hashed. Wrong bytes are removed. */
async function verify(
  file: RemoteFile,
  partial: string,
  { system: { fs }, signal }: DownloadOptions,
): Promise<void> {
  const open = fs.openSync(partial, { read: true, write: true });
  let found: Digest;
  try {
    const durable = open.sync();
    durable.catch(() => {}); // Awaited below.
    found = await digestFileInBackground(fs, partial);
    await onFile("write", partial, () => durable);
  } finally {
    open.close();
  }
  signal.throwIfAborted();
  if (sameContent(found, file)) return;
  discard(fs, partial);
  throw new UpdateError(
    "verification",
    `${
      redactUrl(file.url)
    } is not what the manifest says: ${found.size} bytes with SHA-256 ${found.sha256} instead of ${file.size} bytes with ${file.sha256}`,
    {
      url: redactUrl(file.url),
      hint: "Nothing was installed. Try again later; if it stays so, tell the tool's authors.",
    },
  );
}

function discard(fs: FileSystem, partial: string): void {
  removeIfThere(fs, partial);
  removeIfThere(fs, sidecarOf(partial));
}

function sidecarOf(partial: string): string {
  return `${partial}.json`;
}

/** One transfer over as many connections as it takes. */
class Transfer {
  readonly #limits: Limits;
  readonly #fs: FileSystem;
  /** Bytes of the file on the disk. */
  #kept: number;
  /** Bytes of an earlier run are part of it. */
  #resumed: boolean;

  constructor(
    readonly file: RemoteFile,
    readonly partial: string,
    readonly options: DownloadOptions,
  ) {
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#fs = options.system.fs;
    const size = lookAt(this.#fs, partial)?.size ?? 0;
    this.#kept = size > file.size ? 0 : size;
    this.#resumed = this.#kept > 0;
  }

  /** Returns whether bytes of an earlier run are part of the file. */
  async run(): Promise<boolean> {
    let before = 0;
    await withRetries(this.file.url, this.#limits, this.options, (signal) => {
      before = this.#kept;
      return this.#connect(signal);
    }, () => this.#kept > before);
    return this.#resumed;
  }

  async #connect(signal: AbortSignal): Promise<void> {
    if (this.#kept === this.file.size) return;
    const validator = this.#kept > 0 ? this.#readSidecar() : undefined;
    if (validator === undefined) this.#startOver();
    const range = { range: `bytes=${this.#kept}-`, "if-range": validator ?? "" };
    const response = await request(this.file.url, validator === undefined ? {} : range, {
      ...this.options,
      signal,
      limits: this.#limits,
    });
    await this.#accept(response);
    this.#writeSidecar(response);
    const out = onFile(
      "write",
      this.partial,
      () => this.#fs.openSync(this.partial, { write: true, create: true, mode: 0o600 }),
    );
    try {
      onFile("write", this.partial, () => out.truncateSync(this.#kept));
      out.seekSync(this.#kept, 0);
      const { system } = this.options;
      await readBody(response, this.#limits, system, signal, (part) => this.#take(out, part));
    } finally {
      out.close();
    }
    if (this.#kept < this.file.size) {
      throw new PassingError(`cut off after ${this.#kept} of ${this.file.size} bytes`);
    }
  }

  #startOver(): void {
    this.#kept = 0;
    this.#resumed = false;
  }

  /** Where does this body begin, and can it be the file at all? */
  async #accept(response: Response): Promise<void> {
    const { status, headers } = response;
    const range = /^bytes (\d+)-(\d+)\/(?:\d+|\*)$/.exec(headers.get("content-range") ?? "");
    if (status === 200) {
      // A server that does not know ranges, or has another version by now, sends all of it.
      this.#startOver();
    } else if (
      status !== 206 || Number(range?.[1]) !== this.#kept ||
      Number(range?.[2]) !== this.file.size - 1
    ) {
      await response.body?.cancel();
      discard(this.#fs, this.partial);
      this.#startOver();
      throw new PassingError(`answered a request for a range with HTTP ${status} and other bytes`);
    }
    const length = headers.get("content-length");
    if (length === null || Number(length) === this.file.size - this.#kept) return;
    await response.body?.cancel();
    throw this.#wrongLength(`${this.#kept + Number(length)} bytes`);
  }

  #take(out: OpenFile, part: Uint8Array): void {
    // Never a byte more on the disk than the manifest says.
    if (this.#kept + part.length > this.file.size) throw this.#wrongLength("more");
    onFile("write", this.partial, () => writeAll(out, part));
    this.#kept += part.length;
    this.options.progress(this.#kept);
  }

  #wrongLength(found: string): UpdateError {
    discard(this.#fs, this.partial);
    const url = redactUrl(this.file.url);
    return new UpdateError(
      "verification",
      `${url} is not what the manifest says: ${found} instead of ${this.file.size} bytes`,
      { url, hint: "Nothing was installed. Try again later, or tell the tool's authors." },
    );
  }

  #readSidecar(): string | undefined {
    try {
      const bytes = readIfThere(this.#fs, sidecarOf(this.partial), 64 * 1024);
      const json: unknown = bytes && JSON.parse(new TextDecoder().decode(bytes));
      const result = v.safeParse(SidecarSchema, json);
      // Another URL may serve another build: its bytes would only fail at the end.
      return result.success && result.output.url === this.file.url
        ? result.output.validator
        : undefined;
    } catch {
      return undefined;
    }
  }

  /** Before the bytes: without a strong validator they cannot be gone on with, so there is none. */
  #writeSidecar({ headers }: Response): void {
    const etag = headers.get("etag");
    const validator = etag?.startsWith('"') ? etag : headers.get("last-modified");
    const path = sidecarOf(this.partial);
    onFile("write", path, () => {
      if (!validator) return removeIfThere(this.#fs, path);
      replaceFile(this.#fs, path, JSON.stringify({ url: this.file.url, validator }));
    });
  }
}
