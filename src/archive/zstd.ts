/**
 * Zstandard files of exactly one frame (RFC 8878). The frame's structure is walked here, block by
 * block, because the runtime's decoder is content with data that are cut off and ignores what
 * follows; it unpacks the blocks, and checks size and checksum where the frame says them.
 */
import { type ArchiveInput, ByteReader, NOTHING_YET, type Pieces } from "./input.ts";
import { NativeDecoder } from "./native_decoder.ts";
import { ArchiveError } from "./policy.ts";

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
/** Every decoder has to support this much (RFC 8878, 3.1.1.1.2); `zstd -19` needs no more. */
const MAX_WINDOW = 8 * 1024 * 1024;
const MAX_BLOCK = 128 * 1024;
/** More than the header of a block and the checksum behind the last one. */
const AROUND = 16;
const RAW = 0, RLE = 1, RESERVED = 3;

/** Unpacks the file. Throws `ArchiveError`, or the decoder's own errors. */
export function* unzstd(input: ArchiveInput): Pieces {
  const reader = new ByteReader(input);
  using decoder = new NativeDecoder("zstd");
  const { header, checksum } = readFrameHeader(reader);
  const decode = function* (bytes: Uint8Array): Pieces {
    yield* decoder.decode(bytes, false);
    if (decoder.unused > 0) throw new ArchiveError("it is damaged (Zstandard)");
  };
  yield* decode(header);
  for (let last = false; !last;) {
    while (!reader.isAhead(MAX_BLOCK + AROUND)) yield NOTHING_YET;
    const bytes = reader.take(3).slice();
    const head = bytes[0]! | bytes[1]! << 8 | bytes[2]! << 16;
    last = (head & 1) === 1;
    const type = head >> 1 & 3, length = head >> 3;
    if (type === RESERVED || length > MAX_BLOCK) {
      throw new ArchiveError("it is damaged (Zstandard)");
    }
    yield* decode(bytes);
    const content = type === RLE ? 1 : length;
    if (content > 0) yield* decode(reader.take(content));
    else if (type !== RAW) throw new ArchiveError("it is damaged (Zstandard)");
  }
  if (checksum) yield* decode(reader.take(4));
  if (reader.rest > 0) {
    throw new ArchiveError(`${reader.rest} bytes follow the end of its compressed data`);
  }
}

interface FrameHeader {
  /** As it stands in the file. */
  readonly header: Uint8Array;
  readonly checksum: boolean;
}

function readFrameHeader(reader: ByteReader): FrameHeader {
  if (reader.rest < 6 || !reader.take(4).every((byte, at) => byte === MAGIC[at])) {
    throw new ArchiveError("it is not a Zstandard file");
  }
  const descriptor = reader.byte();
  const single = (descriptor & 0x20) !== 0;
  if (descriptor & 0x08) throw new ArchiveError("its Zstandard header has unknown flags");
  if (descriptor & 0x03) {
    throw new ArchiveError("it needs a dictionary, which is not supported (Zstandard)");
  }
  const windowByte = single ? undefined : reader.byte();
  const flag = descriptor >> 6;
  const field = reader.take(flag === 0 ? Number(single) : 1 << flag).slice();
  // A single segment is held in memory as a whole.
  const window = windowByte === undefined ? contentSize(field) : windowSize(windowByte);
  if (window > MAX_WINDOW) {
    throw new ArchiveError(
      `it needs a window of ${window} bytes, and ${MAX_WINDOW} are supported (zstd -19 or lower, without --long)`,
    );
  }
  return {
    header: Uint8Array.of(
      ...MAGIC,
      descriptor,
      ...(windowByte === undefined ? [] : [windowByte]),
      ...field,
    ),
    checksum: (descriptor & 0x04) !== 0,
  };
}

function contentSize(field: Uint8Array): number {
  const value = field.reduceRight((sum, byte) => sum * 256 + byte, 0);
  return field.length === 2 ? value + 256 : value;
}

function windowSize(byte: number): number {
  const base = 2 ** (10 + (byte >> 3));
  return base + base / 8 * (byte & 7);
}
