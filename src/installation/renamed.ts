/**
 * An author may rename the shim and its configuration, and so the tool id. What the old id kept of the
 * tool is the new one's then: the version to go back to, and the floor for downgrades.
 */
import { join } from "node:path";
import { isThere } from "../files/durable_files.ts";
import { onFile } from "../files/fs_errors.ts";
import { type InstallDir, type OpenedDir, toolsOf } from "./install_dir.ts";
import { knownReceipt, readReceipt, type Receipt, writeReceipt } from "./receipt.ts";

/** What is left of an old id. */
interface Renamed {
  readonly old: InstallDir;
  readonly receipt: Receipt;
}

/**
 * The old id: it has the tool of that name, neither a configuration nor a shim in the folder any more,
 * and no update of it was interrupted.
 */
export function findRenamed({ system, dir }: OpenedDir, name?: string): Renamed | undefined {
  const { fs } = system;
  const [, ...others] = toolsOf(system, dir);
  for (const old of others) {
    const receipt = knownReceipt(readReceipt(system, old));
    const used = ["", ".exe", ".json"].map((end) => join(dir.path, old.id + end));
    const abandoned = ![...used, old.journal].some((path) => isThere(fs, path));
    if (receipt && receipt.name === name && abandoned) return { old, receipt };
  }
}

/**
 * Takes it over; under the lock. A run that is killed meanwhile leaves the old receipt or the new one,
 * and the next one goes on. Returns the old id.
 */
export function takeOver(opened: OpenedDir, name?: string): string | undefined {
  const { system, dir } = opened;
  const { fs } = system;
  const renamed = findRenamed(opened, name);
  if (!renamed) return undefined;
  const { old, receipt } = renamed;
  onFile("take over", old.home, () => {
    if (readReceipt(system, dir) === "none") {
      if (isThere(fs, old.rollback)) fs.renameSync(old.rollback, dir.rollback);
      writeReceipt(fs, dir, { ...receipt, tool: dir.id });
    }
    fs.removeSync(old.home, { recursive: true });
  });
  return old.id;
}
