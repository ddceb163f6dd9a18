/**
 * One member out of an archive, and nothing else: no name in an archive ever becomes a path.
 * What readers settle silently (two members of one name, two names of one member, bytes after the
 * end) is refused here, because whoever signed a release and whoever installs it could otherwise see
 * different files.
 */
import { setImmediate } from "node:timers/promises";
import { basename } from "node:path";
import { gunzip, readGzipHeader } from "./gzip.ts";
import {
  type ArchiveInput,
  chunksOf,
  DiskError,
  isThere,
  NOTHING_YET,
  onDisk,
  type Pieces,
} from "./input.ts";
import { ARCHIVE_KINDS, type ArchiveKind, type Packing } from "./kinds.ts";
import {
  type ArchiveEntry,
  ArchiveError,
  EntryList,
  type EntryVisitor,
  MemberPolicy,
  quote,
  type Sink,
} from "./policy.ts";
import { TarReader } from "./tar.ts";
import { unxz } from "./xz.ts";
import { unzip } from "./zip.ts";
import { unzstd } from "./zstd.ts";
import { writeAll } from "../files/durable_files.ts";
import { reason, UpdateError } from "../base/errors.ts";
import { openPatiently } from "../system/patience.ts";
import type { FileSystem, OpenFile } from "../system/file_system.ts";

/** From where, and how large it may get. */
export interface ExtractOptions {
  readonly fs: FileSystem;
  /** Most bytes that the member may have. */
  readonly limit: number;
  /** Most bytes that a packed tar archive may have when unpacked, what is skipped included. */
  readonly total?: number;
  /** Where the archive still grows: its reading waits for what has not come yet. */
  readonly growing?: GrowingFile | undefined;
  /** Its reason is thrown as it is: a little archive may unpack for minutes. */
  readonly signal?: AbortSignal | undefined;
}

/** An archive that is being written. Its methods may throw, to end the reading. */
export interface GrowingFile {
  /** What it will have, in bytes. */
  readonly size: number;
  /** What is there. */
  available(): number;
  /** Resolves when there may be more. */
  more(): Promise<void>;
}

/** What a gzip header may need; and where the first entry of a tar archive is. */
const BEGINNING = 64 * 1024;

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
  { fs, limit, total = TOTAL + limit, growing, signal }: ExtractOptions,
): Promise<number> {
  const policy = new MemberPolicy(member, limit);
  const sink: Sink = (bytes) => {
    policy.count(bytes.length);
    onDisk(() => writeAll(out, bytes));
  };
  try {
    await readArchive(fs, archive, { kind, total, growing, signal }, policy, sink);
    policy.finish();
    return policy.written;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof DiskError) throw error.cause;
    throw new UpdateError(
      "verification",
      `Cannot unpack ${quote(member)} from the downloaded .${kind} file: ${describe(error)}`,
      {
        path: archive,
        hint: "Nothing was installed. The archive is not as it should be: tell the tool's authors.",
        cause: error,
      },
    );
  }
}

/**
 * Every entry of an archive, in its order; of a `.gz`, `.xz` or `.zst` the one file, with an empty
 * name where it has none. Throws `verification` where `extractMember` would refuse the archive
 * whatever the member.
 */
export async function listMembers(
  archive: string,
  kind: ArchiveKind,
  fs: FileSystem,
): Promise<readonly ArchiveEntry[]> {
  const list = new EntryList();
  try {
    await readArchive(fs, archive, { kind, total: TOTAL }, list, () => {});
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
  { kind, total, growing, signal }: Pick<ExtractOptions, "growing" | "signal"> & {
    readonly kind: ArchiveKind;
    readonly total: number;
  },
  visitor: EntryVisitor,
  sink: Sink,
): Promise<void> {
  const file = openPatiently(fs, archive, { read: true });
  try {
    const input = {
      file,
      size: growing?.size ?? file.statSync().size,
      available: growing && (() => growing.available()),
    };
    const { container, packing } = ARCHIVE_KINDS[kind];
    // A zip archive is read from its end.
    while (!isThere(input, container === "zip" ? input.size : BEGINNING)) await growing!.more();
    const takeAll = (pieces: Pieces, sink: Sink) => takePieces(pieces, sink, growing, signal);
    if (container === "zip") return await takeAll(unzip(input, visitor), sink);
    if (container === "tar") {
      const reader = new TarReader(visitor, sink);
      await takeAll(unpackTar(input, packing, total), (piece) => reader.push(piece));
      return reader.finish();
    }
    // The one file; its name, where it is said, must be the member's.
    visitor.admitOnly(packing === "gz" ? readGzipHeader(input).name : undefined);
    await takeAll(unpack(input, packing), sink);
  } finally {
    file.close();
  }
}

function unpack(input: ArchiveInput, packing: Packing): Pieces {
  switch (packing) {
    case "gz":
      return gunzip(input);
    case "xz":
      return unxz(input);
    case "zst":
      return unzstd(input);
    case "none":
      return chunksOf(input);
  }
}

/** Between the pieces, signals, progress and other downloads have their turn. */
async function takePieces(
  pieces: Pieces,
  sink: Sink,
  growing: GrowingFile | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const piece of pieces) {
    signal?.throwIfAborted();
    if (piece === NOTHING_YET) {
      await growing!.more();
      continue;
    }
    sink(piece);
    await setImmediate();
  }
}

/** Nothing packed is larger unpacked than it is allowed to be; as it is it can be no bomb. */
function unpackTar(input: ArchiveInput, packing: Packing, total: number): Pieces {
  const pieces = unpack(input, packing);
  return packing === "none" ? pieces : bounded(pieces, total);
}

function* bounded(pieces: Pieces, total: number): Pieces {
  let count = 0;
  for (const piece of pieces) {
    count += piece.length;
    if (count > total) throw new ArchiveError(`it unpacks to more than ${total} bytes`);
    yield piece;
  }
}

/** Our own sentence, or what a decoder says in words of its own. */
function describe(error: unknown): string {
  if (error instanceof ArchiveError) return error.message;
  return `it cannot be read (${reason(error).replace(/\.$/, "")})`;
}
