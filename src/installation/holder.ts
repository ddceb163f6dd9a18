/** Who holds the lock: beside it and not in it, because Windows lets nobody read a locked file. */
import * as v from "valibot";
import { openObject } from "../base/open_object.ts";
import { removeIfThere, writeAnew } from "../files/durable_files.ts";
import { readKept, type World } from "../files/trusted_file.ts";
import type { InstallDir } from "./install_dir.ts";
import { requireOwnFolder } from "./trust.ts";
import type { System } from "../system/system.ts";

const HolderSchema = openObject({
  pid: v.pipe(v.number(), v.safeInteger()),
  /** ISO 8601. */
  since: v.pipe(v.string(), v.check((text) => !Number.isNaN(Date.parse(text)))),
  /** The tool id. */
  tool: v.string(),
  command: v.string(),
});

/** Who holds the lock, as its holder wrote it down. Only for messages: the lock itself counts. */
export type Holder = Readonly<v.InferOutput<typeof HolderSchema>>;

const FORM = { what: "the holder's name", limit: 4096, format: 1, schema: HolderSchema };

/** The lock counts, not this: a full disk must not keep a repair from running. */
export function writeHolder(system: System, dir: InstallDir, command: string): void {
  const { fs, clock, processes } = system;
  const since = new Date(clock.now()).toISOString();
  const holder: Holder = { pid: processes.pid, since, tool: dir.id, command };
  try {
    // Whoever can exchange the folder would choose whose file of that name is replaced.
    requireOwnFolder(system, dir.state, "the state dir");
    writeAnew(fs, dir.holder, JSON.stringify(holder) + "\n");
  } catch {
    // See above.
  }
}

/** Still under the lock: after a kill the file stays, and says who was killed. Only our own, see above. */
export function removeHolder(system: System, dir: InstallDir): void {
  try {
    const { fs, processes } = system;
    if (readHolder(system, dir)?.pid === processes.pid) removeIfThere(fs, dir.holder);
  } catch {
    // As above.
  }
}

/** The last holder; meaningful only while the lock is held. */
export function readHolder(world: World, dir: InstallDir): Holder | undefined {
  try {
    const kept = readKept(world, dir.holder, FORM);
    return kept.state === "valid" ? kept.value : undefined;
  } catch {
    // Not to be believed, or not to be seen: then nothing is known.
    return undefined;
  }
}

/** ` (process 12, since …)`, or nothing where that process has ended, or is another one by now. */
export async function describeHolder(system: System, holder: Holder): Promise<string> {
  if (!await isHolderAlive(system, holder)) return "";
  return ` (process ${holder.pid}, since ${holder.since})`;
}

/** Whether the process that wrote its name there still runs. */
export async function isHolderAlive(system: System, { pid, since }: Holder): Promise<boolean> {
  const watched = await system.platform.watchProcess(system, pid, Date.parse(since));
  watched?.close();
  return watched !== undefined;
}

/**
 * Whether the lock is to be free in a moment: its holder has ended or is being killed, or has just
 * taken it or let go of it and its name is not there.
 */
export async function isEnding(system: System, holder: Holder | undefined): Promise<boolean> {
  if (!holder || !await isHolderAlive(system, holder)) return true;
  return await system.platform.isBeingKilled(system, holder.pid);
}
