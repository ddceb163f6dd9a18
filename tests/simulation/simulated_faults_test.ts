/**
 * The swap and the recovery on a simulated disk whose n-th step fails, for every n, once or from then
 * on: what the run tells is what is installed, and the next start leaves nothing behind.
 */
import { assert } from "@std/assert";
import { sweepTest } from "../support/again.ts";
import { type Crashed, explore } from "../support/crash_explorer.ts";
import { FaultAt, FaultyFileSystem } from "../support/faulty_file_system.ts";
import {
  checkNothingLeft,
  checkSet,
  explorationOf,
  makeDisk,
  optionsOf,
  repair,
  type Scenario,
  update,
} from "../support/simulated_installation.ts";
import { SimulatedFileSystem } from "../support/simulated_file_system.ts";

const TWO = ["/opt/a", "/opt/b"];
const SCENARIOS: Scenario[] = [
  { model: "ordered", targets: TWO },
  { model: "ordered", targets: TWO, sick: true },
  { model: "ordered", targets: TWO, patched: true },
  { model: "ordered", targets: ["/opt/a", "/srv/b"], firstOfLast: true },
];

/** The scenario with a fault in its update. */
function failing(scenario: Scenario, fault: FaultAt): Scenario {
  return {
    ...scenario,
    wrap: (fs, of) => of === "update" ? new FaultyFileSystem(fs, fault.fault) : fs,
  };
}

for (const lasting of [false, true]) {
  for (const code of ["EIO", "ENOSPC", "EACCES", "EXDEV", "EINVAL"]) {
    const name = `Every step fails with ${code}, ${lasting ? "and all after it" : "once"}`;
    sweepTest({ task: "test", url: import.meta.url, name }, async () => {
      let failed = 0;
      for (const scenario of SCENARIOS) {
        for (let n = 1;; n++) {
          const fault = new FaultAt(n, code, lasting);
          const disk = makeDisk(scenario);
          const fs = new SimulatedFileSystem(disk, optionsOf(scenario));
          const told = await update(failing(scenario, fault), fs);
          if (!fault.reached) break;
          if (told === "old") failed++;
          // Where undoing fails too, the run says so, and the next start has to decide.
          const decided = lasting || scenario.sick ? undefined : told;
          if (decided) checkSet(scenario, disk, { told });
          await repair(scenario, fs);
          checkSet(scenario, disk, { told: decided });
          checkNothingLeft(scenario, disk);
        }
      }
      assert(failed > 50, `only ${failed} updates failed`);
    });
  }
}

sweepTest({
  task: "test",
  url: import.meta.url,
  name: "Every step of an update fails, and then it crashes",
}, async () => {
  const scenario = SCENARIOS[0]!;
  const seen = new Set<string>();
  let states = 0, reached = true;
  for (let n = 1; reached; n++) {
    const fault = new FaultAt(n, "EIO");
    states += (await explore(explorationOf(failing(scenario, fault)), seen)).states;
    reached = fault.reached;
  }
  assert(states > 1000, `only ${states} states were looked at`);
});

sweepTest({
  task: "test",
  url: import.meta.url,
  name: "Every step of a recovery fails, and the next one still mends all",
}, async () => {
  const scenario = SCENARIOS[1]!;
  const interrupted: Crashed[] = [];
  const checkCrashed = (crashed: Crashed) => {
    if (crashed.depth === 1) interrupted.push(crashed);
  };
  await explore({ ...explorationOf(scenario), checkCrashed });
  let faults = 0;
  for (const { disk, told } of interrupted) {
    for (let n = 1;; n++) {
      const fault = new FaultAt(n, "EIO");
      const copy = disk.clone();
      const fs = new SimulatedFileSystem(copy, optionsOf(scenario));
      const wrap: Scenario["wrap"] = (fs) => new FaultyFileSystem(fs, fault.fault);
      await repair({ ...scenario, wrap }, fs).catch(() => {});
      if (!fault.reached) break;
      faults++;
      await repair(scenario, fs);
      checkSet(scenario, copy, { told });
      checkNothingLeft(scenario, copy);
    }
  }
  assert(faults > 500, `only ${faults} faults`);
});
