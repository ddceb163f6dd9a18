/**
 * What is installed of one tool, as its last update left it: the floor for downgrades, the digests
 * for `--rollback`, `--status` and `--uninstall`. It may be missing (a first run) or damaged; neither
 * opens a way around the downgrade rule, because then the tool itself is asked for its version.
 *
 * It holds names relative to the install dir and no absolute path, so that a folder that is moved or
 * copied takes its receipt along, and a copy never acts on the original.
 */
import * as v from "valibot";
import { DIGEST_FIELDS, Sha256Schema } from "../files/digest.ts";
import { replaceFile } from "../files/durable_files.ts";
import { readKept, type World } from "../files/trusted_file.ts";
import { isPlainName } from "../base/file_names.ts";
import type { InstallDir } from "./install_dir.ts";
import type { FileSystem } from "../system/file_system.ts";
import { isVersion } from "../base/version.ts";

/** A name in the install dir. Exported for the journal. */
export const NameSchema = v.pipe(v.string(), v.check(isPlainName, "a plain file name"));

/**
 * Inode of the state dir, where there is such a thing, and the digest of the folder's path; in older
 * receipts the inode alone.
 */
export const FolderSchema = v.union([v.number(), v.string()]);
/** Which folder installed a file. */
export type Folder = v.InferOutput<typeof FolderSchema>;

const KeptSchema = v.strictObject({
  name: NameSchema,
  ...DIGEST_FIELDS,
  /** It was somebody else's when it was replaced, and is that again when it is put back. */
  foreign: v.optional(v.boolean()),
});

const InstalledSchema = v.strictObject({
  /** The name in the release manifest, and in the install dir. */
  name: NameSchema,
  ...DIGEST_FIELDS,
  /** When its bytes were written, in milliseconds since 1970: while it is that, nobody changed them. */
  modified: v.optional(v.number()),
  /**
   * Where the name is a link: the real path of its file, relative to the install dir. Only to compare
   * with what the link leads to now; never to act on.
   */
  behind: v.optional(v.string()),
  /** The folder that installed it, as in the journal: what is outside of a copy is not its. */
  folder: v.optional(FolderSchema),
});

const VersionSchema = v.pipe(v.string(), v.check(isVersion));

/** Exported for the journal, which carries the receipt of the update in progress. */
export const ReceiptSchema = v.strictObject({
  format: v.literal(1),
  /** The tool id: one that somebody copied from another tool's folder says nothing about this one. */
  tool: v.string(),
  /** The tool's name in the release manifest; null after `--from`. */
  name: v.nullable(v.string()),
  /** Null where `--from` installed a file that does not tell its version. */
  version: v.nullable(v.string()),
  /** Digest over all files of the release: tells equal versions with other bytes apart. */
  release: v.nullable(Sha256Schema),
  /** What the installed release consists of. */
  files: v.array(InstalledSchema),
  /** What earlier releases had, this one has not, and is still there. */
  dropped: v.array(InstalledSchema),
  /** The highest version ever accepted: older ones are downgrades even after a rollback. */
  highest: v.nullable(v.strictObject({ version: VersionSchema, release: Sha256Schema })),
  /** The version that the user went back from: not offered again. */
  rolledBack: v.nullable(v.string()),
  /** What `--rollback` brings back: complete files in `rollback/`, by name. */
  rollback: v.nullable(
    v.strictObject({
      version: v.nullable(v.string()),
      release: v.nullable(Sha256Schema),
      files: v.array(KeptSchema),
      /** What is new since that version: it stays. */
      added: v.optional(v.array(NameSchema)),
    }),
  ),
  /** The shim made the install dir, and so may remove it. */
  madeFolder: v.boolean(),
  /** ISO 8601. */
  updated: v.string(),
});

/** What is installed. */
export type Receipt = Readonly<v.InferOutput<typeof ReceiptSchema>>;
/** One installed executable. */
export type Installed = Readonly<v.InferOutput<typeof InstalledSchema>>;

/** Damage is told apart from absence, because a damaged one had something to say; so had another tool's. */
export type ReceiptState = Receipt | "none" | "damaged";

const FORM = { what: "the receipt", limit: 1024 * 1024, format: 1, schema: ReceiptSchema };

/** Reads the receipt. Throws `filesystem` where it cannot be read or is not to be believed. */
export function readReceipt(world: World, dir: InstallDir): ReceiptState {
  const kept = readKept(world, dir.receipt, FORM);
  if (kept.state === "valid") return kept.value.tool === dir.id ? kept.value : "damaged";
  return kept.state === "none" ? "none" : "damaged";
}

/** The receipt where there is one that can be read. */
export function knownReceipt(state: ReceiptState): Receipt | null {
  return typeof state === "string" ? null : state;
}

/** Makes the receipt durable, in one step. */
export function writeReceipt(fs: FileSystem, dir: InstallDir, receipt: Receipt): void {
  replaceFile(fs, dir.receipt, JSON.stringify(receipt, null, 2) + "\n");
}
