/**
 * Every name that the shim gives to something on the disk: made here, and recognised here. Nothing
 * else decides what is ours, so that what is made and what is believed to be ours cannot differ.
 *
 * | name | what it is |
 * | --- | --- |
 * | `.updater-shim/` | the state dir of an install dir |
 * | `.updater-shim/<tool id>/` | what is kept of one tool |
 * | `.updater-shim/<tool id>/staged/<transaction>/` | the staged set |
 * | `.<tool id>.<transaction>.staged/` | the staged set of a folder on another device |
 * | `<target>.previous` | the old executable while an update is being committed |
 * | `.<target>.<transaction>.previous` | the same, where `<target>.previous` is taken |
 * | `.<target>.<transaction>.copy` | a copy in the making, where links cannot be made |
 * | `.<target>.<transaction>.aside` | where Windows puts an image that is executing |
 *
 * A transaction is sixteen hex digits that nobody can foresee.
 */
import { basename, dirname, join } from "node:path";
import { isPlainName } from "../base/file_names.ts";
import { withoutEnd } from "../base/text_end.ts";

/** In the install dir. */
export const STATE_DIR = ".updater-shim";

/** The tool id where nothing else is said. */
export const DEFAULT_TOOL_ID = "updater-shim";

/** Names directly in the state dir; the folders of the tools lie beside them. */
export const IN_STATE = {
  lock: "lock",
  holder: "holder.json",
  trash: "trash",
  broken: "broken",
} as const;

/** Names in the folder of one tool. */
export const IN_TOOL = {
  journal: "journal",
  receipt: "receipt.json",
  lastRun: "last-run.json",
  log: "log.txt",
  waits: "waits.json",
  partial: "partial",
  staged: "staged",
  rollback: "rollback",
  downloaded: "downloaded",
  installationId: "installation-id",
  answer: "check.json",
  asking: "check.lock",
} as const;

/** The half-written successor of a file of the state dir; see `replaceFile`. */
export const UNFINISHED = ".new";

/** Whether it is such a successor of a file in the folder of one tool. */
export function isUnfinishedOfHome(name: string): boolean {
  const files: readonly string[] = Object.values(IN_TOOL);
  return name.endsWith(UNFINISHED) && files.includes(name.slice(0, -UNFINISHED.length));
}

/** A name for a copy of a file in the making, beside it; no target is called so. */
export function unfinishedOf(path: string): string {
  return join(dirname(path), `.${basename(path)}${UNFINISHED}`);
}

/** Whether it is such a name. */
export function isUnfinished(name: string): boolean {
  return /^\..+\.new$/.test(name);
}

/** Whether a tool can be called so: a plain name, and none of those beside the tools' folders. */
export function isToolId(id: string): boolean {
  const reserved: readonly string[] = Object.values(IN_STATE);
  const name = id.toLowerCase();
  return isPlainName(id) && !reserved.includes(name) && !name.endsWith(UNFINISHED);
}

/** The tool id that a configuration file stands for, or undefined where its name is none. */
export function toolIdOf(config: string): string | undefined {
  const name = basename(config);
  const id = name.replace(/\.json$/i, "");
  return id !== name && isToolId(id) ? id : undefined;
}

/** The id of the tool that a shim was shipped with, by the name of its executable. */
export function toolIdOfShim(executable: string): string {
  return basename(executable).replace(/\.exe$/i, "");
}

/** Whether it is sixteen hex digits. */
export function isTransaction(text: string): boolean {
  return /^[0-9a-f]{16}$/.test(text);
}

/** What an update may have to leave for a while, by the word that stands in its name. */
export type Temporary = "staged" | "previous" | "hidden-previous" | "copy" | "aside";

/** The names beside one target during one update. */
export interface NamesBeside {
  /** The old executable during the commit. */
  readonly previous: string;
  /** Instead of `previous`, where `<target>.previous` is taken by a file that is not ours. */
  readonly hiddenPrevious: string;
  /** A copy that is being made where links cannot be. */
  readonly scratch: string;
  /** Where Windows puts an image that is executing. */
  readonly aside: string;
}

/** All in the target's own folder: a rename never leaves its file system. */
export function namesBeside(target: string, transaction: string): NamesBeside {
  const folder = dirname(target), name = basename(target);
  const extension = /\.exe$/i.exec(name)?.[0] ?? "";
  // Names end at 255 bytes: a long one is shortened, the transaction keeps it unique.
  const start = new TextDecoder().decode(
    new TextEncoder().encode(name.slice(0, name.length - extension.length)).subarray(0, 200),
  );
  const stem = withoutEnd(start, "\uFFFD");
  const hidden = (what: string) => join(folder, `.${stem}.${transaction}.${what}${extension}`);
  return {
    previous: `${target}.previous`,
    hiddenPrevious: hidden("previous"),
    scratch: hidden("copy"),
    aside: hidden("aside"),
  };
}

/** The staged set's folder beside a target on another device than the state dir. */
export function stagedBeside(target: string, toolId: string, transaction: string): string {
  return join(dirname(target), `.${toolId.slice(0, 60)}.${transaction}.staged`);
}

/** A hidden name that an update gives, taken apart. */
const HIDDEN = /^\..+\.[0-9a-f]{16}\.(staged|previous|copy|aside)(\.exe)?$/i;

/** Whether updates give such names, to files or folders in the install dir and beside a target. */
export function isHiddenName(name: string): boolean {
  return HIDDEN.test(name);
}

/** `.previous` is ours; `.previous.exe` is what uv and axoupdater leave. */
const PREVIOUS = /\.previous(\.exe)?$/i;

/**
 * Whether an updater, ours or another, may have left it as the old version of something. Not our own
 * hidden names: what those stand for only a journal knows.
 */
export function isPrevious(name: string): boolean {
  return PREVIOUS.test(name) && !isHiddenName(name);
}

/** Whether it is the name that uv and axoupdater give. */
export function isForeignPrevious(name: string): boolean {
  return /\.previous\.exe$/i.test(name) && !isHiddenName(name);
}

/** The names that updaters give to the old version of a file. */
export function previousOf(path: string): string[] {
  return [`${path}.previous`, `${path}.previous.exe`];
}

/** The path of the file whose old version this is, by the names alone. */
export function ownerOfPrevious(previous: string): string {
  return previous.replace(PREVIOUS, "");
}
