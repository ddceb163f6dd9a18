/** Counts what was tried and prints the table. */
import type { Verdict } from "./bed.ts";

const COLUMNS = [
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
  readonly complaints: string[] = [];

  constructor(readonly name: string) {}

  /** Counts one point. */
  add(point: Point): void {
    const { where, before, after, strangers, other } = point;
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
    if (wrong.length > 0) this.complaints.push(`${this.name}, ${where}: ${wrong.join("; ")}`);
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

/** All of a run. */
export class Report {
  /** The section that runs, for the command that runs it again. */
  section = "";

  /** `only`: a sweep tries this point alone (`--at N`). */
  constructor(readonly only?: number) {}

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
    for (const complaint of row.complaints.slice(0, 10)) {
      console.log(`      ${complaint}`);
      // A sweep of kills names its point first.
      const at = /, (\d+): /.exec(complaint)?.[1];
      const point = this.section === "kills" && at ? ` --at ${at}` : "";
      console.log(`        again: deno task test:crash ${this.section}${point}`);
    }
  }

  /** The line belongs to something broken on purpose, and must show it. */
  expectBad(row: Row, columns: readonly Column[]): void {
    const missed = row.shows(columns) ? undefined : `no ${columns.join(" or ")} was seen`;
    this.add(`it is seen that ${row.name}`, missed);
    if (missed) {
      for (const complaint of row.complaints.slice(0, 3)) console.log(`      ${complaint}`);
    }
    this.rows.splice(this.rows.indexOf(row), 1);
  }

  /** One promise: `failure` says what was wrong with it. */
  add(name: string, failure: string | undefined): void {
    this.checks.push({ name, failure });
    console.log(
      `${failure === undefined ? "ok   " : "FAIL "} ${name}${failure ? `: ${failure}` : ""}`,
    );
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
    const width = Math.max(...this.rows.map(({ name }) => name.length));
    console.log(`\n${"".padEnd(width)}  ${COLUMNS.map((name) => name.padStart(9)).join("")}`);
    for (const { name, counts } of this.rows) {
      const cells = COLUMNS.map((column) => String(counts[column]).padStart(9)).join("");
      console.log(`${name.padEnd(width)}  ${cells}`);
    }
    const failed = this.checks.filter(({ failure }) => failure !== undefined).length;
    console.log(`\n${this.checks.length - failed} passed, ${failed} failed`);
    return failed === 0;
  }
}
