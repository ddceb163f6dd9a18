/** What is installed and what lies about. Looks only: no lock, no recovery, nothing is written. */
import { join } from "node:path";
import { isThere, readIfThere } from "../files/durable_files.ts";
import { hasStateDir } from "../installation/install_dir.ts";
import { readJournal } from "../transaction/journal.ts";
import { type Holder, isHolderAlive, readHolder } from "../installation/holder.ts";
import { isHiddenName } from "../installation/names.ts";
import { findOrphans } from "../orphans/orphans.ts";
import { knownReceipt, readReceipt } from "../installation/receipt.ts";
import type { Session } from "../session.ts";
import { visible } from "../output/text.ts";
import { type FileState, fileState } from "./file_state.ts";

/** The answer of `--status`, as `--json` prints it. */
export interface Status {
  readonly event: "status";
  readonly installDir: string;
  readonly name: string | null;
  readonly version: string | null;
  /** Whether what the last update wrote down can be read. */
  readonly receipt: "valid" | "none" | "damaged";
  readonly files: readonly FileState[];
  readonly rollback: string | null;
  /** The last run's own words (`last-run.json`). */
  readonly lastRun: unknown;
  /** An update that was interrupted, by its phase. */
  readonly interrupted: string | null;
  readonly leftovers: readonly string[];
  readonly lockedBy: Holder | null;
}

/** Throws `filesystem` where the install dir cannot be read. */
export async function readStatus(session: Session): Promise<Status> {
  const { system, dir } = session;
  const { fs } = system;
  const used = hasStateDir(system, dir);
  const state = used ? readReceipt(fs, dir) : "none";
  const receipt = knownReceipt(state);
  const journal = used ? readJournal(fs, dir) : { state: "none" } as const;
  return {
    event: "status",
    installDir: dir.path,
    name: receipt?.name ?? null,
    version: receipt?.version ?? null,
    receipt: state === "none" || state === "damaged" ? state : "valid",
    files: receipt?.files.map((file) => fileState(session, file)) ?? [],
    rollback: receipt?.rollback ? receipt.rollback.version ?? "unknown version" : null,
    lastRun: readLastRun(session),
    interrupted: journal.state === "none"
      ? null
      : journal.state === "valid"
      ? journal.record.files.length > 0 ? journal.record.phase : null
      : `${journal.state} journal`,
    leftovers: leftovers(session),
    lockedBy: used ? await livingHolder(session) : null,
  };
}

function readLastRun({ system: { fs }, dir }: Session): unknown {
  try {
    const bytes = readIfThere(fs, dir.lastRun, 64 * 1024);
    return bytes ? JSON.parse(new TextDecoder().decode(bytes)) : null;
  } catch {
    return null;
  }
}

function leftovers({ system, dir }: Session): string[] {
  const hidden = [...system.fs.readDirSync(dir.path)]
    .filter(({ name }) => isHiddenName(name))
    .map(({ name }) => join(dir.path, name));
  const trash = isThere(system.fs, dir.trash)
    ? [...system.fs.readDirSync(dir.trash)].map(({ name }) => join(dir.trash, name))
    : [];
  return [...hidden, ...findOrphans(system, dir.path).map(({ previous }) => previous), ...trash];
}

/** The lock itself is not tried: that would make a shim that starts just now give up. */
async function livingHolder({ system, dir }: Session): Promise<Holder | null> {
  const holder = readHolder(system, dir);
  return holder && await isHolderAlive(system, holder) ? holder : null;
}

const WITHOUT_VERSION: Record<Status["receipt"], string> = {
  none: "not installed by updater-shim",
  damaged: "the receipt cannot be read; run an update with --force",
  valid: "unknown version",
};

/** For people. */
export function describeStatus(status: Status): string {
  const { name, version, lockedBy, lastRun } = status;
  const outcome = lastRun as { outcome?: { event?: unknown }; finished?: unknown } | null;
  const rows: (readonly [string, string])[] = [
    ["install dir", status.installDir],
    ["installed", version ? `${name ?? ""} ${version}`.trim() : WITHOUT_VERSION[status.receipt]],
    ...status.files.map(({ path, state }) => ["", `${path} (${state})`] as const),
    ["rollback", status.rollback ?? "none"],
    ["last run", outcome ? `${outcome.outcome?.event ?? "?"}, ${outcome.finished ?? "?"}` : "none"],
    ["interrupted", status.interrupted ?? "no"],
    ["left over", status.leftovers.length === 0 ? "nothing" : ""],
    ...status.leftovers.map((path) => ["", path] as const),
    ["lock", lockedBy ? `held by process ${lockedBy.pid} since ${lockedBy.since}` : "free"],
  ];
  return rows.map(([label, text]) => `${label.padEnd(12)}${visible(text)}\n`).join("");
}
