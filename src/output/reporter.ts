/** Events for people (standard error) and for programs (standard output, one JSON object a line). */
import { format as bytes } from "@std/fmt/bytes";
import type { Report, ShimEvent } from "../base/events.ts";
import { type FileProgress, Progress } from "./progress.ts";
import { addressed, learn, opening, type Subject, subjectOf } from "./subject.ts";
import type { System } from "../system/system.ts";
import { visible, visibleJson } from "./text.ts";

/** How to report. */
export interface ReporterOptions {
  readonly json?: boolean;
  /** People see warnings and errors only. */
  readonly quiet?: boolean;
  readonly noProgress?: boolean;
}

/** A program needs no more progress lines than this a second; the last of each file always comes. */
const JSON_LINES_PER_SECOND = 10;

/** Makes the function that every stage reports to. */
export function createReporter(
  system: Pick<System, "terminal" | "clock">,
  { json = false, quiet = false, noProgress = false }: ReporterOptions,
  subject: Subject = subjectOf("updater-shim", "update"),
): Report {
  const { terminal } = system;
  const progress = new Progress(system, terminal.isTerminal && !noProgress && !json);
  const isDue = everyNowAndThen(system);
  return (given) => {
    learn(subject, given);
    const event = addressed(given, subject);
    const download = event.event === "download";
    if (json && (!download || isDue(event))) terminal.out(visibleJson(event) + "\n");
    if (download) return quiet ? undefined : progress.show(event);
    const text = describe(event, opening(subject));
    const serious = event.event === "error" || event.event === "warning";
    if (text === undefined || (quiet && !serious)) return;
    progress.clear();
    terminal.err(text);
  };
}

/** Thousands of blocks come in a second. */
function everyNowAndThen({ clock }: Pick<System, "clock">): (progress: FileProgress) => boolean {
  const told = new Map<string, number>();
  return ({ file, received, total }) => {
    const now = clock.monotonic();
    const before = told.get(file) ?? -Infinity;
    if (received < total && now - before < 1000 / JSON_LINES_PER_SECOND) return false;
    told.set(file, now);
    return true;
  };
}

/**
 * One event as people read it; undefined where there is nothing to tell them. `opening` stands before
 * a failure.
 */
export function describe(event: ShimEvent, opening = "updater-shim"): string | undefined {
  const lines = sentences(event, opening);
  return lines.length === 0 ? undefined : lines.map((line) => visible(line) + "\n").join("");
}

function sentences(event: ShimEvent, opening: string): string[] {
  switch (event.event) {
    case "recovered":
      return [RECOVERED[event.outcome]];
    case "repaired":
      return [`Restored ${event.path} from ${event.from}`];
    case "nothing-to-repair":
      return ["Nothing to repair."];
    case "waiting":
      if (event.tool !== undefined) {
        return [`Waiting for the update of "${event.tool}" (process ${event.pid}) to end`];
      }
      // Without a pid it is the end of the standard input that is waited for.
      return [
        event.pid ? `Waiting for process ${event.pid} to exit` : "Waiting for the tool to exit",
      ];
    case "manifest":
      return [
        event.signedBy === null
          ? `Found ${event.name} ${event.version} (no public key is configured: not signed)`
          : `Found ${event.name} ${event.version}, signed by key ${event.signedBy}`,
      ];
    case "up-to-date":
      return [`${event.version} is installed${unoffered(event)}`];
    case "available":
      return [
        event.from === null
          ? `${event.to} is available`
          : `An update is available: ${event.from} -> ${event.to}`,
        ...news(event),
      ];
    case "held-back":
      return [
        `${event.to} is handed out step by step, to ${event.percent} % so far, and not here yet`,
      ];
    case "downloaded":
      return [
        `Downloaded ${event.to}: ${
          // What is installed already is fetched by force only.
          event.from === event.to
            ? "an update with --force installs it"
            : "the next update installs it"}`,
      ];
    case "verified":
      return [`Verified ${event.file} (${bytes(event.size)})`];
    case "trying":
      return [`Trying ${event.path} ...`];
    case "updated":
      return [
        event.from === null
          ? `Installed ${event.to}`
          : event.from === event.to
          ? `Reinstalled ${event.to}`
          : `Updated ${event.from} -> ${event.to}`,
        ...news(event),
      ];
    case "rolled-back":
      return [`Went back: ${event.from ?? "unknown version"} -> ${event.to ?? "unknown version"}`];
    case "would-update":
      return [
        event.from === null
          ? `Would install ${event.to}:`
          : `Would update ${event.from} -> ${event.to}:`,
        ...event.files.map((file) => `  ${file}`),
      ];
    case "would-uninstall":
      return event.files.length === 0
        ? ["Would remove nothing: no update was ever made here"]
        : ["Would remove:", ...event.files.map((file) => `  ${file}`)];
    case "uninstalled":
      if (event.files.length === 0 && event.afterExit === undefined) {
        return [
          "Nothing was installed here: nothing is removed, nor the shim or its configuration.",
        ];
      }
      return [
        "Removed:",
        ...event.files.map((file) => `  ${file}`),
        ...event.afterExit === undefined
          ? []
          : [`  ${event.afterExit} (as soon as nothing executes it, for 20 s at most)`],
      ];
    case "relaunched":
      return [`Started ${event.path}`];
    case "warning":
      return [`Warning: ${event.message}`, ...hint(event)];
    case "error":
      return [`${opening}: ${event.message}`, ...hint(event)];
    default:
      // Steps that take milliseconds: for programs and the log.
      return [];
  }
}

function news({ notes }: { readonly notes?: string }): string[] {
  return notes === undefined ? [] : [`  What is new: ${notes}`];
}

function unoffered({ declined, older }: { declined?: string; older?: string }): string {
  if (older !== undefined) return `: newer than the release ${older}`;
  if (declined === undefined) return ": up to date";
  return `. You went back from ${declined}: --rollback or --force installs that again`;
}

function hint(event: { readonly hint?: string }): string[] {
  return event.hint === undefined ? [] : [`  ${event.hint}`];
}

const RECOVERED = {
  finished: "Finished an update that had been interrupted.",
  "rolled-back": "Undid an update that had been interrupted.",
  cleaned: "Removed what an interrupted update had left.",
} as const;
