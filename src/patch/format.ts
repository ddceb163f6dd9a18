/**
 * The patch format, as `.github/PATCH-FORMAT.md` describes it: what maker and applier share. The
 * new file is made in chunks of `CHUNK` bytes, each from four streams, so that neither side ever
 * holds more than one chunk. Nothing here believes a number that it has not checked.
 */

/** What a manifest calls this format. Others are not for us: the full file serves. */
export const PATCH_FORMAT = "usp1";

/** The first eight bytes; the digit is the version. */
export const MAGIC: Uint8Array<ArrayBuffer> = new TextEncoder().encode("USPATCH1");

/** Magic, old size, new size. */
export const HEADER_LENGTH = 24;

/** Bytes of the new file that one chunk makes; the last one makes what is left. */
export const CHUNK = 4 * 1024 * 1024;

/** Bytes of one word, the unit of an edit: addresses in executables have this width. */
export const WORD = 4;

/** The largest file on either side, as in the manifest. */
const MAX_FILE = 4 * 1024 ** 3;

/** The streams of a chunk, in their order. */
export const STREAMS = ["blocks", "gaps", "words", "literals"] as const;

/** The streams of one chunk, unpacked. */
export type Streams = Record<typeof STREAMS[number], Uint8Array>;

/** Two lengths for each stream, at most five bytes each. */
export const MAX_CHUNK_HEADER = STREAMS.length * 2 * 5;

/** A patch that is not as the format says, or not for this file; the message says in what way. */
export class PatchError extends Error {}

/** What the header says. */
export interface Header {
  readonly oldSize: number;
  readonly newSize: number;
}

/** Reads the first `HEADER_LENGTH` bytes. Throws `PatchError`. */
export function readHeader(bytes: Uint8Array): Header {
  if (bytes.length < HEADER_LENGTH) throw new PatchError("it is cut off");
  if (!MAGIC.every((byte, at) => bytes[at] === byte)) {
    throw new PatchError(`it does not begin with "${new TextDecoder().decode(MAGIC)}"`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [oldSize, newSize] = [8, 16].map((at) => Number(view.getBigUint64(at, true)));
  if (oldSize! > MAX_FILE || newSize! > MAX_FILE) throw new PatchError("its files are too large");
  return { oldSize: oldSize!, newSize: newSize! };
}

/** The same bytes again. */
export function writeHeader({ oldSize, newSize }: Header): Uint8Array {
  const bytes = new Uint8Array(HEADER_LENGTH);
  bytes.set(MAGIC);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(8, BigInt(oldSize), true);
  view.setBigUint64(16, BigInt(newSize), true);
  return bytes;
}

/**
 * Most bytes that a stream of a chunk of `length` bytes may have. Literals and words are never more
 * than the chunk; blocks and gaps that take more room than what they describe are nobody's gain.
 */
export function maxStream(length: number): number {
  return length + 64;
}

/** Lengths of one stream, in bytes: unpacked, and in the patch. Equal: it is not compressed. */
export interface StreamLengths {
  readonly raw: number;
  readonly stored: number;
}

/**
 * The lengths at the head of a chunk that makes `length` bytes; `bytes` may go on with what follows.
 * None is larger than such a chunk can need. Throws `PatchError`.
 */
export function readChunkHeader(
  bytes: Uint8Array,
  length: number,
): { streams: StreamLengths[]; headerLength: number } {
  const numbers = new Numbers(bytes);
  const streams = STREAMS.map((): StreamLengths => {
    const raw = numbers.next();
    const stored = raw === 0 ? 0 : numbers.next();
    if (raw > maxStream(length) || stored > raw || (raw > 0 && stored === 0)) {
      throw new PatchError("a stream has an impossible length");
    }
    return { raw, stored };
  });
  return { streams, headerLength: numbers.position };
}

/** Reads whole numbers below 2^35, seven bits a byte, the lowest first (LEB128). */
export class Numbers {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes that were read. */
  get position(): number {
    return this.#at;
  }

  /** Whether nothing is left. */
  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The next number. Throws `PatchError` behind the end. */
  next(): number {
    const first = this.#bytes[this.#at];
    // Nearly all are this short.
    if (first !== undefined && first < 128) {
      this.#at++;
      return first;
    }
    let value = 0;
    // Not by shifting: that ends at 32 bits.
    for (let factor = 1; factor <= 2 ** 28; factor *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new PatchError("a number is cut off");
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    throw new PatchError("a number is too long");
  }

  /** The same with a sign: even numbers are n / 2, odd ones -(n + 1) / 2. */
  nextSigned(): number {
    const value = this.next();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
