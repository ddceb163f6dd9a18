/** zip archives: the member by the directory, after `checkLayout` saw that there is one way to read. */
import { crc32 } from "node:zlib";
import { inflate } from "./gzip.ts";
import { type ArchiveInput, chunksOf, type Pieces } from "./input.ts";
import {
  type ArchiveEntry,
  ArchiveError,
  type EntryVisitor,
  FOLDER,
  REGULAR_FILE,
} from "./policy.ts";
import { type DirectoryEntry, readDirectory } from "./zip_headers.ts";
import { checkLayout, type DataRange } from "./zip_layout.ts";
import { zipNames } from "./zip_names.ts";

const STORED = 0;

/** The content of the one member that `visitor` admits, after every entry has been checked. */
export function* unzip(input: ArchiveInput, visitor: EntryVisitor): Pieces {
  const directory = readDirectory(input);
  const member = directory.entries.filter((entry) => visitor.admit(describe(entry)))[0];
  const ranges = checkLayout(input, directory);
  if (member) yield* extract(input, member, ranges.get(member)!);
}

function* extract(input: ArchiveInput, member: DirectoryEntry, { start, end }: DataRange): Pieces {
  const read = member.method === STORED ? chunksOf : inflate;
  let size = 0, crc = 0;
  for (const bytes of read(input, start, end)) {
    size += bytes.length;
    if (size > member.size) break;
    crc = crc32(bytes, crc);
    yield bytes;
  }
  if (size !== member.size) throw new ArchiveError("the member is not as long as it says");
  if (crc !== member.crc) throw new ArchiveError("the member has a wrong checksum (CRC-32)");
}

function describe(entry: DirectoryEntry): ArchiveEntry {
  const { name, shadows } = zipNames(entry);
  const unix = entry.attributes >>> 16;
  return {
    name,
    shadows,
    type: typeOf(entry, name),
    size: entry.size,
    ...(unix && { mode: unix & 0o777 }),
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

function typeOf({ attributes }: DirectoryEntry, name: string): string {
  if (name.endsWith("/") || attributes & DOS_FOLDER) return FOLDER;
  return TYPES[attributes >>> 16 & 0o170000] ?? "of an unknown type";
}
