/** Waiting for what cannot be stopped itself. */

/** Rejects with the reason of `stop`, once there is one: for `Promise.race`. */
export function whenStopped(stop: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (stop.aborted) reject(stop.reason);
    stop.addEventListener("abort", () => reject(stop.reason), { once: true });
  });
}
