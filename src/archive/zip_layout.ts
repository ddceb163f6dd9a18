/**
 * That a zip archive is what both kinds of readers see: those that begin at the directory at the
 * end, and those that go from one local header to the next (PKWARE APPNOTE 6.3.10, 4.3).
 */
import { type ArchiveInput, readAt } from "./input.ts";
import { ArchiveError, quote as quoteName } from "./policy.ts";
import { type DirectoryEntry, readLocalHeader, type ZipHeader } from "./zip_headers.ts";
import { unicodeName } from "./zip_names.ts";

/** Where the packed data of an entry stand in the file. */
export interface DataRange {
  readonly start: number;
  readonly end: number;
}

const DESCRIPTOR = 12, DESCRIPTOR_SIGNATURE = 0x08074b50;
const ENCRYPTED = 0x1 | 0x40 | 0x2000, PATCH = 0x20, HAS_DESCRIPTOR = 0x8;
const STORED = 0, DEFLATED = 8;
const ZIP64_FIELD = 1;

/**
 * Throws `ArchiveError` unless every entry stands right behind the one before, from the first byte
 * of the file to its directory, and each local header is like its entry in the directory.
 */
export function checkLayout(
  input: ArchiveInput,
  directory: { readonly start: number; readonly entries: readonly DirectoryEntry[] },
): Map<DirectoryEntry, DataRange> {
  const ranges = new Map<DirectoryEntry, DataRange>();
  let at = 0;
  for (const entry of directory.entries.toSorted((a, b) => a.offset - b.offset)) {
    checkKind(entry);
    if (entry.offset !== at) {
      throw new ArchiveError(`there is a gap or an overlap before ${quote(entry)}`);
    }
    const { header, start } = readLocalHeader(input, at);
    checkSame(entry, header);
    const end = start + entry.packed;
    ranges.set(entry, { start, end });
    at = end + descriptorSize(input, entry, end);
    if (at > directory.start) throw new ArchiveError(`${quote(entry)} runs into the directory`);
  }
  if (at !== directory.start) {
    throw new ArchiveError("there are bytes before its directory that are no entry");
  }
  return ranges;
}

function checkKind(entry: DirectoryEntry): void {
  if (entry.flags & ENCRYPTED) throw new ArchiveError(`${quote(entry)} is encrypted`);
  if (entry.flags & PATCH) throw new ArchiveError(`${quote(entry)} is a patch`);
  if (entry.method !== STORED && entry.method !== DEFLATED) {
    throw new ArchiveError(`${quote(entry)} is packed with the unknown method ${entry.method}`);
  }
  if (entry.method === STORED && entry.packed !== entry.size) {
    throw new ArchiveError(`${quote(entry)} is not packed and has two sizes`);
  }
}

function checkSame(entry: DirectoryEntry, local: ZipHeader): void {
  for (const { extraFields } of [entry, local]) {
    // Nothing below 4 GiB needs it, and readers take its fields from different places.
    if (extraFields.some(({ id }) => id === ZIP64_FIELD)) {
      throw new ArchiveError(`${quote(entry)} is in the zip64 format, which is not supported`);
    }
  }
  const differ = (what: string): never => {
    throw new ArchiveError(`the directory and the entry ${quote(entry)} have different ${what}`);
  };
  if (!local.name.equals(entry.name)) differ("names");
  if (unicodeName(local) !== unicodeName(entry)) differ("Unicode names");
  if (local.flags !== entry.flags) differ("flags");
  if (local.method !== entry.method) differ("methods");
  // Whoever writes to a pipe does not know them yet: they follow the data.
  const later = (entry.flags & HAS_DESCRIPTOR) !== 0;
  const same = (a: number, b: number) => a === b || (later && a === 0);
  if (!same(local.crc, entry.crc)) differ("checksums");
  if (!same(local.packed, entry.packed) || !same(local.size, entry.size)) differ("sizes");
}

/** Length of the data descriptor behind the data; its signature is optional (APPNOTE 4.3.9.3). */
function descriptorSize(input: ArchiveInput, entry: DirectoryEntry, at: number): number {
  if ((entry.flags & HAS_DESCRIPTOR) === 0) return 0;
  // Shorter than the directory that follows: never beyond the end.
  const record = readAt(input, at, DESCRIPTOR + 4);
  const says = (from: number) =>
    record.readUInt32LE(from) === entry.crc && record.readUInt32LE(from + 4) === entry.packed &&
    record.readUInt32LE(from + 8) === entry.size;
  if (record.readUInt32LE(0) === DESCRIPTOR_SIGNATURE && says(4)) return DESCRIPTOR + 4;
  if (says(0)) return DESCRIPTOR;
  throw new ArchiveError(`the directory and the data descriptor of ${quote(entry)} differ`);
}

function quote({ name }: ZipHeader): string {
  return quoteName(name.toString("utf8"));
}
