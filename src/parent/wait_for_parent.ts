/**
 * Waits until the main tool has exited. By a pid alone that cannot be told: pids are used again, and
 * a process that has ended may stay as a zombie. Each system has its own way to be sure:
 *
 * | system | how | permission beyond running programs |
 * | --- | --- | --- |
 * | Linux | our own parent: `getppid` changes; else `kill(pid, 0)` and start time in /proc | none |
 * | macOS | the same, start time by `ps` | none |
 * | Windows | a process handle | FFI, `kernel32.dll` only |
 *
 * Not pidfd: it needs FFI for all of libc. Not /proc by the runtime's own file functions: those want
 * every permission there is. A program we may run anyway (`cat`) reads it for us.
 */
import { UpdateError } from "../base/errors.ts";
import type { Session } from "../session.ts";

/** How long between two looks: short at first, because most parents exit at once. */
const PAUSES_MS = [1, 2, 4, 8, 15, 25];

/** What counts as the parent's exit, and how long to wait for it. */
export interface WaitOptions {
  readonly parentPid: number | undefined;
  /** The end of the standard input counts too. */
  readonly waitStdin: boolean;
  readonly timeoutMs: number;
}

/**
 * Returns when the parent has exited. Throws `parent` after the time-out, having changed nothing,
 * and the signal's reason when interrupted.
 */
export async function waitForParent(
  { system, report }: Session,
  { parentPid, waitStdin, timeoutMs }: WaitOptions,
  stop: AbortSignal,
): Promise<void> {
  // Our own pid: the tool has `exec`ed the shim, so there is nobody left to wait for.
  const ourselves = parentPid === system.processes.pid;
  if ((parentPid === undefined || ourselves) && !waitStdin) return;
  const parent = parentPid === undefined || ourselves
    ? undefined
    : await system.platform.watchProcess(system, parentPid);
  if (!parent && !waitStdin) return;
  report({ event: "waiting", pid: parentPid ?? 0 });
  let inputEnded = false;
  if (waitStdin) void system.terminal.inputEnd().then(() => inputEnded = true);
  const { clock } = system;
  const end = clock.monotonic() + timeoutMs;
  try {
    for (let look = 0;; look++) {
      if (inputEnded || await parent?.hasExited()) return;
      if (clock.monotonic() >= end) throw timedOut(parentPid, timeoutMs);
      await clock.delay(PAUSES_MS[Math.min(look, PAUSES_MS.length - 1)]!, stop);
    }
  } finally {
    parent?.close();
  }
}

function timedOut(pid: number | undefined, timeoutMs: number): UpdateError {
  const who = pid === undefined ? "The program that holds our standard input" : `Process ${pid}`;
  return new UpdateError("parent", `${who} did not exit within ${timeoutMs / 1000} s`, {
    hint:
      "Nothing was changed. Close the program and run the update again, or raise --wait-timeout.",
  });
}
