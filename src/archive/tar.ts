/**
 * tar archives, read once from front to back. Extended headers (pax's, GNU's) give the next entry
 * another name or size: what they override is compared with what they say, and where two readers
 * could see different archives, it is refused (CVE-2025-62518, CVE-2021-37701).
 */
import {
  ArchiveError,
  type EntryVisitor,
  FOLDER,
  quote,
  REGULAR_FILE,
  type Sink,
} from "./policy.ts";
import { BLOCK, readTarHeader, type TarHeader, text, TYPES } from "./tar_header.ts";
import { isDecimal, readPax } from "./tar_pax.ts";

const MAX_EXTENDED = 64 * 1024;
const EXTENDED = "xgLK";
/** Said of one entry, in a header of its own. */
const OF_ONE_ENTRY = ["path", "size", "linkpath"];

/** Takes an archive in pieces of any size; keeps headers, hands on the content of the member. */
export class TarReader {
  readonly #visitor: EntryVisitor;
  readonly #sink: Sink;
  /** The header, or the content of an extended one, as far as it has come. */
  #block = new Uint8Array(BLOCK);
  #filled = 0;
  /** Bytes of content, and of padding behind it, that come before the next header. */
  #content = 0;
  #padding = 0;
  #wanted = false;
  /** Blocks of zeros: two are the end mark. */
  #zeroBlocks = 0;
  /** The extended header whose content comes next. */
  #extended: TarHeader | undefined;
  /** Kinds of extended headers before the next entry, and what they say of it. */
  #kinds = "";
  readonly #said = new Map<string, string>();

  /** `visitor` sees every entry, `sink` gets the content of the one that it admits. */
  constructor(visitor: EntryVisitor, sink: Sink) {
    this.#visitor = visitor;
    this.#sink = sink;
  }

  /** Throws `ArchiveError`, and what `sink` throws. */
  push(bytes: Uint8Array): void {
    for (let rest = bytes; rest.length > 0;) {
      if (this.#zeroBlocks === 2) return requireZeros(rest);
      if (this.#content > 0) rest = this.#takeContent(rest);
      else if (this.#padding > 0) rest = this.#skipPadding(rest);
      else rest = this.#fillBlock(rest);
    }
  }

  /** After the last piece. Throws `ArchiveError`. */
  finish(): void {
    if (this.#zeroBlocks < 2) throw new ArchiveError("it is cut off");
  }

  #takeContent(bytes: Uint8Array): Uint8Array {
    const part = bytes.subarray(0, this.#content);
    if (this.#wanted) this.#sink(part);
    this.#content -= part.length;
    return bytes.subarray(part.length);
  }

  #skipPadding(bytes: Uint8Array): Uint8Array {
    const count = Math.min(this.#padding, bytes.length);
    this.#padding -= count;
    return bytes.subarray(count);
  }

  #fillBlock(bytes: Uint8Array): Uint8Array {
    const part = bytes.subarray(0, this.#block.length - this.#filled);
    this.#block.set(part, this.#filled);
    this.#filled += part.length;
    if (this.#filled === this.#block.length) {
      this.#filled = 0;
      if (this.#extended) this.#takeExtended(this.#extended);
      else this.#takeHeader();
    }
    return bytes.subarray(part.length);
  }

  #takeHeader(): void {
    if (this.#block.every((byte) => byte === 0)) {
      if (this.#kinds) throw new ArchiveError("it ends where an entry has to follow");
      this.#zeroBlocks++;
      return;
    }
    if (this.#zeroBlocks > 0) throw new ArchiveError("it goes on behind a block of zeros");
    const header = readTarHeader(this.#block);
    if (!EXTENDED.includes(header.flag)) return this.#takeEntry(header);
    if (header.size === 0 || header.size > MAX_EXTENDED) {
      throw new ArchiveError(`it has an extended header of ${header.size} bytes`);
    }
    this.#extended = header;
    this.#block = new Uint8Array(padded(header.size));
  }

  #takeExtended({ flag, size }: TarHeader): void {
    const content = this.#block.subarray(0, size);
    this.#extended = undefined;
    this.#block = new Uint8Array(BLOCK);
    // GNU's come in any order, a comment for the whole archive before everything. Of all other
    // mixtures readers take one or another header.
    const before = this.#kinds;
    if (flag === "g" ? before !== "" : flag === "x" ? before !== "" : before.includes("x")) {
      throw new ArchiveError("it has several extended headers for one entry");
    }
    if (flag !== "g") this.#kinds += flag;
    const records = flag === "L" || flag === "K"
      ? new Map([[flag === "L" ? "path" : "linkpath", text(content)]])
      : readPax(content);
    for (const [key, value] of records) {
      const repeated = this.#said.has(key) || flag === "g";
      if (repeated && OF_ONE_ENTRY.includes(key)) {
        throw new ArchiveError(`it says the ${key} of more than one entry, or of one twice`);
      }
      if (flag !== "g") this.#said.set(key, value);
    }
  }

  #takeEntry({ flag, name: own, size, mode }: TarHeader): void {
    const name = this.#said.get("path") ?? own;
    checkOverrides(name, own, size, this.#said.get("size"));
    this.#said.clear();
    this.#kinds = "";
    const type = TYPES[flag];
    if (!type) {
      throw new ArchiveError(`it has an entry of the unknown type ${JSON.stringify(flag)}`);
    }
    const folder = type === FOLDER || (type === REGULAR_FILE && name.endsWith("/"));
    if (size > 0 && (folder || type !== REGULAR_FILE)) {
      throw new ArchiveError(`${quote(name)} is ${folder ? FOLDER : type} with content`);
    }
    this.#wanted = this.#visitor.admit({
      name,
      shadows: name === own ? [] : [own],
      type: folder ? FOLDER : type,
      size,
      mode,
    });
    this.#content = size;
    this.#padding = padded(size) - size;
  }
}

/**
 * A longer name is for names that do not fit, a size for sizes that do not fit. GNU tar, bsdtar, Go,
 * Rust and Python write them only then; .NET repeats what the header says.
 */
function checkOverrides(name: string, own: string, size: number, said: string | undefined): void {
  // deno-lint-ignore no-control-regex
  if (name !== own && /^[\u0000-\u007f]{0,100}$/.test(name)) {
    throw new ArchiveError(`it calls one entry ${quote(own)} and ${quote(name)}`);
  }
  if (said === undefined) return;
  if (!isDecimal(said)) throw new ArchiveError(`it has a size that is no number, ${quote(said)}`);
  if (Number(said) !== size) {
    throw new ArchiveError(`it gives ${quote(name)} two sizes, ${size} and ${said}`);
  }
}

function requireZeros(bytes: Uint8Array): void {
  if (bytes.some((byte) => byte !== 0)) throw new ArchiveError("it goes on behind its end mark");
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}
