/** A file system whose n-th step that changes something fails. */
import type { Access, FileInfo, FileSystem, OpenFile } from "../../src/system/file_system.ts";
import { systemError } from "./system_errors.ts";

/** A step that changes something. */
export type Step =
  | "open"
  | "write"
  | "truncate"
  | "sync"
  | "rename"
  | "link"
  | "remove"
  | "mkdir"
  | "chmod"
  | "chown"
  | "syncDirectory";

/** Called before each; what it throws is what the step throws. */
export type Fault = (step: Step, path: string) => void;

/** Does not fail. */
export const NO_FAULT: Fault = () => {};

/** A fault at the n-th step; with `lasting` also at every later one. */
export class FaultAt {
  #count = 0;

  constructor(readonly n: number, readonly code: string, readonly lasting = false) {}

  /** To be given to a `FaultyFileSystem`. */
  readonly fault: Fault = (step, path) => {
    this.#count++;
    if (this.#count === this.n || (this.lasting && this.reached)) {
      throw systemError(this.code, `${step} '${path}'`);
    }
  };

  /** Whether there was an n-th step. */
  get reached(): boolean {
    return this.#count >= this.n;
  }
}

/** Each method asks `fault` first and then does what the other file system does. */
export class FaultyFileSystem implements FileSystem {
  constructor(readonly inner: FileSystem, readonly fault: Fault) {}

  openSync(path: string, options: Deno.OpenOptions): OpenFile {
    if (options.write || options.append || options.create) this.fault("open", path);
    return new FaultyFile(this.inner.openSync(path, options), path, this.fault);
  }

  openExistingSync(path: string, access: Access): OpenFile {
    if (access !== "read") this.fault("open", path);
    return new FaultyFile(this.inner.openExistingSync(path, access), path, this.fault);
  }

  fchmodSync(file: OpenFile, mode: number): void {
    this.fault("chmod", pathOf(file));
    this.inner.fchmodSync(innerOf(file), mode);
  }

  fchownSync(file: OpenFile, uid: number, gid: number): void {
    this.fault("chown", pathOf(file));
    this.inner.fchownSync(innerOf(file), uid, gid);
  }

  readLinkSync(path: string): string {
    return this.inner.readLinkSync(path);
  }

  renameSync(from: string, to: string): void {
    this.fault("rename", from);
    this.inner.renameSync(from, to);
  }

  linkSync(existing: string, added: string): void {
    this.fault("link", added);
    this.inner.linkSync(existing, added);
  }

  removeSync(path: string, options?: { recursive?: boolean }): void {
    this.fault("remove", path);
    this.inner.removeSync(path, options);
  }

  mkdirSync(path: string, options?: { mode?: number }): void {
    this.fault("mkdir", path);
    this.inner.mkdirSync(path, options);
  }

  chmodSync(path: string, mode: number): void {
    this.fault("chmod", path);
    this.inner.chmodSync(path, mode);
  }

  chownSync(path: string, uid: number | null, gid: number | null): void {
    this.fault("chown", path);
    this.inner.chownSync(path, uid, gid);
  }

  syncDirectory(path: string): void {
    this.fault("syncDirectory", path);
    this.inner.syncDirectory(path);
  }

  lstatSync(path: string): FileInfo {
    return this.inner.lstatSync(path);
  }

  statSync(path: string): FileInfo {
    return this.inner.statSync(path);
  }

  readDirSync(path: string): Iterable<{ name: string; isSymlink: boolean }> {
    return this.inner.readDirSync(path);
  }

  realPathSync(path: string): string {
    return this.inner.realPathSync(path);
  }

  tryLock(file: OpenFile): Promise<boolean> {
    return this.inner.tryLock(innerOf(file));
  }

  digestAside(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  digestBehind(): undefined {}

  freeBytes(path: string): number {
    return this.inner.freeBytes(path);
  }

  pause(ms: number): void {
    this.inner.pause(ms);
  }
}

function innerOf(file: OpenFile): OpenFile {
  return file instanceof FaultyFile ? file.inner : file;
}

function pathOf(file: OpenFile): string {
  return file instanceof FaultyFile ? file.path : "";
}

/** An open file of it. */
export class FaultyFile implements OpenFile {
  constructor(readonly inner: OpenFile, readonly path: string, readonly fault: Fault) {}

  writeSync(bytes: Uint8Array): number {
    this.fault("write", this.path);
    return this.inner.writeSync(bytes);
  }

  truncateSync(length?: number): void {
    this.fault("truncate", this.path);
    this.inner.truncateSync(length);
  }

  syncSync(): void {
    this.fault("sync", this.path);
    this.inner.syncSync();
  }

  sync(): Promise<void> {
    this.fault("sync", this.path);
    return this.inner.sync();
  }

  readSync(buffer: Uint8Array): number | null {
    return this.inner.readSync(buffer);
  }

  seekSync(offset: number | bigint, whence: Deno.SeekMode): number {
    return this.inner.seekSync(offset, whence);
  }

  statSync(): Deno.FileInfo {
    return this.inner.statSync();
  }

  close(): void {
    this.inner.close();
  }
}
