/** The last output of an LZMA decoder, which later matches repeat. */
import { ArchiveError } from "./policy.ts";

/** One chunk of LZMA2 may have that many bytes; they have to fit besides nothing else. */
const MAX_CHUNK = 2 * 1024 * 1024;
/** For shorter ones a loop is faster. */
const LONG = 32;

/**
 * A ring of bytes, a power of two in length. The decoder writes to `bytes` at `position` itself and
 * calls `flush` after each chunk. The ring is zeroed memory that the system gives only where it is
 * touched: a large dictionary costs no more than what is unpacked.
 */
export class History {
  readonly bytes: Uint8Array;
  /** Turns a position into an index of `bytes`. */
  readonly mask: number;
  /** Index of the next byte. */
  position = 0;
  #dictionary = 0;
  #flushed = 0;
  /** Bytes since the last reset that are flushed: no match reaches behind them. */
  #known = 0;

  constructor(dictionary: number) {
    this.bytes = new Uint8Array(dictionary === 0 ? 0 : ringSize(dictionary));
    this.mask = this.bytes.length - 1;
  }

  /** Forgets everything. Matches may reach back `dictionary` bytes from now on. */
  reset(dictionary: number): void {
    this.#dictionary = dictionary;
    this.position = 0;
    this.#flushed = 0;
    this.#known = 0;
    // What counts as the byte before the first.
    this.bytes[this.mask] = 0;
  }

  /** Output that is no match. */
  append(data: Uint8Array): void {
    const first = data.subarray(0, this.bytes.length - this.position);
    this.bytes.set(first, this.position);
    this.bytes.set(data.subarray(first.length), 0);
    this.position = (this.position + data.length) & this.mask;
  }

  /**
   * Outputs `length` bytes that stand `distance` bytes before. Throws `ArchiveError` where there are
   * none.
   */
  repeat(distance: number, length: number): void {
    const { bytes, mask } = this;
    let to = this.position;
    if (!this.reaches(distance)) {
      throw new ArchiveError("its compressed data are damaged (LZMA)");
    }
    let from = (to - distance) & mask;
    if (length > LONG && distance >= length && Math.max(from, to) + length <= mask) {
      bytes.copyWithin(to, from, from + length);
      this.position = to + length;
      return;
    }
    for (let left = length; left > 0; left--) {
      bytes[to] = bytes[from]!;
      to = (to + 1) & mask;
      from = (from + 1) & mask;
    }
    this.position = to;
  }

  /** Whether there is a byte that far back. */
  reaches(distance: number): boolean {
    const pending = (this.position - this.#flushed) & this.mask;
    return distance <= this.#known + pending && distance <= this.#dictionary;
  }

  /** What was output since the last call, in one or two pieces. */
  *flush(): Generator<Uint8Array, void, void> {
    const start = this.#flushed, end = this.position;
    this.#flushed = end;
    this.#known += (end - start) & this.mask;
    if (start < end) yield this.bytes.subarray(start, end);
    else {
      yield this.bytes.subarray(start);
      if (end > 0) yield this.bytes.subarray(0, end);
    }
  }
}

/** More than a chunk, so that what was not flushed yet is never overwritten. */
function ringSize(dictionary: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(dictionary, MAX_CHUNK + 1)));
}
