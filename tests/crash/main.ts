/**
 * `deno task test:crash`: the compiled shim, real file systems, real kills. Linux on x86-64, as root
 * (loop devices, other users' processes). Prints what it tries, a table and "N passed, N failed".
 */
import { type Interrupted, killSweep } from "./kill_sweep.ts";
import { recoverySweep } from "./recovery_sweep.ts";
import { Lab } from "./lab.ts";
import { Report } from "./report.ts";

const scratch = Deno.makeTempDirSync({ prefix: "updater-shim-crash-" });
const report = new Report();
const lab = await Lab.make(scratch, report);
const began = performance.now();
const t = () => console.log("           ", Math.round((performance.now() - began) / 1000), "s");
const states: Interrupted[] = [];
const keep = (x: Interrupted) => void states.push(x);
await killSweep(lab, { name: "killed", class: "other", least: 50, keep });
t();
await killSweep(lab, {
  name: "killed in the download",
  class: "write",
  release: "slow",
  least: 50,
  step: 3,
});
t();
await killSweep(lab, {
  name: "killed, without links",
  class: "other",
  fail: ["link=EPERM", "syncdir=EINVAL"],
  least: 50,
  keep,
});
await killSweep(lab, {
  name: "killed while undoing",
  class: "other",
  release: "sick",
  least: 50,
  keep,
});
t();
console.log(states.length);
await recoverySweep(lab, states);
t();
report.finish();
await lab.server[Symbol.asyncDispose]();
Deno.removeSync(scratch, { recursive: true });
