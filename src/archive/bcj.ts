/**
 * The filters that `xz --x86` and `--arm64` put in front of LZMA2 ("The .xz File Format", 5.3.2):
 * calls name their destination by its distance; the filter made that the address, which repeats. Here
 * addresses become distances again. As in `liblzma`, whose encoder decides what is right.
 */
import { NOTHING_YET, type Pieces } from "./input.ts";

/** Which processor the code is for. */
export type Bcj = "x86" | "arm64";

/**
 * Converts in place as many bytes as can be decided on, and returns how many. `position` is that of
 * the first byte, from the beginning of the block.
 */
type Convert = (bytes: Uint8Array, position: number) => number;

const BUFFER = 64 * 1024;

/** Undoes the filter. The pieces that it is given stay as they are: the decoder still needs them. */
export function* bcjFilter(kind: Bcj, pieces: Pieces): Pieces {
  const convert = kind === "x86" ? x86() : arm64;
  const buffer = new Uint8Array(BUFFER);
  let held = 0, position = 0;
  for (const piece of pieces) {
    if (piece === NOTHING_YET) yield piece;
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + BUFFER - held);
      buffer.set(part, held);
      at += part.length;
      held += part.length;
      const done = convert(buffer.subarray(0, held), position);
      if (done > 0) yield buffer.subarray(0, done);
      buffer.copyWithin(0, done, held);
      position += done;
      held -= done;
    }
  }
  // Too short for an instruction.
  if (held > 0) yield buffer.subarray(0, held);
}

/** `BL` and `ADRP`: 26 bits of words, 21 bits of pages of which 18 are converted. */
function arm64(bytes: Uint8Array, position: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = bytes.length & ~3;
  for (let at = 0; at < end; at += 4) {
    const word = view.getUint32(at, true), here = position + at;
    if (word >>> 26 === 0x25) {
      view.setUint32(at, 0x94000000 | (word - Math.floor(here / 4)) & 0x03ffffff, true);
    } else if ((word & 0x9f000000) >>> 0 === 0x90000000) {
      const pages = (word >>> 29 & 3) | (word >>> 3 & 0x1ffffc);
      if ((pages + 0x20000) & 0x1c0000) continue;
      const distance = pages - Math.floor(here / 4096);
      const sign = distance & 0x20000 ? 0xe00000 : 0;
      const high = (distance & 0x3fffc) << 3, low = (distance & 3) << 29;
      view.setUint32(at, word & 0x9000001f | low | high | sign, true);
    }
  }
  return end;
}

/** How far the opcode before may lie for its address bytes to reach over this one. */
const REACH = 5;
/** By which of the three bytes before look like an opcode: whether this one can be one. */
const ALLOWED = [true, true, true, false, true, false, false, false];
/** By the same: the byte of the address that the one before would have. */
const BYTE_OF = [0, 1, 2, 2, 3, 3, 3, 3];

/** `CALL` and `JMP` with 32 bits, whose highest byte is 0 or 255. */
function x86(): Convert {
  // Bits of the bytes before: which could have been an opcode; 0x10: its address would be small.
  let before = 0, last = -REACH;
  const isEdge = (byte: number) => byte === 0 || byte === 0xff;
  return (bytes, position) => {
    let at = 0;
    while (at + 5 <= bytes.length) {
      if ((bytes[at]! & 0xfe) !== 0xe8) {
        at++;
        continue;
      }
      const here = position + at, gap = here - last;
      last = here;
      if (gap > REACH) before = 0;
      else for (let i = 0; i < gap; i++) before = (before & 0x77) << 1;
      const top = bytes[at + 4]!;
      if (!isEdge(top) || !ALLOWED[before >> 1 & 7] || before >> 1 >= 0x10) {
        before |= isEdge(top) ? 0x11 : 1;
        at++;
        continue;
      }
      let address = bytes[at + 1]! | bytes[at + 2]! << 8 | bytes[at + 3]! << 16 | top << 24;
      let distance: number;
      for (;;) {
        distance = address - (here + 5) | 0;
        if (before === 0) break;
        const shift = BYTE_OF[before >> 1]! * 8;
        if (!isEdge(distance >>> 24 - shift & 0xff)) break;
        address = distance ^ (2 ** (32 - shift) - 1);
      }
      bytes[at + 1] = distance;
      bytes[at + 2] = distance >> 8;
      bytes[at + 3] = distance >> 16;
      bytes[at + 4] = distance & 0x1000000 ? 0xff : 0;
      before = 0;
      at += 5;
    }
    return at;
  };
}
