/** A tool of small executables, its update and repair, and what must be true of it at every time. */
import { join } from "@std/path";
import { denoSystem } from "../../../src/system/deno_system.ts";
import { writeAll } from "../../../src/files/durable_files.ts";
import { openInstallDir, openStateDir } from "../../../src/installation/install_dir.ts";
import { recover } from "../../../src/transaction/recover.ts";
import { RunLog } from "../../../src/output/run_log.ts";
import type { Session } from "../../../src/session.ts";
import type { FileSystem } from "../../../src/system/file_system.ts";
import { image, textOf } from "./images.ts";
import { transact } from "../../support/transaction.ts";

/** What is updated, and how. */
export interface Scenario {
  readonly targets: number;
  /** All targets are being executed. */
  readonly locked: boolean;
  /** The new version fails its health check once it is in place: all is put back. */
  readonly sick: boolean;
}

const IN_STATE = ["trash", "updater-shim"];
const IN_HOME = ["last-run.json", "log.txt", "receipt.json", "rollback", "staged"];

/** The names of the targets. */
export function namesOf({ targets }: Scenario): string[] {
  return ["a.exe", "b.exe", "c.exe"].slice(0, targets);
}

/** The old version, and the rollback copy of an older one. */
export function prepare(scenario: Scenario, folder: string): void {
  const rollback = join(folder, ".updater-shim", "updater-shim", "rollback");
  Deno.mkdirSync(rollback, { recursive: true });
  for (const name of namesOf(scenario)) {
    Deno.writeFileSync(join(folder, name), image(`old ${name}`));
    Deno.writeFileSync(join(rollback, name), image(`older ${name}`));
  }
}

/** The whole transaction, from the first record of the journal. Throws what it throws. */
export async function update(scenario: Scenario, folder: string, fs: FileSystem): Promise<void> {
  const session = sessionOf(scenario, folder, fs);
  openStateDir(session.system, session.dir);
  const log = new RunLog(session.system, session.dir, "update");
  const fill = (staged: string, name: string) => {
    const file = fs.openSync(staged, { write: true });
    writeAll(file, image(`new ${name}`));
    file.close();
  };
  await transact(session, namesOf(scenario), fill, { args: [], timeoutMs: 1000 });
  log.finish(0);
}

/** What the next start does first. Throws if it could not put something right. */
export async function repair(scenario: Scenario, folder: string, fs: FileSystem): Promise<void> {
  const { unrepaired } = await recover(sessionOf(scenario, folder, fs));
  if (unrepaired.length > 0) throw new Error(`not repaired: ${JSON.stringify(unrepaired)}`);
}

function sessionOf(scenario: Scenario, folder: string, fs: FileSystem): Session {
  const run = (path: string) => {
    const installed = namesOf(scenario).some((name) => path === join(folder, name));
    const code = scenario.sick && installed ? 1 : 0;
    return Promise.resolve({ code, stdout: "", stderr: "", timedOut: false });
  };
  let now = Date.UTC(2026, 0, 1);
  const delay = (ms: number) => Promise.resolve(void (now += ms));
  const clock = { now: () => now, monotonic: () => now, delay };
  const system = { ...denoSystem, fs, clock, processes: { ...denoSystem.processes, run } };
  return { system, dir: openInstallDir(system, folder), report: () => {} };
}

/** `old`, `new` or `missing` for each target. Throws if it is something else. */
export function versionsOf(scenario: Scenario, folder: string): string[] {
  return namesOf(scenario).map((name) => {
    let bytes: Uint8Array;
    try {
      bytes = Deno.readFileSync(join(folder, name));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "missing";
      throw error;
    }
    const version = textOf(bytes)?.replace(` ${name}`, "");
    if (version === "old" || version === "new") return version;
    throw new Error(`"${name}" is not a whole executable of ours`);
  });
}

/** On the way forward, and back. */
const ASIDE = /\.(aside|copy)\.exe$/;

/** At the very moment of an end. Returns whether a target was missing, which only a lock excuses. */
export function checkEnded(scenario: Scenario, folder: string): boolean {
  const versions = versionsOf(scenario, folder);
  const missing = versions.filter((version) => version === "missing").length;
  // Between the two renames of one target, and its old image is at hand.
  const aside = [...Deno.readDirSync(folder)].filter(({ name }) => ASIDE.test(name));
  const excused = scenario.locked && missing === 1 && aside.length > 0;
  if (missing > 0 && !excused) throw new Error(`The targets are ${versions}`);
  return missing > 0;
}

/** After a repair, while the old images may still be executed: one version, whole. */
export function checkRepaired(scenario: Scenario, folder: string): "old" | "new" {
  const versions = new Set(versionsOf(scenario, folder));
  if (versions.has("old") && versions.size === 1) return "old";
  if (versions.has("new") && versions.size === 1) return "new";
  throw new Error(`After the repair the targets are ${[...versions]}`);
}

/** After a repair with no image executed any more: nothing but the targets and the state dir. */
export function checkNothingLeft(scenario: Scenario, folder: string): void {
  const list = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name);
  const state = join(folder, ".updater-shim");
  const strange = list(folder).filter((name) =>
    name !== ".updater-shim" && !namesOf(scenario).includes(name)
  );
  strange.push(...list(state).filter((name) => !IN_STATE.includes(name)));
  const home = join(state, "updater-shim");
  strange.push(...list(home).filter((name) => !IN_HOME.includes(name)));
  if (list(home).includes("staged")) strange.push(...list(join(home, "staged")));
  if (list(state).includes("trash")) strange.push(...list(join(state, "trash")));
  if (strange.length > 0) throw new Error(`After the repair there is still ${strange}`);
}
