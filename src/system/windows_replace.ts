/**
 * Windows: a rename replaces a file in one step too, but never an image that is executing. Such an
 * image can be renamed, though.
 */
import { reason, UpdateError } from "../base/errors.ts";
import { isThere, lookAt } from "./look.ts";
import { isTransient, pauseAfter, retryWhileLocked } from "./patience.ts";
import type { Notice } from "./platform.ts";
import type { FileSystem } from "./file_system.ts";
import type { Steps } from "./steps.ts";
import { holdersOf, howToFindHolders } from "./windows_holders.ts";

/** rustup waits 28 s and npm 60 s before they give a scanner up. */
const FIRST_RENAME_MS = 30_000;
const SECOND_RENAME_MS = 60_000;
/**
 * So often only the one step is tried, about 0.1 s: the image of a tool that has just exited may be
 * locked for a moment longer, and is not worth a moment without the tool.
 */
const TRIES_IN_ONE_STEP = 4;
/** After about a second somebody who looks on wants to know what goes on. */
const TRIES_UNTOLD = 8;

const READ_ONLY = 0o444;
const WRITABLE = 0o666;

/** What a step was refused with; undefined if it was done. */
type Refusal = { readonly error: unknown } | undefined;

/**
 * See `Platform.replaceFile`. Each turn of the loop:
 *
 * 1. Rename `from` over `to`. Done, in one step, if nobody executes `to`.
 * 2. Else, after a few turns, rename `to` to `spare`. If we die here, `to` is missing: the next start
 *    puts it right.
 * 3. Rename `from` to `to`; if that is refused, `spare` back to `to`, at once.
 *
 * Turns follow while Windows says "not now": for 30 s while 1 or 2 are refused, for 60 s once 3 was.
 */
export async function replaceFile(
  system: Steps,
  from: string,
  to: string,
  spare: string,
  notify: (notice: Notice) => void,
): Promise<void> {
  const { fs, clock } = system;
  const start = clock.monotonic();
  let held = to, limitMs = FIRST_RENAME_MS;
  const wasReadOnly = moveProtection(fs, from, to);
  let refusal: Refusal;
  for (let tries = 1;; tries++) {
    refusal = attempt(() => fs.renameSync(from, to));
    if (!refusal) return;
    if (isTransient(refusal.error) && tries > TRIES_IN_ONE_STEP && isThere(fs, to)) {
      refusal = attempt(() => fs.renameSync(to, spare));
      if (!refusal) {
        refusal = await fillGap(system, from, to, spare);
        if (!refusal) return notify(wasRunning(system, to, spare));
        held = from;
        limitMs = SECOND_RENAME_MS;
      }
    }
    if (!isTransient(refusal.error) || clock.monotonic() - start >= limitMs) break;
    if (tries === TRIES_UNTOLD) notify(waiting(system, held, limitMs));
    await pauseAfter(system, tries);
  }
  if (wasReadOnly) fs.chmodSync(to, READ_ONLY);
  throw isTransient(refusal.error) ? stillHeld(system, to, held, refusal.error) : refusal.error;
}

/**
 * Step 3: there is no `to`. Puts `from` there, or else `spare` back, and then says why `from` could
 * not. The first try follows step 2 with nothing between.
 */
async function fillGap(
  system: Steps,
  from: string,
  to: string,
  spare: string,
): Promise<Refusal> {
  const { fs } = system;
  try {
    return await retryWhileLocked(system, SECOND_RENAME_MS, () => {
      const refusal = attempt(() => fs.renameSync(from, to));
      if (refusal) fs.renameSync(spare, to);
      return refusal;
    });
  } catch (error) {
    throw new UpdateError("filesystem", `Cannot put "${to}" back: ${reason(error)}`, {
      path: to,
      hint: `The old file is at "${spare}". Run updater-shim --repair: it goes on from here.`,
      cause: error,
    });
  }
}

function attempt(step: () => void): Refusal {
  try {
    step();
    return undefined;
  } catch (error) {
    return { error };
  }
}

/**
 * A read-only file cannot be replaced, and what replaces it becomes read-only. In this order: if we
 * die between the two, `from` knows what `to` was.
 */
function moveProtection(fs: FileSystem, from: string, to: string): boolean {
  const mode = lookAt(fs, to)?.mode ?? WRITABLE;
  if ((mode & 0o200) !== 0) return false;
  fs.chmodSync(from, READ_ONLY);
  fs.chmodSync(to, WRITABLE);
  return true;
}

function waiting(system: Steps, path: string, limitMs: number): Notice {
  const holders = holdersOf(system, path);
  const who = holders.length === 0 ? "another program" : holders.join(", ");
  return {
    message: `"${path}" is held by ${who}: waiting up to ${limitMs / 1000} s for it`,
    path,
    hint: holders.length === 0 ? howToFindHolders(path) : "Close it to go on at once.",
  };
}

/** No failure: whoever executes the old file goes on with it. */
function wasRunning(system: Steps, path: string, old: string): Notice {
  const holders = holdersOf(system, old);
  const who = holders.length === 0 ? "" : ` by ${holders.join(", ")}`;
  return {
    message:
      `"${path}" was in use${who} while it was replaced: what runs already keeps its old file`,
    path,
    hint: holders.length === 0 ? howToFindHolders(path) : "Start it anew to use the new version.",
  };
}

function stillHeld(system: Steps, target: string, path: string, cause: unknown): UpdateError {
  const holders = holdersOf(system, path);
  const who = holders.length === 0 ? "" : `; it is held by ${holders.join(", ")}`;
  const search = holders.length === 0 ? ` ${howToFindHolders(path)}` : "";
  return new UpdateError("filesystem", `Cannot replace "${target}": ${reason(cause)}${who}`, {
    path: target,
    hint: `Another program uses "${path}": close it and run again.${search}`,
    cause,
  });
}
