/** Linux and macOS: is that very process still running? */
import type { WatchedProcess } from "./platform.ts";
import type { Steps } from "./steps.ts";

/** What tells a process from another one with the same pid. */
interface Identity {
  /** When it started, in the system's own unit, comparable within one boot. */
  readonly started: number;
  /** How long ago that was; NaN if unknown. */
  readonly ageMs: number;
  /** It has ended, and nobody has asked how yet. */
  readonly zombie: boolean;
}

/** Starting a program to look closer costs milliseconds: not at every look. */
const CLOSER_LOOK_MS = 100;
/** A clock may have been set a little between the two times that are compared. */
const SLACK_MS = 2000;
/** Linux tells programs every time in hundredths of a second, on every processor (USER_HZ). */
const TICK_MS = 10;
/** cat(1) by nothing but the shell. */
const PRINT_FILES =
  'for file; do while IFS= read -r line; do printf "%s\\n" "$line"; done <"$file"; done';

/** See `Platform.watchProcess`. */
export async function watchProcess(
  system: Steps,
  pid: number,
  startedBy?: number,
): Promise<WatchedProcess | undefined> {
  const { processes, clock } = system;
  if (processes.parentPid() === pid && startedBy === undefined) {
    // We are its child: the kernel gives us another parent the moment it ends, even as a zombie,
    // and a pid that comes back cannot become our parent.
    return {
      hasExited: () => Promise.resolve(processes.parentPid() !== pid),
      close() {},
    };
  }
  if (!processes.exists(pid)) return undefined;
  const first = await identify(system, pid);
  if (first?.zombie || (first && await isYounger(system, first, startedBy))) return undefined;
  let lookedAt = clock.monotonic();
  return {
    async hasExited() {
      if (!processes.exists(pid)) return true;
      if (clock.monotonic() - lookedAt < CLOSER_LOOK_MS) return false;
      const now = await identify(system, pid);
      lookedAt = clock.monotonic();
      // Nothing known (no /proc, no ps): it exists, so we go on waiting.
      if (!now) return false;
      return now.zombie || (first !== undefined && now.started !== first.started);
    },
    close() {},
  };
}

/** See `Platform.isBeingKilled`. proc_pid_stat(5): SIGKILL is pending while a thread is in a system call. */
export async function isBeingKilled({ os, processes }: Steps, pid: number): Promise<boolean> {
  if (os !== "linux") return false;
  const fields = fieldsOf(await contents(processes, [`/proc/${pid}/stat`]));
  const SIGKILL = 1 << (9 - 1);
  return fields[0] === "Z" || fields[0] === "X" || (Number(fields[28]) & SIGKILL) !== 0;
}

/** Whether it started after us or, where that is given, after an instant. */
async function isYounger(
  system: Steps,
  { started, ageMs }: Identity,
  startedBy: number | undefined,
): Promise<boolean> {
  if (startedBy !== undefined) return system.clock.now() - ageMs > startedBy + SLACK_MS;
  const own = await identify(system, system.processes.pid);
  return own !== undefined && started > own.started;
}

async function identify(system: Steps, pid: number): Promise<Identity | undefined> {
  return await (system.os === "darwin" ? identifyByPs : identifyByProc)(system, pid);
}

async function identifyByProc({ processes }: Steps, pid: number): Promise<Identity | undefined> {
  const text = await contents(processes, [`/proc/${pid}/stat`, "/proc/uptime"]);
  const fields = fieldsOf(text);
  const [state, threads, started] = [fields[0], Number(fields[17]), Number(fields[19])];
  if (!state || !Number.isFinite(started)) return undefined;
  // proc_uptime(5), the second file: two numbers, and nothing follows them.
  const ageMs = 1000 * Number(fields.at(-2)) - started * TICK_MS;
  // A main thread that has ended alone leaves a zombie of a process that still runs.
  return { started, ageMs, zombie: (state === "Z" || state === "X") && threads <= 1 };
}

/** proc_pid_stat(5): the name in parentheses may hold anything, so fields count from the last ")". */
function fieldsOf(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(")") + 2).trim().split(/\s/);
}

/** ps(1) of macOS; whole seconds, so "after us" errs on the side of waiting. */
async function identifyByPs(
  { processes, clock }: Steps,
  pid: number,
): Promise<Identity | undefined> {
  const text = await output(processes, "/bin/ps", ["-o", "stat=,lstart=", "-p", String(pid)]);
  const [state, ...date] = text.trim().split(/\s+/);
  const started = Date.parse(date.join(" "));
  if (!state || Number.isNaN(started)) return undefined;
  return { started, ageMs: clock.now() - started, zombie: state.startsWith("Z") };
}

/** What those files have in them, below a folder that the runtime does not let a program look into. */
async function contents(processes: Steps["processes"], paths: string[]): Promise<string> {
  return await output(processes, "/bin/cat", paths) ||
    // A container may have a shell, and no cat.
    await output(processes, "/bin/sh", ["-c", PRINT_FILES, "sh", ...paths]);
}

/** A full path: $PATH is not for others to choose what we run. */
async function output(
  processes: Steps["processes"],
  program: "/bin/cat" | "/bin/sh" | "/bin/ps",
  args: string[],
): Promise<string> {
  try {
    return (await processes.run(program, args, 2000)).stdout;
  } catch {
    return "";
  }
}
