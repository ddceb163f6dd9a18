/** A release that is published, or lies on a disk, fetched as a shim fetches it. */
import { join } from "@std/path";
import { extractMember } from "../archive/archive.ts";
import { archiveKind } from "../archive/kinds.ts";
import { onFile } from "../files/fs_errors.ts";
import { type Digest, digestFileInBackground, sameContent } from "../files/digest.ts";
import { UpdateError } from "../base/errors.ts";
import {
  type Manifest,
  type ManifestFile,
  parseManifest,
  selectFiles,
} from "../release/manifest.ts";
import { fetchSigned } from "../release/signed_document.ts";
import { downloadFromAny } from "../transfer/download.ts";
import type { FetchOptions } from "../transfer/retry.ts";
import type { PackSystem } from "./pack_system.ts";

/** A manifest, and who signed it. */
export interface PublishedRelease {
  readonly manifest: Manifest;
  /** Where it lies. */
  readonly location: string;
  /** Id of the key; null where none was asked for. */
  readonly signedBy: string | null;
}

/** Throws as the shim would. */
export async function readPublished(
  location: string,
  publicKeys: readonly string[],
  options: FetchOptions,
): Promise<PublishedRelease> {
  const { bytes, signedBy } = await fetchSigned(location, publicKeys, options);
  return { manifest: parseManifest(bytes, location), location, signedBy };
}

/** Fetches and unpacks files of a release, each download once. */
export class PublishedFiles {
  readonly #downloads = new Map<string, Promise<string>>();
  #unpacked = 0;

  constructor(
    readonly system: PackSystem,
    readonly release: PublishedRelease,
    /** A folder of its own. */
    readonly scratch: string,
    readonly options: FetchOptions,
  ) {}

  /** The files of a platform, as a shim of it sees them. Throws `usage`. */
  filesOf(triple: string) {
    return selectFiles(this.release.manifest, triple, this.release.location);
  }

  /** The path of a download. Throws as the shim would. */
  fetch(file: Pick<ManifestFile, "url" | "size" | "sha256">): Promise<string> {
    const running = this.#downloads.get(file.sha256);
    if (running) return running;
    const path = join(this.scratch, `${file.sha256}.part`);
    const done = downloadFromAny(file, path, { ...this.options, progress: () => {} })
      .then(() => path);
    this.#downloads.set(file.sha256, done);
    return done;
  }

  /** The executable, which is what the manifest says. Throws as the shim would. */
  async executable(file: ManifestFile): Promise<{ path: string; digest: Digest }> {
    const { fs } = this.system;
    if (file.member === undefined) {
      const { size, sha256 } = file;
      return { path: await this.fetch(file), digest: { size, sha256 } };
    }
    const kind = archiveKind(file.url);
    if (!kind) throw new UpdateError("usage", `No shim can unpack ${file.url}`);
    const archive = await this.fetch(file);
    const path = join(this.scratch, `${this.#unpacked++}`);
    const out = onFile(
      "write",
      path,
      () => fs.openSync(path, { write: true, createNew: true, mode: 0o600 }),
    );
    try {
      const limit = file.executable?.size ?? file.size * 50;
      await onFile(
        "write",
        path,
        () => extractMember(archive, kind, file.member!, out, { fs, limit }),
      );
    } finally {
      out.close();
    }
    const digest = await digestFileInBackground(fs, path);
    if (file.executable && !sameContent(digest, file.executable)) {
      throw new UpdateError(
        "verification",
        `"${file.member}" in ${file.url} is not what the manifest says: ${digest.size} bytes with SHA-256 ${digest.sha256} instead of ${file.executable.size} with ${file.executable.sha256}`,
        { hint: "Pack again, from the files that are published." },
      );
    }
    return { path, digest };
  }
}
