/** The bytes of a patch, chunk by chunk, from two files in memory. The mirror of `apply_patch.ts`. */
import { constants, zstdCompressSync } from "node:zlib";
import type { Block } from "./find_blocks.ts";
import { CHUNK, maxStream, STREAMS, type Streams, WORD, writeHeader } from "./format.ts";

/** Higher ones take three times as long for less than one percent. */
const LEVEL = 19;

/** Header and chunks, in the order in which they are written. */
export function* encodePatch(
  old: Uint8Array,
  fresh: Uint8Array,
  blocks: Iterable<Block>,
): Generator<Uint8Array> {
  yield writeHeader({ oldSize: old.length, newSize: fresh.length });
  const source = new BlockSource(blocks);
  const room = new Uint8Array(CHUNK + WORD);
  let oldAt = 0;
  for (let made = 0; made < fresh.length; made += CHUNK) {
    const wanted = fresh.subarray(made, made + CHUNK);
    const chunk = encodeChunk(old, wanted, source.take(wanted.length), oldAt, room);
    oldAt = chunk.oldAt;
    yield* storeStreams(chunk.streams);
  }
}

/** Hands out blocks up to the end of a chunk, and cuts the one that reaches beyond. */
class BlockSource {
  readonly #blocks: Iterator<Block>;
  #rest: Block = { oldAt: 0, copied: 0, literal: 0 };

  constructor(blocks: Iterable<Block>) {
    this.#blocks = blocks[Symbol.iterator]();
  }

  take(length: number): Block[] {
    const taken: Block[] = [];
    while (length > 0) {
      const { oldAt, copied, literal } = this.#rest;
      const part = { oldAt, copied: Math.min(copied, length), literal: 0 };
      part.literal = Math.min(literal, length - part.copied);
      this.#rest = {
        oldAt: oldAt + part.copied,
        copied: copied - part.copied,
        literal: literal - part.literal,
      };
      length -= part.copied + part.literal;
      if (part.copied + part.literal > 0) taken.push(part);
      else this.#rest = this.#next();
    }
    return taken;
  }

  #next(): Block {
    const next = this.#blocks.next();
    if (next.done) throw new RangeError("The blocks do not make up the new file");
    return next.value;
  }
}

/** One chunk: what the applier makes of the blocks, and the words that turn that into `wanted`. */
function encodeChunk(
  old: Uint8Array,
  wanted: Uint8Array,
  blocks: readonly Block[],
  oldAt: number,
  room: Uint8Array,
): { streams: Streams; oldAt: number } {
  const described = new Bytes(), literals = new Bytes();
  let at = 0, position = oldAt;
  for (const [index, block] of blocks.entries()) {
    room.set(old.subarray(block.oldAt, block.oldAt + block.copied), at);
    const literal = wanted.subarray(at + block.copied, at + block.copied + block.literal);
    room.set(literal, at + block.copied);
    at += block.copied + block.literal;
    // What goes on to the chunk's end without a change of place need not be said.
    const last = index === blocks.length - 1;
    const goesOn = last && block.oldAt === position && block.literal === 0;
    if (!goesOn) {
      described.addSigned(block.oldAt - position);
      described.addNumber(block.copied);
      described.addNumber(block.literal);
      literals.add(literal);
    }
    position = block.oldAt + block.copied;
  }
  if (described.length > maxStream(wanted.length)) {
    // Nothing here is like the old file: all of it is literal.
    const all = { oldAt, copied: 0, literal: wanted.length };
    return encodeChunk(old, wanted, [all], oldAt, room);
  }
  const { gaps, words } = edits(room, wanted);
  const streams = {
    blocks: described.taken(),
    gaps: gaps.taken(),
    words: words.taken(),
    literals: literals.taken(),
  };
  return { streams, oldAt: position };
}

/** The words to add to `made` so that it becomes `wanted`, and how far each is from the last one. */
function edits(made: Uint8Array, wanted: Uint8Array): { gaps: Bytes; words: Bytes } {
  const gaps = new Bytes(), words = new Bytes();
  let last = 0;
  for (let at = 0; at < wanted.length; at++) {
    if (made[at] === wanted[at]) continue;
    gaps.addNumber(at - last);
    words.addWord(wordAt(wanted, at) - wordAt(made, at));
    at += WORD - 1;
    last = at + 1;
  }
  return { gaps, words };
}

function wordAt(bytes: Uint8Array, at: number): number {
  // Behind the end of the file are zeros: what the applier makes there is nobody's.
  return (bytes[at]! | (bytes[at + 1] ?? 0) << 8 | (bytes[at + 2] ?? 0) << 16 |
    (bytes[at + 3] ?? 0) << 24);
}

/** The chunk as it is stored: the lengths, then the streams. */
function* storeStreams(streams: Streams): Generator<Uint8Array> {
  const head = new Bytes();
  const stored = STREAMS.map((name) => {
    const raw = streams[name];
    const packed = raw.length === 0 ? raw : compress(raw);
    head.addNumber(raw.length);
    if (raw.length > 0) head.addNumber(packed.length);
    return packed;
  });
  yield head.taken();
  yield* stored;
}

function compress(raw: Uint8Array): Uint8Array {
  const options = {
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL },
    // Not in the types. Without it the compressor makes ready for any size: a tenth of a second.
    pledgedSrcSize: raw.length,
    chunkSize: raw.length + 1024,
  };
  const packed = zstdCompressSync(raw, options);
  return packed.length < raw.length ? packed : raw;
}

/** Bytes that grow. */
class Bytes {
  #bytes = new Uint8Array(4096);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  taken(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  add(bytes: Uint8Array): void {
    this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  addNumber(value: number): void {
    this.#grow(5);
    for (; value > 127; value = Math.floor(value / 128)) {
      this.#bytes[this.#length++] = value % 128 | 128;
    }
    this.#bytes[this.#length++] = value;
  }

  addSigned(value: number): void {
    this.addNumber(value < 0 ? -value * 2 - 1 : value * 2);
  }

  addWord(value: number): void {
    this.#grow(WORD);
    for (let shift = 0; shift < 8 * WORD; shift += 8) {
      this.#bytes[this.#length++] = value >> shift & 255;
    }
  }

  #grow(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.taken());
    this.#bytes = larger;
  }
}
