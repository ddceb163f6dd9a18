/**
 * What an update is about to do, written down before it does it.
 *
 * Format: two lines, the record as JSON and the SHA-256 of that line. The file is replaced in one
 * step at each phase, so it is the record before or the record after, never a torn one; damage
 * means that the disk or a person did it. It holds names relative to the install dir and no absolute
 * path: what a name stands for is found again, through its link where there is one.
 *
 * | phase | promise |
 * | --- | --- |
 * | `staging` | no target was touched; everything named here but the targets may go |
 * | `committing` | every staged file is complete and durable; targets are being replaced |
 * | `rolling-back` | something failed: every target becomes the old one again |
 * | `committed` | every target is the new one; only tidying is left |
 * | `leftovers` | the update is over; only files that could not be removed yet are named |
 */
import { createHash } from "node:crypto";
import { join, relative } from "node:path";
import * as v from "valibot";
import { DigestSchema } from "../files/digest.ts";
import { lookAt } from "../files/durable_files.ts";
import { removeIfThere, replaceFile, syncFolder } from "../files/durable_files.ts";
import { onFile } from "../files/fs_errors.ts";
import { readTrusted, type World } from "../files/trusted_file.ts";
import type { InstallDir } from "../installation/install_dir.ts";
import {
  isTransaction,
  type NamesBeside,
  namesBeside,
  stagedBeside,
} from "../installation/names.ts";
import { patiently } from "../system/patience.ts";
import { type Folder, FolderSchema, NameSchema, ReceiptSchema } from "../installation/receipt.ts";
import { pathOf } from "../installation/targets.ts";
import type { FileSystem } from "../system/file_system.ts";

/** Newer records are left to the shim that wrote them. */
const FORMAT = 1;
const LIMIT = 4 * 1024 * 1024;

const TransactionSchema = v.pipe(v.string(), v.check(isTransaction, "a transaction"));

/** Exported for the page that names its fields. */
export const FileSchema = v.strictObject({
  /** The name in the release manifest, and in the install dir. */
  name: NameSchema,
  /** The staged file's name in the staged set: the target's own. */
  stagedAs: NameSchema,
  /** The staged set of this file's folder lies beside the target: that is another device. */
  beside: v.boolean(),
  /** The name was a link. One that has become a link since leads to another file. */
  link: v.optional(v.boolean()),
  /** `<target>.previous` was taken: the old one gets a hidden name. */
  hidden: v.boolean(),
  /** It is an executable that can be tried. */
  run: v.boolean(),
  /** Null at a first installation. */
  old: v.nullable(DigestSchema),
  /** Null only while staging, where it is not known before the download. */
  fresh: v.nullable(DigestSchema),
});

const LeftoverSchema = v.strictObject({
  transaction: TransactionSchema,
  /** Of the target. */
  name: NameSchema,
  what: v.picklist(["staged", "previous", "hidden-previous", "copy", "aside"]),
  /** Of a `.previous`, which others may make too; null where the name alone is ours. */
  content: v.nullable(DigestSchema),
});

/** What is asked of an executable, so that recovery can ask it too. */
const CheckSchema = v.union([
  v.literal(false),
  v.strictObject({ args: v.array(v.string()), timeoutMs: v.number() }),
]);

/** Exported for the page that names its fields. */
export const RecordSchema = v.strictObject({
  format: v.literal(FORMAT),
  transaction: TransactionSchema,
  phase: v.picklist(["staging", "committing", "rolling-back", "committed", "leftovers"]),
  /** A copy of the folder is another one: it must not go on with what lies outside of it. */
  folder: v.nullable(FolderSchema),
  files: v.array(FileSchema),
  check: CheckSchema,
  /** Files of earlier updates that could not be removed yet. */
  leftovers: v.array(LeftoverSchema),
  /** What the receipt becomes with the commit. */
  receipt: v.nullable(ReceiptSchema),
});

/** One executable of an update, as it is written down. */
export type JournalFile = Readonly<v.InferOutput<typeof FileSchema>>;
/** A file that could not be removed yet. */
export type Leftover = Readonly<v.InferOutput<typeof LeftoverSchema>>;
/** One update. */
export type JournalRecord = Readonly<v.InferOutput<typeof RecordSchema>>;
/** How far an update has come. */
export type Phase = JournalRecord["phase"];

/** What stands in the journal. */
export type Journal =
  | { readonly state: "none" }
  | { readonly state: "valid"; readonly record: JournalRecord }
  | { readonly state: "newer"; readonly format: number }
  | { readonly state: "damaged"; readonly why: string };

/** One executable of an update with the paths that its names stand for now. */
export interface Located extends JournalFile {
  /** The real path that is replaced. */
  readonly target: string;
  /** The folder of the staged set. */
  readonly folder: string;
  /** The new executable, until it is renamed. */
  readonly staged: string;
  /** The old executable during the commit. */
  readonly previous: string;
  /** What `previous` becomes where its name turns out to be taken. */
  readonly hiddenPrevious: string;
  readonly scratch: NamesBeside["scratch"];
  readonly aside: NamesBeside["aside"];
}

/** Finds out what a record's names stand for. Throws `filesystem` (a circle of links). */
export function locate<F extends JournalFile>(
  system: World,
  dir: InstallDir,
  transaction: string,
  file: F,
): F & Located {
  const named = join(dir.path, file.name);
  const target = onFile(
    "look at",
    named,
    () =>
      file.link === false && lookAt(system.fs, named)?.isSymlink
        ? named
        : pathOf(system, dir, file.name),
  );
  const { previous, hiddenPrevious, scratch, aside } = namesBeside(target, transaction);
  const folder = file.beside
    ? stagedBeside(target, dir.id, transaction)
    : join(dir.staged, transaction);
  return {
    ...file,
    target,
    folder,
    staged: join(folder, file.stagedAs),
    previous: file.hidden ? hiddenPrevious : previous,
    hiddenPrevious,
    scratch,
    aside,
  };
}

/** The path of a leftover now. */
export function pathOfLeftover(system: World, dir: InstallDir, leftover: Leftover): string {
  const target = pathOf(system, dir, leftover.name);
  const names = namesBeside(target, leftover.transaction);
  switch (leftover.what) {
    case "staged":
      return stagedBeside(target, dir.id, leftover.transaction);
    case "previous":
      return names.previous;
    case "hidden-previous":
      return names.hiddenPrevious;
    case "copy":
      return names.scratch;
    case "aside":
      return names.aside;
  }
}

/** What `folder` in a record is to be: which folder this is. */
export function folderIdentity(fs: FileSystem, dir: InstallDir): string {
  return `${lookAt(fs, dir.state)?.ino ?? ""} ${checksum(dir.path)}`;
}

/**
 * Whether a file is the original's, of which this folder is a copy: it lies outside, and another
 * `folder` (see `folderIdentity`) has written it down. One that was moved keeps its inode, one that
 * was restored its path: neither is a copy.
 */
export function isOriginals(
  fs: FileSystem,
  dir: InstallDir,
  folder: Folder | null | undefined,
  path: string,
): boolean {
  const [inode, place] = String(folder ?? "").split(" ");
  const [here, now] = folderIdentity(fs, dir).split(" ");
  if (!inode || inode === here || place === now) return false;
  const inside = relative(dir.path, path);
  return inside.startsWith("..") || inside === path;
}

/** Reads the journal. Damage is an answer, not an error. Throws `filesystem` where it may not be believed. */
export function readJournal(world: World, dir: InstallDir): Journal {
  let bytes: Uint8Array | undefined;
  try {
    bytes = readTrusted(world, dir.journal, "the journal", LIMIT);
  } catch (error) {
    if (error instanceof RangeError) return { state: "damaged", why: error.message };
    throw error;
  }
  return bytes ? parseJournal(bytes) : { state: "none" };
}

/** Pure part of reading. */
export function parseJournal(bytes: Uint8Array): Journal {
  const text = new TextDecoder().decode(bytes);
  const end = text.indexOf("\n");
  if (end < 0 || text.slice(end + 1) !== `${checksum(text.slice(0, end))}\n`) {
    return { state: "damaged", why: "its checksum does not fit (cut off or changed)" };
  }
  let json: unknown;
  try {
    json = JSON.parse(text.slice(0, end));
  } catch {
    return { state: "damaged", why: "it is not JSON" };
  }
  const format = (json as { format?: unknown } | null)?.format;
  if (typeof format === "number" && format > FORMAT) return { state: "newer", format };
  const result = v.safeParse(RecordSchema, json);
  if (result.success) return { state: "valid", record: result.output };
  return {
    state: "damaged",
    why: `${v.getDotPath(result.issues[0]) ?? "the record"} is not valid`,
  };
}

/** Makes the record durable. Cut short: the record before, or this one. */
export function writeJournal(fs: FileSystem, dir: InstallDir, record: JournalRecord): void {
  const line = JSON.stringify({ ...record, files: record.files.map(written) });
  onFile(
    "write the journal",
    dir.journal,
    () => replaceFile(fs, dir.journal, `${line}\n${checksum(line)}\n`),
  );
}

/**
 * The update is over: nothing that the journal named is left. Not made durable: one that comes back
 * after a power cut is carried out once more, and has nothing to do.
 */
export function removeJournal(fs: FileSystem, dir: InstallDir): void {
  removeIfThere(fs, `${dir.journal}.new`);
  removeIfThere(fs, dir.journal);
}

/** Puts a journal that cannot be read aside, for a person to look at. */
export function setJournalAside(fs: FileSystem, dir: InstallDir): string {
  const kept = `${dir.journal}.broken`;
  patiently(fs, () => fs.renameSync(dir.journal, kept));
  syncFolder(fs, dir.home);
  return kept;
}

/** Only what is written down: no path. */
function written(
  { name, stagedAs, beside, link, hidden, run, old, fresh }: JournalFile,
): JournalFile {
  return { name, stagedAs, beside, link, hidden, run, old, fresh };
}

function checksum(line: string): string {
  return createHash("sha256").update(line).digest("hex");
}
