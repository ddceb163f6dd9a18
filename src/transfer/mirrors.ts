/** Several places that have the same thing, tried in their order. */
import { type ErrorKind, UpdateError } from "../base/errors.ts";
import { isMissing } from "./http.ts";
import type { Limits } from "./retry.ts";

/** One try. `limits` are smaller where another mirror is left: waiting long for this one helps nobody. */
export type Attempt<T> = (place: string, limits: Partial<Limits>) => Promise<T>;

/** Says that a mirror could not be used, and which one is tried instead, if any is left. */
export type TellMirror = (failure: UpdateError, next: string | undefined) => void;

const IMPATIENT: Partial<Limits> = { tries: 2, connectMs: 10_000 };

/** When all mirrors fail: an attack must not be reported as a network that is down. */
const TELLING: readonly ErrorKind[] = ["verification", "usage", "filesystem", "network"];

/**
 * The first mirror that has it. After a failure that `isItsOwn` (another mirror may do better) the
 * next one is tried; any other failure ends it. Throws what the only one threw, or the most telling
 * of all failures: a wrong answer before none.
 */
export async function fromAnyMirror<T>(
  places: readonly string[],
  attempt: Attempt<T>,
  isItsOwn: (failure: UpdateError) => boolean,
  tell: TellMirror,
): Promise<T> {
  const failures: UpdateError[] = [];
  for (const [index, place] of places.entries()) {
    const next = places[index + 1];
    try {
      return await attempt(place, next === undefined ? {} : IMPATIENT);
    } catch (error) {
      if (!(error instanceof UpdateError) || !isItsOwn(error)) throw error;
      failures.push(error);
      if (next !== undefined) tell(error, next);
    }
  }
  const rank = ({ kind }: UpdateError) => TELLING.indexOf(kind);
  const last = failures.at(-1)!;
  const worst = failures.sort((a, b) => rank(a) - rank(b))[0]!;
  if (worst !== last) tell(last, undefined);
  throw worst;
}

/** Whether a download failed by the fault of the place that it came from. */
export function isPlacesFault(failure: UpdateError): boolean {
  return failure.kind === "network" || failure.kind === "verification" || isMissing(failure);
}
