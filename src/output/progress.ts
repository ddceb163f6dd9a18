/** All files of a download in one line: a bar on a terminal, else a line now and then. */
import { format as bytes } from "@std/fmt/bytes";
import type { System } from "../system/system.ts";

/** How far one file is, in bytes. */
export interface FileProgress {
  readonly file: string;
  readonly received: number;
  readonly total: number;
  /** For a patch: what the full file would be. */
  readonly insteadOf?: number;
}

/** Twenty a second are smooth to the eye. */
const DRAW_MS = 50;
/** A plain line at each tenth, but no more than one in this time. */
const LINE_MS = 5_000;
/** The rate is that of the last seconds: an average since the start would hide a stall. */
const RATE_MS = 5_000;
const MAX_BAR = 40;
/** What "instead of" and the shortest bar take; narrower terminals do without the first. */
const WIDE = 34;
const MAX_LEFT_SECONDS = 100 * 3600;

/** Sums up and shows; lives as long as the reporter. */
export class Progress {
  readonly #files = new Map<string, FileProgress>();
  /** Came over the network since the start: what an earlier run had kept is no part of the rate. */
  #fetched = 0;
  #samples: { readonly at: number; readonly fetched: number }[] = [];
  #shownAt = -Infinity;
  #shownTenth = 0;
  /** Width of the unfinished bar that stands on the terminal. */
  #drawn = 0;

  constructor(
    readonly system: Pick<System, "terminal" | "clock">,
    /** A bar that is drawn over and over; else plain lines. */
    readonly bar: boolean,
  ) {}

  /** Takes note of one file's progress, and shows the sum when it is time. */
  show(progress: FileProgress): void {
    const before = this.#files.get(progress.file)?.received ?? progress.received;
    this.#fetched += Math.max(0, progress.received - before);
    this.#files.set(progress.file, progress);
    const sum = { received: 0, total: 0, insteadOf: 0 };
    for (const { received, total, insteadOf = total } of this.#files.values()) {
      sum.received += received;
      sum.total += total;
      sum.insteadOf += insteadOf;
    }
    const now = this.system.clock.monotonic();
    const done = sum.received >= sum.total;
    if (!done && now - this.#shownAt < (this.bar ? DRAW_MS : LINE_MS)) return;
    if (this.bar) this.#draw(sum, now);
    else if (!this.#line(sum)) return;
    this.#shownAt = now;
  }

  /** Makes room for other text; the bar comes back below it with the next progress. */
  clear(): void {
    if (this.#drawn > 0) this.system.terminal.err(`\r${" ".repeat(this.#drawn)}\r`);
    this.#drawn = 0;
    if (this.bar) this.#shownAt = -Infinity;
  }

  #draw({ received, total, insteadOf }: Sum, now: number): void {
    this.#samples.push({ at: now, fetched: this.#fetched });
    while (this.#samples.length > 2 && this.#samples[1]!.at <= now - RATE_MS) this.#samples.shift();
    const first = this.#samples[0]!;
    const seconds = (now - first.at) / 1000;
    const rate = seconds > 0 ? (this.#fetched - first.fetched) / seconds : 0;
    const { terminal } = this.system;
    const line = barLine({ received, total, rate, insteadOf }, terminal.columns());
    const done = received >= total;
    terminal.err(`\r${line.padEnd(this.#drawn)}${done ? "\n" : ""}`);
    this.#drawn = done ? 0 : line.length;
  }

  #line({ received, total, insteadOf = total }: Sum): boolean {
    const tenth = Math.floor((received / total) * 10);
    if (tenth <= this.#shownTenth) return false;
    this.#shownTenth = tenth;
    const saved = insteadOf > total ? ` instead of ${bytes(insteadOf)}` : "";
    this.system.terminal.err(`Downloading: ${tenth * 10} % of ${bytes(total)}${saved}\n`);
    return true;
  }
}

/** Such as "1h 2m 5s"; what is zero is left out. */
function duration(seconds: number): string {
  const parts = {
    h: Math.floor(seconds / 3600),
    m: Math.floor(seconds / 60) % 60,
    s: seconds % 60,
  };
  return Object.entries(parts).filter(([, count]) => count > 0)
    .map(([unit, count]) => `${count}${unit}`).join(" ");
}

interface Sum {
  readonly received: number;
  readonly total: number;
  /** The total without patches. */
  readonly insteadOf?: number | undefined;
}

/**
 * `[####....]  42 %  13.2 MB of 31.5 MB  5.1 MB/s  4s left`, narrower than the terminal: a full
 * last column would make some of them begin a new line. ASCII, because a Windows console has
 * nothing else in every code page.
 */
export function barLine(
  { received, total, rate, insteadOf = total }: Sum & { readonly rate: number },
  columns: number,
) {
  const share = Math.min(received / total, 1);
  const parts = [`${Math.floor(share * 100).toString().padStart(3)} %`];
  parts.push(`${bytes(received)} of ${bytes(total)}`);
  if (rate > 0) parts.push(`${bytes(Math.round(rate))}/s`);
  const left = rate > 0 ? Math.ceil((total - received) / rate) : Infinity;
  if (left > 0 && left < MAX_LEFT_SECONDS) {
    parts.push(`${duration(left)} left`);
  }
  if (insteadOf > total && parts.join("  ").length + WIDE < columns) {
    parts[1] += ` instead of ${bytes(insteadOf)}`;
  }
  // In a narrow terminal what matters less goes first.
  while (parts.length > 1 && parts.join("  ").length >= columns) parts.pop();
  const numbers = parts.join("  ");
  const width = Math.min(MAX_BAR, columns - 1 - numbers.length - 3);
  if (width < 5) return numbers.slice(0, Math.max(columns - 1, 0));
  const filled = Math.floor(width * share);
  return `[${"#".repeat(filled)}${".".repeat(width - filled)}] ${numbers}`;
}
