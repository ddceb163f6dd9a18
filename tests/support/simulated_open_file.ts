/** An open file of the simulated file system. */
import type { OpenFile } from "../../src/system/file_system.ts";
import type { SimulatedFileSystem } from "./simulated_file_system.ts";

/** open(2): makes the file where it may, then reads and writes at a position of its own. */
export function openSimulated(
  fs: SimulatedFileSystem,
  path: string,
  options: Deno.OpenOptions,
): OpenFile {
  const { disk } = fs;
  const call = `open '${path}'`;
  const changes = Boolean(options.write || options.append || options.create || options.createNew);
  let { folder, name, inode } = fs.place(path, call);
  if (inode !== undefined && options.createNew) throw fs.error("EEXIST", call);
  if (inode === undefined) {
    if (!options.create && !options.createNew) throw fs.error("ENOENT", call);
    fs.step();
    // Windows has no such thing; Deno shows 0o666.
    const mode = fs.os === "windows" ? 0o666 : options.mode ?? 0o666;
    inode = disk.create(folder, name, mode);
  }
  if (disk.inodes.get(inode)!.isFolder && changes) throw fs.error("EISDIR", call);
  if (changes && fs.executing.has(inode)) {
    throw fs.error(fs.os === "windows" ? "EBUSY" : "ETXTBSY", call);
  }
  if (options.truncate) {
    fs.step();
    disk.write(inode, { bytes: new Uint8Array() });
  }
  return new SimulatedOpenFile(fs, path, inode, options.append === true);
}

class SimulatedOpenFile implements OpenFile {
  #position = 0;

  constructor(
    readonly fs: SimulatedFileSystem,
    readonly path: string,
    readonly inode: number,
    readonly append: boolean,
  ) {}

  get #bytes(): Uint8Array {
    return this.fs.disk.inodes.get(this.inode)!.now.bytes;
  }

  readSync(buffer: Uint8Array): number | null {
    const part = this.#bytes.subarray(this.#position, this.#position + buffer.length);
    if (part.length === 0) return null;
    buffer.set(part);
    this.#position += part.length;
    return part.length;
  }

  writeSync(bytes: Uint8Array): number {
    this.fs.step();
    const before = this.#bytes;
    if (this.append) this.#position = before.length;
    const after = new Uint8Array(Math.max(before.length, this.#position + bytes.length));
    after.set(before);
    after.set(bytes, this.#position);
    this.#position += bytes.length;
    this.fs.disk.write(this.inode, { bytes: after });
    return bytes.length;
  }

  /** Only from the beginning: nobody seeks otherwise. */
  seekSync(offset: number | bigint, whence: Deno.SeekMode): number {
    if (whence !== Deno.SeekMode.Start) throw this.fs.error("EINVAL", `seek '${this.path}'`);
    return this.#position = Number(offset);
  }

  truncateSync(length = 0): void {
    this.fs.step();
    const bytes = new Uint8Array(length);
    bytes.set(this.#bytes.subarray(0, length));
    this.fs.disk.write(this.inode, { bytes });
  }

  statSync(): Deno.FileInfo {
    // The seam asks for less than Deno's own type has.
    return this.fs.info(this.inode, this.path) as Deno.FileInfo;
  }

  syncSync(): void {
    this.fs.step();
    this.fs.disk.syncFile(this.inode);
  }

  sync(): Promise<void> {
    this.syncSync();
    return Promise.resolve();
  }

  close(): void {}
}
