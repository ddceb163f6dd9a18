/**
 * Windows refuses to touch a file that another program has open: a virus scanner, an indexer, a sync
 * client, for moments. Trying again is the only way to tell that from a refusal for good.
 */
import { errorCode, reason } from "../base/errors.ts";
import type { FileSystem, OpenFile } from "./file_system.ts";
import type { Steps } from "./steps.ts";

/**
 * ACCESS_DENIED, SHARING_VIOLATION, LOCK_VIOLATION, USER_MAPPED_FILE; nothing else passes by itself.
 * By number, because the words are in the user's language.
 */
const TRANSIENT = [5, 32, 33, 1224];
/** What the same numbers mean on Unix. */
const UNIX = ["EIO", "EPIPE", "EDOM"];

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 1000;
/** How long our own files are waited for. The tool's are waited for longer: `retryWhileLocked`. */
const OWN_FILE_MS = 5000;

/** Whether the same step may succeed a moment later. Only on Windows. */
export function isTransient(error: unknown): boolean {
  const number = /\(os error (\d+)\)/.exec(reason(error))?.[1];
  return number !== undefined && TRANSIENT.includes(Number(number)) &&
    !UNIX.includes(errorCode(error) ?? "");
}

/**
 * Repeats a step on a small file of ours that belongs in a sequence of synchronous steps, for five
 * seconds. Not for images that are executing: those would be waited for in vain.
 */
export function patiently<T>(
  fs: FileSystem,
  step: () => T,
  mayPass: (error: unknown) => boolean = isTransient,
): T {
  for (let pause = FIRST_PAUSE_MS, waited = 0;; pause = next(pause)) {
    try {
      return step();
    } catch (error) {
      if (!mayPass(error) || waited >= OWN_FILE_MS) throw error;
    }
    fs.pause(pause);
    waited += pause;
  }
}

/** Opens a file that others may hold. */
export function openPatiently(fs: FileSystem, path: string, options: Deno.OpenOptions): OpenFile {
  return patiently(fs, () => fs.openSync(path, options), opensLater);
}

/** ACCESS_DENIED is an answer to an opening: who may not open may not. */
export function opensLater(error: unknown): boolean {
  return isTransient(error) && !(error instanceof Deno.errors.PermissionDenied);
}

/**
 * Repeats a step on a file of the tool's while others hold it, for `forMs` at most: then throws what
 * it was refused with. The first try happens before this returns.
 */
export async function retryWhileLocked<T>(
  system: Pick<Steps, "clock" | "randomBytes">,
  forMs: number,
  step: () => T,
): Promise<T> {
  const start = system.clock.monotonic();
  for (let tries = 1;; tries++) {
    try {
      return step();
    } catch (error) {
      if (!isTransient(error) || system.clock.monotonic() - start >= forMs) throw error;
    }
    await pauseAfter(system, tries);
  }
}

/** The pause after so many tries: 10 ms to a second, jittered, so as not to meet a scanner in step. */
export async function pauseAfter(
  { clock, randomBytes }: Pick<Steps, "clock" | "randomBytes">,
  tries: number,
): Promise<void> {
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS);
  await clock.delay(pause * (0.5 + randomBytes(1)[0]! / 510));
}

function next(pause: number): number {
  return Math.min(pause * 2, LONGEST_PAUSE_MS);
}
