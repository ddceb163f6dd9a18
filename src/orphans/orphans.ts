/**
 * The orphan rule: what an update by whatever updater left behind when it was interrupted. Works in
 * a folder that the shim has never seen.
 *
 * | `X` | `X.previous` or `X.previous.exe` | then |
 * | --- | --- | --- |
 * | missing, empty or cut off | a complete executable | it becomes `X`; a cut-off `X` is kept aside |
 * | missing, empty or cut off | not an executable, or empty, and nobody misses `X` | both stay; named |
 * | missing, empty or cut off | cut off itself, or empty | both stay; named, code 9 |
 * | missing, empty or cut off | of another user, or others can write to it | both stay; named, code 9 |
 * | complete | anything | both stay; named |
 * | anything | cannot be read | both stay; named |
 * | a folder, a link, a device | anything | both stay; named |
 */
import { basename, dirname, join } from "node:path";
import {
  isThere,
  linkOrCopy,
  moveOrCopy,
  removeIfThere,
  syncFolder,
} from "../files/durable_files.ts";
import { examine, type Executable } from "../files/executable_format.ts";
import { ownerAndMode, whyDistrusted } from "../files/trusted_file.ts";
import { reason, UpdateError } from "../base/errors.ts";
import { isFilesystemError, onFile } from "../files/fs_errors.ts";
import { makeFolder, openStateDir } from "../installation/install_dir.ts";
import {
  isForeignPrevious,
  isPrevious,
  ownerOfPrevious,
  previousOf,
  unfinishedOf,
} from "../installation/names.ts";
import type { Session } from "../session.ts";
import { pathOf } from "../installation/targets.ts";
import { requireTrustedFolder } from "../installation/trust.ts";
import { moveOver } from "../installation/move_over.ts";
import type { System } from "../system/system.ts";
import { placeInTrash } from "../installation/trash.ts";

/** What to do with one `.previous`. */
export interface Orphan {
  readonly previous: string;
  readonly target: string;
  readonly action: "restore" | "leave" | "give-up";
  /** Why, for people. */
  readonly why: string;
}

/**
 * Looks only. Two `.previous` of one target: the second finds it complete once it is restored.
 * `expected` are executables that ought to be there.
 */
export function findOrphans(
  system: System,
  folder: string,
  expected: readonly string[] = [],
): Orphan[] {
  const names: string[] = [];
  const links: string[] = [];
  // A folder may have 100,000 files: no more is kept of them, or looked at, than is needed.
  for (const { name, isSymlink } of system.fs.readDirSync(folder)) {
    if (isPrevious(name)) names.push(name);
    if (isSymlink) links.push(name);
  }
  const all = [
    ...names.sort().map((name) => join(folder, name)),
    ...links.sort().flatMap((name) => behindLink(system, folder, name)),
  ];
  return all.map((previous) => {
    try {
      return judge(system, previous, expected);
    } catch (error) {
      if (!isFilesystemError(error)) throw error;
      const target = ownerOfPrevious(previous);
      return { previous, target, action: "leave", why: `it cannot be read (${reason(error)})` };
    }
  });
}

/** What lies beside a file that is missing, and that a link of the folder leads to: `name`. */
function behindLink(system: System, folder: string, name: string): string[] {
  const { fs } = system;
  try {
    const target = pathOf(system, { path: folder }, name);
    if (dirname(target) === folder || isThere(fs, target)) return [];
    requireTrustedFolder(system, dirname(target));
    return previousOf(target).filter((path) => isThere(fs, path));
  } catch (error) {
    // A circle, or somebody else's: the link is not gone by.
    if (!(error instanceof UpdateError) && !isFilesystemError(error)) throw error;
    return [];
  }
}

function judge(system: System, previous: string, expected: readonly string[]): Orphan {
  const { fs, os } = system;
  const old = examine(fs, previous);
  let target = ownerOfPrevious(previous);
  // Rust's `with_extension("previous.exe")` turns `uv.exe` into `uv.previous.exe`.
  if (isForeignPrevious(basename(previous)) && old.format === "pe" && !/\.exe$/i.test(target)) {
    if (!isThere(fs, target)) target += ".exe";
  }
  const current = examine(fs, target);
  const found = (action: Orphan["action"], why: string) => ({ previous, target, action, why });
  if (old.completeness === "not-a-file") {
    return found("leave", "it is a folder, a link or a device");
  }
  if (current.completeness === "complete") return found("leave", `"${target}" is complete`);
  if (current.completeness === "not-a-file") {
    return found("leave", `"${target}" is a folder, a link or a device`);
  }
  const broken = current.completeness === "missing"
    ? "missing"
    : current.size === 0
    ? "empty"
    : "cut off";
  if (old.size === 0 && !expected.includes(target)) return found("leave", "it is empty");
  if (old.completeness !== "complete") {
    return found("give-up", `"${target}" is ${broken}, and this file is not complete either`);
  }
  if (!looksExecutable(fs, previous, old, os)) {
    // Somebody's notes.txt.previous is not ours to rename.
    return found("leave", "it is not an executable");
  }
  const info = fs.lstatSync(previous);
  const distrusted = whyDistrusted(system.user, info);
  if (distrusted) return found("give-up", `${distrusted}${ownerAndMode(info)}`);
  return found("restore", `"${target}" was ${broken}`);
}

function looksExecutable(
  fs: System["fs"],
  path: string,
  { format }: Executable,
  os: System["os"],
): boolean {
  if (format !== "unknown") return true;
  return os !== "windows" && ((fs.statSync(path).mode ?? 0) & 0o111) !== 0;
}

/** A file that could not be put right, and why. */
export interface Unrepaired {
  readonly path: string;
  readonly why: string;
  readonly hint: string;
}

/** What became of the orphans of a folder. */
export interface Mended {
  readonly mended: readonly string[];
  readonly unrepaired: readonly Unrepaired[];
  readonly left: readonly Orphan[];
}

/**
 * Carries the rule out in one folder, but for the paths that an open journal `named`, and targets that
 * were `mended` before. A file that fails, or a folder, does not keep the others from it.
 */
export async function mendOrphans(
  session: Session,
  folder: string,
  before: {
    readonly named: readonly string[];
    readonly mended: readonly string[];
    readonly expected: readonly string[];
  },
): Promise<Mended> {
  const mended: string[] = [], unrepaired: Unrepaired[] = [], left: Orphan[] = [];
  let orphans: Orphan[];
  try {
    orphans = onFile("list", folder, () => findOrphans(session.system, folder, before.expected));
  } catch (error) {
    if (!(error instanceof UpdateError)) throw error;
    const hint = error.hint ?? "Look at the folder.";
    return { mended, left, unrepaired: [{ path: folder, why: error.message, hint }] };
  }
  for (const orphan of orphans) {
    const { previous, target, action, why } = orphan;
    if (before.named.includes(previous) || before.named.includes(target)) continue;
    // Two `.previous` of one target: the first one mended it.
    if (before.mended.includes(target) || mended.includes(target)) continue;
    const failed = (why: string, hint: string) => unrepaired.push({ path: target, why, hint });
    if (action === "leave") left.push(orphan);
    if (action === "give-up") {
      failed(`it cannot be restored from "${previous}": ${why}`, "Install the tool anew.");
    }
    if (action !== "restore") continue;
    try {
      await restore(session, orphan);
      mended.push(target);
    } catch (error) {
      if (!(error instanceof UpdateError)) throw error;
      failed(error.message, error.hint ?? `Rename "${previous}" to "${target}" by hand.`);
    }
  }
  return { mended, unrepaired, left };
}

/**
 * Puts one orphan back. If we die: the target is as it was, or restored; a cut-off one may already
 * have its second name in `broken/`. Throws `filesystem`.
 */
async function restore(session: Session, { previous, target }: Orphan): Promise<void> {
  const { system, report } = session;
  const { fs } = system;
  await onFile("restore", target, async () => {
    const broken = isThere(fs, target);
    if (broken) keepBroken(session, target);
    // Where a cut-off file that somebody has open gets out of the way, no name of it is left over.
    const spare = broken ? placeInTrash(session, target) : previous;
    await moveOver(session, previous, target, spare);
    if (isThere(fs, previous)) removeIfThere(fs, previous);
    syncFolder(fs, dirname(target));
  });
  report({ event: "repaired", path: target, from: previous });
}

/** A cut-off file may be wanted to find out what happened: one a name is kept. */
function keepBroken(session: Session, target: string): void {
  const { system, dir } = session;
  const { fs } = system;
  openStateDir(system, dir);
  makeFolder(system, dir.broken);
  const name = basename(target);
  const kept = join(dir.broken, name), scratch = unfinishedOf(kept);
  removeIfThere(fs, scratch);
  linkOrCopy(fs, target, scratch, unfinishedOf(scratch));
  moveOrCopy(fs, scratch, kept, unfinishedOf(scratch));
  syncFolder(fs, dirname(kept));
}
