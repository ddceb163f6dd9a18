/** A tool on this machine's own disk, for `installation.ts`: the real file system, and programs that are not run. */
import { basename, join } from "@std/path";
import { denoSystem } from "../../src/system/deno_system.ts";
import type { FileSystem } from "../../src/system/file_system.ts";
import type { Installation } from "./installation.ts";
import { fakeExecutable } from "./simulated_system.ts";

/** Ends with its folder. */
export class OnDisk implements Installation, Disposable {
  readonly folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-" }));
  readonly targets: readonly string[];
  readonly system;

  /** The old version of these is there. `wrap` exchanges the file system, to break it. */
  constructor(names: readonly string[], wrap: (fs: FileSystem) => FileSystem = (fs) => fs) {
    this.targets = names.map((name) => join(this.folder, name));
    for (const path of this.targets) {
      Deno.writeFileSync(path, this.content("old", path));
      Deno.chmodSync(path, 0o755);
    }
    const well = () => Promise.resolve({ code: 0, stdout: "", stderr: "", timedOut: false });
    const processes = { ...denoSystem.processes, run: well };
    this.system = { ...denoSystem, fs: wrap(denoSystem.fs), processes };
  }

  content(version: "old" | "new", path: string): Uint8Array<ArrayBuffer> {
    return fakeExecutable(`${version} ${basename(path)}`);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}
