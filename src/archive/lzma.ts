/**
 * The decoder of LZMA symbols (the format as in the LZMA SDK's specification, "lzma.txt", and as
 * `xz` uses it inside of LZMA2 chunks). A range decoder reads single bits, each with a probability
 * of its own that it adapts; the bits make up literals, and matches that repeat earlier output.
 *
 * The step of the range decoder is written out in the two loops that take most of the time: a third
 * faster than calls. Its variables are unsigned 32-bit numbers, hence `>>> 0` and `Math.imul`.
 */
import { ArchiveError } from "./policy.ts";
import type { History } from "./lzma_history.ts";

/** Where in `#probabilities` each kind of bit has its own, by state and by position. */
const IS_MATCH = 0,
  IS_REP = 192,
  IS_REP0 = 204,
  IS_REP1 = 216,
  IS_REP2 = 228,
  IS_LONG_REP0 = 240,
  SLOT = 432,
  SPECIAL = 688,
  ALIGN = 804,
  LENGTH = 820,
  REP_LENGTH = 1334,
  LITERAL = 1848;
/** Inside of a length: two choices, then 16 trees for short, 16 for middle and one for long ones. */
const SHORT = 2, MIDDLE = 130, LONG = 258;
const HALF = 1024, TOP = 2 ** 24;
/** The last bytes of a chunk may be asked for by the final normalisation only. */
const SPARE = 64;

/** Decodes one chunk after the other; what they share is the state of the last one. */
export class LzmaDecoder {
  readonly #history: History;
  readonly #probabilities = new Uint16Array(LITERAL + (0x300 << 4));
  /** Range and code. */
  readonly #coder = new Uint32Array(2);
  #input = new Uint8Array();
  #at = 0;
  #state = 0;
  /** The last four distances, less one; the newest first. */
  readonly #reps = new Uint32Array(4);
  #literalContext = 0;
  #literalMask = 0;
  #positionMask = 0;

  constructor(history: History) {
    this.#history = history;
  }

  /** Takes the byte `(pb * 5 + lp) * 9 + lc`. Throws `ArchiveError`. */
  setProperties(byte: number): void {
    const lc = byte % 9, lp = Math.floor(byte / 9) % 5, pb = Math.floor(byte / 45);
    if (pb > 4 || lc + lp > 4) throw damaged();
    this.#literalContext = lc;
    this.#literalMask = (1 << lp) - 1;
    this.#positionMask = (1 << pb) - 1;
  }

  /** Forgets what was learned, not what was output. */
  reset(): void {
    this.#probabilities.fill(HALF);
    this.#state = 0;
    this.#reps.fill(0);
  }

  /**
   * Decodes `packed`, the whole input of one chunk, to exactly `size` bytes in the history. Throws
   * `ArchiveError` unless it is that, to the last byte.
   */
  decode(packed: Uint8Array, size: number): void {
    if (packed.length < 5 || packed[0] !== 0) throw damaged();
    // Reads behind the end see zeros, and the check at the end sees that they happened.
    if (this.#input.length < packed.length + SPARE) {
      this.#input = new Uint8Array(packed.length + SPARE);
    }
    this.#input.set(packed);
    this.#input.fill(0, packed.length, packed.length + SPARE);
    this.#coder[0] = 0xffffffff;
    this.#coder[1] = packed[1]! << 24 | packed[2]! << 16 | packed[3]! << 8 | packed[4]!;
    this.#at = 5;
    this.#symbols(size, packed.length);
    if (this.#at !== packed.length || this.#coder[1] !== 0) throw damaged();
  }

  #symbols(size: number, inputEnd: number): void {
    const history = this.#history, { bytes, mask } = history;
    const probs = this.#probabilities, input = this.#input, coder = this.#coder;
    const reps = this.#reps;
    const literalContext = 8 - this.#literalContext;
    const contextBits = this.#literalContext;
    const literalMask = this.#literalMask, positionMask = this.#positionMask;
    let range = coder[0]!, code = coder[1]!, at = this.#at, state = this.#state;
    let pos = history.position, left = size, rep0 = reps[0]!;
    while (left > 0) {
      if (at > inputEnd) throw damaged();
      const posState = pos & positionMask;
      let index = IS_MATCH + (state << 4) + posState;
      let prob = probs[index]!;
      let bound = Math.imul(range >>> 11, prob) >>> 0;
      if (code < bound) {
        range = bound;
        probs[index] = prob + ((2048 - prob) >> 5);
        if (range < TOP) {
          range = (range << 8) >>> 0;
          code = ((code << 8) | input[at++]!) >>> 0;
        }
        const before = bytes[(pos - 1) & mask]!;
        const base = LITERAL +
          Math.imul(0x300, ((pos & literalMask) << contextBits) + (before >> literalContext));
        let symbol = 1;
        if (state >= 7) {
          // After a match, the byte that would have continued it is a hint, bit by bit.
          let hint = bytes[(pos - rep0 - 1) & mask]!, offset = 0x100;
          do {
            hint <<= 1;
            const same = hint & offset;
            index = base + offset + same + symbol;
            prob = probs[index]!;
            bound = Math.imul(range >>> 11, prob) >>> 0;
            if (code < bound) {
              range = bound;
              probs[index] = prob + ((2048 - prob) >> 5);
              symbol <<= 1;
              offset &= ~same;
            } else {
              range = (range - bound) >>> 0;
              code = (code - bound) >>> 0;
              probs[index] = prob - (prob >> 5);
              symbol = (symbol << 1) | 1;
              offset &= same;
            }
            if (range < TOP) {
              range = (range << 8) >>> 0;
              code = ((code << 8) | input[at++]!) >>> 0;
            }
          } while (symbol < 0x100);
        } else {
          do {
            index = base + symbol;
            prob = probs[index]!;
            bound = Math.imul(range >>> 11, prob) >>> 0;
            if (code < bound) {
              range = bound;
              probs[index] = prob + ((2048 - prob) >> 5);
              symbol <<= 1;
            } else {
              range = (range - bound) >>> 0;
              code = (code - bound) >>> 0;
              probs[index] = prob - (prob >> 5);
              symbol = (symbol << 1) | 1;
            }
            if (range < TOP) {
              range = (range << 8) >>> 0;
              code = ((code << 8) | input[at++]!) >>> 0;
            }
          } while (symbol < 0x100);
        }
        bytes[pos] = symbol;
        pos = (pos + 1) & mask;
        left--;
        state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
        continue;
      }
      coder[0] = range - bound;
      coder[1] = code - bound;
      probs[index] = prob - (prob >> 5);
      this.#at = at;
      this.#normalize();
      history.position = pos;
      let length: number;
      if (this.#bit(IS_REP + state) === 0) {
        // One by one: `copyWithin` costs as much as ten of these.
        reps[3] = reps[2]!;
        reps[2] = reps[1]!;
        reps[1] = rep0;
        length = this.#length(LENGTH, posState);
        reps[0] = this.#distance(length);
        state = state < 7 ? 7 : 10;
      } else if (this.#repeated(state, posState)) {
        length = 1;
        state = state < 7 ? 9 : 11;
      } else {
        length = this.#length(REP_LENGTH, posState);
        state = state < 7 ? 8 : 11;
      }
      rep0 = reps[0]!;
      if (length > left) throw damaged();
      history.repeat(rep0 + 1, length);
      left -= length;
      pos = history.position;
      range = coder[0]!;
      code = coder[1]!;
      at = this.#at;
    }
    history.position = pos;
    this.#state = state;
    coder[0] = range;
    coder[1] = code;
    this.#at = at;
  }

  /** Puts one of the last distances in front; true if only one byte is repeated. */
  #repeated(state: number, posState: number): boolean {
    const reps = this.#reps;
    if (this.#bit(IS_REP0 + state) === 0) {
      return this.#bit(IS_LONG_REP0 + (state << 4) + posState) === 0;
    }
    const which = this.#bit(IS_REP1 + state) === 0 ? 1 : 2 + this.#bit(IS_REP2 + state);
    const distance = reps[which]!;
    if (which === 3) reps[3] = reps[2]!;
    if (which > 1) reps[2] = reps[1]!;
    reps[1] = reps[0]!;
    reps[0] = distance;
    return false;
  }

  #length(base: number, posState: number): number {
    if (this.#bit(base) === 0) return 2 + this.#tree(base + SHORT + (posState << 3), 3);
    if (this.#bit(base + 1) === 0) return 10 + this.#tree(base + MIDDLE + (posState << 3), 3);
    return 18 + this.#tree(base + LONG, 8);
  }

  /** The distance less one: a slot says its highest two bits and how many more there are. */
  #distance(length: number): number {
    const slot = this.#tree(SLOT + (Math.min(length - 2, 3) << 6), 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const high = ((2 | (slot & 1)) << bits) >>> 0;
    if (slot < 14) return high + this.#reverseTree(SPECIAL + high - slot, bits);
    const middle = this.#direct(bits - 4);
    return (high + (middle << 4) + this.#reverseTree(ALIGN, 4)) >>> 0;
  }

  #bit(index: number): number {
    const coder = this.#coder, probs = this.#probabilities;
    const prob = probs[index]!;
    const bound = Math.imul(coder[0]! >>> 11, prob) >>> 0;
    let bit = 0;
    if (coder[1]! < bound) {
      coder[0] = bound;
      probs[index] = prob + ((2048 - prob) >> 5);
    } else {
      coder[0]! -= bound;
      coder[1]! -= bound;
      probs[index] = prob - (prob >> 5);
      bit = 1;
    }
    this.#normalize();
    return bit;
  }

  #normalize(): void {
    const coder = this.#coder;
    if (coder[0]! >= TOP) return;
    coder[0]! <<= 8;
    coder[1] = (coder[1]! << 8) | this.#input[this.#at++]!;
  }

  #tree(base: number, bits: number): number {
    let symbol = 1;
    for (let i = 0; i < bits; i++) symbol = (symbol << 1) | this.#bit(base + symbol);
    return symbol - (1 << bits);
  }

  /** A tree whose lowest bit comes first. */
  #reverseTree(base: number, bits: number): number {
    let symbol = 1, value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.#bit(base + symbol);
      symbol = (symbol << 1) | bit;
      value |= bit << i;
    }
    return value;
  }

  /** Bits that are as likely to be 0 as 1. */
  #direct(count: number): number {
    const coder = this.#coder;
    let value = 0;
    for (let i = 0; i < count; i++) {
      coder[0]! >>>= 1;
      const bit = coder[1]! >= coder[0]! ? 1 : 0;
      if (bit) coder[1]! -= coder[0]!;
      value = (value << 1) | bit;
      this.#normalize();
    }
    return value;
  }
}

function damaged(): ArchiveError {
  return new ArchiveError("its compressed data are damaged (LZMA)");
}
