/**
 * Removes the main tool, the state dir and the shim itself. The receipt says what the tool is, and
 * goes after everything else: cut short anywhere, `--uninstall` can be run again and carries on.
 */
import { dirname, join } from "node:path";
import { isThere, lookAt, removeIfThere } from "../files/durable_files.ts";
import { UpdateError } from "../base/errors.ts";
import { onFile } from "../files/fs_errors.ts";
import type { Lock } from "../installation/lock.ts";
import { toolsOf } from "../installation/install_dir.ts";
import {
  type Installed,
  knownReceipt,
  readReceipt,
  type Receipt,
} from "../installation/receipt.ts";
import { behindOf, pathOf } from "../installation/targets.ts";
import { damagedReceipt } from "./local_install.ts";
import { isOriginals } from "../transaction/journal.ts";
import { holds } from "../transaction/swap.ts";
import {
  DEFAULT_TOOL_ID,
  IN_TOOL,
  previousOf,
  stagedBeside,
  toolIdOf,
  toolIdOfShim,
} from "../installation/names.ts";
import { requireOwnFolder } from "../installation/trust.ts";
import { configurationsIn } from "../cli/config.ts";
import type { Session } from "../session.ts";
import type { FileSystem } from "../system/file_system.ts";
import { keepForeign } from "../transaction/tidy.ts";
import { ownExecutable, runningShim } from "./file_state.ts";
import { howToFindHolders } from "../system/windows_holders.ts";

/** A shim that has just done its work is waited for. */
const EXIT_MS = 5000;
const LOOK_MS = 250;

/**
 * Removes what was installed and still is that, by digest and real path; the rest is named and left.
 * The configuration goes too, the shim if it bears the tool's id, and the install dir if the shim made
 * it and nothing else is in it. The lock is held, and ends with the state dir. Throws `filesystem` for
 * what cannot be removed, and where nobody knows any more what was installed.
 */
export async function uninstall(session: Session, lock: Lock): Promise<void> {
  const { system, dir, report } = session;
  const { fs, platform } = system;
  const receipt = readReceipt(system, dir);
  if (receipt === "damaged") throw damagedReceipt(dir);
  if (receipt === "none") {
    removeEmptyState(session, lock);
    return report({ event: "uninstalled", files: [] });
  }
  const { files, shim, left, spared } = removalOf(session, receipt);
  await refuseRunning(session, files);
  if (shim) await refuseOtherShims(session, shim);
  refuseReadOnly(session, [...files, ...shim ? [shim] : []]);
  keepForeign(session, receipt, null);
  // Before the files: a kill in between would leave what the next repair brings them back from.
  if (isThere(fs, dir.rollback)) {
    onFile("remove", dir.rollback, () => fs.removeSync(dir.rollback, { recursive: true }));
  }
  for (const path of files) onFile("remove", path, () => removeIfThere(fs, path));
  removeStateButReceipt(session);
  // What the tools of the folder share goes with the last one.
  const isLast = toolsOf(system, dir).every(({ home }) => home === dir.home);
  const isKept = isLast && hasBroken(session);
  const trees = isKept
    ? [dir.home, dir.trash, dir.holder, dir.lock].filter((path) => isThere(fs, path))
    : [isLast ? dir.state : dir.home];
  const last = isLast && !isKept
    ? { file: shim ?? dir.lock, trees, folders: receipt.madeFolder ? [dir.path] : [] }
    : { file: shim ?? dir.receipt, trees, folders: [] };
  // Whoever can exchange it would choose what is removed: looked at once more.
  requireOwnFolder(system, dir.state, "the state dir");
  const when = onFile("remove", last.file, () => platform.removeAfterExit(system, last));
  const own = shim === undefined ? [] : [shim];
  for (const { path, tool } of spared) {
    report({
      event: "warning",
      message: `"${path}" was left: "${tool}" has no other shim`,
      path,
      hint: "It goes with the last tool that it updates.",
    });
  }
  for (const path of isKept ? [...left, dir.broken] : left) {
    report({
      event: "warning",
      message: `"${path}" was left: it is not what was installed`,
      path,
      hint: "Remove it by hand if it is in the way.",
    });
  }
  report(
    when === "now"
      ? { event: "uninstalled", files: [...files, ...own] }
      : { event: "uninstalled", files: [...files], ...shim !== undefined && { afterExit: shim } },
  );
}

interface Removal {
  /** Without the shim. */
  readonly files: readonly string[];
  /** Its executable, where it goes too. */
  readonly shim: string | undefined;
  /** There under a name of the tool's, but not what was installed. */
  readonly left: readonly string[];
  /** Shims that another tool needs. */
  readonly spared: readonly { readonly path: string; readonly tool: string }[];
}

function removalOf(session: Session, receipt: Receipt): Removal {
  const { system: { fs, platform }, dir } = session;
  const own = ownExecutable(session), running = runningShim(session);
  const all = [...receipt.files, ...receipt.dropped];
  const [tool] = servedHere(session);
  const isShim = (path: string) =>
    platform.sameName(path, running) || toolIdOfShim(path) === DEFAULT_TOOL_ID;
  const shims = [...all.map(({ name }) => join(dir.path, name)), ...own ? [own] : []].filter(
    isShim,
  );
  const spared = tool === undefined ? [] : [...new Set(shims)].map((path) => ({ path, tool }));
  const shim = tool === undefined ? own : undefined;
  const known = all.filter(({ name }) => {
    const path = join(dir.path, name);
    return tool === undefined ? !(shim && platform.sameName(path, shim)) : !isShim(path);
  });
  // By the name in the install dir and by the real path: a link goes with its file, or stays with it.
  const names = known.flatMap((file) => pathsOf(session, file));
  const files = [...new Set([...names, dir.config])].filter((path) => isThere(fs, path));
  const left = known.map(({ name }) => join(dir.path, name))
    .flatMap((path) => [path, ...previousOf(path)])
    .filter((path) => !files.includes(path) && isThere(fs, path));
  return { files, shim, left, spared };
}

/** Other tools of the folder that have no shim of their own name: they are updated by this one. */
function servedHere({ system, dir }: Session): string[] {
  const tools = new Map<string, string | null | undefined>();
  for (const { path, config } of configurationsIn(system, dir.path)) {
    tools.set(toolIdOf(path)!, config.name);
  }
  for (const tool of toolsOf(system, dir)) {
    const receipt = readReceipt(system, tool);
    if (receipt !== "none") tools.set(tool.id, knownReceipt(receipt)?.name ?? tools.get(tool.id));
  }
  tools.delete(dir.id);
  // Where the tool itself is called so, that file is no shim.
  return [...tools].filter(([id, name]) =>
    name === id || ![id, `${id}.exe`].some((file) => isThere(system.fs, join(dir.path, file)))
  ).map(([id]) => id);
}

/** Throws `filesystem`, and nothing was removed, unless all folders can be written to. */
function refuseReadOnly({ system, dir }: Session, files: readonly string[]): void {
  const { fs, randomBytes } = system;
  for (const folder of new Set(files.map((path) => dirname(path)))) {
    const named = (transaction: string) => stagedBeside(join(folder, dir.id), dir.id, transaction);
    // Always the same name: one that a kill has left goes now. Unless somebody has called his so.
    const usual = named("0".repeat(16));
    const probe = isEmptyFolder(fs, usual) ?? true ? usual : named(randomBytes(8).toHex());
    onFile("remove files from", folder, () => {
      if (!isThere(fs, probe)) fs.mkdirSync(probe, { mode: 0o700 });
      fs.removeSync(probe);
    });
  }
}

/** Undefined where there is nothing. */
function isEmptyFolder(fs: FileSystem, path: string): boolean | undefined {
  const info = lookAt(fs, path);
  return info && info.isDirectory && !info.isSymlink && [...fs.readDirSync(path)].length === 0;
}

/** Executables that were found broken, or that were somebody's: they stay. */
function hasBroken({ system: { fs }, dir }: Session): boolean {
  return isThere(fs, dir.broken) && [...fs.readDirSync(dir.broken)].length > 0;
}

/** All that an uninstall would remove now, what is kept of the tool last; nothing without a receipt. */
export function plannedRemoval(session: Session): string[] {
  const { system, dir } = session;
  const receipt = readReceipt(system, dir);
  if (receipt === "damaged") throw damagedReceipt(dir);
  if (receipt === "none") return [];
  const { files, shim } = removalOf(session, receipt);
  return [...files, ...shim ? [shim] : [], dir.home];
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

/**
 * The same for the shim, which we execute ourselves: only Windows knows who else does. Where it does not
 * tell, what is left of the shim can be run again.
 */
async function refuseOtherShims(session: Session, shim: string): Promise<void> {
  const { clock, processes, platform } = session.system;
  const ourselves = new RegExp(`\\bprocess ${processes.pid}\\b`);
  for (let waited = 0;; waited += LOOK_MS) {
    const others = platform.holdersOf(session.system, shim)
      .filter((holder) => !ourselves.test(holder));
    if (others.length === 0) return;
    if (waited >= EXIT_MS) throw stillRunning(session, shim, others);
    await clock.delay(LOOK_MS);
  }
}

function stillRunning(
  { system }: Session,
  path: string,
  holders = system.platform.holdersOf(system, path),
): UpdateError {
  const who = holders.length === 0 ? "" : ` by ${holders.join(", ")}`;
  const search = holders.length === 0 ? ` ${howToFindHolders(path)}` : "";
  return new UpdateError("filesystem", `Cannot remove "${path}": it is in use${who}`, {
    path,
    hint: `Nothing was removed. Close the program and run --uninstall again.${search}`,
  });
}

/** The name, and the file behind a link: if this folder, and no original of it, installed it there. */
function pathsOf({ system, dir }: Session, file: Installed): string[] {
  const { fs } = system;
  const path = pathOf(system, dir, file.name);
  const named = join(dir.path, file.name);
  const ours = behindOf(fs, dir, { name: file.name, path }) === file.behind &&
    !isOriginals(fs, dir, file.folder, path) && holds(fs, path, file);
  return ours ? [named, path] : [];
}

/** All that is large or may be stuck; what is left of the tool's folder is small. */
function removeStateButReceipt({ system: { fs }, dir }: Session): void {
  const last = [dir.receipt, dir.log];
  // By their names, not as they are found: in a folder that was exchanged those would be somebody's.
  for (const name of Object.values(IN_TOOL)) {
    const path = join(dir.home, name);
    if (last.includes(path) || !isThere(fs, path)) continue;
    onFile("remove", path, () => fs.removeSync(path, { recursive: true }));
  }
}

/**
 * What is left by an uninstall that was cut short at its last step, or was made for this very start:
 * a state dir with nothing in it but the run's own files.
 */
function removeEmptyState(session: Session, lock: Lock): void {
  const { system: { fs }, dir } = session;
  const ofThisRun = [dir.log];
  const names = [...fs.readDirSync(dir.home)].map(({ name }) => join(dir.home, name));
  if (!names.every((path) => ofThisRun.includes(path))) return;
  lock.release();
  try {
    fs.removeSync(dir.home, { recursive: true });
    removeStateIfLast(session);
  } catch {
    // It does no harm.
  }
}

/** What the tools of the folder share goes with the last one. */
function removeStateIfLast(session: Session): void {
  const { system, dir } = session;
  if (hasBroken(session)) return;
  if (toolsOf(system, dir).some((tool) => isThere(system.fs, tool.home))) return;
  onFile("remove", dir.state, () => system.fs.removeSync(dir.state, { recursive: true }));
}
