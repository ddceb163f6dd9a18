/** What is installed and what lies about. Looks only: no lock, no recovery, nothing is written. */
import { join } from "node:path";
import { UpdateError } from "../base/errors.ts";
import { lookAt } from "../files/durable_files.ts";
import { lookAtTrusted, readTrusted } from "../files/trusted_file.ts";
import { hasStateDir } from "../installation/install_dir.ts";
import { type Journal, readJournal } from "../transaction/journal.ts";
import { type Holder, isHolderAlive, readHolder } from "../installation/holder.ts";
import { isHiddenName } from "../installation/names.ts";
import { findOrphans } from "../orphans/orphans.ts";
import { requireOwnFolder } from "../installation/trust.ts";
import { knownReceipt, readReceipt } from "../installation/receipt.ts";
import { asWarning } from "../output/failure.ts";
import type { Session } from "../session.ts";
import { visible, visibleJson } from "../output/text.ts";
import { type FileState, fileState } from "./file_state.ts";

const LAST_RUN_LIMIT = 64 * 1024;

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

/** For people, or for programs. Throws `filesystem` where the install dir cannot be read. */
export async function showStatus(session: Session, json: boolean): Promise<void> {
  const status = await readStatus(session);
  session.system.terminal.out(json ? `${visibleJson(status)}\n` : describeStatus(status));
}

async function readStatus(session: Session): Promise<Status> {
  const { system, dir } = session;
  const used = hasStateDir(system, dir) && lookOrTell(session, () => isUsable(session)) === true;
  const look = <T>(step: () => T, otherwise: T) =>
    used ? lookOrTell(session, step) ?? otherwise : otherwise;
  const state = look(() => readReceipt(system, dir), "none");
  const receipt = knownReceipt(state);
  const journal = look<Journal>(() => readJournal(system, dir), { state: "none" });
  return {
    event: "status",
    installDir: dir.path,
    name: receipt?.name ?? null,
    version: receipt?.version ?? null,
    receipt: state === "none" || state === "damaged" ? state : "valid",
    files: receipt?.files.map((file) => fileState(session, file)) ?? [],
    rollback: receipt?.rollback ? receipt.rollback.version ?? "unknown version" : null,
    lastRun: look(() => readLastRun(session), null),
    interrupted: journal.state === "none"
      ? null
      : journal.state === "valid"
      ? journal.record.files.length > 0 ? journal.record.phase : null
      : `${journal.state} journal`,
    leftovers: leftovers(session, used),
    lockedBy: used ? await livingHolder(session) : null,
  };
}

/** What is wrong here stops everything that changes something. Throws `filesystem`. */
function isUsable({ system, dir }: Session): boolean {
  requireOwnFolder(system, dir.state, "the state dir");
  lookAtTrusted(system, dir.lock, "the lock");
  return true;
}

function readLastRun({ system, dir }: Session): unknown {
  try {
    const bytes = readTrusted(system, dir.lastRun, "the outcome of the last run", LAST_RUN_LIMIT);
    return bytes ? JSON.parse(new TextDecoder().decode(bytes)) : null;
  } catch (error) {
    // Damaged, or too large to be of ours: of no use, and no reason not to tell the rest.
    if (error instanceof SyntaxError || error instanceof RangeError) return null;
    throw error;
  }
}

/** What is not to be believed is told, and the rest is shown. */
function lookOrTell<T>({ report }: Session, step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof UpdateError)) throw error;
    report(asWarning(error));
    return undefined;
  }
}

function leftovers({ system, dir }: Session, used: boolean): string[] {
  const hidden = [...system.fs.readDirSync(dir.path)]
    .filter(({ name }) => isHiddenName(name))
    .map(({ name }) => join(dir.path, name));
  const trash = used && lookAt(system.fs, dir.trash)?.isDirectory
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

/** What a journal means depends on whether somebody still works by it. */
function interruption({ interrupted, lockedBy }: Status): string {
  if (interrupted === null) return "no";
  return lockedBy
    ? `no: one is running (${interrupted})`
    : `yes (${interrupted}): the next start puts it right, or --repair`;
}

/** For people. */
export function describeStatus(status: Status): string {
  const { name, version, lockedBy, lastRun } = status;
  const outcome = lastRun as {
    outcome?: { event?: unknown; message?: unknown };
    finished?: unknown;
  } | null;
  const rows: (readonly [string, string])[] = [
    ["install dir", status.installDir],
    ["installed", version ? `${name ?? ""} ${version}`.trim() : WITHOUT_VERSION[status.receipt]],
    ...status.files.map(({ path, state }) => ["", `${path} (${state})`] as const),
    ["rollback", status.rollback ?? "none"],
    ["last run", outcome ? `${outcome.outcome?.event ?? "?"}, ${outcome.finished ?? "?"}` : "none"],
    ...typeof outcome?.outcome?.message === "string"
      ? [["", outcome.outcome.message] as const]
      : [],
    ["interrupted", interruption(status)],
    ["left over", status.leftovers[0] ?? "nothing"],
    ...status.leftovers.slice(1).map((path) => ["", path] as const),
    ["lock", lockedBy ? `held by process ${lockedBy.pid} since ${lockedBy.since}` : "free"],
  ];
  return rows.map(([label, text]) => `${label.padEnd(12)}${visible(text)}\n`).join("");
}
