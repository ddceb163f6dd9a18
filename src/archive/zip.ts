/** zip archives: the member by the directory, after `checkLayout` saw that there is one way to read. */
import { crc32 } from "node:zlib";
import { type ArchiveInput, chunksOf, inflate } from "./input.ts";
import {
  type ArchiveEntry,
  ArchiveError,
  type EntryVisitor,
  FOLDER,
  REGULAR_FILE,
  type Sink,
} from "./policy.ts";
import { type DirectoryEntry, readDirectory } from "./zip_headers.ts";
import { checkLayout, type DataRange } from "./zip_layout.ts";
import { unicodeName } from "./zip_names.ts";

const STORED = 0;

/** Hands over the one member that `policy` admits, after every entry has been checked. */
export async function extractZipMember(
  input: ArchiveInput,
  policy: EntryVisitor,
  sink: Sink,
): Promise<void> {
  const directory = readDirectory(input);
  const member = directory.entries.filter((entry) => policy.admit(describe(entry)))[0];
  const ranges = checkLayout(input, directory);
  if (member) await extract(input, member, ranges.get(member)!, sink);
}

async function extract(
  input: ArchiveInput,
  member: DirectoryEntry,
  { start, end }: DataRange,
  sink: Sink,
): Promise<void> {
  const read = member.method === STORED ? chunksOf : inflate;
  let size = 0, crc = 0;
  for await (const bytes of read(input, start, end)) {
    size += bytes.length;
    if (size > member.size) break;
    crc = crc32(bytes, crc);
    sink(bytes);
  }
  if (size !== member.size) throw new ArchiveError("the member is not as long as it says");
  if (crc !== member.crc) throw new ArchiveError("the member has a wrong checksum (CRC-32)");
}

function describe(entry: DirectoryEntry): ArchiveEntry {
  const own = entry.name.toString("utf8");
  const name = unicodeName(entry) ?? own;
  return {
    name,
    ...(name !== own && { shadow: own }),
    type: typeOf(entry, name),
    size: entry.size,
    ...(entry.attributes >>> 16 && { mode: entry.attributes >>> 16 & 0o777 }),
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
