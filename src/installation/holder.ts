/** Who holds the lock: beside it and not in it, because Windows lets nobody read a locked file. */
import * as v from "valibot";
import { readIfThere, removeIfThere, writeAll } from "../files/durable_files.ts";
import type { InstallDir } from "./install_dir.ts";
import type { OpenFile, System } from "../system/system.ts";

const HolderSchema = v.object({
  pid: v.pipe(v.number(), v.safeInteger()),
  /** ISO 8601. */
  since: v.pipe(v.string(), v.check((text) => !Number.isNaN(Date.parse(text)))),
  /** The tool id. */
  tool: v.string(),
  command: v.string(),
});

/** Who holds the lock, as its holder wrote it down. Only for messages: the lock itself counts. */
export type Holder = Readonly<v.InferOutput<typeof HolderSchema>>;

/** The lock counts, not this: a full disk must not keep a repair from running. */
export function writeHolder(
  { fs, clock, processes }: System,
  dir: InstallDir,
  command: string,
): void {
  const since = new Date(clock.now()).toISOString();
  const holder: Holder = { pid: processes.pid, since, tool: dir.id, command };
  let file: OpenFile | undefined;
  try {
    file = fs.openSync(dir.holder, { write: true, create: true, truncate: true, mode: 0o600 });
    writeAll(file, new TextEncoder().encode(JSON.stringify(holder) + "\n"));
  } catch {
    // See above.
  } finally {
    file?.close();
  }
}

/** Still under the lock: after a kill the file stays, and says who was killed. */
export function removeHolder({ fs }: System, dir: InstallDir): void {
  try {
    removeIfThere(fs, dir.holder);
  } catch {
    // As above.
  }
}

/** The last holder; meaningful only while the lock is held. */
export function readHolder({ fs }: System, dir: InstallDir): Holder | undefined {
  try {
    const bytes = readIfThere(fs, dir.holder, 4096);
    if (!bytes) return undefined;
    const result = v.safeParse(HolderSchema, JSON.parse(new TextDecoder().decode(bytes)));
    return result.success ? result.output : undefined;
  } catch {
    // Cut off or foreign: then nothing is known.
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
  return system.os === "linux" && await isBeingKilled(system, holder.pid);
}

/** proc_pid_stat(5): a SIGKILL is pending as long as one of its threads is in a system call. */
async function isBeingKilled({ processes }: System, pid: number): Promise<boolean> {
  try {
    const { stdout } = await processes.run("/bin/cat", [`/proc/${pid}/stat`], 2000);
    const fields = stdout.slice(stdout.lastIndexOf(")") + 2).trim().split(/\s+/);
    const SIGKILL = 1 << (9 - 1);
    return fields[0] === "Z" || fields[0] === "X" || (Number(fields[28]) & SIGKILL) !== 0;
  } catch {
    return false; // nothing can be told
  }
}
