/**
 * Removes the main tool, the state dir and the shim itself. The receipt says what the tool is, and
 * goes after everything else: cut short anywhere, `--uninstall` can be run again and carries on.
 */
import { basename, dirname, join } from "@std/path";
import { isThere, realPath, removeIfThere } from "../files/durable_files.ts";
import { UpdateError } from "../base/errors.ts";
import { onFile } from "../files/fs_errors.ts";
import type { Lock } from "../installation/lock.ts";
import { readReceipt } from "../installation/receipt.ts";
import type { Session } from "../session.ts";
import { howToFindHolders } from "../system/windows_holders.ts";

/**
 * Removes everything that belongs to the tool, and the install dir if nothing else is in it. The
 * lock is held, and ends with the state dir. Throws `usage` where no update ever said what the tool
 * is, and `filesystem` for what cannot be removed.
 */
export async function uninstall(session: Session, lock: Lock): Promise<void> {
  const { system, dir, report } = session;
  const { fs, platform } = system;
  const receipt = readReceipt(fs, dir);
  if (typeof receipt === "string") {
    removeEmptyState(session, lock);
    throw unknownTool(dir.path, dir.receipt);
  }
  const shim = ownExecutable(session);
  // By the name in the install dir and by the real path: a link goes with its file.
  const names = receipt.files.flatMap(({ name, target }) => [join(dir.path, name), target]);
  const files = [...new Set([...names, join(dir.path, "updater-shim.json")])]
    .filter((path) => !(shim && platform.sameName(path, shim)) && isThere(fs, path));
  await refuseRunning(session, files);
  for (const path of files) onFile("remove", path, () => removeIfThere(fs, path));
  removeStateButReceipt(session);
  const last = { file: shim ?? dir.lock, state: dir.state, folder: dir.path };
  onFile("remove", last.file, () => platform.removeAfterExit(system, last));
  report({ event: "uninstalled", files: shim ? [...files, shim] : files });
}

/** The shim's executable if it lies in the install dir: another one serves other tools, too. */
function ownExecutable({ system: { fs, execPath }, dir }: Session): string | undefined {
  let path = execPath;
  try {
    path = realPath(fs, execPath);
  } catch {
    // Removed or renamed since we started.
  }
  // By its name as well: `deno run` makes Deno's own the executable.
  const isShim = /^updater-shim/i.test(basename(path));
  return isShim && dirname(path) === dir.path ? path : undefined;
}

/**
 * Throws `filesystem`, and nothing was changed, if one of the files is executing on Windows: it could
 * be moved, but not removed, and an uninstall that leaves files behind is none.
 */
async function refuseRunning(session: Session, files: readonly string[]): Promise<void> {
  const { system, dir } = session;
  const { fs, platform } = system;
  // Old versions may still run, too.
  const old = [dir.trash, dir.rollback].filter((folder) => isThere(fs, folder))
    .flatMap((folder) => [...fs.readDirSync(folder)].map(({ name }) => join(folder, name)));
  for (const path of [...files, ...old]) {
    if (await platform.isInUse(system, path)) throw stillRunning(session, path);
  }
}

function stillRunning({ system }: Session, path: string): UpdateError {
  const holders = system.platform.holdersOf(system, path);
  const who = holders.length === 0 ? "" : ` by ${holders.join(", ")}`;
  const search = holders.length === 0 ? ` ${howToFindHolders(path)}` : "";
  return new UpdateError("filesystem", `Cannot remove "${path}": it is in use${who}`, {
    path,
    hint: `Nothing was removed. Close the program and run --uninstall again.${search}`,
  });
}

/** All that is large or may be stuck; what is left of the state dir is small. */
function removeStateButReceipt({ system: { fs }, dir }: Session): void {
  const last = [dir.receipt, dir.lock, dir.holder, dir.log];
  for (const { name } of [...fs.readDirSync(dir.state)]) {
    const path = join(dir.state, name);
    if (last.includes(path)) continue;
    onFile("remove", path, () => fs.removeSync(path, { recursive: true }));
  }
}

/**
 * What is left by an uninstall that was cut short at its last step, or was made for this very start:
 * a state dir with nothing in it but the run's own files.
 */
function removeEmptyState(session: Session, lock: Lock): void {
  const { system: { fs }, dir } = session;
  const ofThisRun = [dir.lock, dir.holder, dir.log];
  const names = [...fs.readDirSync(dir.state)].map(({ name }) => join(dir.state, name));
  if (!names.every((path) => ofThisRun.includes(path))) return;
  lock.release();
  try {
    fs.removeSync(dir.state, { recursive: true });
    removeIfEmpty(session);
  } catch {
    // It does no harm.
  }
}

/** A folder of the tool's own goes too; a shared one, such as ~/.local/bin, stays. */
function removeIfEmpty({ system: { fs }, dir }: Session): void {
  if ([...fs.readDirSync(dir.path)].length === 0) {
    onFile("remove", dir.path, () => fs.removeSync(dir.path));
  }
}

function unknownTool(folder: string, receipt: string): UpdateError {
  return new UpdateError(
    "usage",
    `Cannot uninstall from "${folder}": no update was ever made here`,
    {
      path: receipt,
      hint: "Only files that updater-shim installed are removed. Delete the tool's files by hand.",
    },
  );
}
