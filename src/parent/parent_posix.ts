/** Linux and macOS: is that very process still running? */
import type { System } from "../system/system.ts";
import type { Parent } from "./wait_for_parent.ts";

/** What tells a process from another one with the same pid. */
interface Identity {
  /** When it started, in the system's own unit, comparable within one boot. */
  readonly started: number;
  /** It has ended, and nobody has asked how yet. */
  readonly zombie: boolean;
}

/** Starting a program to look closer costs milliseconds: not at every look. */
const CLOSER_LOOK_MS = 100;

/**
 * Starts to watch a process; undefined if it has exited. A process that started after us cannot be
 * the one that started us: its pid was used again.
 */
export async function open(system: System, pid: number): Promise<Parent | undefined> {
  const { processes, clock } = system;
  if (processes.parentPid() === pid) {
    // We are its child: the kernel gives us another parent the moment it ends, even as a zombie,
    // and a pid that comes back cannot become our parent.
    return {
      hasExited: () => Promise.resolve(processes.parentPid() !== pid),
      close() {},
    };
  }
  if (!processes.exists(pid)) return undefined;
  const [first, own] = [await identify(system, pid), await identify(system, processes.pid)];
  if (first && (first.zombie || (own && first.started > own.started))) return undefined;
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

async function identify(system: System, pid: number): Promise<Identity | undefined> {
  return await (system.os === "darwin" ? identifyByPs : identifyByProc)(system, pid);
}

/** proc_pid_stat(5): the name in parentheses may hold anything, so fields count from the last ")". */
async function identifyByProc({ processes }: System, pid: number): Promise<Identity | undefined> {
  const text = await output(processes, "cat", [`/proc/${pid}/stat`]);
  const fields = text.slice(text.lastIndexOf(")") + 2).trim().split(" ");
  const [state, threads, started] = [fields[0], Number(fields[17]), Number(fields[19])];
  if (!state || !Number.isFinite(started)) return undefined;
  // A main thread that has ended alone leaves a zombie of a process that still runs.
  return { started, zombie: (state === "Z" || state === "X") && threads <= 1 };
}

/** ps(1) of macOS; whole seconds, so "after us" errs on the side of waiting. */
async function identifyByPs({ processes }: System, pid: number): Promise<Identity | undefined> {
  const text = await output(processes, "ps", ["-o", "stat=,lstart=", "-p", String(pid)]);
  const [state, ...date] = text.trim().split(/\s+/);
  const started = Date.parse(date.join(" "));
  if (!state || Number.isNaN(started)) return undefined;
  return { started, zombie: state.startsWith("Z") };
}

async function output(
  processes: System["processes"],
  program: "cat" | "ps",
  args: string[],
): Promise<string> {
  try {
    // A full path: $PATH is not for others to choose what we run.
    return (await processes.run(`/bin/${program}`, args, 2000)).stdout;
  } catch {
    return "";
  }
}
