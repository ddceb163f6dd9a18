/**
 * Makes a patch and proves it: every patch that this returns was applied once, and made the new
 * file. For the maker of releases; the shim has no part of it.
 */
import { applyPatch } from "./apply_patch.ts";
import { encodePatch } from "./encode_patch.ts";
import { findBlocks } from "./find_blocks.ts";
import { PATCH_FORMAT } from "./format.ts";
import { type Digest, digestFile, sameContent } from "../files/digest.ts";
import { readFully, removeIfThere, writeAll } from "../files/durable_files.ts";
import { openPatiently } from "../system/patience.ts";
import type { FileSystem } from "../system/file_system.ts";

/** Above this share of the full download a patch is not worth its trouble, for either side. */
export const WORTHWHILE = 0.6;

/** Both files are held in memory, and the index holds 31-bit places. Nobody's executable is larger. */
const MAX_SOURCE = 2 ** 31 - 1;

/** What the maker needs besides the three files. */
export interface MakePatchOptions {
  readonly fs: FileSystem;
  /** Bytes of what is downloaded without a patch: the archive, or the executable itself. */
  readonly fullSize: number;
}

/** A patch, in the words of the manifest (without its URL), and what it makes. */
export interface MadePatch {
  /** Size and digest of the old file. */
  readonly from: Digest;
  /** Size and digest of the new file, as the manifest has them anyway. */
  readonly result: Digest;
  /** Of the patch itself. */
  readonly size: number;
  readonly sha256: string;
  readonly format: typeof PATCH_FORMAT;
}

/** Why there is no patch: one sentence for authors. */
export interface NoPatch {
  readonly refused: string;
}

/**
 * Makes the patch from `oldFile` to `newFile` (executables, not archives) as `outFile`, which must
 * not exist: the same bytes for the same files on every machine with the same runtime. Refused, and
 * nothing is left of it, when both files are the same or the patch is larger than 60 % of the full
 * download. Needs about 7 times the size of the files in memory, at most 750 MiB for 95 MB, and
 * works synchronously for most of its time: one process for each is how several are made at once.
 * Throws the file system's errors, and `Error` if a patch that it made does not make the new file,
 * which would be a fault of this program.
 */
export async function makePatch(
  oldFile: string,
  newFile: string,
  outFile: string,
  { fs, fullSize }: MakePatchOptions,
): Promise<MadePatch | NoPatch> {
  const from = digestFile(fs, oldFile), result = digestFile(fs, newFile);
  if (sameContent(from, result)) return { refused: "both files are the same" };
  const most = Math.floor(fullSize * WORTHWHILE);
  try {
    if (!write(fs, outFile, patchOf(fs, oldFile, newFile), most)) {
      removeIfThere(fs, outFile);
      return { refused: `it would be larger than 60 % of the full download: ${most} bytes` };
    }
    await prove(fs, oldFile, outFile, result);
    const { size, sha256 } = digestFile(fs, outFile);
    return { from, result, size, sha256, format: PATCH_FORMAT };
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) removeIfThere(fs, outFile);
    throw error;
  }
}

/** The bytes of both files are let go when the last piece was taken. */
function* patchOf(fs: FileSystem, oldFile: string, newFile: string): Generator<Uint8Array> {
  const old = readWhole(fs, oldFile), fresh = readWhole(fs, newFile);
  yield* encodePatch(old, fresh, findBlocks(old, fresh));
}

/** False, as soon as it is known, if it is more than `most` bytes. */
function write(fs: FileSystem, path: string, pieces: Iterable<Uint8Array>, most: number): boolean {
  const out = fs.openSync(path, { write: true, createNew: true });
  try {
    let size = 0;
    for (const piece of pieces) {
      size += piece.length;
      if (size > most) return false;
      writeAll(out, piece);
    }
    return true;
  } finally {
    out.close();
  }
}

function readWhole(fs: FileSystem, path: string): Uint8Array {
  const file = openPatiently(fs, path, { read: true });
  try {
    return readFully(file, MAX_SOURCE);
  } finally {
    file.close();
  }
}

/** Applies the patch as the shim does, to a file beside it that is removed again. */
async function prove(fs: FileSystem, oldFile: string, patchFile: string, result: Digest) {
  const made = `${patchFile}.result`;
  const [patch, old] = [patchFile, oldFile].map((path) => openPatiently(fs, path, { read: true }));
  try {
    const out = fs.openSync(made, { write: true, createNew: true });
    try {
      await applyPatch({ patch: patch!, old: old!, out }, { size: result.size });
    } finally {
      out.close();
    }
    if (sameContent(digestFile(fs, made), result)) return;
    throw new Error(`The patch "${patchFile}" does not make the new file: a fault of this program`);
  } finally {
    patch!.close();
    old!.close();
    removeIfThere(fs, made);
  }
}
