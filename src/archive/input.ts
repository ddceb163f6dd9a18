/** The bytes of an archive file, as they are and unpacked, a bounded piece in memory at a time. */
import { Buffer } from "node:buffer";
import { pipeline, Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { crc32, createInflateRaw } from "node:zlib";
import { ArchiveError } from "./policy.ts";
import { errorCode } from "../base/errors.ts";
import type { OpenFile } from "../system/system.ts";

/** An open archive. Every read seeks first. */
export interface ArchiveInput {
  readonly file: OpenFile;
  /** In bytes. */
  readonly size: number;
}

/** Half as large was slower, twice as large no faster. */
const CHUNK = 256 * 1024;
/** A gzip header holds names; nobody's names need more. */
const MAX_GZIP_HEADER = 64 * 1024;
const GZIP_TRAILER = 8;

/** An error of the file system on its way through libraries; `cause` is the error itself. */
export class DiskError extends Error {}

/** Marks the file system's errors, so that they are not taken for a fault of the archive. */
export function onDisk<T>(step: () => T): T {
  try {
    return step();
  } catch (cause) {
    throw new DiskError("disk", { cause });
  }
}

/** Exactly `length` bytes from `offset` on. */
export function readAt({ file }: ArchiveInput, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  onDisk(() => file.seekSync(offset, 0));
  for (let at = 0; at < length;) {
    const count = onDisk(() => file.readSync(bytes.subarray(at)));
    if (count === null) throw new ArchiveError("it is cut off");
    at += count;
  }
  return bytes;
}

/** The file, or the part of it from `start` to `end`, in pieces. */
export async function* chunksOf(
  input: ArchiveInput,
  start = 0,
  end = input.size,
): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end; at += CHUNK) {
    yield readAt(input, at, Math.min(CHUNK, end - at));
    // Signals, progress and other downloads are not kept waiting.
    await setImmediate();
  }
}

/**
 * Inflates the raw deflate data from `start` to `end`. It has to fill that range: what stands behind
 * the end of deflate data is invisible to some readers and a second file to others.
 */
export async function* inflate(
  input: ArchiveInput,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  const inflater = createInflateRaw({ chunkSize: CHUNK });
  try {
    // The callback hides nothing: the loop throws the same error.
    for await (
      const bytes of pipeline(Readable.from(chunksOf(input, start, end)), inflater, noop)
    ) {
      yield bytes;
      // One piece of the file may unpack to a thousand.
      await setImmediate();
    }
  } catch (error) {
    if (errorCode(error) === "Z_BUF_ERROR") throw new ArchiveError("it is cut off");
    throw error;
  }
  const rest = end - start - inflater.bytesWritten;
  if (rest > 0) throw new ArchiveError(`${rest} bytes follow the end of its compressed data`);
}

function noop(): void {}

/** Unpacks a file of exactly one gzip member (RFC 1952) and checks its CRC and length. */
export async function* gunzip(input: ArchiveInput): AsyncGenerator<Uint8Array> {
  const { length } = readGzipHeader(input);
  const end = input.size - GZIP_TRAILER;
  if (length > end) throw new ArchiveError("it is cut off");
  let crc = 0, size = 0;
  for await (const bytes of inflate(input, length, end)) {
    crc = crc32(bytes, crc);
    size += bytes.length;
    yield bytes;
  }
  const trailer = readAt(input, end, GZIP_TRAILER);
  const right = trailer.readUInt32LE(0) === crc && trailer.readUInt32LE(4) === size % 2 ** 32;
  if (!right) throw new ArchiveError("it has a wrong checksum (gzip)");
}

/** The length of a gzip header, and the file name in it (RFC 1952, 2.3.1: ISO 8859-1). */
export function readGzipHeader(input: ArchiveInput): { length: number; name: string | undefined } {
  const head = readAt(input, 0, Math.min(MAX_GZIP_HEADER, input.size));
  if (head.length < 10 || head.readUIntBE(0, 3) !== 0x1f8b08) {
    throw new ArchiveError("it is not a gzip file");
  }
  const flags = head[3]!;
  const [checksum, extra, named, commented] = [2, 4, 8, 16].map((bit) => (flags & bit) !== 0);
  if (flags & 0xe0) throw new ArchiveError("its gzip header has unknown flags");
  let length = 10;
  const textEnd = () => {
    const end = head.indexOf(0, length);
    if (end < 0) throw new ArchiveError("its gzip header has no end");
    return end;
  };
  if (extra && length + 2 <= head.length) length += 2 + head.readUInt16LE(length);
  const name = named ? head.toString("latin1", length, textEnd()) : undefined;
  if (named) length = textEnd() + 1;
  if (commented) length = textEnd() + 1;
  if (checksum) length += 2;
  return { length, name };
}
