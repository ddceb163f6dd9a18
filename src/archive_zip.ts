/** zip (PKWARE APPNOTE 6.3.10). Both directories of an archive have to say the same. */
import { crc32 } from "node:zlib";
import { ArchiveError, checkName, sameName, type Sink } from "./archive.ts";
import { ByteSource, decompress, fileRange } from "./byte_source.ts";
import type { OpenFile } from "./system.ts";

const MAX_ENTRIES = 65_534;
const MAX_DIRECTORY = 32 * 1024 * 1024;
const END_SIZE = 22, CENTRAL_SIZE = 46, LOCAL_SIZE = 30;
const ENCRYPTED = 0x41, HAS_DESCRIPTOR = 0x8;
const STORED = 0, DEFLATED = 8;

interface Entry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
  /** File type by the Unix mode; 0: not said. */
  readonly type: number;
}

/** Hands over the one regular file of that name. */
export async function readZipMember(
  file: OpenFile,
  size: number,
  member: string,
  sink: Sink,
): Promise<void> {
  const directory = readEnd(file, size);
  const entries = readDirectory(file, directory);
  const likely = entries.filter(({ name }) => sameName(name, member));
  if (likely.length > 1) throw new ArchiveError(`it has two members named like "${member}"`);
  const entry = likely[0];
  if (!entry) throw new ArchiveError(`it has no member "${member}"`);
  if (entry.name !== member) {
    throw new ArchiveError(`it has "${entry.name}" instead of "${member}"`);
  }
  checkEntry(entry);
  const start = checkLayout(file, entries, directory.start, entry);
  let written = 0, crc = 0;
  const packed = fileRange(file, start, entry.packed);
  const data = entry.method === STORED ? packed : decompress(packed, "deflate-raw");
  const source = new ByteSource(data, entry.size);
  for (let part = await source.some(Infinity); part; part = await source.some(Infinity)) {
    crc = crc32(part, crc);
    written += part.length;
    sink(part);
  }
  if (written !== entry.size) throw new ArchiveError(`"${member}" is not as long as it says`);
  if (crc !== entry.crc) throw new ArchiveError(`"${member}" has a wrong checksum (CRC-32)`);
}

/** The end record must be the very end: behind it or in a comment another one could hide. */
function readEnd(file: OpenFile, size: number): { start: number; length: number; count: number } {
  if (size < END_SIZE) throw new ArchiveError("it is no zip file, or cut off");
  const end = readAt(file, size - END_SIZE, END_SIZE);
  if (end.getUint32(0, true) !== 0x06054b50 || end.getUint16(20, true) !== 0) {
    throw new ArchiveError(
      "it does not end with its directory (cut off, or something is appended)",
    );
  }
  const [disk, first, here, count] = [4, 6, 8, 10].map((at) => end.getUint16(at, true));
  if (disk !== 0 || first !== 0 || here !== count) throw new ArchiveError("it is in several parts");
  const length = end.getUint32(12, true), start = end.getUint32(16, true);
  if (count! > MAX_ENTRIES || length === 0xffffffff || start === 0xffffffff) {
    throw new ArchiveError("it is a zip64 archive, which no executable below 4 GiB needs");
  }
  if (start + length !== size - END_SIZE || length > MAX_DIRECTORY) {
    throw new ArchiveError("its directory is not where it should be");
  }
  return { start, length, count: count! };
}

function readDirectory(
  file: OpenFile,
  { start, length, count }: { start: number; length: number; count: number },
): Entry[] {
  const view = readAt(file, start, length);
  const entries: Entry[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (view.getUint32(at, true) !== 0x02014b50) throw new ArchiveError("its directory is damaged");
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((plus) =>
      view.getUint16(at + plus, true)
    ) as [number, number, number];
    const name = decodeName(view, at + CENTRAL_SIZE, nameLength);
    checkName(name);
    const madeByUnix = view.getUint8(at + 5) === 3;
    entries.push({
      name,
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
      type: madeByUnix ? view.getUint16(at + 40, true) & 0o170000 : 0,
    });
    at += CENTRAL_SIZE + nameLength + extraLength + commentLength;
  }
  if (at !== length) throw new ArchiveError("its directory has another length than it says");
  return entries;
}

function decodeName(view: DataView, at: number, length: number): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, length);
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

function checkEntry({ name, flags, method, packed, size, type }: Entry): void {
  const REGULAR = 0o100000;
  if (type !== 0 && type !== REGULAR || name.endsWith("/")) {
    throw new ArchiveError(`"${name}" is not a regular file in it`);
  }
  if (flags & ENCRYPTED) throw new ArchiveError(`"${name}" is encrypted`);
  if (method !== STORED && method !== DEFLATED) {
    throw new ArchiveError(`"${name}" is packed by a method that is not known (${method})`);
  }
  if (packed === 0xffffffff || size === 0xffffffff) throw new ArchiveError(`"${name}" is zip64`);
  if (method === STORED && packed !== size) throw new ArchiveError(`"${name}" has two sizes`);
}

/** No two members share bytes, none reaches into the directory. Returns where the data begins. */
function checkLayout(
  file: OpenFile,
  entries: readonly Entry[],
  directory: number,
  wanted: Entry,
): number {
  let end = 0, start = 0;
  for (const entry of entries.toSorted((a, b) => a.offset - b.offset)) {
    if (entry.offset < end) throw new ArchiveError("members of it overlap");
    if (end === 0 && entry.offset !== 0) {
      throw new ArchiveError("something precedes its first member");
    }
    const data = readLocal(file, entry, directory);
    end = data + entry.packed;
    if (end > directory) throw new ArchiveError("a member of it reaches into the directory");
    if (entry === wanted) start = data;
  }
  return start;
}

/** The header beside the data has to agree with the directory. Returns where the data begins. */
function readLocal(file: OpenFile, entry: Entry, directory: number): number {
  if (entry.offset + LOCAL_SIZE > directory) throw new ArchiveError("a member of it is missing");
  const view = readAt(file, entry.offset, LOCAL_SIZE);
  if (view.getUint32(0, true) !== 0x04034b50) throw new ArchiveError("a member of it is missing");
  const [flags, method] = [6, 8].map((at) => view.getUint16(at, true)) as [number, number];
  const [crc, packed, size] = [14, 18, 22].map((at) => view.getUint32(at, true));
  const nameLength = view.getUint16(26, true), extraLength = view.getUint16(28, true);
  const name = decodeName(readAt(file, entry.offset + LOCAL_SIZE, nameLength), 0, nameLength);
  // Sizes written behind the data are zero here.
  const later = (flags & HAS_DESCRIPTOR) !== 0;
  const fits = (local: number | undefined, central: number) =>
    local === central || (later && local === 0);
  if (
    name !== entry.name || flags !== entry.flags || method !== entry.method ||
    !fits(crc, entry.crc) || !fits(packed, entry.packed) || !fits(size, entry.size)
  ) throw new ArchiveError(`it says two things about "${entry.name}"`);
  return entry.offset + LOCAL_SIZE + nameLength + extraLength;
}

function readAt(file: OpenFile, offset: number, length: number): DataView {
  const bytes = new Uint8Array(length);
  file.seekSync(offset, 0);
  for (let at = 0; at < length;) {
    const count = file.readSync(bytes.subarray(at));
    if (count === null) throw new ArchiveError("it is cut off");
    at += count;
  }
  return new DataView(bytes.buffer);
}
