/**
 * What an update is about to do, written down before it does it.
 *
 * Format: two lines, the record as JSON and the SHA-256 of that line. The file is replaced in one
 * step at each phase, so it is the record before or the record after, never a torn one; damage
 * means that the disk or a person did it.
 *
 * | phase | promise |
 * | --- | --- |
 * | `staging` | no target was touched; everything named here but the targets may go |
 * | `committing` | every staged file is complete and durable; targets are being replaced |
 * | `rolling-back` | something failed: every target becomes the old one again |
 * | `committed` | every target is the new one; only tidying is left |
 */
import { createHash } from "node:crypto";
import { basename, dirname, isAbsolute, join } from "@std/path";
import * as v from "valibot";
import { readIfThere, removeIfThere, replaceFile, syncFolder } from "../files/durable_files.ts";
import { onFile } from "../files/fs_errors.ts";
import type { InstallDir } from "../installation/install_dir.ts";
import { patiently } from "../system/patience.ts";
import { ReceiptSchema } from "../installation/receipt.ts";
import type { FileSystem } from "../system/system.ts";

/** Newer records are left to the shim that wrote them. */
const FORMAT = 1;
const LIMIT = 4 * 1024 * 1024;

const AbsolutePath = v.pipe(v.string(), v.check(isAbsolute, "an absolute path"));
const DigestSchema = v.strictObject({
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
});

const FileSchema = v.pipe(
  v.strictObject({
    /** The name in the release manifest. */
    name: v.string(),
    /** The real path that is replaced. */
    target: AbsolutePath,
    /** The new executable, until it is renamed. */
    staged: AbsolutePath,
    /** The old executable during the commit. */
    previous: AbsolutePath,
    /** A copy that is being made where links cannot be. */
    scratch: AbsolutePath,
    /** Where Windows puts an image that is executing. */
    aside: AbsolutePath,
    /** Null at a first installation. */
    old: v.nullable(DigestSchema),
    /** Null only while staging, where it is not known before the download. */
    fresh: v.nullable(DigestSchema),
  }),
  v.check((file) => namesBelongTogether(file), "names that belong to the target"),
);

const RecordSchema = v.strictObject({
  format: v.literal(FORMAT),
  transaction: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)),
  phase: v.picklist(["staging", "committing", "rolling-back", "committed"]),
  files: v.array(FileSchema),
  /** Files of earlier updates that could not be removed yet. */
  leftovers: v.array(v.pipe(AbsolutePath, v.check(isOurs, "a name that updates give"))),
  /** What the receipt becomes with the commit. */
  receipt: v.nullable(ReceiptSchema),
});

/** One executable of an update: its names and what they hold. */
export type JournalFile = Readonly<v.InferOutput<typeof FileSchema>>;
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

/** The names that one target's files have during one update. */
export interface Names {
  readonly staged: string;
  readonly previous: string;
  /** Instead of `previous`, where `<target>.previous` is taken by a file that is not ours. */
  readonly hiddenPrevious: string;
  readonly scratch: string;
  readonly aside: string;
}

/** All in the target's own folder: a rename never leaves its file system. */
export function namesFor(target: string, transaction: string): Names {
  const folder = dirname(target), name = basename(target);
  const extension = /\.exe$/i.test(name) ? ".exe" : "";
  // Names end at 255 bytes: a long one is shortened, the transaction keeps it unique.
  const stem = new TextDecoder().decode(
    new TextEncoder().encode(name.slice(0, name.length - extension.length)).subarray(0, 200),
  ).replace(/\uFFFD+$/, "");
  const hidden = (what: string) => join(folder, `.${stem}.${transaction}.${what}${extension}`);
  return {
    staged: hidden("staged"),
    previous: `${target}.previous`,
    hiddenPrevious: hidden("previous"),
    scratch: hidden("copy"),
    aside: hidden("aside"),
  };
}

/** Whether an update gives such names to files that may have to stay for a while. */
function isOurs(path: string): boolean {
  return /^\..+\.[0-9a-f]{16}\.(staged|copy|aside|previous)(\.exe)?$|.\.previous$/i.test(
    basename(path),
  );
}

/** A forged or damaged record must not make us remove what is not ours. */
function namesBelongTogether(
  file: Omit<Names, "hiddenPrevious"> & { readonly target: string },
): boolean {
  const transaction = /\.([0-9a-f]{16})\.staged(\.exe)?$/i.exec(file.staged)?.[1];
  if (!transaction) return false;
  const names = namesFor(file.target, transaction);
  return file.staged === names.staged && file.scratch === names.scratch &&
    file.aside === names.aside &&
    [names.previous, names.hiddenPrevious].includes(file.previous);
}

/** Reads the journal. Damage is an answer, not an error. Throws only what opening throws. */
export function readJournal(fs: FileSystem, dir: InstallDir): Journal {
  let bytes: Uint8Array | undefined;
  try {
    bytes = readIfThere(fs, dir.journal, LIMIT);
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
  const line = JSON.stringify(record);
  onFile(
    "write the journal",
    dir.journal,
    () => replaceFile(fs, dir.journal, `${line}\n${checksum(line)}\n`),
  );
}

/** The update is over: nothing that the journal named is left. */
export function removeJournal(fs: FileSystem, dir: InstallDir): void {
  removeIfThere(fs, `${dir.journal}.new`);
  if (removeIfThere(fs, dir.journal)) syncFolder(fs, dir.state);
}

/** Puts a journal that cannot be read aside, for a person to look at. */
export function setJournalAside(fs: FileSystem, dir: InstallDir): string {
  const kept = `${dir.journal}.broken`;
  patiently(fs, () => fs.renameSync(dir.journal, kept));
  syncFolder(fs, dir.state);
  return kept;
}

function checksum(line: string): string {
  return createHash("sha256").update(line).digest("hex");
}
