/** A tool on a simulated disk, its update and repair, and what must be true of it at every time. */
import { basename, dirname } from "@std/path/posix";
import { UpdateError } from "../../src/base/errors.ts";
import { readIfThere } from "../../src/files/durable_files.ts";
import { STATE_DIR } from "../../src/installation/names.ts";
import { makePatchedFile } from "../../src/release/patched_file.ts";
import type { FileSystem } from "../../src/system/file_system.ts";
import type { Crashed, Exploration } from "./crash_explorer.ts";
import * as installations from "./installation.ts";
import { patchBetween } from "./patches.ts";
import { RECEIPT } from "./receipt.ts";
import { sha256 } from "./shim.ts";
import { type Model, ROOT, SimulatedDisk } from "./simulated_disk.ts";
import { SimulatedFileSystem } from "./simulated_file_system.ts";
import { fakeExecutable, simulatedSystem } from "./simulated_system.ts";

/** What kind of update, on what kind of machine. */
export interface Scenario {
  readonly model: Model;
  readonly os?: "linux" | "windows";
  /** Absolute paths; the install dir is `/opt`, and `/srv` is another device. */
  readonly targets: readonly string[];
  /** The last target is not installed yet. */
  readonly firstOfLast?: boolean;
  /** The targets are running (Windows). */
  readonly executing?: boolean;
  /** The new version fails its health check once it is installed. */
  readonly sick?: boolean;
  /** Another tool lives in the folder, with a receipt and a rollback copy: nothing of it may change. */
  readonly shared?: boolean;
  /** What somebody does to the folder after a crash, before the next start. */
  readonly then?: "moved" | "copied";
  /** What is installed is updated by patches, and where that fails by the full file. */
  readonly patched?: boolean;
  /** Exchanges the file system of an update or a repair, to break it. */
  readonly wrap?: (fs: SimulatedFileSystem, of: "update" | "repair") => FileSystem;
}

const FOLDER = "/opt";
const STATE = `${FOLDER}/${STATE_DIR}`;
const MOUNT = "/srv";
/** Where the patches lie that were fetched. */
const PATCHES = "patches";
/** The targets that are not in the install dir lie behind links of their names. */
function linksOf({ targets }: Scenario): ReadonlyMap<string, string> {
  const outside = targets.filter((path) => dirname(path) !== FOLDER);
  return new Map(outside.map((path) => [`${FOLDER}/${basename(path)}`, path]));
}

/** How the file system of the scenario behaves. */
export function optionsOf(scenario: Scenario) {
  return { os: scenario.os ?? "linux", mounts: [MOUNT], links: linksOf(scenario) };
}

/** The exploration of an update's crashes. */
export function explorationOf(scenario: Scenario): Exploration {
  const disk = makeDisk(scenario);
  const { targets, executing = false } = scenario;
  const images = targets.flatMap((path) =>
    new SimulatedFileSystem(disk).place(path, "").inode ?? []
  );
  return {
    disk,
    options: { ...optionsOf(scenario), executing: new Set(executing ? images : []) },
    program: (fs) => update(scenario, fs),
    recovery: (fs) => {
      change(scenario, fs.disk);
      return repair(scenario, fs);
    },
    checkCrashed: (crashed) => checkCrashed(scenario, crashed),
    checkRecovered: (disk, before, executing) => {
      checkSet(scenario, disk, before);
      checkGuest(scenario, disk);
      if (scenario.then === "copied" && treeOf(disk, FOLDER) !== treeOf(before.disk, FOLDER)) {
        throw new Error("The original of the copy was changed");
      }
      if (executing) return;
      checkNothingLeft(scenario, disk);
      checkReceipt(scenario, disk);
    },
  };
}

/** The folder is what it will be from then on: once. */
function change({ then }: Scenario, disk: SimulatedDisk): void {
  if (!then || disk.find(ROOT, then) !== undefined) return;
  const original = disk.find(ROOT, basename(FOLDER))!;
  if (then === "copied") {
    copyTree(disk, original, disk.create(ROOT, then, 0o755, true));
  } else {
    const names = [{ name: basename(FOLDER), inode: undefined }, { name: then, inode: original }];
    disk.change(names.map((change) => ({ folder: ROOT, ...change })));
  }
  disk.syncFolder(ROOT);
}

function copyTree(disk: SimulatedDisk, from: number, to: number): void {
  for (const [name, id] of disk.names.get(from)!) {
    const { bytes, mode } = disk.inodes.get(id)!.now;
    const isFolder = disk.names.has(id);
    const copy = disk.create(to, name, mode, isFolder);
    if (isFolder) copyTree(disk, id, copy);
    else {
      disk.write(copy, { bytes });
      disk.syncFile(copy);
    }
  }
  disk.syncFolder(to);
}

/** All that is visible below a folder. */
function treeOf(disk: SimulatedDisk, path: string): string {
  const tree = (folder: number): unknown =>
    [...disk.names.get(folder)!].toSorted(([a], [b]) => a < b ? -1 : 1).map(([name, id]) => [
      name,
      disk.names.has(id) ? tree(id) : [...disk.inodes.get(id)!.now.bytes].join(),
    ]);
  return JSON.stringify(tree(disk.find(ROOT, basename(path))!));
}

/** Where the folder is now. */
function folderOn({ then }: Scenario, disk: SimulatedDisk): string {
  return then && disk.find(ROOT, then) !== undefined ? `/${then}` : FOLDER;
}

function isFirst({ targets, firstOfLast = false }: Scenario, index: number): boolean {
  return firstOfLast && index === targets.length - 1;
}

/** The old version, durable. */
export function makeDisk(scenario: Scenario): SimulatedDisk {
  const disk = new SimulatedDisk(scenario.model);
  for (const [index, path] of scenario.targets.entries()) {
    const name = basename(dirname(path));
    const folder = disk.find(ROOT, name) ?? disk.create(ROOT, name, 0o755, true);
    if (isFirst(scenario, index)) continue;
    const file = disk.create(folder, basename(path), 0o755);
    disk.write(file, { bytes: contentOf("old", path) });
    disk.syncFile(file);
    disk.syncFolder(folder);
    if (scenario.patched) makeDurablePatch(disk, path);
  }
  if (scenario.shared) makeDurableGuest(disk);
  disk.syncFolder(ROOT);
  return disk;
}

/** The other tool's files, with what is in them. */
const GUEST: Readonly<Record<string, string>> = {
  [`${FOLDER}/guest`]: "the guest, 2",
  [`${STATE}/guest/receipt.json`]: JSON.stringify({ ...RECEIPT, tool: "guest", name: "guest" }),
  [`${STATE}/guest/rollback/guest`]: "the guest, 1",
};

function makeDurableGuest(disk: SimulatedDisk): void {
  for (const [path, text] of Object.entries(GUEST)) {
    const [file, ...folders] = path.split("/").slice(1).toReversed();
    const folder = folders.toReversed().reduce((above, name) => {
      const mode = above === ROOT ? 0o755 : 0o700;
      const folder = disk.find(above, name) ?? disk.create(above, name, mode, true);
      disk.syncFolder(above);
      return folder;
    }, ROOT);
    const id = disk.create(folder, file!, 0o700);
    disk.write(id, { bytes: new TextEncoder().encode(text) });
    disk.syncFile(id);
    disk.syncFolder(folder);
  }
}

function checkGuest({ shared }: Scenario, disk: SimulatedDisk): void {
  if (!shared) return;
  const fs = new SimulatedFileSystem(disk);
  for (const [path, text] of Object.entries(GUEST)) {
    const { inode } = fs.place(path, "");
    const bytes = inode === undefined ? undefined : disk.inodes.get(inode)!.now.bytes;
    if (!bytes || new TextDecoder().decode(bytes) !== text) {
      throw new Error(`"${path}" was changed`);
    }
  }
}

function makeDurablePatch(disk: SimulatedDisk, path: string): void {
  const folder = disk.find(ROOT, PATCHES) ?? disk.create(ROOT, PATCHES, 0o755, true);
  const file = disk.create(folder, basename(path), 0o600);
  disk.write(file, { bytes: patchBetween(contentOf("old", path), contentOf("new", path)) });
  disk.syncFile(file);
  disk.syncFolder(folder);
}

function contentOf(version: "old" | "new", path: string): Uint8Array<ArrayBuffer> {
  return fakeExecutable(`${version} ${path}`);
}

/** The scenario on that file system, as a run sees it. */
function installationOf(
  scenario: Scenario,
  fs: SimulatedFileSystem,
  seen: FileSystem = fs,
): installations.Installation {
  const { sick = false } = scenario;
  const folder = folderOn(scenario, fs.disk);
  const targets = scenario.targets.map((path) =>
    dirname(path) === FOLDER ? `${folder}/${basename(path)}` : path
  );
  const system = simulatedSystem(fs, seen);
  const { processes } = system;
  const run = processes.run;
  processes.run = async (path, ...rest) => {
    const result = await run(path, ...rest);
    return sick && targets.includes(path) ? { ...result, code: 1 } : result;
  };
  const content: installations.Installation["content"] = (version, path) =>
    contentOf(version, path.replace(`${folder}/`, `${FOLDER}/`));
  return { system, folder, targets, content };
}

/** The real thing, from the first staged file to the removed journal. Returns what it tells. */
export async function update(
  scenario: Scenario,
  simulated: SimulatedFileSystem,
): Promise<"old" | "new"> {
  const seen = scenario.wrap?.(simulated, "update");
  const installation = installationOf(scenario, simulated, seen);
  const { fs } = installation.system;
  let told: "old" | "new" = "new";
  try {
    await installations.update(
      installation,
      async (path, staged) =>
        scenario.patched === true && await patched(scenario, fs, path, staged),
    );
  } catch (error) {
    // It may fail where something is broken; it may not break down.
    if (!(error instanceof UpdateError) || error.kind === "bug") throw error;
    told = "old";
  }
  installations.finish(installation);
  return told;
}

/** False where the full file has to be taken, because something is broken: `staged` is empty then. */
async function patched(
  { targets, firstOfLast, wrap }: Scenario,
  fs: FileSystem,
  path: string,
  staged: string,
): Promise<boolean> {
  if (firstOfLast && path === targets.at(-1)) return false;
  const bytes = contentOf("new", path);
  const result = { size: bytes.length, sha256: sha256(bytes) };
  const patch = `/${PATCHES}/${basename(path)}`;
  try {
    await makePatchedFile(fs, { old: path, result }, patch, staged, new AbortController().signal);
    return true;
  } catch (error) {
    if (!wrap) throw error;
    return false;
  }
}

/** What the next start does. Throws if it could not restore something. */
export async function repair(scenario: Scenario, fs: SimulatedFileSystem): Promise<void> {
  await installations.repair(installationOf(scenario, fs, scenario.wrap?.(fs, "repair")));
}

/** Promise 1: each target is complete, always; on Windows one that was executing may be missing. */
function checkCrashed(scenario: Scenario, { disk, told }: Crashed): void {
  const versions = versionsOf(scenario, disk);
  for (const [index, version] of versions.entries()) {
    const allowed = ["old", "new", ...(isFirst(scenario, index) ? ["missing"] : [])];
    if (scenario.executing && !told) allowed.push("missing");
    if (!allowed.includes(version)) {
      throw new Error(`"${scenario.targets[index]}" is ${version} after a crash`);
    }
  }
}

/** Promise 2: all old or all new. */
export function checkSet(
  scenario: Scenario,
  disk: SimulatedDisk,
  { told }: Pick<Crashed, "told">,
): void {
  const versions = versionsOf(scenario, disk);
  // What a run has told its user holds, whatever comes after.
  const wanted = told ?? versions[0]!;
  for (const [index, version] of versions.entries()) {
    const right = wanted === "old" && isFirst(scenario, index) ? "missing" : wanted;
    if (version !== right) throw new Error(`After recovery the set is ${versions.join(", ")}`);
  }
}

/** Nothing but what the contract names, and the trash is empty. */
export function checkNothingLeft(scenario: Scenario, disk: SimulatedDisk): void {
  const guest = scenario.shared ? [`${FOLDER}/guest`, `${STATE}/guest`] : [];
  const strange = installations.strangersOf(installationAfter(scenario, disk))
    .filter((path) => !guest.includes(path));
  if (strange.length > 0) throw new Error(`After recovery there is still ${strange.join(", ")}`);
}

/** What says which version is installed, and what a rollback would bring back. */
function checkReceipt(scenario: Scenario, disk: SimulatedDisk): void {
  const { system, dir } = installations.sessionOf(installationAfter(scenario, disk));
  const bytes = (path: string) => readIfThere(system.fs, path, 1024 * 1024);
  const content = bytes(dir.receipt);
  if (!content && versionsOf(scenario, disk)[0] === "new") throw new Error("There is no receipt");
  const outcome = bytes(dir.lastRun);
  if (outcome && !new TextDecoder().decode(outcome).endsWith("}\n")) {
    throw new Error("What the tool shows of the last run is damaged");
  }
  if (!content) return;
  const text = new TextDecoder().decode(content);
  if (!text.startsWith("{")) throw new Error("The receipt is damaged");
  // A torn rename may take the copy along: which version runs does not hang on it.
  if (scenario.model === "split") return;
  const { rollback } = JSON.parse(text) as { rollback: { files: { name: string }[] } };
  for (const { name } of rollback.files) {
    const path = scenario.targets.find((path) => basename(path) === name)!;
    const copy = `${dir.rollback}/${name}`;
    if (bytes(copy)?.join() === contentOf("old", path).join()) continue;
    throw new Error(`The rollback copy "${copy}" is not the old one`);
  }
}

function versionsOf(scenario: Scenario, disk: SimulatedDisk): string[] {
  return installations.versionsOf(installationAfter(scenario, disk));
}

function installationAfter(scenario: Scenario, disk: SimulatedDisk): installations.Installation {
  return installationOf(scenario, new SimulatedFileSystem(disk, optionsOf(scenario)));
}
