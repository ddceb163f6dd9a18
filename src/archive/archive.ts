/**
 * One member out of an archive, and nothing else: no name in an archive ever becomes a path.
 * A library reads tar, the runtime inflates; what readers settle silently (two members of one name,
 * two names of one member, bytes after the end) is refused here, because whoever signed a release
 * and whoever installs it could otherwise see different files.
 */
import { basename } from "@std/path";
import { type ArchiveInput, chunksOf, DiskError, gunzip, onDisk, readGzipHeader } from "./input.ts";
import {
  type ArchiveEntry,
  ArchiveError,
  EntryList,
  type EntryVisitor,
  MemberPolicy,
  type Sink,
} from "./policy.ts";
import { extractTarMember } from "./tar.ts";
import { extractZipMember } from "./zip.ts";
import { writeAll } from "../files/durable_files.ts";
import { reason, UpdateError } from "../base/errors.ts";
import { openPatiently } from "../system/patience.ts";
import type { FileSystem, OpenFile } from "../system/system.ts";

/** What can be unpacked. */
export type ArchiveKind = "tar.gz" | "tar" | "zip" | "gz";

/** By the URL's ending, as release tools name them. */
export function archiveKind(url: string): ArchiveKind | undefined {
  const path = url.replace(/[?#].*$/s, "").toLowerCase();
  if (path.endsWith(".tar.gz") || path.endsWith(".tgz")) return "tar.gz";
  return (["tar", "zip", "gz"] as const).find((kind) => path.endsWith(`.${kind}`));
}

/** From where, and how large it may get. */
export interface ExtractOptions {
  readonly fs: FileSystem;
  /** Most bytes that the member may have. */
  readonly limit: number;
  /** Most bytes that a `.tar.gz` may have when unpacked, what is skipped included. */
  readonly total?: number;
}

/** More than any release needs; a bomb ends here after some ten seconds. */
const TOTAL = 4 * 1024 ** 3;

/**
 * Writes the named member to `out`, from where that stands, and returns its size. Memory does not
 * grow with the archive. Throws `verification` for whatever is damaged, ambiguous or against the
 * rules; `out` may then hold a part. The file system's own errors pass unchanged.
 */
export async function extractMember(
  archive: string,
  kind: ArchiveKind,
  member: string,
  out: OpenFile,
  { fs, limit, total = TOTAL + limit }: ExtractOptions,
): Promise<number> {
  const policy = new MemberPolicy(member, limit);
  const sink: Sink = (bytes) => {
    policy.count(bytes.length);
    onDisk(() => writeAll(out, bytes));
  };
  try {
    await readArchive(fs, archive, kind, policy, sink, total);
    policy.finish();
    return policy.written;
  } catch (error) {
    if (error instanceof DiskError) throw error.cause;
    throw new UpdateError(
      "verification",
      `Cannot unpack "${member}" from the downloaded .${kind} file: ${describe(error)}`,
      {
        path: archive,
        hint: "Nothing was installed. The archive is not as it should be: tell the tool's authors.",
        cause: error,
      },
    );
  }
}

/**
 * Every entry of an archive, in its order; of a `.gz` the one file, with an empty name where it has
 * none. Throws `verification` where `extractMember` would refuse the archive whatever the member.
 */
export async function listMembers(
  archive: string,
  kind: ArchiveKind,
  fs: FileSystem,
): Promise<readonly ArchiveEntry[]> {
  const list = new EntryList();
  try {
    await readArchive(fs, archive, kind, list, () => {}, TOTAL);
    return list.entries;
  } catch (error) {
    if (error instanceof DiskError) throw error.cause;
    throw new UpdateError(
      "verification",
      `Cannot read the .${kind} file "${basename(archive)}": ${describe(error)}`,
      { path: archive, cause: error },
    );
  }
}

async function readArchive(
  fs: FileSystem,
  archive: string,
  kind: ArchiveKind,
  visitor: EntryVisitor,
  sink: Sink,
  total: number,
): Promise<void> {
  const file = openPatiently(fs, archive, { read: true });
  try {
    const input = { file, size: file.statSync().size };
    if (kind === "zip") await extractZipMember(input, visitor, sink);
    else if (kind === "gz") await extractGzipMember(input, visitor, sink);
    else if (kind === "tar") await extractTarMember(chunksOf(input), visitor, sink);
    else await extractTarMember(bounded(gunzip(input), total), visitor, sink);
  } finally {
    file.close();
  }
}

/** The one file of a `.gz`; its name, where it is said at all, must be the member's. */
async function extractGzipMember(
  input: ArchiveInput,
  policy: EntryVisitor,
  sink: Sink,
): Promise<void> {
  const { name } = readGzipHeader(input);
  policy.admitOnly(name);
  for await (const bytes of gunzip(input)) sink(bytes);
}

async function* bounded(chunks: AsyncIterable<Uint8Array>, total: number) {
  let count = 0;
  for await (const bytes of chunks) {
    count += bytes.length;
    if (count > total) throw new ArchiveError(`it unpacks to more than ${total} bytes`);
    yield bytes;
  }
}

/** Our own sentence, or what the library says in words of its own. */
function describe(error: unknown): string {
  if (error instanceof ArchiveError) return error.message;
  return `it cannot be read (${reason(error).replace(/\.$/, "")})`;
}
