/** Bytes in order, from a file or a decompressor, a bounded piece in memory at a time. */
import type { FileSystem, OpenFile } from "./system.ts";

const CHUNK = 256 * 1024;

/** Reads `length` bytes of an open file from `offset` on, in pieces. */
export async function* fileRange(
  file: OpenFile,
  offset: number,
  length: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  file.seekSync(offset, 0);
  for (let left = length; left > 0;) {
    const buffer = new Uint8Array(Math.min(CHUNK, left));
    const count = file.readSync(buffer);
    if (count === null) return;
    left -= count;
    yield buffer.subarray(0, count);
    // Downloads and signals of the same moment are not kept waiting.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** Opens a file, hands it to `use`, closes it. */
export async function withFile<T>(
  fs: FileSystem,
  path: string,
  use: (file: OpenFile, size: number) => Promise<T>,
): Promise<T> {
  const file = fs.openSync(path, { read: true });
  try {
    return await use(file, file.statSync().size);
  } finally {
    file.close();
  }
}

/** Decompresses; ends with an error where the data does not end with the compressed stream. */
export function decompress(
  source: AsyncIterable<Uint8Array<ArrayBuffer>>,
  format: "gzip" | "deflate-raw",
): AsyncIterable<Uint8Array> {
  return ReadableStream.from(source).pipeThrough(new DecompressionStream(format));
}

/** Takes exact counts out of a stream of chunks of any size. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();
  /** Bytes taken so far. */
  position = 0;

  constructor(chunks: AsyncIterable<Uint8Array>, readonly limit: number) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Exactly `length` bytes, or undefined at the end. Throws RangeError if it ends in between. */
  async exactly(length: number): Promise<Uint8Array | undefined> {
    const bytes = new Uint8Array(length);
    let at = 0;
    while (at < length) {
      const piece = await this.some(length - at);
      if (!piece && at === 0) return undefined;
      if (!piece) throw new RangeError("it ends in the middle");
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  /** At most `length` bytes, at least one; undefined at the end. */
  async some(length: number): Promise<Uint8Array | undefined> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#chunks.next();
      if (done) return undefined;
      this.#rest = value;
    }
    const piece = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(piece.length);
    this.position += piece.length;
    if (this.position > this.limit) throw new RangeError("it unpacks to far more than it should");
    return piece;
  }
}
