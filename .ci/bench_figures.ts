/** Numbers, how sure they are, and how they are shown. */

/** One figure beside what it is compared with. */
export interface Row {
  readonly what: string;
  readonly ours: string;
  readonly beside: string;
  /** "" where nothing is promised. */
  readonly target: string;
  readonly met: boolean;
}

/** A median, and between what the true one lies in 95 of 100 such measurements. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** The middle one; of an even count the upper of the two. Throws on none. */
export function median(values: readonly number[]): number {
  const middle = values.toSorted((a, b) => a - b)[values.length >> 1];
  if (middle === undefined) throw new Error("no values to take the median of");
  return middle;
}

/**
 * The median with its 95 % confidence interval by ranks, which assumes nothing of how the values are
 * distributed: those at n/2 ± 0.98 √n (the binomial's normal approximation). Of fewer than six values
 * it is all there are.
 */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const { length } = sorted;
  const half = 0.98 * Math.sqrt(length);
  const low = Math.max(0, Math.floor(length / 2 - half));
  const high = Math.min(length - 1, Math.ceil(length / 2 + half) - 1);
  return { median: median(values), low: sorted[low]!, high: sorted[high]! };
}

/**
 * How many times as much ours is: the ratio of each pair, measured one right after the other, so that
 * what else the machine does meets both. A machine is no gate: the target is missed only where it lies
 * below all that the ratio may be.
 */
export function ratio(
  ours: readonly number[],
  theirs: readonly number[],
  most: number,
): { readonly text: string; readonly met: boolean } {
  const { median, low, high } = spread(ours.map((value, at) => value / theirs[at]!));
  const text = `${median.toFixed(2)} times, ${low.toFixed(2)} to ${high.toFixed(2)}`;
  return { text, met: low <= most };
}

/** Runs the contestants in turn, `rounds` times; the values of each. */
export async function inTurn<T>(
  rounds: number,
  contestants: readonly ((round: number) => Promise<T>)[],
): Promise<T[][]> {
  const values: T[][] = contestants.map(() => []);
  for (let round = 0; round < rounds; round++) {
    // Who is first profits from what the one before left in memory: each is as often.
    const order = [...contestants.keys()].map((at) => (at + round) % contestants.length);
    for (const at of order) values[at]!.push(await contestants[at]!(round));
  }
  return values;
}

/** A Markdown table. */
export function table(rows: readonly Row[]): string {
  const cells = [
    ["figure", "updater-shim", "beside it", "target", "met"],
    ["---", "---", "---", "---", "---"],
    ...rows.map((row) => [row.what, row.ours, row.beside, row.target, verdict(row)]),
  ];
  return cells.map((line) => `| ${line.join(" | ")} |`).join("\n");
}

function verdict({ target, met }: Row): string {
  if (target === "") return "";
  return met ? "yes" : "**no**";
}
