/**
 * Windows: Deno and Node put what they start into a job that ends with them, unless it is started
 * `detached`. A shim in it is ended while it waits for the tool's exit: before it has changed anything,
 * but also before it could. While it waits it cannot tell (the tool is in that job itself, as it may
 * be in any container's or terminal's), but what it left tells the next start.
 */
import { readIfThere } from "../files/durable_files.ts";
import type { ShimEvent } from "../base/events.ts";
import type { Session } from "../session.ts";

/** The log begins anew long before. */
const LIMIT = 8 * 1024 * 1024;

/**
 * A warning if the run before this one was ended from outside while it waited. The lock is held, and
 * this run has logged nothing yet.
 */
export function endedWait({ system: { os, fs }, dir }: Session): ShimEvent | undefined {
  if (os !== "windows") return undefined;
  let log: string;
  try {
    log = new TextDecoder().decode(readIfThere(fs, dir.log, LIMIT));
  } catch {
    return undefined; // it may be held by somebody, and only would have explained something
  }
  const pid = /Waiting for process (\d+) to exit\n$/.exec(log)?.[1];
  if (pid === undefined) return undefined;
  return {
    event: "warning",
    message: `The run before this one was ended while it waited for process ${pid}`,
    hint:
      'If that happens with each update: the tool has to start updater-shim with "detached: true".',
  };
}
