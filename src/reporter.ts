/** Events for people (standard error), for programs (standard output, NDJSON) and for the log. */
import { format as formatBytes } from "@std/fmt/bytes";
import { format as formatDuration } from "@std/fmt/duration";
import type { Report, ShimEvent } from "./events.ts";
import type { System } from "./system.ts";
import { visible, visibleJson } from "./text.ts";

/** How to report. */
export interface ReporterOptions {
  readonly json?: boolean;
  /** People see warnings and errors only. */
  readonly quiet?: boolean;
  readonly noProgress?: boolean;
}

const bytes: (count: number) => string = formatBytes;
const duration: (ms: number, options: { ignoreZero: boolean }) => string = formatDuration;

/** Makes the function that every stage reports to. */
export function createReporter(system: System, options: ReporterOptions): Report {
  const { terminal } = system;
  const progress = options.quiet ? undefined : new Progress(system, options);
  return (event) => {
    if (options.json) terminal.out(visibleJson(event) + "\n");
    if (event.event === "download") return progress?.show(event);
    const serious = event.event === "error" || event.event === "warning";
    const text = describe(event);
    if (text === undefined || (options.quiet && !serious)) return;
    progress?.clear();
    terminal.err(text);
  };
}

/** One event as people read it; undefined where there is nothing to tell them. */
export function describe(event: ShimEvent): string | undefined {
  const lines = sentences(event);
  return lines.length === 0 ? undefined : lines.map((line) => visible(line) + "\n").join("");
}

function sentences(event: ShimEvent): string[] {
  switch (event.event) {
    case "recovered":
      return [
        {
          finished: "Finished an update that had been interrupted.",
          "rolled-back": "Undid an update that had been interrupted.",
          cleaned: "Removed what an interrupted update had left.",
        }[event.outcome],
      ];
    case "repaired":
      return [`Restored ${event.path} from ${event.from}`];
    case "waiting":
      return event.pid ? [`Waiting for process ${event.pid} to exit`] : [];
    case "manifest":
      return [
        event.signedBy === null
          ? `Found ${event.name} ${event.version} (no public key is configured: not signed)`
          : `Found ${event.name} ${event.version}, signed by key ${event.signedBy}`,
      ];
    case "up-to-date":
      return [`${event.version} is installed: up to date`];
    case "available":
      return [`An update is available: ${event.from ?? "not installed"} -> ${event.to}`];
    case "verified":
      return [`Verified ${event.file} (${bytes(event.size)})`];
    case "updated":
      return [
        event.from === null ? `Installed ${event.to}` : `Updated ${event.from} -> ${event.to}`,
      ];
    case "rolled-back":
      return [`Went back: ${event.from ?? "unknown version"} -> ${event.to ?? "unknown version"}`];
    case "would-update":
      return [
        `Would update ${event.from ?? "nothing"} -> ${event.to}, replacing:`,
        ...event.files.map((file) => `  ${file}`),
      ];
    case "uninstalled":
      return ["Removed:", ...event.files.map((file) => `  ${file}`)];
    case "nothing-to-repair":
      return ["Nothing to repair."];
    case "warning":
      return [`Warning: ${event.message}`, ...(event.hint ? [`  ${event.hint}`] : [])];
    case "error":
      return [`updater-shim: ${event.message}`, ...(event.hint ? [`  ${event.hint}`] : [])];
    default:
      return [];
  }
}

/** All files of a download in one line: a bar on a terminal, else a line at each tenth. */
class Progress {
  readonly #files = new Map<string, { received: number; total: number; first: number }>();
  readonly #bar: boolean;
  #began = 0;
  #shownAt = -Infinity;
  #shownTenth = 0;
  #drawn = false;

  constructor(readonly system: System, { noProgress, json }: ReporterOptions) {
    this.#bar = system.terminal.isTerminal && !noProgress && !json;
  }

  show({ file, received, total }: { file: string; received: number; total: number }): void {
    const now = this.system.clock.monotonic();
    if (this.#files.size === 0) this.#began = now;
    const first = this.#files.get(file)?.first ?? received;
    this.#files.set(file, { received, total, first });
    const sum = { received: 0, total: 0, first: 0 };
    for (const part of this.#files.values()) {
      sum.received += part.received;
      sum.total += part.total;
      sum.first += part.first;
    }
    const share = sum.received / sum.total;
    const seconds = Math.max((now - this.#began) / 1000, 0.001);
    const rate = (sum.received - sum.first) / seconds;
    if (this.#bar) {
      // Twenty a second is smooth; the last one must show the end.
      if (now - this.#shownAt < 50 && share < 1) return;
      this.#shownAt = now;
      this.#drawn = true;
      return this.system.terminal.err(
        `\r${barLine(sum, share, rate, this.system.terminal.columns())}`,
      );
    }
    const tenth = Math.floor(share * 10);
    if (tenth === this.#shownTenth) return;
    this.#shownTenth = tenth;
    this.system.terminal.err(`Downloading ${tenth * 10} % of ${bytes(sum.total)}\n`);
  }

  clear(): void {
    if (this.#drawn) this.system.terminal.err("\n");
    this.#drawn = false;
    this.#files.clear();
    this.#shownTenth = 0;
  }
}

/** Plain characters: a Windows console has no others in every code page. */
function barLine(
  { received, total }: { readonly received: number; readonly total: number },
  share: number,
  rate: number,
  columns: number,
): string {
  const left = rate > 0 ? Math.ceil((total - received) / rate) * 1000 : Infinity;
  const time = share >= 1
    ? "done"
    : Number.isFinite(left)
    ? `${left ? duration(left, { ignoreZero: true }) : "0s"} left`
    : "";
  const numbers = ` ${Math.floor(share * 100).toString().padStart(3)} %  ${bytes(received)} of ${
    bytes(total)
  }  ${bytes(Math.round(rate))}/s  ${time}`;
  const width = Math.max(0, Math.min(40, columns - numbers.length - 3));
  const filled = Math.round(width * share);
  const bar = width < 5 ? "" : `[${"#".repeat(filled)}${".".repeat(width - filled)}]`;
  return (bar + numbers).slice(0, Math.max(columns - 1, 1)).padEnd(Math.min(columns - 1, 79));
}
