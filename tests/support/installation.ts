/**
 * A tool on a file system, the real update and repair of it, and what can be found there. Three kinds of
 * disk use it: the simulated one (`simulated_installation.ts`), Linux's (`on_disk.ts`), and Windows'
 * (`../windows/sweep/scenario.ts`).
 */
import { basename, dirname, join } from "@std/path";
import { isThere, lookAt, readIfThere, writeAll } from "../../src/files/durable_files.ts";
import { openInstallDir, openStateDir } from "../../src/installation/install_dir.ts";
import { RunLog } from "../../src/output/run_log.ts";
import type { Session } from "../../src/session.ts";
import type { System } from "../../src/system/system.ts";
import { recover } from "../../src/transaction/recover.ts";
import { transact } from "./transaction.ts";

/** One tool and its file system. */
export interface Installation {
  readonly system: System;
  /** The install dir. */
  readonly folder: string;
  /** Absolute paths; those that lie elsewhere are behind links of their names. */
  readonly targets: readonly string[];
  /** What a version of an executable holds. */
  content(version: "old" | "new", path: string): Uint8Array<ArrayBuffer>;
}

const CHECK = { args: ["--version"], timeoutMs: 1000 };
const MAX_SIZE = 1024 * 1024;

/** What a run gets. */
export function sessionOf({ system, folder }: Installation): Session {
  return { system, dir: openInstallDir(system, folder), report: () => {} };
}

/**
 * The whole transaction, from the first record of the journal to its removal; `fill` may make a new
 * file otherwise than by writing it. Throws what it throws.
 */
export async function update(
  installation: Installation,
  fill: (path: string, staged: string) => boolean | Promise<boolean> = () => false,
): Promise<void> {
  const { targets, system: { fs }, content } = installation;
  const session = sessionOf(installation);
  openStateDir(session.system, session.dir);
  await transact(session, targets.map((path) => basename(path)), async (staged, name) => {
    const path = targets.find((path) => basename(path) === name)!;
    if (await fill(path, staged)) return;
    const file = fs.openSync(staged, { write: true });
    writeAll(file, content("new", path));
    file.close();
  }, CHECK);
}

/** As each run ends. On Windows the sync of this file is what makes the last renames durable. */
export function finish(installation: Installation): void {
  const { system, dir } = sessionOf(installation);
  new RunLog(system, dir, "update").finish(0);
}

/** What the next start does first. Throws if it could not put something right. */
export async function repair(installation: Installation): Promise<void> {
  const { unrepaired } = await recover(sessionOf(installation));
  if (unrepaired.length > 0) throw new Error(`not repaired: ${JSON.stringify(unrepaired)}`);
}

/** `old`, `new`, `missing` or what is wrong, for each target. */
export function versionsOf({ system, targets, content }: Installation): string[] {
  return targets.map((path) => {
    const bytes = readIfThere(system.fs, path, MAX_SIZE);
    if (!bytes) return "missing";
    const mode = (lookAt(system.fs, path)?.mode ?? 0) & 0o7777;
    if (system.os !== "windows" && mode !== 0o755) return `of mode ${mode.toString(8)}`;
    const version = (["old", "new"] as const).find((version) =>
      same(bytes, content(version, path))
    );
    return version ?? "corrupt";
  });
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** What no run may leave behind: all but what the contract names, and anything in trash and staged. */
export function strangersOf({ system, folder, targets }: Installation): string[] {
  const { fs } = system;
  const dir = openInstallDir(system, folder);
  const list = (folder: string) =>
    isThere(fs, folder) ? [...fs.readDirSync(folder)].map(({ name }) => join(folder, name)) : [];
  const named = [
    ...[...targets, ...targets.map((path) => join(folder, basename(path)))],
    ...[dir.state, dir.trash, dir.home],
    ...[dir.receipt, dir.staged, dir.rollback, dir.log, dir.lastRun],
  ];
  return [...new Set([folder, ...targets.map((path) => dirname(path)), dir.state, dir.home])]
    .flatMap(list).filter((path) => !named.includes(path))
    .concat(list(dir.trash), list(dir.staged));
}
