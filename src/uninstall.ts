/**
 * Removes the main tool, the state dir and the shim itself, in that order: cut short, the shim is
 * still there to be run again. `uninstall_windows.ts` removes a shim that is still running.
 */
import { basename, dirname, join } from "@std/path";
import { isThere, removeIfThere } from "./durable_files.ts";
import { UpdateError } from "./errors.ts";
import { onFile } from "./fs_errors.ts";
import type { Lock } from "./lock.ts";
import { readReceipt } from "./receipt.ts";
import type { Session } from "./session.ts";
import { discard } from "./trash.ts";
import { removeRunningShim } from "./uninstall_windows.ts";

/** The lock ends with the state dir. Throws `usage` where no update ever said what the tool is. */
export async function uninstall(session: Session, lock: Lock): Promise<void> {
  const { system, dir, report } = session;
  const { fs } = system;
  const receipt = readReceipt(fs, dir);
  if (typeof receipt === "string") {
    throw new UpdateError(
      "usage",
      `Cannot uninstall from "${dir.path}": no update was ever made here`,
      {
        path: dir.receipt,
        hint:
          "Only files that updater-shim installed are removed. Delete the tool's files by hand.",
      },
    );
  }
  const shim = system.execPath;
  // By the name in the install dir and by the real path: a link goes with its file.
  const names = receipt.files.flatMap(({ name, target }) => [target, join(dir.path, name)]);
  const files = [...new Set([...names, join(dir.path, "updater-shim.json")])]
    .filter((path) => path !== shim && isThere(fs, path));
  for (const path of files) onFile("remove", path, () => discard(session, path));
  lock.release();
  const inside = dirname(shim) === dir.path;
  if (system.os === "windows") {
    await removeRunningShim(session, inside ? shim : undefined);
  } else {
    onFile("remove", dir.state, () => fs.removeSync(dir.state, { recursive: true }));
    if (inside && basename(shim).startsWith("updater-shim")) removeIfThere(fs, shim);
    removeIfEmpty(session);
  }
  report({ event: "uninstalled", files: inside ? [...files, shim] : files });
}

/** A folder of the tool's own goes too; a shared one, such as ~/.local/bin, stays. */
function removeIfEmpty({ system: { fs }, dir }: Session): void {
  if ([...fs.readDirSync(dir.path)].length === 0) {
    onFile("remove", dir.path, () => fs.removeSync(dir.path));
  }
}
