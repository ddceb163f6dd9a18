/**
 * One header of a tar archive as it stands in the file (POSIX.1-2017, pax, "ustar Interchange
 * Format"; GNU tar manual, "Basic Tar Format"). Whatever readers are known to read in more than one
 * way is refused.
 */
import { ArchiveError, FOLDER, REGULAR_FILE } from "./policy.ts";

/** Headers and content fill whole blocks. */
export const BLOCK = 512;

/** What a header says. */
export interface TarHeader {
  readonly flag: string;
  readonly name: string;
  /** Of the content, in bytes. */
  readonly size: number;
  /** The permission bits; undefined where the field is no number. */
  readonly mode: number | undefined;
}

/** By type flag, in words. A folder may also be a file with a final slash. */
export const TYPES: Readonly<Record<string, string>> = {
  "\0": REGULAR_FILE,
  "0": REGULAR_FILE,
  "1": "a hard link",
  "2": "a symbolic link",
  "3": "a device",
  "4": "a device",
  "5": FOLDER,
  "6": "a pipe",
  // Allocated in one piece; "treat as a regular file" (POSIX).
  "7": REGULAR_FILE,
};

const CHECKSUM_AT = 148, PREFIX_AT = 345, PREFIX_END = 500;
const POSIX = "ustar\x0000", GNU = "ustar  \0", OLDEST = "\0".repeat(8);

/** Throws `ArchiveError`. */
export function readTarHeader(block: Uint8Array): TarHeader {
  const size = octal(block.subarray(124, 136));
  // Sizes of 8 GiB and more are written otherwise: more than any manifest may say.
  if (size === undefined) throw new ArchiveError("it has a header without a valid size");
  const checksum = octal(block.subarray(CHECKSUM_AT, CHECKSUM_AT + 8));
  if (checksum !== sumOf(block)) throw new ArchiveError("it has a header with a wrong checksum");
  const mode = octal(block.subarray(100, 108));
  return {
    flag: String.fromCharCode(block[156]!),
    name: readName(block),
    size,
    mode: mode === undefined ? undefined : mode & 0o777,
  };
}

function readName(block: Uint8Array): string {
  const magic = String.fromCharCode(...block.subarray(257, 265));
  if (magic !== POSIX && magic !== GNU && magic !== OLDEST) {
    throw new ArchiveError("it has a header of an unknown kind of tar");
  }
  // Only POSIX has a prefix there, but some readers take it whatever the kind. Behind it stands
  // nothing, or `tar\0`: then it is one of star's, whose prefix is shorter.
  const empty = magic === POSIX ? PREFIX_END : PREFIX_AT;
  if (block.subarray(empty).some((byte) => byte !== 0)) {
    throw new ArchiveError("it has a header whose name readers put together differently");
  }
  const name = text(block.subarray(0, 100));
  const prefix = text(block.subarray(PREFIX_AT, PREFIX_END));
  return prefix ? `${prefix}/${name}` : name;
}

/** Digits, with spaces before and spaces or NUL behind; undefined for anything else. */
function octal(field: Uint8Array): number | undefined {
  const digits = String.fromCharCode(...field);
  return /^ *[0-7]+[ \0]*$/.test(digits) ? parseInt(digits, 8) : undefined;
}

/** Of all bytes, those of the checksum itself as spaces. */
function sumOf(block: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < BLOCK; at++) {
    sum += at >= CHECKSUM_AT && at < CHECKSUM_AT + 8 ? 0x20 : block[at]!;
  }
  return sum;
}

/** Up to the first NUL. */
export function text(field: Uint8Array): string {
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}
