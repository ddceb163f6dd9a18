/** Linux and macOS: an executing file can be replaced and removed like any other. */
import type { Platform } from "./platform.ts";
import { isBeingKilled, watchProcess } from "./posix_process.ts";

/** See `Platform`. */
export const posix: Platform = {
  // proc(5). Without it the runtime would not have found its own program.
  heldFolder: (os) => os === "linux" ? "/proc/self/cwd" : undefined,
  // One step. If we die before it, `to` is as it was; after it, `to` is `from`.
  replaceFile({ fs }, from, to) {
    fs.renameSync(from, to);
    return Promise.resolve();
  },
  watchProcess,
  isBeingKilled,
  holdersOf: () => [],
  isInUse: () => Promise.resolve(false),
  removeAfterExit({ fs }, { file, trees, folders }) {
    fs.removeSync(file);
    for (const tree of trees) fs.removeSync(tree, { recursive: true });
    for (const folder of folders) {
      try {
        if ([...fs.readDirSync(folder)].length === 0) fs.removeSync(folder);
      } catch {
        // A mount point, or a folder of somebody else's: an empty folder does no harm.
      }
    }
    return "now";
  },
  openHolders() {},
  keepStreams() {},
  sharesConsole: () => false,
  sameName: (a, b) => a === b,
};
