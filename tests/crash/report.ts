/** Counts what was tried and prints the table of .github/TESTING.md. */
import type { Verdict } from "./bed.ts";

/** Of the table, in its order. */
export const COLUMNS = [
  "tried",
  "old",
  "new",
  "missing",
  "corrupt",
  "mixed",
  "left over",
  "other",
] as const;
/** What is counted. */
export type Column = typeof COLUMNS[number];
const BAD: readonly Column[] = ["missing", "corrupt", "mixed", "left over", "other"];

/** One point of a sweep, after the recovery. */
export interface Point {
  /** What `--at` takes to try this point alone. */
  readonly at: string;
  /** Where it was, for the one who has to look at it. */
  readonly where: string;
  /** Before any recovery: here `mixed` is no fault, between two renames. */
  readonly before: Verdict;
  readonly after: Verdict;
  readonly strangers: readonly string[];
  /** Whatever else is wrong. */
  readonly other?: string | undefined;
}

/** One line of the table. */
export class Row {
  readonly counts: Record<Column, number> = {
    tried: 0,
    old: 0,
    new: 0,
    missing: 0,
    corrupt: 0,
    mixed: 0,
    "left over": 0,
    other: 0,
  };
  readonly complaints: { readonly text: string; readonly at?: string }[] = [];

  constructor(readonly name: string) {}

  /** Counts one point. */
  add(point: Point): void {
    const { at, where, before, after, strangers, other } = point;
    this.counts.tried++;
    this.counts[after]++;
    const wrong: string[] = [];
    if (before === "missing" || before === "corrupt") {
      if (before !== after) this.counts[before]++;
      wrong.push(`${before} before recovery`);
    }
    if (after !== "old" && after !== "new") wrong.push(`${after} after recovery`);
    if (strangers.length > 0) {
      this.counts["left over"]++;
      wrong.push(`left over: ${strangers.join(", ")}`);
    }
    if (other !== undefined) {
      this.counts.other++;
      wrong.push(other);
    }
    if (wrong.length === 0) return;
    this.complaints.push({ text: `${this.name}, ${where}: ${wrong.join("; ")}`, at });
  }

  /** Whether any of these was counted. */
  shows(columns: readonly Column[]): boolean {
    return columns.some((column) => this.counts[column] > 0);
  }

  /** All that must be 0. */
  get bad(): number {
    return BAD.reduce((sum, column) => sum + this.counts[column], 0);
  }
}

/** A single promise that was tried. */
interface Check {
  readonly name: string;
  readonly failure: string | undefined;
}

/**
 * One point of a sweep, as `--at` takes it: `12` is the twelfth call; `EIO:12` the same with that error,
 * `xfs:12` on that file system; `12:7` the recovery's seventh, of what the kill at the twelfth left.
 */
export interface Only {
  readonly of: string | undefined;
  readonly at: number;
}

/** Throws if it is none. */
export function parsePoint(text: string): Only {
  const [, of, at] = /^(?:(\w+):)?([1-9]\d*)$/.exec(text) ?? [];
  if (at === undefined) throw new Error(`--at needs a point such as 12, EIO:12 or 12:7: ${text}`);
  return { of, at: Number(at) };
}

/** All of a run. */
export class Report {
  /** The section that runs, for the command that runs it again. */
  section = "";

  /** `only`: a sweep tries this point alone. */
  constructor(readonly only?: Only) {}

  readonly rows: Row[] = [];
  readonly checks: Check[] = [];

  /** Begins a line of the table. */
  row(name: string): Row {
    const row = new Row(name);
    this.rows.push(row);
    return row;
  }

  /** The line is done: nothing in it may be bad, and `least` points must have been tried. */
  close(row: Row, least: number): void {
    const { tried } = row.counts;
    const few = this.only === undefined && tried < least
      ? `only ${tried} points were tried, not ${least}`
      : undefined;
    const bad = row.bad > 0 ? `${row.bad} bad` : undefined;
    this.add(`${row.name}: ${tried} points`, [few, bad].filter(Boolean).join(", ") || undefined);
    for (const { text, at } of row.complaints.slice(0, 10)) {
      console.log(`      ${text}\n        again: ${this.#command(at)}`);
    }
  }

  /** The line belongs to something broken on purpose, and must show it. */
  expectBad(row: Row, columns: readonly Column[]): void {
    const missed = row.shows(columns) ? undefined : `no ${columns.join(" or ")} was seen`;
    this.add(`it is seen that ${row.name}`, missed);
    if (missed) {
      for (const { text } of row.complaints.slice(0, 3)) console.log(`      ${text}`);
    }
    this.rows.splice(this.rows.indexOf(row), 1);
  }

  /** One promise: `failure` says what was wrong with it. */
  add(name: string, failure: string | undefined): void {
    this.checks.push({ name, failure });
    if (failure === undefined) return console.log(`ok    ${name}`);
    console.log(`FAIL  ${name}: ${failure}\n        again: ${this.#command()}`);
  }

  #command(at?: string): string {
    return `deno task test:crash ${this.section}${at === undefined ? "" : ` --at ${at}`}`;
  }

  /** Runs one promise: it holds if nothing is thrown. */
  async check(name: string, promise: () => Promise<void>): Promise<void> {
    try {
      await promise();
      this.add(name, undefined);
    } catch (error) {
      this.add(name, error instanceof Error ? error.message : String(error));
    }
  }

  /** The table and the last line. Returns whether all is well. */
  finish(): boolean {
    if (this.rows.length > 0) console.log(`\n${markdown(this.rows)}`);
    const failed = this.checks.filter(({ failure }) => failure !== undefined).length;
    console.log(`\n${this.checks.length - failed} passed, ${failed} failed`);
    return failed === 0;
  }
}

/** As `deno fmt` would write it. */
function markdown(rows: readonly Row[]): string {
  const cells = [
    ["", ...COLUMNS],
    ...rows.map(({ name, counts }) => [name, ...COLUMNS.map((column) => String(counts[column]))]),
  ];
  const widths = cells[0]!.map((_, at) => Math.max(3, ...cells.map((row) => row[at]!.length)));
  const line = (row: readonly string[], fill = " ") =>
    `| ${row.map((cell, at) => cell.padEnd(widths[at]!, fill)).join(" | ")} |`;
  const [head, ...body] = cells.map((row) => line(row));
  return [head, line(widths.map(() => ""), "-"), ...body].join("\n");
}
