/**
 * Makes a new executable out of an old one and a patch. The old file is only read, the new one is
 * written from its beginning to its end into a file that the caller opened: never in place.
 * Memory is bounded whatever the patch says, and every number in it is checked; whether the result
 * is right is for its digest to say, which the caller compares.
 */
import { setImmediate } from "node:timers/promises";
import { constants, zstdDecompressSync } from "node:zlib";
import {
  CHUNK,
  HEADER_LENGTH,
  MAX_CHUNK_HEADER,
  Numbers,
  PatchError,
  readChunkHeader,
  readHeader,
  type StreamLengths,
  STREAMS,
  type Streams,
  WORD,
} from "./format.ts";
import { OldFile, readAt } from "./old_file.ts";
import { writeAll } from "../files/durable_files.ts";
import type { OpenFile } from "../system/file_system.ts";

/** The open files. `out` is written from where it stands. */
export interface PatchFiles {
  readonly patch: OpenFile;
  readonly old: OpenFile;
  readonly out: OpenFile;
}

/** What the caller knows, and how it can stop. */
export interface ApplyOptions {
  /** Bytes that the result must have: a patch that would make others is refused unwritten. */
  readonly size: number;
  /** Its reason is thrown between two chunks. */
  readonly signal?: AbortSignal;
  /** Gets the bytes written so far. */
  readonly progress?: (written: number) => void;
}

/** A frame needs no larger window than its stream: not more than 8 MiB, the next power of two. */
const DECODING = { params: { [constants.ZSTD_d_windowLogMax]: Math.log2(CHUNK) + 1 } };

/**
 * Writes the new file to `out`. Throws `PatchError` for a patch that is not for this old file or
 * not as the format says, the signal's reason, or what reading and writing throw; `out` may then
 * hold a part.
 */
export async function applyPatch(
  { patch, old, out }: PatchFiles,
  { size, signal, progress }: ApplyOptions,
): Promise<void> {
  const patchSize = patch.statSync().size;
  const { oldSize, newSize } = readHeader(readPart(patch, 0, Math.min(HEADER_LENGTH, patchSize)));
  if (oldSize !== old.statSync().size) throw new PatchError("it is for another old file");
  if (newSize !== size) throw new PatchError("it makes another file");
  const oldFile = new OldFile(old, oldSize);
  // An edit may touch bytes behind the end of the chunk; they are there, and nobody's.
  const room = new Uint8Array(Math.min(CHUNK, newSize) + WORD);
  let patchAt = HEADER_LENGTH, oldAt = 0;
  for (let made = 0; made < newSize;) {
    const chunk = room.subarray(0, Math.min(CHUNK, newSize - made) + WORD);
    const { streams, end } = readStreams(patch, patchAt, patchSize, chunk.length - WORD);
    oldAt = compose(streams, oldFile, oldAt, chunk.subarray(0, chunk.length - WORD));
    edit(streams, chunk);
    writeAll(out, chunk.subarray(0, chunk.length - WORD));
    patchAt = end;
    made += chunk.length - WORD;
    progress?.(made);
    // Signals, progress and other downloads are not kept waiting.
    await setImmediate();
    signal?.throwIfAborted();
  }
  if (patchAt !== patchSize) throw new PatchError("something follows its end");
}

function readPart(patch: OpenFile, from: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  readAt(patch, from, bytes);
  return bytes;
}

/** The streams of the chunk that begins at `at`, and where it ends. */
function readStreams(
  patch: OpenFile,
  at: number,
  patchSize: number,
  length: number,
): { streams: Streams; end: number } {
  const head = readPart(patch, at, Math.min(MAX_CHUNK_HEADER, patchSize - at));
  const { streams, headerLength } = readChunkHeader(head, length);
  let end = at + headerLength;
  const unpacked = streams.map((lengths) => {
    const start = end;
    end += lengths.stored;
    if (end > patchSize) throw new PatchError("it is cut off");
    return unpack(readPart(patch, start, lengths.stored), lengths);
  });
  const named = Object.fromEntries(STREAMS.map((name, index) => [name, unpacked[index]!]));
  return { streams: named as Streams, end };
}

/**
 * In one bounded, synchronous call: as a stream, the runtime throws the error of a damaged frame
 * where nobody can catch it. A frame that was cut off is no error there: its length says it.
 */
function unpack(stored: Uint8Array, { raw }: StreamLengths): Uint8Array {
  if (stored.length === raw) return stored;
  let bytes: Uint8Array;
  try {
    bytes = zstdDecompressSync(stored, { ...DECODING, maxOutputLength: raw, chunkSize: raw + 64 });
  } catch (cause) {
    throw new PatchError("a stream cannot be decompressed", { cause });
  }
  if (bytes.length !== raw) throw new PatchError("a stream does not have its length");
  return bytes;
}

/**
 * Fills `chunk` with pieces of the old file and with literals. What no block describes goes on in
 * the old file: a chunk without changes has no blocks at all. Returns where in the old file the next
 * chunk goes on.
 */
function compose(
  { blocks, literals }: Streams,
  old: OldFile,
  oldAt: number,
  chunk: Uint8Array,
): number {
  const numbers = new Numbers(blocks);
  let at = 0, literalAt = 0;
  while (!numbers.done) {
    oldAt += numbers.nextSigned();
    const copied = numbers.next(), literal = numbers.next();
    if (at + copied + literal > chunk.length || literalAt + literal > literals.length) {
      throw new PatchError("a block is too long");
    }
    old.copy(oldAt, copied, chunk, at);
    chunk.set(literals.subarray(literalAt, literalAt + literal), at + copied);
    oldAt += copied;
    at += copied + literal;
    literalAt += literal;
  }
  if (literalAt !== literals.length) throw new PatchError("not all literals are used");
  old.copy(oldAt, chunk.length - at, chunk, at);
  return oldAt + chunk.length - at;
}

/** Adds each word at its place. `chunk` is a word longer than what it holds. */
function edit({ gaps, words }: Streams, chunk: Uint8Array): void {
  const places = new Numbers(gaps);
  const values = new DataView(words.buffer, words.byteOffset, words.length);
  const target = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
  if (words.length % WORD !== 0) throw new PatchError("a word is cut off");
  let at = 0;
  for (let next = 0; next < words.length; next += WORD) {
    at += places.next();
    if (at >= chunk.length - WORD) throw new PatchError("an edit is outside of its chunk");
    // Modulo 2^32 by itself.
    target.setUint32(at, target.getUint32(at, true) + values.getUint32(next, true), true);
    at += WORD;
  }
  if (!places.done) throw new PatchError("an edit has no word");
}
