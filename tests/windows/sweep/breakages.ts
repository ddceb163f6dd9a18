/** Ways in which updaters were broken: the sweep has to see each. */
import { MoveAside, RemoveThenRename } from "../../support/broken_file_systems.ts";
import { FaultyFileSystem, NO_FAULT } from "../../support/faulty_file_system.ts";
import { namesBeside } from "../../../src/installation/names.ts";
import type { FileSystem } from "../../../src/system/file_system.ts";

/** Which one. */
export type Breakage =
  | "none"
  | "remove first"
  | "move aside"
  | "aside first"
  | "no journal"
  | "keep trash"
  | "tidy for all"
  | "tidy the original";

/** The file system with that fault in it; each of its own steps is one that a kill can precede. */
export function broken(breakage: Breakage, fs: FileSystem): FileSystem {
  switch (breakage) {
    case "none":
      return fs;
    case "remove first":
      return new RemoveThenRename(fs);
    case "move aside":
      return new MoveAside(fs);
    case "aside first":
      return new AsideFirst(fs, NO_FAULT);
    case "no journal":
      return new NoJournal(fs, NO_FAULT);
    case "keep trash":
      return new KeepTrash(fs, NO_FAULT);
    case "tidy for all":
      return new TidyForAll(fs, NO_FAULT);
    case "tidy the original":
      return new TidyTheOriginal(fs, NO_FAULT);
  }
}

/** The two renames of an executing target, also where one would do. */
class AsideFirst extends FaultyFileSystem {
  override renameSync(from: string, to: string): void {
    const transaction = /[\\/]staged[\\/]([0-9a-f]{16})[\\/]/.exec(from)?.[1];
    if (transaction) super.renameSync(to, namesBeside(to, transaction).aside);
    super.renameSync(from, to);
  }
}

/** Nobody knows what was interrupted. */
class NoJournal extends FaultyFileSystem {
  override renameSync(from: string, to: string): void {
    if (to.endsWith("\\journal")) this.inner.removeSync(from);
    else super.renameSync(from, to);
  }
}

/** Nothing in the trash is ever removed. */
class KeepTrash extends FaultyFileSystem {
  override removeSync(path: string, options?: { recursive?: boolean }): void {
    if (!path.includes("\\trash\\")) super.removeSync(path, options);
  }
}

/** Who has nothing to roll back to any more takes the others' copies along. */
class TidyForAll extends FaultyFileSystem {
  override removeSync(path: string, options?: { recursive?: boolean }): void {
    super.removeSync(path, options);
    const state = /(.*)\\[^\\]+\\journal$/.exec(path)?.[1];
    if (state) this.inner.removeSync(`${state}\\guest\\rollback\\guest.exe`);
  }
}

/** Takes the absolute paths of the original for its own: what it removes in a copy, it removes there. */
class TidyTheOriginal extends FaultyFileSystem {
  override removeSync(path: string, options?: { recursive?: boolean }): void {
    super.removeSync(path, options);
    if (path.endsWith("\\journal")) this.inner.removeSync(path.replace(" copied\\", "\\"));
  }
}
