/**
 * `deno task test:crash [SECTION…] [--at POINT]`: the compiled shim, real file systems, real kills. Linux on
 * x86-64, as root (loop devices, other users' processes). Prints what it tries, a table and
 * "N passed, N failed". .github/TESTING.md says what the rows mean.
 */
import { join } from "@std/path";
import { concurrency } from "./concurrency.ts";
import { errorSweeps } from "./error_sweep.ts";
import { type Interrupted, type KillSweep, killSweep } from "./kill_sweep.ts";
import { folders } from "./folders.ts";
import { inPairs, Lab } from "./lab.ts";
import { parents } from "./parents.ts";
import { places } from "./places.ts";
import { powerCuts } from "./power_cuts.ts";
import { proofs } from "./proofs.ts";
import { reader } from "./reader.ts";
import { recoverySweep } from "./recovery_sweep.ts";
import { parsePoint, Report } from "./report.ts";

const HEALTH_CODE = 8;

/** Interrupted updates, from the kills to the recovery's own sweep. */
const states: Interrupted[] = [];
const keep = (state: Interrupted) => void states.push(state);
/** Where links cannot be had, nor a folder be synced: FAT, some network drives. */
const NO_LINKS = ["link=EPERM", "syncdir=EINVAL"];

const patched = { release: "patched", least: 50 } as const;
const undone = { release: "sick", ends: HEALTH_CODE } as const;
const KILLS: readonly KillSweep[] = [
  { name: "killed", class: "other", least: 50, keep },
  { name: "killed in the download", class: "write", release: "slow", least: 50, step: 3 },
  { name: "killed, by patches", class: "other", ...patched, keep },
  { name: "killed while patching", class: "write", ...patched, least: 10 },
  { name: "killed, without links", class: "other", fail: NO_LINKS, least: 50, keep },
  { name: "killed while undoing", class: "other", ...undone, least: 55, keep },
];

/** In the order in which they run. */
export const SECTIONS: Record<string, (lab: Lab) => Promise<unknown>> = {
  kills: (lab) => inPairs(KILLS, async (sweep) => void await killSweep(lab, sweep)),
  recovery: (lab) => recoverySweep(lab, states),
  errors: errorSweeps,
  power: powerCuts,
  concurrency,
  parents,
  reader,
  places,
  folders,
  proofs: (lab) => proofs(lab, states),
};

if (import.meta.main) {
  const scratch = Deno.makeTempDirSync({ prefix: "updater-shim-crash-" });
  try {
    if (!await runSections(scratch)) Deno.exitCode = 1;
  } finally {
    Deno.removeSync(scratch, { recursive: true });
  }
}

async function runSections(scratch: string): Promise<boolean> {
  const at = Deno.args.indexOf("--at");
  const report = new Report(at < 0 ? undefined : parsePoint(Deno.args[at + 1] ?? ""));
  const sections = at < 0 ? Deno.args : Deno.args.toSpliced(at, 2);
  const unknown = sections.find((name) => !(name in SECTIONS));
  if (unknown) {
    throw new Error(`no section "${unknown}": one of ${Object.keys(SECTIONS).join(", ")}`);
  }
  await using lab = await Lab.make(join(scratch, "lab"), report);
  const began = performance.now();
  for (const [name, section] of Object.entries(SECTIONS)) {
    // The recovery and some proofs need the states that the kills leave.
    const wanted = sections.length === 0 || sections.includes(name) ||
      name === "kills" && ["recovery", "proofs"].some((later) => sections.includes(later));
    if (!wanted) continue;
    report.section = name;
    console.log(`== ${name} (after ${Math.round((performance.now() - began) / 1000)} s)`);
    try {
      await section(lab);
    } catch (error) {
      report.add(name, `it broke off: ${error instanceof Error ? error.message : error}`);
    }
  }
  return report.finish();
}
