/**
 * That a zip archive is what both kinds of readers see: those that begin at the directory at the
 * end, and those that go from one local header to the next (PKWARE APPNOTE 6.3.10, 4.3).
 */
// @ts-types="@types/yauzl"
import yauzl from "yauzl";
import { type ArchiveInput, readAt } from "./archive_input.ts";
import { ArchiveError } from "./archive_policy.ts";
import { unicodeName } from "./archive_zip_names.ts";

/** Where the packed data of an entry stand in the file. */
export interface DataRange {
  readonly start: number;
  readonly end: number;
}

const END_RECORD = 22, CENTRAL_HEADER = 46, DESCRIPTOR = 12;
const DESCRIPTOR_SIGNATURE = 0x08074b50;
const ENCRYPTED = 0x1 | 0x40 | 0x2000, PATCH = 0x20, HAS_DESCRIPTOR = 0x8;
const STORED = 0, DEFLATED = 8;
const ZIP64_FIELD = 1;

/**
 * Throws `ArchiveError` unless the file is: every entry right behind the one before, from the first
 * byte on, each local header like its entry in the directory; then the directory; then its end.
 */
export async function checkLayout(
  input: ArchiveInput,
  zip: yauzl.ZipFile,
  entries: readonly yauzl.Entry[],
): Promise<Map<yauzl.Entry, DataRange>> {
  const directory = checkEnd(input, zip, entries);
  const ranges = new Map<yauzl.Entry, DataRange>();
  let at = 0;
  for (const entry of inOrder(entries)) {
    checkKind(entry);
    if (entry.relativeOffsetOfLocalHeader !== at) {
      throw new ArchiveError(`there is a gap or an overlap before ${quote(entry)}`);
    }
    const local = await zip.readLocalFileHeaderPromise(entry);
    checkLocalHeader(entry, local);
    const range = { start: local.fileDataStart, end: local.fileDataStart + entry.compressedSize };
    ranges.set(entry, range);
    at = range.end + descriptorSize(input, entry, range.end);
    if (at > directory) throw new ArchiveError(`${quote(entry)} runs into the directory`);
  }
  if (at !== directory) {
    throw new ArchiveError("there are bytes before its directory that are no entry");
  }
  return ranges;
}

/** The end record, and where the directory begins that has to fill the space before it. */
function checkEnd(
  input: ArchiveInput,
  zip: yauzl.ZipFile,
  entries: readonly yauzl.Entry[],
): number {
  // The library found the record by its comment, which ends the file.
  const end = input.size - END_RECORD - zip.comment.length;
  const record = readAt(input, end, END_RECORD);
  const [disk, firstDisk, here, count] = [4, 6, 8, 10].map((at) => record.readUInt16LE(at));
  if (disk !== 0 || firstDisk !== 0 || here !== count) {
    throw new ArchiveError("it is a part of an archive in several files");
  }
  const size = record.readUInt32LE(12), start = record.readUInt32LE(16);
  const used = entries.reduce(
    (sum, { fileNameLength, extraFieldLength, fileCommentLength }) =>
      sum + CENTRAL_HEADER + fileNameLength + extraFieldLength + fileCommentLength,
    0,
  );
  if (used !== size || start + size !== end) {
    // The records of zip64 would stand there, too.
    throw new ArchiveError(
      "its directory is not what its end record says (zip64 is not supported)",
    );
  }
  return start;
}

function inOrder(entries: readonly yauzl.Entry[]): yauzl.Entry[] {
  return entries.toSorted((a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader);
}

function checkKind(entry: yauzl.Entry): void {
  const { generalPurposeBitFlag: flags, compressionMethod: method } = entry;
  if (flags & ENCRYPTED) throw new ArchiveError(`${quote(entry)} is encrypted`);
  if (flags & PATCH) throw new ArchiveError(`${quote(entry)} is a patch`);
  if (method !== STORED && method !== DEFLATED) {
    throw new ArchiveError(`${quote(entry)} is packed with the unknown method ${method}`);
  }
  refuseZip64(entry, entry.extraFields);
}

function checkLocalHeader(entry: yauzl.Entry, local: yauzl.LocalFileHeader): void {
  const differ = (what: string): never => {
    throw new ArchiveError(`the directory and the entry ${quote(entry)} have different ${what}`);
  };
  const extraFields = yauzl.parseExtraFields(local.extraField);
  refuseZip64(entry, extraFields);
  const unicode = unicodeName(local.fileName, extraFields);
  if (!local.fileName.equals(entry.fileNameRaw)) differ("names");
  if (unicode !== unicodeName(entry.fileNameRaw, entry.extraFields)) differ("Unicode names");
  if (local.generalPurposeBitFlag !== entry.generalPurposeBitFlag) differ("flags");
  if (local.compressionMethod !== entry.compressionMethod) differ("methods");
  // Whoever writes to a pipe does not know them yet: they follow the data.
  const later = (entry.generalPurposeBitFlag & HAS_DESCRIPTOR) !== 0;
  const same = (a: number, b: number) => a === b || (later && a === 0);
  if (!same(local.crc32, entry.crc32)) differ("checksums");
  if (!same(local.compressedSize, entry.compressedSize)) differ("sizes");
  if (!same(local.uncompressedSize, entry.uncompressedSize)) differ("sizes");
}

/** Length of the data descriptor behind the data; its signature is optional (APPNOTE 4.3.9.3). */
function descriptorSize(input: ArchiveInput, entry: yauzl.Entry, at: number): number {
  if ((entry.generalPurposeBitFlag & HAS_DESCRIPTOR) === 0) return 0;
  const record = readAt(input, at, DESCRIPTOR + 4);
  const says = (from: number) =>
    record.readUInt32LE(from) === entry.crc32 &&
    record.readUInt32LE(from + 4) === entry.compressedSize &&
    record.readUInt32LE(from + 8) === entry.uncompressedSize;
  if (record.readUInt32LE(0) === DESCRIPTOR_SIGNATURE && says(4)) return DESCRIPTOR + 4;
  if (says(0)) return DESCRIPTOR;
  throw new ArchiveError(`the directory and the data descriptor of ${quote(entry)} differ`);
}

/** Nothing below 4 GiB needs it, and readers take its fields from different places. */
function refuseZip64(entry: yauzl.Entry, extraFields: readonly yauzl.ExtraField[]): void {
  if (extraFields.some(({ id }) => id === ZIP64_FIELD)) {
    throw new ArchiveError(`${quote(entry)} is in the zip64 format, which is not supported`);
  }
}

function quote({ fileNameRaw }: yauzl.Entry): string {
  return JSON.stringify(fileNameRaw.toString("utf8"));
}
