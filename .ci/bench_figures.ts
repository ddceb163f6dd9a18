/** Numbers and how they are shown. */

/** One figure beside what it is compared with. */
export interface Row {
  readonly what: string;
  readonly ours: string;
  readonly beside: string;
  readonly target: string;
  readonly met: boolean;
}

/** The middle one; of an even count the upper of the two. Throws on none. */
export function median(values: readonly number[]): number {
  const middle = [...values].sort((a, b) => a - b)[values.length >> 1];
  if (middle === undefined) throw new Error("no values to take the median of");
  return middle;
}

/** A Markdown table. */
export function table(rows: readonly Row[]): string {
  const cells = [
    ["figure", "updater-shim", "beside it", "target", "met"],
    ["---", "---", "---", "---", "---"],
    ...rows.map((row) => [row.what, row.ours, row.beside, row.target, row.met ? "yes" : "**no**"]),
  ];
  return cells.map((line) => `| ${line.join(" | ")} |`).join("\n");
}
