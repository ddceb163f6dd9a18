/** The loop over all steps: ends the program at each, looks, repairs, looks again. */
import { join } from "@std/path";
import { denoSystem } from "../../../src/system/deno_system.ts";
import { type Breakage, broken } from "./breakages.ts";
import { fromOn } from "./lanes.ts";
import { runUntil, startAgain } from "./one_end.ts";
import { phaseOf, Place } from "./place.ts";
import * as scenarios from "./scenario.ts";
import type { Scenario } from "./scenario.ts";

/** What a sweep has seen. */
export interface Seen {
  /** Processes that were terminated in an update, and in a repair. */
  readonly updateKills: number;
  readonly repairKills: number;
  /** Ends at which a target was missing. */
  readonly missing: number;
  /** Versions after the repair. */
  readonly versions: readonly string[];
  /** Where it ended, for each kill of an update. */
  readonly steps: readonly string[];
  /** What was not as it must be; the sweep ends there. */
  readonly complaint: string | null;
}

/** Sweeps one scenario; `script` is the program that ends itself. */
export async function sweep(
  scenario: Scenario,
  breakage: Breakage,
  folder: string,
  script: string,
): Promise<Seen> {
  const sweep = new Sweep(scenario, breakage, folder, script);
  let complaint: string | null = null;
  try {
    await sweep.run();
  } catch (error) {
    complaint = (error as Error).message;
  }
  return { ...sweep.seen(), complaint };
}

class Sweep {
  readonly #steps: string[] = [];
  readonly #versions = new Set<string>();
  /** What kind of disk each ended update left, where a repair from it is worth a sweep of its own. */
  readonly #kinds: (string | undefined)[] = [];
  #places = 0;
  #repairKills = 0;
  #missing = 0;

  constructor(
    readonly scenario: Scenario,
    readonly breakage: Breakage,
    readonly folder: string,
    readonly script: string,
  ) {}

  seen(): Omit<Seen, "complaint"> {
    return {
      updateKills: this.#steps.filter(Boolean).length,
      repairKills: this.#repairKills,
      missing: this.#missing,
      versions: [...this.#versions].sort(),
      steps: this.#steps.filter(Boolean),
    };
  }

  async run(): Promise<void> {
    // The way forward of a sick version is that of a healthy one.
    const first = this.scenario.sick ? await this.#firstStepBack() : 1;
    await fromOn(first, (n) => this.#killUpdate(n));
    const firstOfKind = this.#kinds.flatMap((kind, n) =>
      kind !== undefined && this.#kinds.indexOf(kind) === n ? [n] : []
    );
    // Every second one of many: the sweep is to take minutes, not a quarter of an hour.
    const ends = firstOfKind.filter((_, at) => this.scenario.targets === 1 || at % 2 === 0);
    for (const n of ends) await fromOn(1, (m) => this.#killRepair(n, m));
  }

  async #firstStepBack(): Promise<number> {
    const place = this.#make();
    const names = await runUntil(Infinity, this.scenario, this.breakage, place.folder);
    place.release();
    // Counted from 1, and the one after it.
    return names.findLastIndex((name) => /^rename .*[\\/]staged[\\/].*\.exe$/.test(name)) + 2;
  }

  /** Returns whether there was an n-th step. */
  async #killUpdate(n: number): Promise<boolean> {
    const place = this.#make();
    const output = await this.#start("update", place, n);
    const killed = output.startsWith("killed");
    if (killed) this.#steps[n - 1] = output.trim().replaceAll(place.folder, "").slice(14);
    this.#look(place.folder, `the update ended (${output.trim()})`);
    const kind = killed ? this.#kindOf(place.folder) : undefined;
    const isNew = !this.#kinds.includes(kind);
    this.#kinds[n] = kind;
    place.execute();
    await this.#settle(place);
    if (isNew) await this.#updateAgain(place);
    place.remove();
    return killed;
  }

  async #killRepair(n: number, m: number): Promise<boolean> {
    const place = this.#make();
    await runUntil(n, this.scenario, this.breakage, place.folder);
    place.execute();
    const output = await this.#start("repair", place, m);
    const killed = output.startsWith("killed");
    if (killed) this.#repairKills++;
    this.#look(place.folder, `the update ended at step ${n}, its repair (${output.trim()})`);
    await this.#settle(place);
    place.remove();
    return killed;
  }

  /** Of several targets only those disks from which a repair has to change some of them. */
  #kindOf(folder: string): string | undefined {
    const versions = scenarios.versionsOf(this.scenario, folder), phase = phaseOf(folder);
    if (versions.length > 1 && new Set(versions).size === 1) return undefined;
    if (this.scenario.sick && phase !== "rolling-back") return undefined;
    return `${phase} ${versions}`;
  }

  #make(): Place {
    return new Place(this.scenario, join(this.folder, String(this.#places++)));
  }

  async #start(what: "update" | "repair", { folder }: Place, n: number): Promise<string> {
    const args = [what, JSON.stringify(this.scenario), this.breakage, folder, String(n)];
    return await startAgain([this.script, ...args]);
  }

  #look(folder: string, when: string): void {
    try {
      if (scenarios.checkEnded(this.scenario, folder)) this.#missing++;
    } catch (error) {
      throw new Error(`When ${when}: ${(error as Error).message}`);
    }
  }

  /** The next starts of the shim: while the old images are still executed, then without. */
  async #settle(place: Place): Promise<void> {
    const { scenario, breakage } = this;
    const checkOriginal = place.change(), { folder } = place;
    const fs = broken(breakage, denoSystem.fs);
    await scenarios.repair(scenario, folder, fs);
    const version = scenarios.checkRepaired(scenario, folder);
    this.#versions.add(version);
    place.release();
    await scenarios.repair(scenario, folder, fs);
    if (scenarios.checkRepaired(scenario, folder) !== version) throw new Error("It changed again");
    scenarios.checkNothingLeft(scenario, folder);
    checkOriginal();
  }

  async #updateAgain({ folder }: Place): Promise<void> {
    const well = { ...this.scenario, sick: false };
    await scenarios.update(well, folder, denoSystem.fs);
    if (scenarios.checkRepaired(well, folder) !== "new") throw new Error("no update any more");
    scenarios.checkNothingLeft(well, folder);
  }
}
