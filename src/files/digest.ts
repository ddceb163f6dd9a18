/** SHA-256 of what is on the disk. Never of what went past: a stream can lose bytes silently. */
import { createHash } from "node:crypto";
import { setImmediate } from "node:timers";
import * as v from "valibot";
import { openPatiently } from "../system/patience.ts";
import type { Digest, FileInfo, FileSystem, OpenFile } from "../system/file_system.ts";

export type { Digest };

/** A digest, and the file as it was before it was read for that; undefined where it is a copy since. */
export interface Digested extends Digest {
  readonly info?: FileInfo | undefined;
}

/** A SHA-256 in lower-case hex, as our own files have it. */
export const Sha256Schema = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

/** The two fields of a `Digest`, for records that have others beside them. */
export const DIGEST_FIELDS = {
  size: v.pipe(v.number(), v.safeInteger(), v.check((size) => size >= 0)),
  sha256: Sha256Schema,
};

/** A `Digest` in a file of ours. */
export const DigestSchema = v.strictObject(DIGEST_FIELDS);

/** As fast as larger ones: the hash finds them in the processor's cache. */
const CHUNK = 256 * 1024;

/** Reads the whole file. Throws the file system's errors. */
export function digestFile(fs: FileSystem, path: string): Digest {
  const steps = digestSteps(fs, path);
  for (let step = steps.next();; step = steps.next()) {
    if (step.done) return step.value;
  }
}

/** The same, but lets downloads, progress and signals go on between chunks. */
export async function digestFileInBackground(fs: FileSystem, path: string): Promise<Digest> {
  const steps = digestSteps(fs, path);
  for (let step = steps.next();; step = steps.next()) {
    if (step.done) return step.value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The same by another thread, for what is not needed at once. */
export async function digestFileAside(fs: FileSystem, path: string): Promise<Digest> {
  return await fs.digestAside(path) ?? digestFile(fs, path);
}

/** Reads all of an open file, from where it is. */
export function digestOpen(file: OpenFile): Digest {
  const steps = stepsOf(file);
  for (let step = steps.next();; step = steps.next()) {
    if (step.done) return step.value;
  }
}

function* digestSteps(fs: FileSystem, path: string): Generator<void, Digest> {
  const file = openPatiently(fs, path, { read: true });
  try {
    return yield* stepsOf(file);
  } finally {
    file.close();
  }
}

function* stepsOf(file: OpenFile): Generator<void, Digest> {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(CHUNK);
  let size = 0;
  for (let count = file.readSync(buffer); count !== null; count = file.readSync(buffer)) {
    hash.update(buffer.subarray(0, count));
    size += count;
    yield;
  }
  return { size, sha256: hash.digest("hex") };
}

/** Compares two hex digests. Both are public: how long it takes tells nothing. */
export function sameDigest(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** Whether two files have the same content, by size and digest. */
export function sameContent(a: Digest, b: Digest): boolean {
  return a.size === b.size && sameDigest(a.sha256, b.sha256);
}
