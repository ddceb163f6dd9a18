/** One executable of an update, step by step: wanted, planned, staged. The journal holds the same. */
import { basename, dirname, join } from "node:path";
import type { Digest } from "../files/digest.ts";
import { isThere, lookAt } from "../files/durable_files.ts";
import { areDistinct } from "../base/file_names.ts";
import { uniqueName } from "../installation/trash.ts";
import { folderIdentity, type JournalRecord, locate, type Located } from "./journal.ts";
import type { HealthCheck } from "../base/health_check.ts";
import type { Session } from "../session.ts";
import type { FileInfo } from "../system/file_system.ts";
import type { Target } from "../installation/targets.ts";
import { namesBeside } from "../installation/names.ts";

/** What a command asks for. */
export interface Wanted {
  readonly executable: Target;
  /** Known before it is fetched, or null. */
  readonly digest: Digest | null;
  /** For a first installation; else the old file's mode is kept. */
  readonly mode: number;
  /** It can be tried. */
  readonly run: boolean;
  /** What it replaces was not installed by the tool's updater: the only copy, which is never lost. */
  readonly foreign?: boolean;
}

/** With its names, which the journal has. */
export type Planned<W extends Wanted = Wanted> = W & Located;

/** A staged file with its bytes, what they are, and what the file was when they were read. */
export type Filled<W extends Wanted = Wanted> = Planned<W> & {
  readonly fresh: Digest;
  readonly digested: FileInfo | undefined;
};

/** Complete, verified and seen running, and what it will replace. */
export type Staged<W extends Wanted = Wanted> = Planned<W> & {
  readonly fresh: Digest;
  /** The staged file, as it was when it was read for the last time. */
  readonly stagedInfo: FileInfo;
  /** The target, as it was when it was read; undefined at a first installation. */
  readonly targetInfo: FileInfo | undefined;
};

/** A transaction's first record, and its files with the paths that they have now. */
export interface Plan<W extends Wanted> {
  readonly record: JournalRecord;
  readonly files: readonly Planned<W>[];
}

/** Decides every name. Nothing is made yet. The state dir is there. */
export function planTransaction<W extends Wanted>(
  { system, dir }: Session,
  wanted: readonly W[],
  check: HealthCheck,
  leftovers: JournalRecord["leftovers"],
): Plan<W> {
  const { fs } = system;
  const transaction = uniqueName(system);
  const device = fs.statSync(dir.home).dev;
  const real = wanted.map(({ executable }) => basename(executable.path));
  // Two links may lead to files of one name in two folders.
  const byRealName = areDistinct(real);
  const files = wanted.map((one) => {
    const { name, path } = one.executable;
    return locate(system, dir, transaction, {
      ...one,
      name,
      stagedAs: byRealName ? basename(path) : name,
      beside: fs.statSync(dirname(path)).dev !== device,
      link: lookAt(fs, join(dir.path, name))?.isSymlink === true,
      // A foreign `.previous` beside a complete target is not ours to remove.
      hidden: isThere(fs, namesBeside(path, transaction).previous),
      old: null,
      fresh: one.digest,
    });
  });
  return {
    files,
    record: {
      format: 1,
      transaction,
      phase: "staging",
      folder: folderIdentity(fs, dir),
      files,
      check: check && { args: [...check.args], timeoutMs: check.timeoutMs },
      leftovers: [...leftovers],
      receipt: null,
    },
  };
}
