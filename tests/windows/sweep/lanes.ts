/** Doing several things at a time. */

/** More make nothing faster on two cores. */
const LANES = 4;

/** Calls `step` with `first` and each number after it, several at a time, until one is the last. */
export async function fromOn(first: number, step: (n: number) => Promise<boolean>): Promise<void> {
  let next = first, more = true;
  const lane = async () => {
    try {
      while (more) more = await step(next++) && more;
    } finally {
      more = false;
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: LANES }, lane));
  for (const lane of lanes) if (lane.status === "rejected") throw lane.reason;
}
