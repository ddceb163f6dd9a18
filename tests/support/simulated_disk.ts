/**
 * A disk that keeps what is durable apart from what is visible, and can say what a power cut may
 * leave of it. It promises as little as POSIX does:
 *
 * | after | is durable |
 * | --- | --- |
 * | fsync of a file | its bytes and mode; not its name |
 * | fsync of a folder | the changes of its names so far |
 * | nothing | any part of the rest: names in any combination; bytes all, cut off, zeros or none |
 *
 * Names as `Model` says. Inodes are numbers; folder 1 is the root.
 */
import {
  describe,
  type Inode,
  leftOf,
  type Names,
  type Operation,
  survivors,
} from "./power_cut.ts";

/**
 * What may happen to the names that were not synced:
 * `subset`: any of the changes may be lost, each as a whole (a rename is one change);
 * `split`: the same, but of a rename between two folders one half may be lost;
 * `ordered`: only the last ones may be lost, and any fsync keeps all before it (a metadata journal:
 * NTFS; ext4 and XFS for names).
 */
export type Model = "subset" | "split" | "ordered";

/** Number of the root folder. */
export const ROOT = 1;

/** One disk; `power_cut.ts` makes its possible successors. */
export class SimulatedDisk {
  readonly inodes = new Map<number, Inode>([[ROOT, folder(0o755)]]);
  /** What a program sees. */
  readonly names: Names = new Map([[ROOT, new Map()]]);
  /** What a power cut leaves for sure. */
  readonly durable: Names = new Map([[ROOT, new Map()]]);
  /** Changes since then, oldest first. */
  readonly operations: Operation[] = [];
  #next = ROOT + 1;

  constructor(readonly model: Model = "subset") {}

  /** The same disk, independent from now on: what a killed process leaves. */
  clone(): SimulatedDisk {
    const copy = new SimulatedDisk(this.model);
    for (const [id, inode] of this.inodes) copy.inodes.set(id, { ...inode });
    copyNames(this.names, copy.names);
    copyNames(this.durable, copy.durable);
    copy.operations.push(...this.operations.map((operation) => ({ ...operation })));
    copy.#next = this.#next;
    return copy;
  }

  /** Every disk that a power cut may leave now, without repetitions. */
  *crashStates(): Generator<SimulatedDisk> {
    for (const { inodes, names } of survivors(this)) {
      const disk = new SimulatedDisk(this.model);
      for (const [id, inode] of inodes) disk.inodes.set(id, { ...inode });
      copyNames(names, disk.names);
      copyNames(names, disk.durable);
      disk.#next = this.#next;
      yield disk;
    }
  }

  /** A text that two disks share if no program can tell them apart, now. */
  get visible(): string {
    return describe(this);
  }

  /** The same, now and after a power cut. */
  get state(): string {
    const operations = this.operations.map(({ changes, durable }) => ({ changes, durable }));
    const after = describe({ inodes: this.inodes, names: this.durable }, operations);
    return `${this.visible}\n--\n${after}`;
  }

  /** Inode of a name. */
  find(folder: number, name: string): number | undefined {
    return this.names.get(folder)?.get(name);
  }

  /** Makes an empty file or folder. */
  create(parent: number, name: string, mode: number, isFolder = false): number {
    const id = this.#next++;
    this.inodes.set(id, isFolder ? folder(mode) : file(mode));
    if (isFolder) {
      this.names.set(id, new Map());
      this.durable.set(id, new Map());
    }
    this.change([{ folder: parent, name, inode: id }]);
    return id;
  }

  /** Changes names: one operation, all of it or nothing. `inode` undefined removes the name. */
  change(changes: Operation["changes"]): void {
    for (const { folder, name, inode } of changes) {
      const names = this.names.get(folder)!;
      if (inode === undefined) names.delete(name);
      else names.set(name, inode);
    }
    const across = new Set(changes.map(({ folder }) => folder)).size > 1;
    const operations = this.model === "split" && across
      ? changes.map((change) => [change])
      : [changes];
    for (const changes of operations) this.operations.push({ changes, durable: false });
  }

  /** Changes what is in a file, visibly. */
  write(id: number, now: Partial<Inode["now"]>): void {
    const inode = this.inodes.get(id)!;
    inode.now = { ...inode.now, ...now };
  }

  /** fsync of a file. */
  syncFile(id: number): void {
    const inode = this.inodes.get(id)!;
    inode.synced = inode.now;
    if (this.model === "ordered") this.#settle(() => true);
  }

  /** fsync of a folder. */
  syncFolder(id: number): void {
    this.#settle(({ changes }) =>
      this.model === "ordered" || changes.some(({ folder }) => folder === id)
    );
  }

  #settle(which: (operation: Operation) => boolean): void {
    for (const operation of this.operations) operation.durable ||= which(operation);
    // A durable one behind one that is not has to wait: they may be about the same name.
    const first = this.operations.findIndex(({ durable }) => !durable);
    const settled = this.operations.splice(0, first < 0 ? this.operations.length : first);
    for (const { changes } of settled) leftOf(this.durable, changes);
  }
}

function file(mode: number): Inode {
  return { isFolder: false, now: { bytes: new Uint8Array(), mode }, synced: undefined };
}

function folder(mode: number): Inode {
  const now = { bytes: new Uint8Array(), mode };
  return { isFolder: true, now, synced: now };
}

function copyNames(from: Names, to: Names): void {
  for (const [id, names] of from) to.set(id, new Map(names));
}
