/** Deflate data, and gzip files of exactly one member (RFC 1951, RFC 1952). */
import { crc32 } from "node:zlib";
import { type ArchiveInput, chunksOf, isThere, NOTHING_YET, type Pieces, readAt } from "./input.ts";
import { NativeDecoder } from "./native_decoder.ts";
import { ArchiveError } from "./policy.ts";

/** A gzip header holds names; nobody's names need more. */
const MAX_GZIP_HEADER = 64 * 1024;
const GZIP_TRAILER = 8;

/**
 * Inflates the raw deflate data from `start` to `end`. It has to fill that range: what stands behind
 * the end of deflate data is invisible to some readers and a second file to others.
 */
export function* inflate(input: ArchiveInput, start: number, end: number): Pieces {
  if (start >= end) throw new ArchiveError("it is cut off");
  using decoder = new NativeDecoder("deflate");
  let at = start;
  for (const packed of chunksOf(input, start, end)) {
    if (packed === NOTHING_YET) {
      yield packed;
      continue;
    }
    at += packed.length;
    yield* decoder.decode(packed, at === end);
    const rest = decoder.unused + end - at;
    if (decoder.unused > 0 && rest > 0) {
      throw new ArchiveError(`${rest} bytes follow the end of its compressed data`);
    }
  }
}

/** Unpacks the file and checks its CRC and length. */
export function* gunzip(input: ArchiveInput): Pieces {
  const { length } = readGzipHeader(input);
  const end = input.size - GZIP_TRAILER;
  if (length > end) throw new ArchiveError("it is cut off");
  let crc = 0, size = 0;
  for (const bytes of inflate(input, length, end)) {
    crc = crc32(bytes, crc);
    size += bytes.length;
    yield bytes;
  }
  while (!isThere(input, input.size)) yield NOTHING_YET;
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
