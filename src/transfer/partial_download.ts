/** The partial file of one download, filled over as many connections as it takes. */
import { lookAt, writeAll } from "../files/durable_files.ts";
import { UpdateError } from "../base/errors.ts";
import { onFile } from "../files/fs_errors.ts";
import { openOrMake } from "../files/trusted_file.ts";
import { NoPartsError, readInParts } from "./parts.ts";
import { HttpError, request } from "./request.ts";
import { readBody } from "./response_body.ts";
import { PassingError, type Transfer, withRetries } from "./retry.ts";
import { discardPartial, readSidecar, writeSidecar } from "./sidecar.ts";
import type { DigestBehind, OpenFile } from "../system/file_system.ts";

/** What to fetch, and what it must be. */
export interface RemoteFile {
  readonly url: string;
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** How to fill it. */
export interface PartialOptions {
  /** Whether bytes of different answers may make up the file. */
  readonly ranges: boolean;
  /** Gets the bytes of this file that are on the disk. */
  readonly progress: (received: number) => void;
  /** Reads them meanwhile. */
  readonly behind?: DigestBehind | undefined;
}

/**
 * Brings `partial` to exactly `size` bytes, whatever they are. Returns whether they came in more
 * than one answer, or partly in an earlier run. Throws `network` (what came is kept),
 * `verification` (an answer of another size) or `filesystem`.
 */
export async function fillPartial(
  file: RemoteFile,
  partial: string,
  transfer: Transfer,
  options: PartialOptions,
): Promise<{ pieced: boolean }> {
  const download = new PartialDownload(file, partial, transfer, options);
  let best = download.kept;
  await withRetries(transfer, () => download.connect(), () => {
    // To come as far as before after starting over is none: a body that is too short does that.
    const progressed = download.kept > best;
    best = Math.max(best, download.kept);
    return progressed;
  });
  return download;
}

/** One connection is slow, and the server can give parts of that version. */
class SlowError extends Error {
  constructor(readonly validator: string) {
    super("slow");
  }
}

/** Only a strong entity tag says that two answers are of the same bytes (RFC 9110, 8.8.1). */
function partValidator({ status, headers }: Response): string | undefined {
  const etag = headers.get("etag");
  const gives = status === 206 || headers.get("accept-ranges") === "bytes";
  return gives && etag?.startsWith('"') ? etag : undefined;
}

class PartialDownload {
  /** Bytes on the disk that belong to the file, as far as is known. */
  kept: number;
  /** They are of more than one answer. */
  pieced: boolean;
  #ranges: boolean;
  /** Whether several connections at once may be tried. */
  #parts: boolean;
  /** "Later" (408, 429) was the answer to the last range that was asked for. */
  #putOff = false;
  readonly #file: RemoteFile;
  readonly #partial: string;
  readonly #transfer: Transfer;
  readonly #progress: (received: number) => void;
  readonly #behind: DigestBehind | undefined;

  constructor(file: RemoteFile, partial: string, transfer: Transfer, options: PartialOptions) {
    this.#file = file;
    this.#partial = partial;
    this.#transfer = transfer;
    this.#ranges = options.ranges;
    this.#parts = options.ranges;
    this.#progress = options.progress;
    this.#behind = options.behind;
    const size = lookAt(transfer.system.fs, partial)?.size ?? 0;
    this.kept = options.ranges && size <= file.size ? size : 0;
    this.pieced = this.kept > 0;
  }

  /** One answer, from where the bytes on the disk end if the server can do that. */
  async connect(): Promise<void> {
    const { url, size } = this.#file;
    if (this.kept > 0 && this.kept === size) return;
    const validator = this.#ranges
      ? readSidecar(this.#transfer.system, this.#partial, this.#file)
      : undefined;
    if (validator === undefined) this.#startOver();
    const headers: Record<string, string> = this.kept === 0
      ? {}
      : { range: `bytes=${this.kept}-`, "if-range": validator! };
    const response = await request(url, headers, this.#transfer).catch((error) => {
      throw this.kept === 0 ? error : this.#withoutRange(error);
    });
    this.#putOff = false;
    try {
      this.#accept(response);
      await this.#append(response, (out) => this.#takeWhole(response, out));
    } catch (error) {
      await response.body?.cancel().catch(() => {});
      if (!(error instanceof SlowError)) throw error;
      await this.#append(response, (out) => this.#takeParts(error.validator, out));
    }
    if (this.kept < size) {
      throw new PassingError(`cut off after ${this.kept} of ${size} bytes`);
    }
  }

  #startOver(): void {
    this.kept = 0;
    this.pieced = false;
  }

  /**
   * A server or a proxy that refuses the range or its condition (400, 412, 431) may have the file all
   * the same: it is asked for without. One that only puts us off is asked for the range once more.
   */
  #withoutRange(error: unknown): unknown {
    const { cause } = error as Error;
    if (!(cause instanceof HttpError) || cause.status < 400 || cause.status > 499) return error;
    if (error instanceof PassingError && !this.#putOff) {
      this.#putOff = true;
      return error;
    }
    this.#ranges = false;
    this.#startOver();
    const afterMs = error instanceof PassingError ? error.afterMs : 0;
    return new PassingError(`HTTP ${cause.status} to a part of the file`, afterMs, { cause });
  }

  /** Where does this answer begin, and can it be the file at all? */
  #accept({ status, headers }: Response): void {
    const { size } = this.#file;
    const length = headers.get("content-length");
    if (status === 200) {
      if (length !== null && Number(length) !== size) throw this.#wrongSize(`${length} bytes`);
      // A server that knows no ranges, or has another version by now, sends all of it.
      return this.#startOver();
    }
    const range = `bytes ${this.kept}-${size - 1}/`;
    const given = headers.get("content-range") ?? "none";
    const right = given === `${range}${size}` || given === `${range}*`;
    if (status === 206 && this.kept > 0 && right) {
      this.pieced = true;
      return;
    }
    // 416, or a range that nobody asked for: no more ranges from this server.
    this.#ranges = false;
    this.#startOver();
    throw new PassingError(`HTTP ${status} with the range "${given.slice(0, 100)}"`);
  }

  /** Writes to the partial file, from where what belongs to it ends. */
  async #append(response: Response, write: (out: OpenFile) => Promise<void>): Promise<void> {
    const { system } = this.#transfer;
    const out = onFile("write", this.#partial, () => {
      const out = openOrMake(system, this.#partial, "the partial download");
      // In this order: bytes of another version are gone before the note of this one is made. Not
      // where there are none: a file that was ever truncated to nothing makes ext4 write all of it
      // when it is closed (auto_da_alloc), and we would stand and wait.
      if (out.statSync().size !== this.kept) out.truncateSync(this.kept);
      out.seekSync(this.kept, 0);
      return out;
    });
    try {
      this.#behind?.reached(this.kept);
      writeSidecar(system.fs, this.#partial, this.#file, response.headers);
      await write(out);
    } finally {
      out.close();
    }
  }

  /** Throws `SlowError` where several connections may be faster. */
  async #takeWhole(response: Response, out: OpenFile): Promise<void> {
    const { system: { clock }, limits: { slowMs, slowBytesPerSecond } } = this.#transfer;
    const begun = clock.monotonic(), first = this.kept;
    const validator = this.#parts ? partValidator(response) : undefined;
    await readBody(response, this.#transfer, (part) => {
      this.#take(out, part);
      const ms = clock.monotonic() - begun;
      const rate = (this.kept - first) / ms * 1000;
      if (validator === undefined || ms < slowMs || rate >= slowBytesPerSecond) return;
      // What is about to end needs no help.
      if ((this.#file.size - this.kept) / rate * 1000 > slowMs) throw new SlowError(validator);
    });
  }

  async #takeParts(validator: string, out: OpenFile): Promise<void> {
    this.pieced = true;
    const { url, size } = this.#file;
    const from = this.kept;
    const rest = { url, size, from, validator };
    try {
      await readInParts(rest, this.#transfer, (part) => this.#take(out, part));
    } catch (error) {
      // Or it lets nobody have another connection.
      if (error instanceof NoPartsError || this.kept === from) this.#parts = false;
      throw error;
    }
  }

  #take(out: OpenFile, part: Uint8Array): void {
    const { fs } = this.#transfer.system;
    const { size } = this.#file;
    if (this.kept + part.length > size) {
      // Never a byte more on the disk than the manifest says.
      discardPartial(fs, this.#partial);
      throw this.#wrongSize("more");
    }
    try {
      onFile("write", this.#partial, () => writeAll(out, part));
    } catch (error) {
      // A full disk gets back what we took.
      discardPartial(fs, this.#partial);
      throw error;
    }
    this.kept += part.length;
    this.#behind?.reached(this.kept);
    this.#progress(this.kept);
  }

  #wrongSize(found: string): UpdateError {
    const url = this.#transfer.shown;
    return new UpdateError(
      "verification",
      `${url} is not what the manifest says: ${found} instead of ${this.#file.size} bytes`,
      { url, hint: "Nothing was installed. Try again later, or tell the tool's authors." },
    );
  }
}
