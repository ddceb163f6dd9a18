/** From a release's URLs to filled staged files: download, unpack, verify. */
import { basename, join } from "node:path";
import { extractMember } from "../archive/archive.ts";
import { archiveKind } from "../archive/kinds.ts";
import {
  type Digest,
  type Digested,
  digestFileInBackground,
  sameContent,
} from "../files/digest.ts";
import { downloadFromAny, type MirroredFile } from "../transfer/download.ts";
import { Growth, unpackEarly } from "./early_unpack.ts";
import { copyFile, moveOrCopy, removeIfThere } from "../files/durable_files.ts";
import { reason, UpdateError } from "../base/errors.ts";
import { onFile } from "../files/fs_errors.ts";
import { makeFolder } from "../installation/install_dir.ts";
import { unfinishedOf } from "../installation/names.ts";
import type { ReleaseFile, ReleasePatch } from "./manifest.ts";
import { makePatchedFile } from "./patched_file.ts";
import { partialPath, type Patches, refusedPath } from "./patches.ts";
import { checkSpace } from "./space.ts";
import { PatchError } from "../patch/format.ts";
import { openPatiently } from "../system/patience.ts";
import type { Session } from "../session.ts";
import type { FileInfo } from "../system/file_system.ts";
import type { Downloaded } from "./downloaded.ts";
import { tellMirror } from "./mirror_warning.ts";
import type { Access } from "../transfer/retry.ts";
import { discardPartial } from "../transfer/sidecar.ts";

/** An archive without a declared executable size may not grow beyond this many times its size. */
const UNPACK_FACTOR = 50;

/** What was fetched: verified, and the file as it was then. */
interface Fetched {
  readonly partial: string;
  readonly info: FileInfo | undefined;
}

/** The downloads of one release, each fetched once however many executables it holds. */
export class ReleaseFiles {
  readonly #growing = new Map<string, Growth>();
  #turn: Promise<unknown> = Promise.resolve();
  readonly #downloads = new Map<string, Promise<Fetched>>();
  /** The patch that is being applied. */
  #applied: Promise<unknown> = Promise.resolve();

  constructor(
    readonly session: Session,
    readonly files: readonly ReleaseFile[],
    readonly access: Access,
    /** What was fetched beforehand. */
    readonly ready?: Downloaded,
    /** What is made out of what is installed. */
    readonly patches: Patches = new Map(),
  ) {}

  /** Removes what earlier updates began to download and this one does not want. */
  prepare(): void {
    const { system, dir } = this.session;
    makeFolder(system, dir.partial);
    const wanted = this.files.flatMap((file) => [file, ...file.patches]).flatMap((source) => {
      const partial = partialPath(this.session, source);
      return [partial, `${partial}.json`, refusedPath(this.session, source)];
    });
    this.#removePartials((name) => !wanted.includes(join(dir.partial, name)));
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
  async fill(file: ReleaseFile, staged: string, stop: AbortSignal): Promise<Digested> {
    const digested = await this.ready?.take(file, staged, unfinishedOf(staged)) ??
      await this.#patch(file, staged, stop) ?? await this.#whole(file, staged, stop);
    const { size, sha256 } = digested;
    this.session.report({ event: "verified", file: file.target, size, sha256 });
    return digested;
  }

  /** Undefined where no patch is to be used, or it is not as it should be: then `staged` is empty. */
  async #patch(
    file: ReleaseFile,
    staged: string,
    stop: AbortSignal,
  ): Promise<Digested | undefined> {
    const planned = this.patches.get(file);
    if (!planned) return undefined;
    const { system: { fs } } = this.session;
    try {
      const { partial } = await this.#fetch(planned.patch, file, stop);
      // One after the other: each takes some memory.
      const made = this.#applied.then(() => makePatchedFile(fs, planned, partial, staged, stop));
      this.#applied = made.catch(() => {});
      const digest = await made;
      // Not left to the end: recovery finishes an update without us. Two executables may share one.
      const sharing = [...this.patches.values()].filter(({ patch }) =>
        patch.sha256 === planned.patch.sha256
      );
      if (sharing.length === 1) discardPartial(fs, partial);
      return digest;
    } catch (error) {
      stop.throwIfAborted();
      this.#refuse(file, planned.patch, error);
      checkSpace(this.session, [{ file, path: staged }]);
      return undefined;
    }
  }

  /** Said in the log only. What was wrong, and not merely out of reach, is not tried again. */
  #refuse({ target }: ReleaseFile, patch: ReleasePatch, error: unknown): void {
    const { system: { fs }, report } = this.session;
    report({ event: "patch-refused", file: target, reason: reason(error) });
    const wrong = error instanceof PatchError ||
      error instanceof UpdateError && error.kind === "verification";
    if (!wrong) return;
    const note = refusedPath(this.session, patch);
    const options = { write: true, create: true, mode: 0o600 };
    onFile("write", note, () => fs.openSync(note, options).close());
    discardPartial(fs, partialPath(this.session, patch));
  }

  async #whole(file: ReleaseFile, staged: string, stop: AbortSignal): Promise<Digested> {
    const early = this.#unpackEarly(file, staged, stop);
    let fetched: Fetched;
    try {
      fetched = await this.#fetch(file, file, stop);
    } finally {
      await early;
    }
    return await early ??
      (file.member === undefined
        ? await this.#place(file, fetched, staged)
        : await this.#inTurn(() => this.#unpack(file, fetched.partial, staged, stop)).catch(
          (error) => {
            // What was signed and is wrong all the same is not gone on with.
            if (error instanceof UpdateError && error.kind === "verification") {
              discardPartial(this.session.system.fs, fetched.partial);
            }
            throw error;
          },
        ));
  }

  /**
   * Of an archive the first executable, while the archive comes. On Windows a file that somebody
   * reads cannot be replaced, and a download may have to.
   */
  #unpackEarly(
    file: ReleaseFile,
    staged: string,
    stop: AbortSignal,
  ): Promise<Digested | undefined> | undefined {
    const { system } = this.session;
    const first = file.member !== undefined && !this.#downloads.has(file.sha256);
    if (!first || system.os === "windows") return undefined;
    const growing = new Growth(file.size);
    this.#growing.set(file.sha256, growing);
    const archive = partialPath(this.session, file);
    return this.#inTurn(() => unpackEarly(system, file, { archive, staged, growing, stop }));
  }

  /** One after the other: each unpacking has memory of its own, with xz up to 64 MiB. */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(task);
    this.#turn = done.catch(() => {});
    return done;
  }

  /** Either the file itself, or a patch of its executable. */
  #fetch(source: MirroredFile, file: ReleaseFile, stop: AbortSignal): Promise<Fetched> {
    const running = this.#downloads.get(source.sha256);
    if (running) return running;
    const { system, report } = this.session;
    const partial = partialPath(this.session, source);
    const name = basename(file.target), total = source.size;
    const isPatch = source !== file, growing = this.#growing.get(source.sha256);
    const done = downloadFromAny(source, partial, {
      system,
      ...this.access,
      signal: stop,
      progress: (received) => {
        report({
          ...{ event: "download", file: name, received, total },
          ...(isPatch && { insteadOf: file.size }),
        });
        growing?.reached(received);
      },
      tellMirror: (failure, next) =>
        isPatch
          ? report({ event: "patch-refused", file: name, reason: failure.message })
          : tellMirror(report, failure, next),
    })
      .then((info) => (growing?.reached(total), { partial, info }))
      .finally(() => growing?.fail());
    this.#downloads.set(source.sha256, done);
    return done;
  }

  /** The download is the executable. Within one file system this is a rename. */
  async #place(file: ReleaseFile, { partial, info }: Fetched, staged: string): Promise<Digested> {
    const { fs } = this.session.system;
    const digest = { size: file.size, sha256: file.sha256 };
    const shared = this.files.filter((other) => other.sha256 === file.sha256).length > 1;
    const copied = onFile("write", staged, () => {
      if (!shared) return moveOrCopy(fs, partial, staged, unfinishedOf(staged));
      removeIfThere(fs, staged);
      copyFile(fs, partial, staged, 0o600);
      return true;
    });
    if (!copied) return { ...digest, info };
    await this.#verify(file.target, staged, digest);
    return digest;
  }

  async #unpack(
    file: ReleaseFile,
    archive: string,
    staged: string,
    signal: AbortSignal,
  ): Promise<Digested> {
    const { fs } = this.session.system;
    // `selectFiles` lets no other pass.
    const kind = archiveKind(file.url)!;
    const out = openPatiently(fs, staged, { write: true, truncate: true });
    try {
      await onFile("write", staged, () =>
        extractMember(archive, kind, file.member!, out, {
          fs,
          limit: file.executable?.size ?? file.size * UNPACK_FACTOR,
          signal,
        }));
    } finally {
      out.close();
    }
    const info = fs.lstatSync(staged);
    const digest = await digestFileInBackground(fs, staged);
    if (file.executable) await this.#verify(file.target, staged, file.executable, digest);
    return { ...digest, info };
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
