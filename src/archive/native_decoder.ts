/**
 * The runtime's own decoders for deflate and Zstandard, one bounded step at a time.
 *
 * As streams they are of no use here: an error in Zstandard data is thrown where nobody can catch
 * it, data that are cut off end without an error, and every piece of output is new memory (48 MiB
 * for an archive of 40, where this needs 4). `writeSync` of the handle below a stream is what the
 * runtime's synchronous functions are made of: it takes from one buffer and fills another, and says
 * how far it came. It is not documented; `tests/archive/packed_test.ts` holds it to what is
 * used here, in whichever runtime runs the tests.
 */
import { constants, createInflateRaw, createZstdDecompress } from "node:zlib";
import { ArchiveError } from "./policy.ts";

interface Handle {
  writeSync(
    flush: number,
    input: Uint8Array,
    inputOffset: number,
    inputLength: number,
    output: Uint8Array,
    outputOffset: number,
    outputLength: number,
  ): void;
  close(): void;
  /** Called for errors of deflate data, instead of an exception. */
  onerror: (message: string, errno: number) => void;
}

interface StreamWithHandle {
  readonly _handle: Handle;
  /** After a step: bytes of the output that were not filled, and of the input not taken. */
  readonly _writeState: Uint32Array;
}

const OUTPUT = 256 * 1024;
const EMPTY = new Uint8Array();

/** One decoder. Its owner disposes it. */
export class NativeDecoder {
  /** Bytes of the last input that stand behind the end of the packed data. */
  unused = 0;
  readonly #stream: StreamWithHandle;
  readonly #finish: number;
  readonly #output = new Uint8Array(OUTPUT);
  #error: Error | undefined;

  constructor(format: "deflate" | "zstd") {
    const stream: unknown = format === "zstd" ? createZstdDecompress() : createInflateRaw();
    this.#stream = stream as StreamWithHandle;
    // With it, deflate data that do not end are an error. Of Zstandard data the caller knows.
    this.#finish = format === "deflate" ? constants.Z_FINISH : 0;
    this.#stream._handle.onerror = (message, errno) => {
      this.#error = errno === constants.Z_BUF_ERROR
        ? new ArchiveError("it is cut off")
        : new Error(message);
    };
  }

  /** What the next input unpacks to, in pieces that are valid until the next is asked for. */
  *decode(input: Uint8Array, last: boolean): Generator<Uint8Array, void, void> {
    const { _handle, _writeState } = this.#stream;
    const output = this.#output;
    let left = input.length;
    for (let room = 0; room === 0;) {
      const flush = last ? this.#finish : 0;
      const at = input.length - left;
      _handle.writeSync(flush, left ? input : EMPTY, left ? at : 0, left, output, 0, OUTPUT);
      if (this.#error) throw this.#error;
      room = _writeState[0]!;
      left = _writeState[1]!;
      // The views of the output are few: one a quarter of a megabyte.
      if (room < OUTPUT) yield output.subarray(0, OUTPUT - room);
    }
    this.unused = left;
  }

  [Symbol.dispose](): void {
    this.#stream._handle.close();
  }
}
