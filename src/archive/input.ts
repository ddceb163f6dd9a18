/**
 * The bytes of an archive file, a bounded piece in memory at a time. Everything here is synchronous
 * and uses its buffers again and again: garbage outside of the runtime's heap is collected only
 * every 64 MiB, and then that, not the archive, would be what the memory has to hold.
 */
import { Buffer } from "node:buffer";
import { ArchiveError } from "./policy.ts";
import type { OpenFile } from "../system/file_system.ts";

/** An open archive. Every read seeks first. */
export interface ArchiveInput {
  readonly file: OpenFile;
  /** In bytes; of a file that still grows, what it will have. */
  readonly size: number;
  /** Of a file that still grows: how many bytes of it are there. */
  readonly available?: (() => number) | undefined;
}

/** Among the pieces: the next one has not come yet. */
export const NOTHING_YET: Uint8Array = new Uint8Array();

/** Whether the file is there up to `end`. */
export function isThere({ size, available }: ArchiveInput, end: number): boolean {
  return available === undefined || available() >= Math.min(end, size);
}

/**
 * Bytes in order. Each piece is valid only until the next one is asked for. An empty one says that
 * the file has not grown so far yet.
 */
export type Pieces = Generator<Uint8Array, void, void>;

/** Half as large was slower, twice as large no faster. */
export const PIECE = 128 * 1024;

/** An error of the file system on its way through decoders; `cause` is the error itself. */
export class DiskError extends Error {}

/** Marks the file system's errors, so that they are not taken for a fault of the archive. */
export function onDisk<T>(step: () => T): T {
  try {
    return step();
  } catch (cause) {
    throw new DiskError("disk", { cause });
  }
}

/** Exactly `length` bytes from `offset` on, in memory of their own: for headers, not for data. */
export function readAt(input: ArchiveInput, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  readInto(input, offset, bytes);
  return bytes;
}

function readInto({ file }: ArchiveInput, offset: number, bytes: Uint8Array): void {
  onDisk(() => file.seekSync(offset, 0));
  for (let at = 0; at < bytes.length;) {
    const count = onDisk(() => file.readSync(bytes.subarray(at)));
    if (count === null) throw new ArchiveError("it is cut off");
    at += count;
  }
}

/** The file, or the part of it from `start` to `end`. */
export function* chunksOf(input: ArchiveInput, start = 0, end = input.size): Pieces {
  const buffer = new Uint8Array(Math.max(0, Math.min(PIECE, end - start)));
  for (let at = start; at < end; at += PIECE) {
    const piece = buffer.subarray(0, Math.min(PIECE, end - at));
    while (!isThere(input, at + piece.length)) yield NOTHING_YET;
    readInto(input, at, piece);
    yield piece;
  }
}

/** Reads a part of the file from front to back, as many bytes at a time as the format says. */
export class ByteReader {
  readonly #input: ArchiveInput;
  readonly #buffer = new Uint8Array(PIECE);
  /** In the buffer: what was not taken yet. */
  #start = 0;
  #end = 0;
  /** In the file: where the next byte to be taken stands. */
  position = 0;

  constructor(input: ArchiveInput) {
    this.#input = input;
  }

  /** Bytes up to the end of the file. */
  get rest(): number {
    return this.#input.size - this.position;
  }

  /** Whether so many bytes can be taken now, or all to the end. */
  isAhead(count: number): boolean {
    return isThere(this.#input, this.position + count);
  }

  /** The next byte. Throws `ArchiveError` at the end. */
  byte(): number {
    return this.take(1)[0]!;
  }

  /** The next bytes, at most `PIECE`; valid until the next call. Throws `ArchiveError` at the end. */
  take(count: number): Uint8Array {
    if (this.#end - this.#start < count) this.#fill(count);
    const taken = this.#buffer.subarray(this.#start, this.#start + count);
    this.#start += count;
    this.position += count;
    return taken;
  }

  #fill(count: number): void {
    if (count > this.rest) throw new ArchiveError("it is cut off");
    this.#buffer.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    const from = this.position + this.#end;
    const { size, available } = this.#input;
    const more = Math.min(PIECE - this.#end, (available?.() ?? size) - from);
    readInto(this.#input, from, this.#buffer.subarray(this.#end, this.#end + more));
    this.#end += more;
  }
}
