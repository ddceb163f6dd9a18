/**
 * One file of a release, into a partial file that a later run can go on with. What is on the disk
 * is hashed, never what went past: the runtime's streams have lost a last chunk without an error
 * while a hash taken on the way was right.
 */
import { setImmediate } from "node:timers";
import { type Digested, digestFileInBackground, sameContent } from "../files/digest.ts";
import { removeIfThere, writeAll } from "../files/durable_files.ts";
import { UpdateError } from "../base/errors.ts";
import { onFile } from "../files/fs_errors.ts";
import { localPath } from "./http.ts";
import { fromAnyMirror, isPlacesFault, type TellMirror } from "./mirrors.ts";
import { fillPartial, type RemoteFile } from "./partial_download.ts";
import { openPatiently } from "../system/patience.ts";
import { type FetchOptions, withDeadline } from "./retry.ts";
import { discardPartial } from "./sidecar.ts";
import type { DigestBehind, FileInfo, FileSystem } from "../system/file_system.ts";
import { redactUrl } from "../base/url_policy.ts";

export type { RemoteFile };

/** Download options. */
export interface DownloadOptions extends FetchOptions {
  /** Gets the bytes of this file that are on the disk. */
  readonly progress: (received: number) => void;
  /** Hears of each mirror that could not be used. */
  readonly tellMirror?: TellMirror;
}

/** A file, and where else its bytes may be had. */
export interface MirroredFile extends RemoteFile {
  readonly mirrors?: readonly string[] | undefined;
}

const CHUNK = 256 * 1024;

/** `download` from the first of the file's places that has it. */
export async function downloadFromAny(
  file: MirroredFile,
  partial: string,
  options: DownloadOptions,
): Promise<FileInfo | undefined> {
  return await fromAnyMirror(
    [file.url, ...file.mirrors ?? []],
    (url, limits) => download({ ...file, url }, partial, { limits, ...options }),
    isPlacesFault,
    options.tellMirror ?? (() => {}),
  );
}

/**
 * Fills `partial`: on return it has exactly `size` bytes of that digest, and they are durable (its
 * name is not). Returns what that file is. Goes on with what is there. Throws `network` (what came is kept), `verification`
 * (wrong bytes are removed), `filesystem`, `usage`, or the signal's reason.
 */
export async function download(
  file: RemoteFile,
  partial: string,
  options: DownloadOptions,
): Promise<FileInfo | undefined> {
  const { system, progress } = options;
  const { fs } = system;
  const path = localPath(file.url, system);
  if (path !== undefined) {
    await copyLocal(path, file, partial, options);
    return requireSame(fs, partial, file, await inspect(fs, partial));
  }
  return await withDeadline(file.url, options, async (transfer) => {
    const fetchIt = async (ranges: boolean) => {
      const behind = fs.digestBehind(partial);
      try {
        const { pieced } = await fillPartial(file, partial, transfer, { ranges, progress, behind });
        return { pieced, found: await inspect(fs, partial, behind) };
      } finally {
        void behind?.end();
      }
    };
    let { pieced, found } = await fetchIt(true);
    // The pieces may be of different versions, or a server may not know what a range is.
    if (pieced && !sameContent(found, file)) ({ found } = await fetchIt(false));
    transfer.signal.throwIfAborted();
    return requireSame(fs, partial, file, found);
  });
}

/**
 * What is on the disk, made durable in the meantime. Most of it another thread has read already, behind
 * the download; where there is none, this one reads it all while the fsync takes its time.
 */
async function inspect(
  fs: FileSystem,
  partial: string,
  behind?: DigestBehind,
): Promise<Digested> {
  const open = onFile(
    "write",
    partial,
    () => openPatiently(fs, partial, { read: true, write: true }),
  );
  try {
    const info = open.statSync();
    const durable = onFile("write", partial, () => open.sync());
    durable.catch(() => {}); // Awaited below.
    const found = await behind?.end() ??
      await onFile("read", partial, () => digestFileInBackground(fs, partial));
    await durable;
    return { ...found, info };
  } finally {
    open.close();
  }
}

function requireSame(
  fs: FileSystem,
  partial: string,
  file: RemoteFile,
  found: Digested,
): FileInfo | undefined {
  if (sameContent(found, file)) return found.info;
  discardPartial(fs, partial);
  throw notAsPromised(file, `${found.size} bytes with SHA-256 ${found.sha256}`);
}

function notAsPromised({ url, size, sha256 }: RemoteFile, found: string): UpdateError {
  const shown = redactUrl(url);
  return new UpdateError(
    "verification",
    `${shown} is not what the manifest says: ${found} instead of ${size} bytes with ${sha256}`,
    {
      url: shown,
      hint: "Nothing was installed. Try again later; if it stays so, tell the tool's authors.",
    },
  );
}

/** A release on a disk or a network drive. Only a file of the right size is copied at all. */
async function copyLocal(
  path: string,
  file: RemoteFile,
  partial: string,
  { system: { fs }, signal, progress }: DownloadOptions,
): Promise<void> {
  const { isFile, size } = onFile("read", path, () => fs.statSync(path));
  if (!isFile || size !== file.size) {
    throw notAsPromised(file, isFile ? `${size} bytes` : "no file");
  }
  const source = onFile("read", path, () => openPatiently(fs, path, { read: true }));
  try {
    const copy = onFile("write", partial, () => {
      removeIfThere(fs, partial);
      return fs.openSync(partial, { write: true, createNew: true, mode: 0o600 });
    });
    try {
      const buffer = new Uint8Array(CHUNK);
      // Never more than was promised, even if it grows meanwhile.
      for (let left = file.size; left > 0;) {
        const room = buffer.subarray(0, Math.min(left, CHUNK));
        const count = onFile("read", path, () => source.readSync(room));
        if (count === null) break;
        onFile("write", partial, () => writeAll(copy, room.subarray(0, count)));
        left -= count;
        progress(file.size - left);
        await new Promise((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
      }
    } finally {
      copy.close();
    }
  } finally {
    source.close();
  }
}
