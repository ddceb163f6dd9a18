/**
 * One member out of an archive, and nothing else: no name of an archive ever becomes a path.
 * Library readers settle contradictions in an archive silently (two members of a name, two sizes of a
 * member); this has to refuse them, because signer and installer could read different things.
 */
import { readTarMember } from "./archive_tar.ts";
import { readZipMember } from "./archive_zip.ts";
import { ByteSource, decompress, fileRange, withFile } from "./byte_source.ts";
import { writeAll } from "./durable_files.ts";
import { UpdateError } from "./errors.ts";
import type { FileSystem, OpenFile } from "./system.ts";

/** What can be unpacked. */
export type ArchiveKind = "tar.gz" | "tar" | "zip" | "gz";

/** Takes the bytes of the member. Throws when there are more than allowed. */
export type Sink = (bytes: Uint8Array) => void;

/** An archive that is refused; the message says why. */
export class ArchiveError extends Error {}

/** By the URL's ending, as release tools name them. */
export function archiveKind(url: string): ArchiveKind | undefined {
  const path = url.replace(/[?#].*$/s, "").toLowerCase();
  if (path.endsWith(".tar.gz") || path.endsWith(".tgz")) return "tar.gz";
  return (["tar", "zip", "gz"] as const).find((kind) => path.endsWith(`.${kind}`));
}

/** Where it is written, and how large it may get. */
export interface ExtractOptions {
  readonly fs: FileSystem;
  /** Most bytes that the member may have. */
  readonly limit: number;
}

/**
 * Writes the member named to `out` and returns its size. Memory does not grow with the archive.
 * Throws `verification` for whatever is damaged, ambiguous or outside of the rules.
 */
export async function extractMember(
  archive: string,
  kind: ArchiveKind,
  member: string,
  out: OpenFile,
  { fs, limit }: ExtractOptions,
): Promise<number> {
  let written = 0;
  const sink: Sink = (bytes) => {
    written += bytes.length;
    if (written > limit) throw new ArchiveError(`"${member}" is larger than ${limit} bytes`);
    writeAll(out, bytes);
  };
  try {
    await withFile(fs, archive, (file, size) => read(kind, file, size, member, sink));
    return written;
  } catch (error) {
    const refused = error instanceof ArchiveError || error instanceof RangeError ||
      // What the decompressor says of damaged data.
      error instanceof TypeError;
    if (!refused) throw error;
    throw new UpdateError(
      "verification",
      `Cannot unpack "${member}" from the downloaded .${kind}: ${error.message}`,
      {
        path: archive,
        hint: "Nothing was installed. The archive is not as it should be: tell the tool's authors.",
        cause: error,
      },
    );
  }
}

/** deflate packs at most 1032 times; no release needs to come near that. */
const MAX_RATIO = 100;
const FREE_BYTES = 64 * 1024 * 1024;

async function read(
  kind: ArchiveKind,
  file: OpenFile,
  size: number,
  member: string,
  sink: Sink,
): Promise<void> {
  if (kind === "zip") return await readZipMember(file, size, member, sink);
  const raw = fileRange(file, 0, size);
  if (kind === "tar") return await readTarMember(new ByteSource(raw, size), member, sink);
  const unpacked = new ByteSource(decompress(raw, "gzip"), size * MAX_RATIO + FREE_BYTES);
  if (kind === "tar.gz") return await readTarMember(unpacked, member, sink);
  for (let part = await unpacked.some(Infinity); part; part = await unpacked.some(Infinity)) {
    sink(part);
  }
}

/** Throws for a name that could lead out of a folder on any system. */
export function checkName(name: string): void {
  const unsafe = name === "" || name.startsWith("/") || name.includes("\\") ||
    /^[A-Za-z]:/.test(name) || name.includes("\0") ||
    name.split("/").some((part) => part === "..");
  if (unsafe) {
    throw new ArchiveError(`it has a member with an unsafe name, ${JSON.stringify(name)}`);
  }
}

/** Two names that one file system or another would take for the same. */
export function sameName(a: string, b: string): boolean {
  const plain = (name: string) => name.replace(/^(\.\/)+/, "").normalize("NFC").toLowerCase();
  return plain(a) === plain(b);
}
