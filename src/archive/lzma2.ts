/** LZMA2 ("The .xz File Format", 5.3.1): LZMA in chunks of at most 64 KiB, or data as they are. */
import { type ByteReader, NOTHING_YET, type Pieces } from "./input.ts";
import { LzmaDecoder } from "./lzma.ts";
import { History } from "./lzma_history.ts";
import { ArchiveError } from "./policy.ts";

/** How much of the decoder's state a chunk of LZMA starts anew; each includes the ones before. */
const NOTHING = 0, STATE = 1, PROPERTIES = 2, EVERYTHING = 3;

/** A chunk with its header; or the end mark, and what follows a block. */
const MAX_PACKED = 64 * 1024 + 256;

/** Decodes one block after the other, all with the same memory. */
export class Lzma2Decoder {
  readonly #reader: ByteReader;
  #history = new History(0);
  #lzma = new LzmaDecoder(this.#history);

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  /** One block, from where the reader stands to behind its end mark. Throws `ArchiveError`. */
  *decode(dictionary: number): Pieces {
    const reader = this.#reader;
    this.#require(dictionary);
    const history = this.#history, lzma = this.#lzma;
    let needed = EVERYTHING;
    for (;;) {
      while (!reader.isAhead(MAX_PACKED)) yield NOTHING_YET;
      const control = reader.byte();
      if (control === 0) return;
      const packed = control >= 0x80;
      const anew = packed ? control >> 5 & 3 : control === 1 ? EVERYTHING : NOTHING;
      if (!packed && control > 2) throw damaged();
      // After data as they are, properties and state of before go on; before any there are none.
      if (needed === EVERYTHING ? anew !== EVERYTHING : packed && anew < needed) throw damaged();
      if (anew === EVERYTHING) history.reset(dictionary);
      if (packed) {
        const size = ((control & 0x1f) << 16 | uint16(reader)) + 1;
        const packedSize = uint16(reader) + 1;
        if (anew >= PROPERTIES) lzma.setProperties(reader.byte());
        if (anew >= STATE) lzma.reset();
        lzma.decode(reader.take(packedSize), size);
        needed = NOTHING;
      } else {
        history.append(reader.take(uint16(reader) + 1));
        if (anew === EVERYTHING) needed = PROPERTIES;
      }
      yield* history.flush();
    }
  }

  /** A larger dictionary is a larger memory; a smaller one is the same with a nearer limit. */
  #require(dictionary: number): void {
    if (this.#history.bytes.length < dictionary || this.#history.bytes.length === 0) {
      this.#history = new History(dictionary);
      this.#lzma = new LzmaDecoder(this.#history);
    }
  }
}

function uint16(reader: ByteReader): number {
  return reader.byte() << 8 | reader.byte();
}

function damaged(): ArchiveError {
  return new ArchiveError("its compressed data are damaged (LZMA2)");
}
