/**
 * The headers of a tar archive as they stand in the file (POSIX.1-2017, pax, "ustar Interchange
 * Format"; GNU tar manual, "Basic Tar Format"). Libraries apply extended headers before anybody can
 * look; here what they override is compared with what they say: where two readers could see
 * different archives, it is refused (CVE-2025-62518, CVE-2021-37701).
 */
import { type ArchiveEntry, ArchiveError, FOLDER, REGULAR_FILE } from "./policy.ts";
import { readPax } from "./tar_pax.ts";

/** One entry. */
export interface RawEntry extends ArchiveEntry {
  /** What `modern-tar` has to call it. */
  readonly libraryType: string;
}

const BLOCK = 512;
const MAX_EXTENDED = 64 * 1024;

/** By type flag: our words and the library's. A folder may also be a file with a final slash. */
const TYPES: Record<string, readonly [string, string]> = {
  "\0": [REGULAR_FILE, "file"],
  "0": [REGULAR_FILE, "file"],
  "1": ["a hard link", "link"],
  "2": ["a symbolic link", "symlink"],
  "3": ["a device", "character-device"],
  "4": ["a device", "block-device"],
  "5": [FOLDER, "directory"],
  "6": ["a pipe", "fifo"],
  // Allocated in one piece; "treat as a regular file" (POSIX).
  "7": [REGULAR_FILE, "file"],
};
const EXTENDED = "xgLK";

/** Takes the archive's bytes in pieces of any size and keeps nothing but headers. */
export class TarHeaders {
  readonly #entries: RawEntry[] = [];
  #block = new Uint8Array(BLOCK);
  #filled = 0;
  #skip = 0;
  #ended = false;
  /** The extended header whose content comes next. */
  #extended: { readonly type: string; readonly size: number } | undefined;
  /** What extended headers say of the next entry. */
  #said = new Map<string, string>();

  /** The next entry, in order, if its header has been seen. */
  next(): RawEntry | undefined {
    return this.#entries.shift();
  }

  /** Throws `ArchiveError`. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.#ended;) {
      const skipped = Math.min(this.#skip, bytes.length - at);
      this.#skip -= skipped;
      at += skipped;
      const part = bytes.subarray(at, at + this.#block.length - this.#filled);
      if (this.#skip > 0 || part.length === 0) continue;
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === this.#block.length) this.#take(this.#block);
    }
  }

  #take(block: Uint8Array): void {
    this.#filled = 0;
    this.#block = new Uint8Array(BLOCK);
    if (this.#extended) return this.#takeExtended(block.subarray(0, this.#extended.size));
    if (block.every((byte) => byte === 0)) {
      // The library sees to it that only zeros follow.
      this.#ended = true;
      return;
    }
    const type = String.fromCharCode(block[156]!);
    const size = readSize(block);
    if (!EXTENDED.includes(type)) {
      return this.#takeEntry(type, size, readName(block), readMode(block));
    }
    if (size === 0 || size > MAX_EXTENDED) {
      throw new ArchiveError(`it has an extended header of ${size} bytes`);
    }
    this.#extended = { type, size };
    this.#block = new Uint8Array(padded(size));
  }

  #takeExtended(content: Uint8Array): void {
    const { type } = this.#extended!;
    this.#extended = undefined;
    const records = type === "L" || type === "K"
      ? new Map([[type === "L" ? "path" : "linkpath", text(content)]])
      : readPax(content);
    for (const [key, value] of records) {
      const repeated = this.#said.has(key) || type === "g";
      if (repeated && ["path", "size", "linkpath"].includes(key)) {
        throw new ArchiveError(`it says the ${key} of more than one entry, or of one twice`);
      }
      if (type !== "g") this.#said.set(key, value);
    }
  }

  #takeEntry(flag: string, size: number, own: string, mode: number | undefined): void {
    const name = this.#said.get("path") ?? own;
    checkOverrides(name, own, size, this.#said.get("size"));
    this.#said.clear();
    const [type, libraryType] = TYPES[flag] ?? [];
    if (!type || !libraryType) {
      throw new ArchiveError(`it has an entry of the unknown type ${JSON.stringify(flag)}`);
    }
    const folder = type === FOLDER || (type === REGULAR_FILE && name.endsWith("/"));
    if (size > 0 && (folder || type !== REGULAR_FILE)) {
      throw new ArchiveError(`${JSON.stringify(name)} is ${folder ? FOLDER : type} with content`);
    }
    this.#skip = padded(size);
    this.#entries.push({
      name,
      ...(name !== own && { shadow: own }),
      type: folder ? FOLDER : type,
      size,
      mode,
      libraryType: folder ? "directory" : libraryType,
    });
  }
}

/**
 * A longer name is for names that do not fit, a size for sizes that do not fit. GNU tar, bsdtar, Go,
 * Rust and Python write them only then; .NET repeats what the header says.
 */
function checkOverrides(name: string, own: string, size: number, said: string | undefined): void {
  // deno-lint-ignore no-control-regex
  if (name !== own && /^[\u0000-\u007f]{0,100}$/.test(name)) {
    throw new ArchiveError(`it calls one entry ${JSON.stringify(own)} and ${JSON.stringify(name)}`);
  }
  if (said !== undefined && Number(said) !== size) {
    throw new ArchiveError(`it gives ${JSON.stringify(name)} two sizes, ${size} and ${said}`);
  }
}

function readSize(block: Uint8Array): number {
  const field = String.fromCharCode(...block.subarray(124, 136));
  // Sizes of 8 GiB and more are written otherwise: more than any manifest may say.
  if (!/^ *[0-7]+[ \0]*$/.test(field)) {
    throw new ArchiveError("it has a header without a valid size");
  }
  return parseInt(field, 8);
}

/** The permission bits; undefined where the field is no number. */
function readMode(block: Uint8Array): number | undefined {
  const field = text(block.subarray(100, 108)).trim();
  return /^[0-7]+$/.test(field) ? parseInt(field, 8) & 0o777 : undefined;
}

/** As the header itself gives it. */
function readName(block: Uint8Array): string {
  const magic = String.fromCharCode(...block.subarray(257, 265));
  const name = text(block.subarray(0, 100));
  if (magic === "ustar\x0000") {
    const prefix = text(block.subarray(345, 500));
    return prefix ? `${prefix}/${name}` : name;
  }
  // GNU keeps times where POSIX has the prefix; the oldest form has nothing there.
  if (magic === "ustar  \0" || magic === "\0".repeat(8)) return name;
  throw new ArchiveError("it has a header of an unknown kind of tar");
}

function text(field: Uint8Array): string {
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}
