/** A tool of small executables, its update and repair, and what must be true of it at every time. */
import { basename, dirname, join } from "@std/path";
import { denoSystem } from "../../../src/system/deno_system.ts";
import type { FileSystem } from "../../../src/system/file_system.ts";
import * as installations from "../../support/installation.ts";
import { RECEIPT } from "../../support/receipt.ts";
import { image } from "./images.ts";

/** What is updated, and how. */
export interface Scenario {
  readonly targets: number;
  /** All targets are being executed. */
  readonly locked: boolean;
  /** The new version fails its health check once it is in place: all is put back. */
  readonly sick: boolean;
  /** Another tool has its executable, receipt and rollback copy in the folder: nothing of it changes. */
  readonly shared?: boolean;
  /** What somebody does to the folder before the next start. What runs in it cannot be moved. */
  readonly then?: "moved" | "copied";
}

/** What the other tool has, by its path in the install dir. */
const GUEST: Readonly<Record<string, string>> = {
  "guest.exe": "guest 2",
  ".updater-shim/guest/receipt.json": JSON.stringify({ ...RECEIPT, tool: "guest", name: "guest" }),
  ".updater-shim/guest/rollback/guest.exe": "guest 1",
};

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
  if (!scenario.shared) return;
  for (const [path, text] of Object.entries(GUEST)) {
    Deno.mkdirSync(dirname(join(folder, path)), { recursive: true });
    Deno.writeTextFileSync(join(folder, path), text);
  }
}

function checkGuest({ shared }: Scenario, folder: string): void {
  if (!shared) return;
  for (const [path, text] of Object.entries(GUEST)) {
    if (Deno.readTextFileSync(join(folder, path)) !== text) {
      throw new Error(`"${path}" was changed`);
    }
  }
}

/** The whole transaction, from the first record of the journal. Throws what it throws. */
export async function update(scenario: Scenario, folder: string, fs: FileSystem): Promise<void> {
  const installation = installationOf(scenario, folder, fs);
  await installations.update(installation);
  installations.finish(installation);
}

/** What the next start does first. Throws if it could not put something right. */
export async function repair(scenario: Scenario, folder: string, fs: FileSystem): Promise<void> {
  await installations.repair(installationOf(scenario, folder, fs));
}

function installationOf(
  scenario: Scenario,
  folder: string,
  fs: FileSystem = denoSystem.fs,
): installations.Installation {
  const targets = namesOf(scenario).map((name) => join(folder, name));
  const run = (path: string) => {
    const code = scenario.sick && targets.includes(path) ? 1 : 0;
    return Promise.resolve({ code, stdout: "", stderr: "", timedOut: false });
  };
  let now = Date.UTC(2026, 0, 1);
  const delay = (ms: number) => Promise.resolve(void (now += ms));
  const clock = { now: () => now, monotonic: () => now, delay };
  const system = { ...denoSystem, fs, clock, processes: { ...denoSystem.processes, run } };
  return {
    system,
    folder,
    targets,
    content: (version, path) => image(`${version} ${basename(path)}`),
  };
}

/** `old`, `new` or `missing` for each target. Throws if it is something else. */
export function versionsOf(scenario: Scenario, folder: string): string[] {
  const versions = installations.versionsOf(installationOf(scenario, folder));
  const wrong = versions.findIndex((version) => !["old", "new", "missing"].includes(version));
  if (wrong < 0) return versions;
  throw new Error(`"${namesOf(scenario)[wrong]}" is not a whole executable of ours`);
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
  checkGuest(scenario, folder);
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
  checkGuest(scenario, folder);
  const guest = scenario.shared ? ["guest.exe", ".updater-shim/guest"] : [];
  const strange = installations.strangersOf(installationOf(scenario, folder))
    .filter((path) => !guest.some((name) => path === join(folder, name)));
  if (strange.length > 0) throw new Error(`After the repair there is still ${strange}`);
}
