/** One install dir of a sweep. */
import { join } from "@std/path";
import { isThere } from "../../../src/files/durable_files.ts";
import { denoSystem } from "../../../src/system/deno_system.ts";
import { execute } from "./images.ts";
import * as scenarios from "./scenario.ts";
import type { Scenario } from "./scenario.ts";

/** An install dir. If the scenario says so, its targets are executed until `release`. */
export class Place {
  readonly #endings: (() => void)[] = [];
  readonly #made: string;

  constructor(readonly scenario: Scenario, public folder: string) {
    this.#made = folder;
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

  /**
   * What somebody does to it then: it goes on under another name, or as a copy. Returns a check that
   * the original is as it was.
   */
  change(): () => void {
    const original = this.folder;
    if (!this.scenario.then) return () => {};
    this.folder = `${original} ${this.scenario.then}`;
    if (this.scenario.then === "moved") {
      Deno.renameSync(original, this.folder);
      return () => {};
    }
    copy(original, this.folder);
    const before = contents(original);
    return () => {
      if (contents(original) !== before) throw new Error("The original of the copy was changed");
    };
  }

  /** With the original of a copy. */
  remove(): void {
    for (const folder of new Set([this.#made, this.folder])) {
      if (isThere(denoSystem.fs, folder)) Deno.removeSync(folder, { recursive: true });
    }
  }

  /** Ends all that. */
  release(): void {
    this.#endings.forEach((end) => end());
  }
}

function copy(from: string, to: string): void {
  Deno.mkdirSync(to);
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    if (isDirectory) copy(join(from, name), join(to, name));
    else Deno.copyFileSync(join(from, name), join(to, name));
  }
}

/** Every path below a folder, and what the files hold. */
function contents(folder: string): string {
  return [...Deno.readDirSync(folder)].toSorted((a, b) => a.name < b.name ? -1 : 1).map((entry) => {
    const path = join(folder, entry.name);
    const inside = entry.isDirectory ? contents(path) : [...Deno.readFileSync(path)].join();
    return `${entry.name}: ${inside}`;
  }).join("\n");
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
