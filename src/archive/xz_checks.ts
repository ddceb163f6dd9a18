/** The checks that an .xz stream may have over the unpacked data of each block. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { ArchiveError } from "./policy.ts";

/** Takes the data; `digest` is the check as it has to stand in the file. */
export interface BlockCheck {
  update(data: Uint8Array): void;
  digest(): Uint8Array;
}

/** By the number in the stream's header. Throws `ArchiveError` for one that is not known. */
export function blockCheck(type: number): BlockCheck {
  switch (type) {
    case 0: // `xz --check=none`: what a manifest says of the file is check enough.
      return { update() {}, digest: () => new Uint8Array() };
    case 1:
      return crc32Check();
    case 4:
      return new Crc64();
    case 10: {
      const hash = createHash("sha256");
      return { update: (data) => void hash.update(data), digest: () => hash.digest() };
    }
  }
  throw new ArchiveError(`it has an unknown kind of checksum, number ${type} (xz)`);
}

function crc32Check(): BlockCheck {
  let crc = 0;
  return {
    update: (data) => crc = crc32(data, crc),
    digest: () => Uint8Array.of(crc, crc >> 8, crc >> 16, crc >> 24),
  };
}

/** ECMA-182, reflected, as two halves. */
const POLYNOMIAL_LOW = 0xd7870f42, POLYNOMIAL_HIGH = 0xc96c5795;
/** Four bytes a step. */
const STEP = 4;

class Crc64 implements BlockCheck {
  #low = -1;
  #high = -1;

  update(data: Uint8Array): void {
    const { low: lows, high: highs } = tables();
    let low = this.#low, high = this.#high, at = 0;
    for (; at + STEP <= data.length; at += STEP) {
      const word = low ^
        (data[at]! | data[at + 1]! << 8 | data[at + 2]! << 16 | data[at + 3]! << 24);
      const a = 0x300 | word & 0xff, b = 0x200 | word >>> 8 & 0xff;
      const c = 0x100 | word >>> 16 & 0xff, d = word >>> 24;
      low = high ^ lows[a]! ^ lows[b]! ^ lows[c]! ^ lows[d]!;
      high = highs[a]! ^ highs[b]! ^ highs[c]! ^ highs[d]!;
    }
    for (; at < data.length; at++) {
      const index = (low ^ data[at]!) & 0xff;
      low = (low >>> 8 | high << 24) ^ lows[index]!;
      high = high >>> 8 ^ highs[index]!;
    }
    this.#low = low;
    this.#high = high;
  }

  digest(): Uint8Array {
    const bytes = new DataView(new ArrayBuffer(8));
    bytes.setInt32(0, ~this.#low, true);
    bytes.setInt32(4, ~this.#high, true);
    return new Uint8Array(bytes.buffer);
  }
}

let made: { readonly low: Int32Array; readonly high: Int32Array } | undefined;

/** 256 entries for each of the four bytes; the first 256 are for a byte that is the last. */
function tables() {
  if (made) return made;
  const low = new Int32Array(256 * STEP), high = new Int32Array(256 * STEP);
  for (let index = 0; index < 256; index++) {
    let a = index, b = 0;
    for (let bit = 0; bit < 8; bit++) {
      const odd = a & 1;
      a = a >>> 1 | b << 31;
      b >>>= 1;
      if (odd) {
        a ^= POLYNOMIAL_LOW;
        b ^= POLYNOMIAL_HIGH;
      }
    }
    low[index] = a;
    high[index] = b;
  }
  for (let index = 256; index < 256 * STEP; index++) {
    const a = low[index - 256]!, b = high[index - 256]!;
    low[index] = (a >>> 8 | b << 24) ^ low[a & 0xff]!;
    high[index] = b >>> 8 ^ high[a & 0xff]!;
  }
  return made = { low, high };
}
