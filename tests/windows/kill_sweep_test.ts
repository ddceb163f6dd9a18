/**
 * The update and the repair, terminated before each step that changes the file system, on Windows.
 * `sweep/driver.ts` has what is looked at after each.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { sweepTest } from "../support/again.ts";
import { DENO, runWindows, windowsPath } from "./bed.ts";
import { programArgs } from "./bundle.ts";
import type { Breakage } from "./sweep/breakages.ts";
import type { Seen } from "./sweep/driver.ts";
import type { Scenario } from "./sweep/scenario.ts";

const ONE: Scenario = { targets: 1, locked: false, sick: false };
const THREE: Scenario = { ...ONE, targets: 3 };
const RUNNING = { locked: true };
const SICK = { sick: true };

/** Fewer kills, of updates and of repairs, say that a change of the code has made a sweep hollow. */
const SWEEPS: readonly [what: string, least: readonly [number, number], scenario: Scenario][] = [
  ["one target", [30, 30], ONE],
  ["one target that runs", [40, 60], { ...ONE, ...RUNNING }],
  ["one target that runs, and is put back", [8, 15], { ...ONE, ...RUNNING, ...SICK }],
  ["one target, beside another tool", [30, 30], { ...ONE, shared: true }],
  ["one target, and the folder is moved", [30, 30], { ...ONE, then: "moved" }],
  ["one target, and the folder is copied", [30, 30], { ...ONE, then: "copied" }],
  ["three targets", [45, 15], THREE],
  ["three targets that run", [70, 80], { ...THREE, ...RUNNING }],
  ["three targets that run, and are put back", [15, 20], { ...THREE, ...RUNNING, ...SICK }],
];

for (const [what, [updates, repairs], scenario] of SWEEPS) {
  const name = `No kill breaks an update: ${what}`;
  sweepTest({ task: "test:windows", url: import.meta.url, name }, async () => {
    const seen = await sweep(scenario);
    console.log(`${what}: ${seen.updateKills} updates and ${seen.repairKills} repairs terminated`);
    if (seen.complaint !== null) throw new Error(seen.complaint);
    assert(seen.updateKills >= updates, `only ${seen.updateKills} updates were terminated`);
    assert(seen.repairKills >= repairs, `only ${seen.repairKills} repairs were terminated`);
    // What does not run in its place is never gone on with, by no start.
    const versions = scenario.sick ? ["old"] : ["new", "old"];
    assertEquals(seen.versions, versions, "it went forward and back");
    assertEquals(seen.missing > 0, scenario.locked, "the moment between two renames is met");
  });
}

const BROKEN: readonly [what: Breakage, complaint: RegExp, scenario: Scenario][] = [
  ["remove first", /The targets are missing|After the repair there is still/, ONE],
  ["move aside", /the update ended .*The targets are missing/, ONE],
  ["aside first", /the update ended .*The targets are missing/, ONE],
  ["no journal", /After the repair /, THREE],
  ["tidy for all", /guest\.exe/, { ...ONE, shared: true }],
  ["tidy the original", /original of the copy was changed/, { ...ONE, then: "copied" }],
  ["keep trash", /After the repair there is still .*aside\.exe/, { ...ONE, ...RUNNING }],
];

for (const [breakage, complaint, scenario] of BROKEN) {
  Deno.test(`The sweep sees what is broken: ${breakage}`, async () => {
    const seen = await sweep(scenario, breakage);
    assertMatch(seen.complaint ?? "nothing", complaint);
  });
}

async function sweep(scenario: Scenario, breakage: Breakage = "none"): Promise<Seen> {
  const folder = await Deno.makeTempDir({ prefix: "updater-shim-" });
  try {
    const what = ["sweep", JSON.stringify(scenario), breakage, windowsPath(folder)];
    const args = await programArgs("sweep", ...what);
    const result = await runWindows(folder, DENO, args, { timeoutSeconds: 1200 });
    assertEquals([result.code, result.stderr], [0, ""]);
    return JSON.parse(result.stdout);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
