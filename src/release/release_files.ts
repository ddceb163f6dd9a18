/** From a release's URLs to filled staged files: download, unpack, verify. */
import { basename, dirname, join } from "@std/path";
import { extractMember } from "../archive/archive.ts";
import { archiveKind } from "../archive/kinds.ts";
import { type Digest, digestFileInBackground, sameContent } from "../files/digest.ts";
import { downloadFromAny } from "../transfer/download.ts";
import { copyFile, lookAt, moveOrCopy, removeIfThere } from "../files/durable_files.ts";
import { UpdateError } from "../base/errors.ts";
import { onFile } from "../files/fs_errors.ts";
import { makeFolder } from "../installation/install_dir.ts";
import { unfinishedOf } from "../installation/names.ts";
import type { ReleaseFile } from "./manifest.ts";
import { openPatiently } from "../system/patience.ts";
import type { Session } from "../session.ts";
import type { Downloaded } from "./downloaded.ts";
import { tellMirror } from "./mirror_warning.ts";
import type { Access } from "../transfer/retry.ts";
import { discardPartial } from "../transfer/sidecar.ts";
import type { FileSystem } from "../system/system.ts";

/** An archive without a declared executable size may not grow beyond this many times its size. */
const UNPACK_FACTOR = 50;

/** The downloads of one release, each fetched once however many executables it holds. */
export class ReleaseFiles {
  readonly #downloads = new Map<string, Promise<string>>();

  constructor(
    readonly session: Session,
    readonly files: readonly ReleaseFile[],
    readonly access: Access,
    /** What was fetched beforehand. */
    readonly ready?: Downloaded,
  ) {}

  /** Removes what earlier updates began to download and this one does not want. */
  prepare(): void {
    const { system, dir } = this.session;
    makeFolder(system, dir.partial);
    const wanted = this.files.flatMap(({ sha256 }) => [`${sha256}.part`, `${sha256}.part.json`]);
    this.#removePartials((name) => !wanted.includes(name));
  }

  /** After the update: nothing is left to resume. */
  finish(): void {
    this.#removePartials(() => true);
  }

  #removePartials(which: (name: string) => boolean): void {
    const { system: { fs }, dir } = this.session;
    for (const { name } of [...fs.readDirSync(dir.partial)].filter(({ name }) => which(name))) {
      onFile("remove", join(dir.partial, name), () => removeIfThere(fs, join(dir.partial, name)));
    }
  }

  /**
   * Fills one staged file, which is there and empty. What it returns is the digest of what is on the
   * disk, verified.
   */
  async fill(file: ReleaseFile, staged: string, stop: AbortSignal): Promise<Digest> {
    const ready = await this.ready?.take(file, staged, unfinishedOf(staged));
    if (ready) {
      this.session.report({ event: "verified", file: file.target, ...ready });
      return ready;
    }
    const partial = await this.#fetch(file, stop);
    const digest = file.member === undefined
      ? await this.#place(file, partial, staged)
      : await this.#unpack(file, partial, staged).catch((error) => {
        // What was signed and is wrong all the same is not gone on with.
        if (error instanceof UpdateError && error.kind === "verification") {
          discardPartial(this.session.system.fs, partial);
        }
        throw error;
      });
    this.session.report({ event: "verified", file: file.target, ...digest });
    return digest;
  }

  #fetch(file: ReleaseFile, stop: AbortSignal): Promise<string> {
    const running = this.#downloads.get(file.sha256);
    if (running) return running;
    const { system, dir, report } = this.session;
    const partial = join(dir.partial, `${file.sha256}.part`);
    const progress = (received: number) =>
      report({ event: "download", file: basename(file.target), received, total: file.size });
    const done = downloadFromAny(file, partial, {
      system,
      ...this.access,
      signal: stop,
      progress,
      tellMirror: (failure, next) => tellMirror(report, failure, next),
    })
      .then(() => partial);
    this.#downloads.set(file.sha256, done);
    return done;
  }

  /** The download is the executable. Within one file system this is a rename. */
  async #place(file: ReleaseFile, partial: string, staged: string) {
    const { fs } = this.session.system;
    const digest = { size: file.size, sha256: file.sha256 };
    const shared = this.files.filter((other) => other.sha256 === file.sha256).length > 1;
    const copied = onFile("write", staged, () => {
      if (!shared) return moveOrCopy(fs, partial, staged, unfinishedOf(staged));
      removeIfThere(fs, staged);
      copyFile(fs, partial, staged, 0o600);
      return true;
    });
    if (copied) await this.#verify(file.target, staged, digest);
    return digest;
  }

  async #unpack(file: ReleaseFile, archive: string, staged: string): Promise<Digest> {
    const { fs } = this.session.system;
    // `selectFiles` lets no other pass.
    const kind = archiveKind(file.url)!;
    const out = openPatiently(fs, staged, { write: true, truncate: true });
    try {
      await onFile("write", staged, () =>
        extractMember(archive, kind, file.member!, out, {
          fs,
          limit: file.executable?.size ?? file.size * UNPACK_FACTOR,
        }));
    } finally {
      out.close();
    }
    const digest = await digestFileInBackground(fs, staged);
    if (file.executable) await this.#verify(file.target, staged, file.executable, digest);
    return digest;
  }

  async #verify(name: string, path: string, expected: Digest, found?: Digest): Promise<void> {
    const { fs } = this.session.system;
    const actual = found ?? await digestFileInBackground(fs, path);
    if (sameContent(actual, expected)) return;
    throw new UpdateError(
      "verification",
      `"${name}" is not what the manifest says: ${actual.size} bytes with SHA-256 ${actual.sha256} instead of ${expected.size} with ${expected.sha256}`,
      { path, hint: "Nothing was installed. Try again; if it stays so, tell the tool's authors." },
    );
  }
}

/** Refuses before the first byte if a file system cannot hold what is to come. */
export function checkSpace(
  { system: { fs }, dir }: Session,
  files: readonly { readonly file: ReleaseFile; readonly path: string }[],
): void {
  const needs = new Map<number, { folder: string; bytes: number }>();
  const need = (folder: string, bytes: number) => {
    const device = fs.statSync(folder).dev;
    const before = needs.get(device)?.bytes ?? 0;
    needs.set(device, { folder, bytes: before + bytes });
  };
  // A dry run makes no state dir: it would be on the file system of the install dir.
  const state = lookAt(fs, dir.state) ? dir.state : dir.path;
  const seen = new Set<string>();
  for (const { file, path } of files) {
    const partial = join(dir.partial, `${file.sha256}.part`);
    const folder = dirname(path);
    const fetched = lookAt(fs, partial)?.size ?? 0;
    if (!seen.has(file.sha256)) need(state, Math.max(0, file.size - fetched));
    const moved = file.member === undefined && !seen.has(file.sha256) &&
      fs.statSync(folder).dev === fs.statSync(state).dev;
    if (!moved) need(folder, file.executable?.size ?? file.size);
    seen.add(file.sha256);
  }
  for (const { folder, bytes } of needs.values()) {
    const free = freeBytes(fs, folder);
    if (free >= bytes) continue;
    throw new UpdateError(
      "filesystem",
      `Not enough space in "${folder}": the update needs ${bytes} bytes, ${free} are free`,
      { path: folder, hint: "Free some space and run again. Nothing was changed." },
    );
  }
}

/** Without end where the system cannot tell (long paths on Windows): the disk has the last word. */
function freeBytes(fs: FileSystem, folder: string): number {
  try {
    return fs.freeBytes(folder);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error; // ours: see .ci/compile.ts
    return Infinity;
  }
}
