/**
 * Unpacking while the download still goes on.
 *
 * Nothing of an archive is used before its digest is verified, and it is not here either: what is
 * unpacked early goes into the staged file, in a folder of ours that nobody runs anything from, and
 * counts only when the archive was found to be what the manifest says, and when then the file on the
 * disk has the size and the SHA-256 that the manifest gives for the executable. Whatever else happens
 * (an error in the archive, a download that began anew) the staged file is filled again, from the
 * verified archive. Until then an archive that is not the right one can cost no more than one that is:
 * the member's size and the total have the same bounds.
 */
import { extractMember, type GrowingFile } from "../archive/archive.ts";
import { archiveKind } from "../archive/kinds.ts";
import { type Digested, digestFileAside, sameContent } from "../files/digest.ts";
import { openPatiently } from "../system/patience.ts";
import type { System } from "../system/system.ts";
import type { ReleaseFile } from "./manifest.ts";

/** A download as a file that grows. */
export class Growth implements GrowingFile {
  #received = 0;
  #failure: Error | undefined;
  #wake = Promise.withResolvers<void>();

  constructor(readonly size: number) {}

  /** So many bytes are on the disk. Fewer than before: they are of another answer. */
  reached(received: number): void {
    if (received < this.#received) this.fail();
    this.#received = received;
    this.#wake.resolve();
  }

  /** Nothing more will come, or nothing that belongs to what came. Without effect at the end. */
  fail(): void {
    if (this.#received < this.size) this.#failure ??= new Error("the download ended or began anew");
    this.#wake.resolve();
  }

  available(): number {
    if (this.#failure) throw this.#failure;
    return this.#received;
  }

  async more(): Promise<void> {
    this.#wake = Promise.withResolvers();
    await this.#wake.promise;
  }
}

/**
 * Unpacks `archive` into `staged` as it grows. The digest of what is then on the disk, if that is the
 * right one; undefined for whatever reason else. Never rejects.
 */
export async function unpackEarly(
  { fs }: System,
  file: ReleaseFile,
  { archive, staged, growing, stop }: {
    archive: string;
    staged: string;
    growing: Growth;
    stop: AbortSignal;
  },
): Promise<Digested | undefined> {
  const { executable, member, url } = file, kind = archiveKind(url);
  if (!executable || member === undefined || !kind) return undefined;
  try {
    while (growing.available() === 0) await growing.more();
    const out = openPatiently(fs, staged, { write: true, truncate: true });
    try {
      const limit = executable.size;
      await extractMember(archive, kind, member, out, { fs, limit, growing, signal: stop });
    } finally {
      out.close();
    }
    const info = fs.lstatSync(staged);
    const digest = await digestFileAside(fs, staged);
    return sameContent(digest, executable) ? { ...digest, info } : undefined;
  } catch {
    // The ordinary way, which comes next, says what is wrong.
    return undefined;
  }
}
