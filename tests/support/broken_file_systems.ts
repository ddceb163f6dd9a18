/** Breaks the code on purpose, so that a test which cannot fail shows itself. */
import type { Access, FileSystem, OpenFile } from "../../src/system/file_system.ts";
import { FaultyFile, FaultyFileSystem, NO_FAULT } from "./faulty_file_system.ts";

class WholeFileSystem extends FaultyFileSystem {
  constructor(inner: FileSystem) {
    super(inner, NO_FAULT);
  }
}

/** Does not sync folders: names are not durable. */
export class NoFolderSync extends WholeFileSystem {
  override syncDirectory(): void {}
}

/** Does not sync files: bytes are not durable. */
export class NoFileSync extends WholeFileSystem {
  override openSync(path: string, options: Deno.OpenOptions): OpenFile {
    return new class extends FaultyFile {
      override syncSync(): void {}
      override sync(): Promise<void> {
        return Promise.resolve();
      }
    }(this.inner.openSync(path, options), path, NO_FAULT);
  }
}

/** Leaves out the fsync with that number, and knows what each was of. */
export class WithoutOneSync extends WholeFileSystem {
  /** The path of each, and those left out too. */
  readonly synced: string[] = [];

  constructor(inner: FileSystem, readonly leftOut: number) {
    super(inner);
  }

  override openSync(path: string, options: Deno.OpenOptions): OpenFile {
    return this.#watched(this.inner.openSync(path, options), path);
  }

  override openExistingSync(path: string, access: Access): OpenFile {
    return this.#watched(this.inner.openExistingSync(path, access), path);
  }

  override syncDirectory(path: string): void {
    if (this.#isWanted(`${path}/`)) this.inner.syncDirectory(path);
  }

  #isWanted(path: string): boolean {
    return this.synced.push(path) - 1 !== this.leftOut;
  }

  #watched(file: OpenFile, path: string): OpenFile {
    const isWanted = () => this.#isWanted(path);
    return new class extends FaultyFile {
      override syncSync(): void {
        if (isWanted()) super.syncSync();
      }
      override sync(): Promise<void> {
        return isWanted() ? super.sync() : Promise.resolve();
      }
    }(file, path, NO_FAULT);
  }
}

/** Replaces a file as `@std/fs` `move(…, {overwrite: true})` does: removes it first. */
export class RemoveThenRename extends WholeFileSystem {
  override renameSync(from: string, to: string): void {
    try {
      this.inner.removeSync(to);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    this.inner.renameSync(from, to);
  }
}

/** Moves the old file aside instead of giving it a second name, as uv and axoupdater do. */
export class MoveAside extends WholeFileSystem {
  override linkSync(existing: string, added: string): void {
    this.inner.renameSync(existing, added);
  }
}

/** Keeps no journal: whatever was interrupted is not known. */
export class NoJournal extends WholeFileSystem {
  override renameSync(from: string, to: string): void {
    if (to.endsWith("/journal")) this.inner.removeSync(from);
    else this.inner.renameSync(from, to);
  }
}

/** Writes over files in place instead of replacing them. */
export class WriteInPlace extends WholeFileSystem {
  override renameSync(from: string, to: string): void {
    const source = this.inner.openSync(from, { read: true });
    const bytes = new Uint8Array(source.statSync().size);
    source.readSync(bytes);
    source.close();
    const file = this.inner.openSync(to, { write: true, create: true, truncate: true });
    file.writeSync(bytes);
    file.syncSync();
    file.close();
    this.inner.removeSync(from);
  }
}

/** Tidies up after every tool of the folder, not after its own alone. */
export class TidiesForAll extends WholeFileSystem {
  override removeSync(path: string, options?: { recursive?: boolean }): void {
    this.inner.removeSync(path, options);
    const home = /(.*)\/[^/]+\/journal$/.exec(path)?.[1];
    if (home === undefined) return;
    const file = this.inner.openSync(`${home}/guest/rollback/guest`, {
      write: true,
      truncate: true,
    });
    file.close();
  }
}

/** Takes the absolute paths of the original for its own: what it removes in a copy, it removes there. */
export class TidiesTheOriginal extends WholeFileSystem {
  override removeSync(path: string, options?: { recursive?: boolean }): void {
    this.inner.removeSync(path, options);
    if (path.startsWith("/copied/") && path.endsWith("/journal")) {
      this.inner.removeSync(path.replace("/copied/", "/opt/"));
    }
  }
}
