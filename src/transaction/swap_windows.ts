/**
 * Windows: a rename replaces a file in one step too, but never an image that is executing. Such an
 * image can be renamed, though.
 */
import { isThere, lookAt } from "../files/durable_files.ts";
import { reason, UpdateError } from "../base/errors.ts";
import { holdersOf, howToFindHolders } from "../system/holders_windows.ts";
import { isTransient, persist } from "../files/patience.ts";
import type { Session } from "../session.ts";
import type { FileSystem } from "../system/system.ts";

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

/**
 * 1. Rename `from` over `to`. Done, in one step, if nobody executes `to`.
 * 2. Else rename `to` to `spare`. If we die here, `to` is missing: the next start puts it right.
 * 3. Rename `from` to `to`. If that fails, undo 2 at once, and begin anew a little later.
 *
 * Repeated while Windows says "not now": for 30 s while 1 and 2 fail, for 60 s once 3 did. Throws
 * `filesystem`; then `to` is what it was, except where undoing 2 failed for another 60 s.
 */
export async function replace(
  session: Session,
  from: string,
  to: string,
  spare: string,
): Promise<void> {
  const { system } = session;
  const move = new Move(system.fs, from, to, spare);
  const guarded = moveProtection(system.fs, from, to);
  try {
    await persist(system, () => move.limitMs, (tries) => {
      if (tries === TRIES_UNTOLD) tellWaiting(session, move);
      move.attempt(tries);
    });
  } catch (error) {
    if (move.away) await persist(system, () => SECOND_RENAME_MS, () => move.undo());
    if (guarded && !move.away) system.fs.chmodSync(to, READ_ONLY);
    throw isTransient(error) ? held(session, to, move.heldPath, error) : error;
  }
  if (move.inTwoSteps) tellRunning(session, to, spare);
}

/** The steps, and how far they got. */
class Move {
  /** Step 2 is done, and neither step 3 nor its undoing. */
  away = false;
  /** It took steps 2 and 3. */
  inTwoSteps = false;
  #thirdFailed = false;

  constructor(
    readonly fs: FileSystem,
    readonly from: string,
    readonly to: string,
    readonly spare: string,
  ) {}

  get limitMs(): number {
    return this.#thirdFailed ? SECOND_RENAME_MS : FIRST_RENAME_MS;
  }

  /** The file that could not be renamed, under the name that it has now. */
  get heldPath(): string {
    return this.#thirdFailed ? this.from : this.to;
  }

  attempt(tries: number): void {
    const { fs, from, to, spare } = this;
    if (!this.away) {
      try {
        return fs.renameSync(from, to);
      } catch (error) {
        if (!isTransient(error) || tries <= TRIES_IN_ONE_STEP || !isThere(fs, to)) throw error;
      }
      fs.renameSync(to, spare);
      this.away = true;
    }
    try {
      fs.renameSync(from, to);
      this.away = false;
      this.inTwoSteps = true;
    } catch (error) {
      this.#thirdFailed = true;
      this.undo();
      throw error;
    }
  }

  undo(): void {
    this.fs.renameSync(this.spare, this.to);
    this.away = false;
  }
}

/**
 * A read-only file cannot be replaced, and what replaces it becomes read-only. In this order: if we
 * die between the two, `from` knows what `to` was.
 */
function moveProtection(fs: FileSystem, from: string, to: string): boolean {
  const guarded = isReadOnly(fs, to);
  if (!guarded) return false;
  fs.chmodSync(from, READ_ONLY);
  fs.chmodSync(to, WRITABLE);
  return true;
}

function isReadOnly(fs: FileSystem, path: string): boolean {
  const mode = lookAt(fs, path)?.mode;
  return mode !== undefined && mode !== null && (mode & 0o200) === 0;
}

function tellWaiting(session: Session, { heldPath, limitMs }: Move): void {
  const holders = holdersOf(session, heldPath);
  const who = holders.length === 0 ? "another program" : holders.join(", ");
  session.report({
    event: "warning",
    message: `"${heldPath}" is held by ${who}: waiting up to ${limitMs / 1000} s for it`,
    path: heldPath,
    hint: holders.length === 0 ? howToFindHolders(heldPath) : "Close it to go on at once.",
  });
}

/** No failure: whoever executes the old file goes on with it. */
function tellRunning(session: Session, target: string, old: string): void {
  const holders = holdersOf(session, old);
  const who = holders.length === 0 ? "" : ` by ${holders.join(", ")}`;
  session.report({
    event: "warning",
    message:
      `"${target}" was in use${who} while it was replaced: what runs already keeps its old file`,
    path: target,
    hint: holders.length === 0 ? howToFindHolders(target) : "Start it anew to use the new version.",
  });
}

function held(session: Session, target: string, path: string, error: unknown): UpdateError {
  const holders = holdersOf(session, path);
  const who = holders.length === 0 ? "" : `; it is held by ${holders.join(", ")}`;
  return new UpdateError("filesystem", `Cannot replace "${target}": ${reason(error)}${who}`, {
    path: target,
    hint: `Another program uses "${path}": close it and run again. ${
      holders.length === 0 ? howToFindHolders(path) : ""
    }`.trim(),
    cause: error,
  });
}
