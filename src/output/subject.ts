/** Whom a message is about: people know their tool, and have hardly heard of the shim. */
import type { ShimEvent } from "../base/events.ts";

/** What is known so far; a manifest says more. */
export interface Subject {
  /** What the shim is called here. */
  readonly program: string;
  /** What could not be done, as in "mytool could not be updated". */
  readonly failed: string;
  /** The base name of its configuration. */
  config?: string;
  /** The tool's name. */
  tool?: string | undefined;
  /** Where its people are to be found. */
  homepage?: string | undefined;
}

/** Failures by what was asked for. */
const FAILED: Readonly<Record<string, string>> = {
  update: "be updated",
  check: "be checked for an update",
  from: "be installed",
  rollback: "be rolled back",
  repair: "be repaired",
  uninstall: "be removed",
};

/** Nothing is known of the tool yet. */
export function subjectOf(shimName: string, command: string): Subject {
  return { program: programOf(shimName), failed: FAILED[command] ?? "be looked at" };
}

/** What the user calls the shim. */
export function programOf(shimName: string): string {
  return shimName.replace(/\.exe$/i, "");
}

/** Takes note of what an event says about the tool. */
export function learn(subject: Subject, event: ShimEvent): void {
  if (event.event !== "manifest") return;
  subject.tool ??= event.name;
  subject.homepage = event.homepage;
}

/** The event with advice that can be followed here: the shim's own name, and the authors' address. */
export function addressed<E extends ShimEvent>(event: E, subject: Subject): E {
  if (!("hint" in event) || event.hint === undefined) return event;
  const { program, homepage, config = `${program}.json` } = subject;
  const hint = event.hint.replace(/\bupdater-shim(?= --)/g, () => program)
    // Not where it is the end of a path: that file is called so.
    .replace(/(?<![\w"/\\.-])updater-shim\.json\b/g, () => config);
  if (homepage === undefined) return { ...event, hint };
  return {
    ...event,
    hint: hint.replace("the tool's authors", () => `the tool's authors (${homepage})`),
  };
}

/** What stands before a failure. */
export function opening({ program, failed, tool }: Subject): string {
  return tool === undefined ? program : `${tool} could not ${failed}`;
}
