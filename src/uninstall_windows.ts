/** Windows: an executable cannot remove itself while it runs. */
import type { Session } from "./session.ts";

/**
 * Removes the state dir, and the shim (if given) as soon as it has exited. Whoever does that must
 * not run from the install dir.
 */
export function removeRunningShim(_session: Session, _shim: string | undefined): Promise<void> {
  return Promise.reject(new Error("not yet made"));
}
