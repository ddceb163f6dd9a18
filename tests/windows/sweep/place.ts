/** One install dir of a sweep. */
import { join } from "@std/path";
import { execute } from "./images.ts";
import * as scenarios from "./scenario.ts";
import type { Scenario } from "./scenario.ts";

/** An install dir. If the scenario says so, its targets are executed until `release`. */
export class Place {
  readonly #endings: (() => void)[] = [];

  constructor(readonly scenario: Scenario, readonly folder: string) {
    scenarios.prepare(scenario, folder);
    this.execute();
  }

  /** Also those that have become targets since. */
  execute(): void {
    if (!this.scenario.locked) return;
    const versions = scenarios.versionsOf(this.scenario, this.folder);
    const there = scenarios.namesOf(this.scenario).filter((_, at) => versions[at] !== "missing");
    this.#endings.push(execute(there.map((name) => join(this.folder, name))));
  }

  /** Ends all that. */
  release(): void {
    this.#endings.forEach((end) => end());
  }
}

/** What the journal says; `none` without one. */
export function phaseOf(folder: string): string {
  try {
    const journal = Deno.readTextFileSync(join(folder, ".updater-shim", "updater-shim", "journal"));
    return JSON.parse(journal.split("\n")[0]!).phase;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "none";
    throw error;
  }
}
