/** What is installed and what lies about. Looks only: no lock, no recovery, nothing is written. */
import { join } from "node:path";
import { isThere, readIfThere } from "../files/durable_files.ts";
import { filesystemError, isFilesystemError } from "../files/fs_errors.ts";
import { examine } from "../files/executable_format.ts";
import { hasStateDir } from "../installation/install_dir.ts";
import { readJournal } from "../transaction/journal.ts";
import { type Holder, isHolderAlive, readHolder } from "../installation/holder.ts";
import { isHiddenName } from "../installation/names.ts";
import { findOrphans } from "../orphans/orphans.ts";
import { type Installed, knownReceipt, readReceipt } from "../installation/receipt.ts";
import { pathOf } from "../installation/targets.ts";
import type { Session } from "../session.ts";
import { visible } from "../output/text.ts";
import { holds } from "../transaction/swap.ts";

/** The answer of `--status`, as `--json` prints it. */
export interface Status {
  readonly event: "status";
  readonly installDir: string;
  readonly name: string | null;
  readonly version: string | null;
  /** `changed`: complete, but not what the last update installed. */
  readonly files: readonly {
    readonly path: string;
    readonly state: "installed" | "changed" | "broken" | "missing" | "not-a-file";
  }[];
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
  const receipt = used ? knownReceipt(readReceipt(fs, dir)) : null;
  const journal = used ? readJournal(fs, dir) : { state: "none" } as const;
  return {
    event: "status",
    installDir: dir.path,
    name: receipt?.name ?? null,
    version: receipt?.version ?? null,
    files: receipt?.files.map((file) => stateOf(session, file)) ?? [],
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

function stateOf({ system: { fs }, dir }: Session, file: Installed): Status["files"][number] {
  let path = join(dir.path, file.name);
  try {
    path = pathOf(fs, dir, file.name);
    if (holds(fs, path, file)) return { path, state: "installed" };
    const { completeness } = examine(fs, path);
    return { path, state: completeness === "complete" ? "changed" : completeness };
  } catch (error) {
    if (!isFilesystemError(error)) throw error;
    throw filesystemError(error, "look at", path);
  }
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

/** For people. */
export function describeStatus(status: Status): string {
  const { name, version, lockedBy, lastRun } = status;
  const outcome = lastRun as { outcome?: { event?: unknown }; finished?: unknown } | null;
  const rows: (readonly [string, string])[] = [
    ["install dir", status.installDir],
    ["installed", version ? `${name ?? ""} ${version}`.trim() : "not installed by updater-shim"],
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
