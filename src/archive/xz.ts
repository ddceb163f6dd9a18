/**
 * .xz files of exactly one stream ("The .xz File Format", version 1.2.1): the headers, the index at
 * the end, and every check in them. More streams, or padding behind one, are one file to some
 * readers and a second one to others; the usual programs do not write them.
 */
import { crc32 } from "node:zlib";
import { type Bcj, bcjFilter } from "./bcj.ts";
import { type ArchiveInput, ByteReader, NOTHING_YET, type Pieces } from "./input.ts";
import { Lzma2Decoder } from "./lzma2.ts";
import { ArchiveError } from "./policy.ts";
import { blockCheck } from "./xz_checks.ts";

const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], FOOTER_MAGIC = [0x59, 0x5a];
const LZMA2 = 0x21;
/** What `xz -9` uses, and cargo-dist with it. Memory is taken only as far as it is filled. */
const MAX_DICTIONARY = 64 * 1024 * 1024;
/** A block is a mebibyte at the least where programs make several, for as many threads. */
const MAX_BLOCKS = 16 * 1024;

const MAX_BLOCK_HEADER = 1024;

/** What the index has to repeat of a block. */
interface BlockSizes {
  readonly unpadded: number;
  readonly unpacked: number;
}

/** Unpacks the file. Throws `ArchiveError`. */
export function* unxz(input: ArchiveInput): Pieces {
  const reader = new ByteReader(input);
  const flags = readStreamHeader(reader);
  const decoder = new Lzma2Decoder(reader);
  const blocks: BlockSizes[] = [];
  for (;;) {
    while (!reader.isAhead(MAX_BLOCK_HEADER)) yield NOTHING_YET;
    const start = reader.position, head = reader.byte();
    if (head === 0) break;
    if (blocks.length === MAX_BLOCKS) throw new ArchiveError("it has too many blocks (xz)");
    blocks.push(yield* unpackBlock(reader, decoder, { start, head, checkType: flags[1]! }));
  }
  while (!reader.isAhead(reader.rest)) yield NOTHING_YET;
  const indexSize = readIndex(reader, blocks);
  readFooter(reader, flags, indexSize);
  if (reader.rest > 0) {
    throw new ArchiveError(`${reader.rest} bytes follow the end of its compressed data`);
  }
}

function readStreamHeader(reader: ByteReader): Uint8Array {
  if (reader.rest < 12 || !reader.take(6).every((byte, at) => byte === MAGIC[at])) {
    throw new ArchiveError("it is not an xz file");
  }
  const flags = reader.take(2).slice();
  requireCrc(reader, crc32(flags));
  if (flags[0] !== 0 || flags[1]! > 15) throw new ArchiveError("its xz header has unknown flags");
  return flags;
}

interface BlockHead {
  /** Where the block begins. */
  readonly start: number;
  /** Its first byte: the length of its header. */
  readonly head: number;
  /** Of the stream. */
  readonly checkType: number;
}

function* unpackBlock(
  reader: ByteReader,
  decoder: Lzma2Decoder,
  { start, head, checkType }: BlockHead,
): Generator<Uint8Array, BlockSizes, void> {
  const { packed, unpacked, dictionary, bcj } = readBlockHeader(reader, head);
  const check = blockCheck(checkType);
  const dataStart = reader.position;
  const data = decoder.decode(dictionary);
  let size = 0;
  for (const piece of bcj ? bcjFilter(bcj, data) : data) {
    check.update(piece);
    size += piece.length;
    yield piece;
  }
  const dataSize = reader.position - dataStart;
  if (packed !== undefined && packed !== dataSize || unpacked !== undefined && unpacked !== size) {
    throw new ArchiveError("a block has another size than it says (xz)");
  }
  requireZeros(reader, -dataSize & 3);
  const expected = check.digest();
  const found = reader.take(expected.length);
  if (!found.every((byte, at) => byte === expected[at])) {
    throw new ArchiveError("it has a wrong checksum (xz)");
  }
  return { unpadded: reader.position - start - (-dataSize & 3), unpacked: size };
}

interface BlockHeader {
  readonly packed: number | undefined;
  readonly unpacked: number | undefined;
  readonly dictionary: number;
  readonly bcj: Bcj | undefined;
}

function readBlockHeader(reader: ByteReader, head: number): BlockHeader {
  const header = Uint8Array.of(head, ...reader.take(head * 4 - 1));
  requireCrc(reader, crc32(header));
  const fields = new Fields(header, 1);
  const flags = fields.byte();
  if (flags & 0x3c) throw new ArchiveError("its xz header has unknown flags");
  const packed = flags & 0x40 ? fields.number() : undefined;
  const unpacked = flags & 0x80 ? fields.number() : undefined;
  let bcj: Bcj | undefined;
  for (let left = flags & 3; left > 0; left--) bcj = readBcj(fields, bcj);
  if (fields.number() !== LZMA2 || fields.number() !== 1) throw unknownFilter();
  const dictionary = dictionarySize(fields.byte());
  while (!fields.atEnd) if (fields.byte() !== 0) throw damaged();
  return { packed, unpacked, dictionary, bcj };
}

function readBcj(fields: Fields, before: Bcj | undefined): Bcj {
  const id = fields.number();
  // A start offset is never written by the usual programs.
  if (before !== undefined || fields.number() !== 0) throw unknownFilter();
  if (id === 0x04) return "x86";
  if (id === 0x0a) return "arm64";
  throw unknownFilter();
}

function dictionarySize(byte: number): number {
  if (byte > 40) throw damaged();
  const size = byte === 40 ? 2 ** 32 - 1 : (2 | byte & 1) * 2 ** ((byte >> 1) + 11);
  if (size <= MAX_DICTIONARY) return size;
  throw new ArchiveError(
    `it needs a dictionary of ${size} bytes, and ${MAX_DICTIONARY} are supported (xz -9)`,
  );
}

/** Compares the index with what was read; returns its size. */
function readIndex(reader: ByteReader, blocks: readonly BlockSizes[]): number {
  // The first byte, zero, told it from a block.
  const fields: number[] = [0];
  const number = () => readNumber(() => (fields.push(reader.byte()), fields.at(-1)!));
  const differs = () => new ArchiveError("its index is not what it holds (xz)");
  if (number() !== blocks.length) throw differs();
  for (const { unpadded, unpacked } of blocks) {
    if (number() !== unpadded || number() !== unpacked) throw differs();
  }
  while (fields.length % 4 !== 0) {
    fields.push(reader.byte());
    if (fields.at(-1) !== 0) throw damaged();
  }
  requireCrc(reader, crc32(Uint8Array.from(fields)));
  return fields.length + 4;
}

function readFooter(reader: ByteReader, flags: Uint8Array, indexSize: number): void {
  const footer = reader.take(12).slice();
  const view = new DataView(footer.buffer);
  const right = view.getUint32(0, true) === crc32(footer.subarray(4, 10)) &&
    (view.getUint32(4, true) + 1) * 4 === indexSize &&
    footer[8] === flags[0] && footer[9] === flags[1] &&
    footer[10] === FOOTER_MAGIC[0] && footer[11] === FOOTER_MAGIC[1];
  if (!right) throw damaged();
}

/** The fields of a block header. */
class Fields {
  constructor(readonly bytes: Uint8Array, public at: number) {}

  get atEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  byte(): number {
    if (this.atEnd) throw damaged();
    return this.bytes[this.at++]!;
  }

  number(): number {
    return readNumber(() => this.byte());
  }
}

/** Seven bits a byte, the lowest first; one way only to write each number. */
function readNumber(next: () => number): number {
  let value = 0, factor = 1;
  for (let bytes = 1; bytes <= 9; bytes++) {
    const byte = next();
    value += (byte & 0x7f) * factor;
    factor *= 128;
    if (byte < 0x80) {
      if ((byte === 0 && bytes > 1) || !Number.isSafeInteger(value)) break;
      return value;
    }
  }
  throw damaged();
}

function requireCrc(reader: ByteReader, crc: number): void {
  const [a, b, c, d] = reader.take(4);
  if ((a! | b! << 8 | c! << 16 | d! << 24) >>> 0 !== crc) {
    throw new ArchiveError("it has a wrong checksum (xz header)");
  }
}

function requireZeros(reader: ByteReader, count: number): void {
  if (reader.take(count).some((byte) => byte !== 0)) throw damaged();
}

function unknownFilter(): ArchiveError {
  return new ArchiveError("it uses a filter that is not supported (xz)");
}

function damaged(): ArchiveError {
  return new ArchiveError("it is damaged (xz)");
}
