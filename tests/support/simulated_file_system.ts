/**
 * The `FileSystem` of `src/system/system.ts` over a `SimulatedDisk`, for one operating system. It stops
 * before each step that changes something (`onStep`), so that a test can look at what would be left.
 * Symbolic links only as they were from the beginning (`links`). Windows: as far as executing images go, as seen with deno.exe 2.9.5.
 */
import { basename, dirname } from "@std/path/posix";
import type { Access, FileInfo, FileSystem, OpenFile } from "../../src/system/file_system.ts";
import type { Inode } from "./power_cut.ts";
import { ROOT, type SimulatedDisk } from "./simulated_disk.ts";
import { openSimulated } from "./simulated_open_file.ts";
import { systemError } from "./system_errors.ts";

/** How it behaves. */
export interface SimulationOptions {
  readonly os?: "linux" | "windows";
  /** Inodes of images that are being executed: not to be written or, on Windows, removed. */
  readonly executing?: Set<number>;
  /** Folders on devices of their own. */
  readonly mounts?: readonly string[];
  /** Absolute paths of links, and where they lead. */
  readonly links?: ReadonlyMap<string, string>;
  /** Called before each step that changes something: what a crash here leaves is on the disk. */
  readonly onStep?: () => void;
}

/** One running program's view. */
export class SimulatedFileSystem implements FileSystem {
  /** Steps so far that changed something. */
  steps = 0;
  readonly os: "linux" | "windows";
  readonly executing: Set<number>;
  readonly #mounts: readonly string[];
  readonly #links: ReadonlyMap<string, string>;
  readonly #onStep: () => void;
  readonly #locked = new Set<number>();

  constructor(readonly disk: SimulatedDisk, options: SimulationOptions = {}) {
    this.os = options.os ?? "linux";
    this.executing = options.executing ?? new Set();
    this.#mounts = options.mounts ?? [];
    this.#links = options.links ?? new Map();
    this.#onStep = options.onStep ?? (() => {});
  }

  /** Called before every change. */
  step(): void {
    this.steps++;
    this.#onStep();
  }

  openSync(path: string, options: Deno.OpenOptions): OpenFile {
    return openSimulated(this, path, options);
  }

  openExistingSync(path: string, access: Access): OpenFile {
    const append = access === "append";
    return openSimulated(this, path, { read: !append, write: access === "write", append });
  }

  fchmodSync(file: OpenFile, mode: number): void {
    if (this.os === "windows") return;
    this.step();
    this.disk.write(file.statSync().ino!, { mode });
  }

  fchownSync(): void {
    if (this.os !== "windows") this.step();
  }

  renameSync(from: string, to: string): void {
    const call = `rename '${from}' -> '${to}'`;
    const [source, target] = [this.place(from, call), this.place(to, call)];
    const inode = this.existing(from, call), replaced = target.inode;
    if (this.#device(from) !== this.#device(to)) throw this.error("EXDEV", call);
    // rename(2): two names of one file, and nothing happens.
    if (inode === replaced) return;
    if (replaced !== undefined) this.#refuseToReplace(inode, replaced, call);
    this.step();
    this.disk.change([
      { folder: target.folder, name: target.name, inode },
      { folder: source.folder, name: source.name, inode: undefined },
    ]);
  }

  linkSync(existing: string, added: string): void {
    const call = `link '${existing}' -> '${added}'`;
    const inode = this.existing(existing, call),
      { folder, name, inode: taken } = this.place(added, call);
    if (taken !== undefined) throw this.error("EEXIST", call);
    if (this.#device(existing) !== this.#device(added)) throw this.error("EXDEV", call);
    if (this.disk.inodes.get(inode)!.isFolder) throw this.error("EPERM", call);
    this.step();
    this.disk.change([{ folder, name, inode }]);
  }

  removeSync(path: string, options: { recursive?: boolean } = {}): void {
    const call = `remove '${path}'`;
    const children = [...this.disk.names.get(this.existing(path, call))?.keys() ?? []];
    if (children.length > 0 && !options.recursive) throw this.error("ENOTEMPTY", call);
    for (const child of children) this.removeSync(`${path}/${child}`, options);
    const { folder, name, inode } = this.place(path, call);
    if (this.os === "windows" && this.executing.has(inode!)) throw this.error("EPERM", call);
    this.step();
    this.disk.change([{ folder, name, inode: undefined }]);
  }

  mkdirSync(path: string, options: { mode?: number } = {}): void {
    const call = `mkdir '${path}'`;
    const { folder, name, inode } = this.place(path, call);
    if (inode !== undefined) throw this.error("EEXIST", call);
    this.step();
    this.disk.create(folder, name, options.mode ?? 0o777, true);
  }

  chmodSync(path: string, mode: number): void {
    const inode = this.existing(path, `chmod '${path}'`);
    this.step();
    this.disk.write(inode, { mode });
  }

  chownSync(path: string): void {
    this.existing(path, `chown '${path}'`);
    this.step();
  }

  lstatSync(path: string): FileInfo {
    if (this.#links.has(path)) {
      const { dev, ino, uid, gid } = this.lstatSync(dirname(path));
      const kind = { isFile: false, isDirectory: false, isSymlink: true };
      return { ...kind, size: 0, mtime: null, ctime: null, mode: 0o120777, dev, ino, uid, gid };
    }
    return this.info(this.existing(path, `stat '${path}'`), path);
  }

  statSync(path: string): FileInfo {
    return this.lstatSync(this.#links.get(path) ?? path);
  }

  readDirSync(path: string): Iterable<{ name: string; isSymlink: boolean }> {
    const call = `readdir '${path}'`;
    const entries = this.disk.names.get(this.existing(path, call));
    if (!entries) throw this.error("ENOTDIR", call);
    return [...entries.keys()].map((name) => ({
      name,
      isSymlink: this.#links.has(`${path}/${name}`),
    }));
  }

  realPathSync(path: string): string {
    const real = this.#links.get(path) ?? path;
    this.existing(real, `realpath '${path}'`);
    return real;
  }

  readLinkSync(path: string): string {
    const target = this.#links.get(path);
    if (target === undefined) throw this.error("EINVAL", `readlink '${path}'`);
    return target;
  }

  syncDirectory(path: string): void {
    // As in src/system/deno_system.ts: there is no such call on Windows.
    if (this.os === "windows") return;
    this.step();
    this.disk.syncFolder(this.existing(path, `open '${path}'`));
  }

  tryLock(file: OpenFile): Promise<boolean> {
    const { ino } = file.statSync();
    if (this.#locked.has(ino!)) return Promise.resolve(false);
    this.#locked.add(ino!);
    return Promise.resolve(true);
  }

  /** There is one thread only. */
  digestAside(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  digestBehind(): undefined {}

  freeBytes(): number {
    return 2 ** 40;
  }

  pause(): void {}

  /** Inode of a name that has to be there. */
  existing(path: string, call: string): number {
    const { inode } = this.place(path, call);
    if (inode === undefined) throw this.error("ENOENT", call);
    return inode;
  }

  /** Where a name is, or would be. */
  place(path: string, call: string): { folder: number; name: string; inode: number | undefined } {
    if (path === "/") return { folder: 0, name: "", inode: ROOT };
    const folder = this.existing(dirname(path), call), name = basename(path);
    if (!this.disk.names.has(folder)) throw this.error("ENOTDIR", call);
    return { folder, name, inode: this.disk.find(folder, name) };
  }

  /** What stat(2) says. */
  info(id: number, path: string): FileInfo {
    const { isFolder, now: { bytes, mode } }: Inode = this.disk.inodes.get(id)!;
    return {
      isFile: !isFolder,
      isDirectory: isFolder,
      isSymlink: false,
      size: bytes.length,
      mtime: null,
      ctime: null,
      mode: mode | (isFolder ? 0o040000 : 0o100000),
      uid: 0,
      gid: 0,
      dev: this.#device(path),
      ino: id,
    };
  }

  /** What this system throws. */
  error(code: string, call: string): Error {
    return systemError(code, call, this.os);
  }

  #device(path: string): number {
    return 1 + this.#mounts.findIndex((mount) => path.startsWith(`${mount}/`) || path === mount);
  }

  #refuseToReplace(inode: number, replaced: number, call: string): void {
    const [from, to] = [this.disk.inodes.get(inode)!, this.disk.inodes.get(replaced)!];
    if (this.os === "windows" && this.executing.has(replaced)) throw this.error("EPERM", call);
    if (to.isFolder && !from.isFolder) throw this.error("EISDIR", call);
    if (from.isFolder && !to.isFolder) throw this.error("ENOTDIR", call);
    if ((this.disk.names.get(replaced)?.size ?? 0) > 0) throw this.error("ENOTEMPTY", call);
  }
}
