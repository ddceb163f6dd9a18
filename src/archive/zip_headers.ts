/**
 * The two kinds of headers in a zip archive, and the record at its end (PKWARE APPNOTE 6.3.10, 4.3).
 * Of the libraries, yauzl would be a sixth of the whole program, and the small ones do not show what
 * has to be compared; the formats are three fixed records. Unpacking is the runtime's.
 */
import type { Buffer } from "node:buffer";
import { type ArchiveInput, readAt } from "./input.ts";
import { ArchiveError } from "./policy.ts";

/** What an archive says of an entry twice, in front of its data and in the directory. */
export interface ZipHeader {
  /** As it stands in the file. */
  readonly name: Buffer;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  /** Bytes in the archive. */
  readonly packed: number;
  /** Bytes unpacked. */
  readonly size: number;
  readonly extraFields: readonly ExtraField[];
}

/** A header in the directory. */
export interface DirectoryEntry extends ZipHeader {
  /** The high half may be the Unix mode. */
  readonly attributes: number;
  /** Where the local header stands. */
  readonly offset: number;
}

/** What tools add to headers (APPNOTE 4.5). */
export interface ExtraField {
  readonly id: number;
  readonly data: Buffer;
}

const END = 0x06054b50, CENTRAL = 0x02014b50, LOCAL = 0x04034b50, ZIP64_LOCATOR = 0x07064b50;
const ZIP64_LOCATOR_SIZE = 20;
const END_SIZE = 22, CENTRAL_SIZE = 46, LOCAL_SIZE = 30;
const MAX_COMMENT = 0xffff;
/** For 65,535 entries, the most that there can be, 500 bytes each. */
const MAX_DIRECTORY = 32 * 1024 * 1024;

/** The directory, which has to fill the file from `start` to the end record. */
export function readDirectory(input: ArchiveInput): { start: number; entries: DirectoryEntry[] } {
  const at = findEnd(input);
  const record = readAt(input, at, END_SIZE);
  const [disk, firstDisk, here, count] = [4, 6, 8, 10].map((at) => record.readUInt16LE(at));
  if (disk !== 0 || firstDisk !== 0 || here !== count) {
    throw new ArchiveError("it is a part of an archive in several files");
  }
  const size = record.readUInt32LE(12), start = record.readUInt32LE(16);
  // The records of zip64 would stand between the two.
  if (start + size !== at || size > MAX_DIRECTORY) {
    throw new ArchiveError("its directory does not end at its end record (or is zip64)");
  }
  const directory = readAt(input, start, size);
  const locator = size - ZIP64_LOCATOR_SIZE;
  // In the last entry's comment: some readers look there first, and find another directory.
  if (locator >= 0 && directory.readUInt32LE(locator) === ZIP64_LOCATOR) {
    throw new ArchiveError("it has more than one directory");
  }
  const entries = readEntries(directory);
  if (entries.length !== count) {
    throw new ArchiveError(`its end counts ${count} entries, its directory has ${entries.length}`);
  }
  return { start, entries };
}

/** The local header of an entry, and where its data begin. */
export function readLocalHeader(
  input: ArchiveInput,
  offset: number,
): { header: ZipHeader; start: number } {
  const fixed = readAt(input, offset, LOCAL_SIZE);
  if (fixed.readUInt32LE(0) !== LOCAL) throw new ArchiveError("an entry has no header in front");
  const nameSize = fixed.readUInt16LE(26), extraSize = fixed.readUInt16LE(28);
  const texts = readAt(input, offset + LOCAL_SIZE, nameSize + extraSize);
  return {
    header: {
      ...readFields(fixed, 6),
      name: texts.subarray(0, nameSize),
      extraFields: readExtraFields(texts.subarray(nameSize)),
    },
    start: offset + LOCAL_SIZE + texts.length,
  };
}

/**
 * The end record is followed by a comment, to the end of the file. Readers search for it in that
 * tail, some from its front and some from its back: no other may stand there, even in a comment.
 */
function findEnd(input: ArchiveInput): number {
  const tail = Math.max(0, input.size - END_SIZE - MAX_COMMENT);
  const bytes = readAt(input, tail, input.size - tail);
  let found: number | undefined, count = 0;
  for (let at = bytes.length - 4; at >= 0; at--) {
    if (bytes.readUInt32LE(at) !== END) continue;
    count++;
    const fits = at + END_SIZE <= bytes.length &&
      at + END_SIZE + bytes.readUInt16LE(at + 20) === bytes.length;
    if (fits) found = tail + at;
  }
  if (found === undefined) {
    throw new ArchiveError("it is no zip file, is cut off, or has bytes behind its end");
  }
  if (count > 1) throw new ArchiveError("it has more than one directory");
  return found;
}

function readEntries(directory: Buffer): DirectoryEntry[] {
  const entries: DirectoryEntry[] = [];
  for (let at = 0; at < directory.length;) {
    const fixed = directory.subarray(at, at + CENTRAL_SIZE);
    if (fixed.length < CENTRAL_SIZE || fixed.readUInt32LE(0) !== CENTRAL) {
      throw new ArchiveError("its directory cannot be read");
    }
    const [nameSize, extraSize, commentSize] = [28, 30, 32].map((at) => fixed.readUInt16LE(at));
    if (fixed.readUInt16LE(34) !== 0) {
      throw new ArchiveError("it is a part of an archive in several files");
    }
    const name = at + CENTRAL_SIZE, extra = name + nameSize!, comment = extra + extraSize!;
    at = comment + commentSize!;
    if (at > directory.length) throw new ArchiveError("its directory cannot be read");
    entries.push({
      ...readFields(fixed, 8),
      name: directory.subarray(name, extra),
      extraFields: readExtraFields(directory.subarray(extra, comment)),
      attributes: fixed.readUInt32LE(38),
      offset: fixed.readUInt32LE(42),
    });
  }
  return entries;
}

/** From the flags on, both headers have the same order. */
function readFields(fixed: Buffer, at: number) {
  return {
    flags: fixed.readUInt16LE(at),
    method: fixed.readUInt16LE(at + 2),
    crc: fixed.readUInt32LE(at + 8),
    packed: fixed.readUInt32LE(at + 12),
    size: fixed.readUInt32LE(at + 16),
  };
}

function readExtraFields(bytes: Buffer): ExtraField[] {
  const fields: ExtraField[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + (at + 4 <= bytes.length ? bytes.readUInt16LE(at + 2) : 0);
    if (end > bytes.length) throw new ArchiveError("an entry has an extra field that is cut off");
    fields.push({ id: bytes.readUInt16LE(at), data: bytes.subarray(at + 4, end) });
    at = end;
  }
  return fields;
}
