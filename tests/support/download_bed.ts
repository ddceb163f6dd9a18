/** A folder with one partial file in it, and downloads into it. */
import { createHash, randomBytes } from "node:crypto";
import { join } from "@std/path";
import { denoSystem } from "../../src/system/deno_system.ts";
import { download, type DownloadOptions, type RemoteFile } from "../../src/transfer/download.ts";
import type { Limits } from "../../src/transfer/retry.ts";
import type { OpenFile } from "../../src/system/file_system.ts";
import type { System } from "../../src/system/system.ts";
import { fetchOptions, withSecrets } from "./network.ts";

/** Ends with its folder. */
export class DownloadBed implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "updater-shim-download-" });
  readonly partial = join(this.folder, "file.part");
  readonly sidecar = `${this.partial}.json`;
  /** What the manifest promises. */
  readonly content: Uint8Array<ArrayBuffer>;
  readonly progress: number[] = [];

  constructor(size = 100_000) {
    this.content = new Uint8Array(randomBytes(size));
  }

  /** The manifest's entry for `content` on that server. */
  file({ url }: { readonly url: string }): RemoteFile {
    const sha256 = createHash("sha256").update(this.content).digest("hex");
    return { url: withSecrets(`${url}/file`), size: this.content.length, sha256 };
  }

  async download(
    server: { readonly url: string },
    limits: Partial<Limits> = {},
    changed: Partial<DownloadOptions> = {},
  ): Promise<void> {
    this.progress.length = 0;
    await download(this.file(server), this.partial, {
      ...fetchOptions(limits),
      progress: (received) => this.progress.push(received),
      ...changed,
    });
  }

  /** The bytes of the partial file. */
  read(): Uint8Array {
    return Deno.readFileSync(this.partial);
  }

  /** The names in the folder, sorted. */
  names(): string[] {
    return [...Deno.readDirSync(this.folder)].map(({ name }) => name).sort();
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** What `writingSystem` does otherwise. */
export interface Writing {
  /** Instead of `file.writeSync(bytes)`. */
  readonly write?: (file: OpenFile, bytes: Uint8Array) => number;
  /** Before `file.sync()`. */
  readonly sync?: () => void;
}

/** The real system, with another way to write to the files that it opens. */
export function writingSystem({ write, sync }: Writing): System {
  const fs = {
    ...denoSystem.fs,
    openSync(path: string, options: Deno.OpenOptions): OpenFile {
      const file = denoSystem.fs.openSync(path, options);
      return {
        readSync: (bytes) => file.readSync(bytes),
        writeSync: (bytes) => write ? write(file, bytes) : file.writeSync(bytes),
        seekSync: (offset, whence) => file.seekSync(offset, whence),
        truncateSync: (size) => file.truncateSync(size),
        statSync: () => file.statSync(),
        syncSync: () => file.syncSync(),
        sync: () => (sync?.(), file.sync()),
        close: () => file.close(),
      };
    },
  };
  return { ...denoSystem, fs };
}
