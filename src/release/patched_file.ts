/** An executable out of the installed one and a patch that was fetched and verified. */
import { type Digested, digestFileInBackground, sameContent } from "../files/digest.ts";
import { onFile } from "../files/fs_errors.ts";
import { applyPatch } from "../patch/apply_patch.ts";
import { PatchError } from "../patch/format.ts";
import { openPatiently } from "../system/patience.ts";
import type { FileSystem } from "../system/file_system.ts";
import type { PlannedPatch } from "./patches.ts";

/**
 * Fills `staged` (it exists) and returns the digest of what is on the disk, which is the promised
 * one. On any other outcome `staged` is empty again. Throws `PatchError`, `filesystem`, or the
 * signal's reason. The old file is only read.
 */
export async function makePatchedFile(
  fs: FileSystem,
  { old, result }: Pick<PlannedPatch, "old" | "result">,
  patch: string,
  staged: string,
  signal: AbortSignal,
): Promise<Digested> {
  const out = onFile(
    "write",
    staged,
    () => openPatiently(fs, staged, { write: true, truncate: true }),
  );
  try {
    await apply(fs, { old, patch, staged, out }, result.size, signal);
    const info = out.statSync();
    const found = await onFile("read", staged, () => digestFileInBackground(fs, staged));
    if (sameContent(found, result)) return { ...found, info };
    throw new PatchError(`it made ${found.size} bytes with SHA-256 ${found.sha256}`);
  } catch (error) {
    // Nothing wrong stays, and nothing that takes room from the full file.
    out.truncateSync(0);
    throw error;
  } finally {
    out.close();
  }
}

async function apply(
  fs: FileSystem,
  { old, patch, staged, out }: {
    old: string;
    patch: string;
    staged: string;
    out: ReturnType<typeof openPatiently>;
  },
  size: number,
  signal: AbortSignal,
): Promise<void> {
  const source = onFile("read", old, () => openPatiently(fs, old, { read: true }));
  try {
    const file = onFile("read", patch, () => openPatiently(fs, patch, { read: true }));
    try {
      await onFile(
        "write",
        staged,
        () => applyPatch({ patch: file, old: source, out }, { size, signal }),
      );
    } finally {
      file.close();
    }
  } finally {
    source.close();
  }
}
