/**
 * What is installed, as the last update left it: the floor for downgrades, the digests for
 * `--rollback` and `--status`. It may be missing (a first run) or damaged; neither opens a way
 * around the downgrade rule, because then the tool itself is asked for its version.
 */
import * as v from "valibot";
import { readIfThere, replaceFile } from "../files/durable_files.ts";
import type { InstallDir } from "./install_dir.ts";
import type { FileSystem } from "../system/system.ts";
import { isVersion } from "../base/version.ts";

const Sha256 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const InstalledSchema = v.strictObject({
  /** The name in the release manifest. */
  name: v.string(),
  /** The real path. */
  target: v.string(),
  size: v.number(),
  sha256: Sha256,
});

/** Exported for the journal, which carries the receipt of the update in progress. */
export const ReceiptSchema = v.strictObject({
  format: v.literal(1),
  /** The tool's name in the release manifest; null after `--from`. */
  name: v.nullable(v.string()),
  /** Null where `--from` installed a file that does not tell its version. */
  version: v.nullable(v.string()),
  /** Digest over all files of the release: tells equal versions with other bytes apart. */
  release: v.nullable(Sha256),
  files: v.array(InstalledSchema),
  /** The highest version ever accepted: older ones are downgrades even after a rollback. */
  highest: v.nullable(
    v.strictObject({ version: v.pipe(v.string(), v.check(isVersion)), release: Sha256 }),
  ),
  /** What `--rollback` brings back: complete files in `rollback/`, by name. */
  rollback: v.nullable(
    v.strictObject({
      version: v.nullable(v.string()),
      release: v.nullable(Sha256),
      files: v.array(InstalledSchema),
    }),
  ),
  /** ISO 8601. */
  updated: v.string(),
});

/** What is installed. */
export type Receipt = Readonly<v.InferOutput<typeof ReceiptSchema>>;
/** One installed executable. */
export type Installed = Readonly<v.InferOutput<typeof InstalledSchema>>;

/** Damage is told apart from absence, because a damaged one had something to say. */
export type ReceiptState = Receipt | "none" | "damaged";

/** Reads the receipt. Throws only what opening throws. */
export function readReceipt(fs: FileSystem, dir: InstallDir): ReceiptState {
  try {
    const bytes = readIfThere(fs, dir.receipt, 1024 * 1024);
    if (!bytes) return "none";
    const result = v.safeParse(ReceiptSchema, JSON.parse(new TextDecoder().decode(bytes)));
    return result.success ? result.output : "damaged";
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return "damaged";
    throw error;
  }
}

/** Makes the receipt durable, in one step. */
export function writeReceipt(fs: FileSystem, dir: InstallDir, receipt: Receipt): void {
  replaceFile(fs, dir.receipt, JSON.stringify(receipt, null, 2) + "\n");
}
