/**
 * Windows: a rename replaces a file in one step too, but never an image that is executing. Such an
 * image can be renamed, though. Virus scanners, indexers and sync clients hold files for moments:
 * the same error codes, so trying again is the only way to tell.
 */
import { isThere } from "./durable_files.ts";
import type { System } from "./system.ts";

/** ACCESS_DENIED, SHARING_VIOLATION, LOCK_VIOLATION, USER_MAPPED_FILE; nothing else passes by itself. */
const TRANSIENT = [5, 32, 33, 1224];
/** rustup waits 28 s and npm 60 s before they give a scanner up. */
const FIRST_RENAME_MS = 30_000;
const SECOND_RENAME_MS = 60_000;

/**
 * 1. Rename `from` over `to`. Done, in one step, if nobody executes `to`.
 * 2. Else rename `to` to `spare`. If we die here, `to` is missing: the next start puts it right.
 * 3. Rename `from` to `to`.
 * 4. If 3 fails for good, undo 2.
 */
export async function replace(
  system: System,
  from: string,
  to: string,
  spare: string,
): Promise<void> {
  const { fs } = system;
  const way = await persist(system, FIRST_RENAME_MS, () => {
    try {
      fs.renameSync(from, to);
      return "replaced";
    } catch (error) {
      if (!isTransient(error) || !isThere(fs, to)) throw error;
    }
    fs.renameSync(to, spare);
    return "moved aside";
  });
  if (way === "replaced") return;
  try {
    await persist(system, SECOND_RENAME_MS, () => fs.renameSync(from, to));
  } catch (error) {
    await persist(system, SECOND_RENAME_MS, () => fs.renameSync(spare, to));
    throw error;
  }
}

/** Repeats a step while Windows says "not now": jittered, from 10 ms to 1 s apart. */
export async function persist<T>(system: System, forMs: number, step: () => T): Promise<T> {
  const { clock } = system;
  const end = clock.monotonic() + forMs;
  for (let pause = 10;; pause = Math.min(pause * 2, 1000)) {
    try {
      return step();
    } catch (error) {
      if (!isTransient(error) || clock.monotonic() >= end) throw error;
    }
    const jitter = 0.5 + system.randomBytes(1)[0]! / 510;
    await clock.delay(pause * jitter);
  }
}

/** Whether the same step may succeed a moment later. */
export function isTransient(error: unknown): boolean {
  const code = /\(os error (\d+)\)/.exec(error instanceof Error ? error.message : "")?.[1];
  return code !== undefined && TRANSIENT.includes(Number(code));
}
