/** zip archives. yauzl reads the directory; `checkLayout` sees to it that there is one way to. */
// @ts-types="@types/yauzl"
import yauzl from "yauzl";
import { crc32 } from "node:zlib";
import { type ArchiveInput, chunksOf, inflate, readAt } from "./archive_input.ts";
import {
  type ArchiveEntry,
  ArchiveError,
  FOLDER,
  type MemberPolicy,
  REGULAR_FILE,
  type Sink,
} from "./archive_policy.ts";
import { checkLayout, type DataRange } from "./archive_zip_layout.ts";
import { unicodeName } from "./archive_zip_names.ts";

const DEFLATED = 8;

/** Hands over the one member that `policy` admits, after every entry has been checked. */
export async function extractZipMember(
  input: ArchiveInput,
  policy: MemberPolicy,
  sink: Sink,
): Promise<void> {
  const zip = await yauzl.fromRandomAccessReaderPromise(new Reader(input), input.size, {
    // Names as they are: the library's decoding repairs some of what has to be refused.
    decodeStrings: false,
  });
  const entries: yauzl.Entry[] = [];
  let member: yauzl.Entry | undefined;
  for await (const entry of zip.eachEntry()) {
    entries.push(entry);
    if (policy.admit(describe(entry))) member = entry;
  }
  const ranges = await checkLayout(input, zip, entries);
  if (member) await extract(input, member, ranges.get(member)!, sink);
}

async function extract(
  input: ArchiveInput,
  { compressionMethod, uncompressedSize, crc32: expected }: yauzl.Entry,
  { start, end }: DataRange,
  sink: Sink,
): Promise<void> {
  const read = compressionMethod === DEFLATED ? inflate : chunksOf;
  let size = 0, crc = 0;
  for await (const bytes of read(input, start, end)) {
    size += bytes.length;
    if (size > uncompressedSize) break;
    crc = crc32(bytes, crc);
    sink(bytes);
  }
  if (size !== uncompressedSize) throw new ArchiveError("the member is not as long as it says");
  if (crc !== expected) throw new ArchiveError("the member has a wrong checksum (CRC-32)");
}

function describe(entry: yauzl.Entry): ArchiveEntry {
  const own = new TextDecoder().decode(entry.fileNameRaw);
  const name = unicodeName(entry.fileNameRaw, entry.extraFields) ?? own;
  return {
    name,
    ...(name !== own && { shadow: own }),
    type: typeOf(entry, name),
    size: entry.uncompressedSize,
  };
}

/** stat(2)'s file types, which Unix tools keep in the high half of the attributes. */
const TYPES: Record<number, string> = {
  0o000000: REGULAR_FILE,
  0o100000: REGULAR_FILE,
  0o040000: FOLDER,
  0o120000: "a symbolic link",
  0o020000: "a device",
  0o060000: "a device",
  0o010000: "a pipe",
};
const DOS_FOLDER = 0x10;

function typeOf({ externalFileAttributes }: yauzl.Entry, name: string): string {
  if (name.endsWith("/") || externalFileAttributes & DOS_FOLDER) return FOLDER;
  return TYPES[externalFileAttributes >>> 16 & 0o170000] ?? "of an unknown type";
}

/** Reads through our file system. */
class Reader extends yauzl.RandomAccessReader {
  constructor(readonly input: ArchiveInput) {
    super();
  }

  override read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    try {
      buffer.set(readAt(this.input, position, length), offset);
    } catch (error) {
      return callback(error as Error);
    }
    callback(null);
  }
}
