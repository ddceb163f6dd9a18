/**
 * Windows: Deno and Node put what they start into a job that ends with them, unless it is started
 * `detached`. A shim in it is ended while it waits for the tool's exit: before it has changed anything,
 * but also before it could. While it waits it cannot tell (the tool is in that job itself, as it may
 * be in any container's or terminal's), but what it left tells the next start.
 */
import { removeIfThere, writeAnew } from "../files/durable_files.ts";
import { readTrusted } from "../files/trusted_file.ts";
import type { ShimEvent } from "../base/events.ts";
import type { Session } from "../session.ts";

/** Leaves word that this run waits for a process. Never fails: it only would explain something. */
export function beginWait(
  { system: { fs, processes }, dir }: Session,
  pid: number | undefined,
): void {
  try {
    const word = { shim: processes.pid, waitsFor: pid ?? null };
    writeAnew(fs, dir.waits, `${JSON.stringify(word)}\n`);
  } catch {
    // See above.
  }
}

/** The wait is over, however. */
export function endWait({ system: { fs }, dir }: Session): void {
  try {
    removeIfThere(fs, dir.waits);
  } catch {
    // See above.
  }
}

/** A warning if the run before this one was ended from outside while it waited. Takes the word away. */
export function endedWait(session: Session): ShimEvent | undefined {
  const { system, dir } = session;
  const { os, processes } = system;
  let left: { shim?: unknown; waitsFor?: unknown } = {};
  try {
    const bytes = readTrusted(system, dir.waits, "the note of the last wait", 1024);
    if (!bytes) return undefined;
    left = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // It was ended while it wrote.
  }
  const { shim, waitsFor } = left;
  // Nobody holds the lock while waiting: it may be at it still.
  if (os !== "windows" && typeof shim === "number" && processes.exists(shim)) return undefined;
  endWait(session);
  const whom = typeof waitsFor === "number" ? `process ${waitsFor}` : "the tool";
  return {
    event: "warning",
    message: `The run before this one was ended while it waited for ${whom}`,
    hint: os === "windows"
      ? 'If that happens with each update: the tool has to start updater-shim with "detached: true".'
      : "If that happens with each update: the tool has to exec updater-shim, or start it so that it outlives the tool.",
  };
}
