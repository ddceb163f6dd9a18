/**
 * Windows program: an update or a repair that ends at its n-th step, and the loop over all n.
 *
 * Arguments: "sweep", a scenario as JSON, how its file system is broken, and an empty folder: prints
 * what was seen as JSON (`Seen`). Or, as that starts it again for each kill: "update" or "repair",
 * the scenario, how it is broken, the install dir and n; prints "killed before …", or "finished".
 */
import { denoSystem } from "../../../src/system/deno_system.ts";
import { type Breakage, broken } from "../sweep/breakages.ts";
import { sweep } from "../sweep/driver.ts";
import { dieAt } from "../sweep/endings.ts";
import { repair, type Scenario, update } from "../sweep/scenario.ts";

const [what = "", json = "", breakage = "none", folder = "", n = "0"] = Deno.args;
const scenario: Scenario = JSON.parse(json);

if (what === "sweep") {
  const script = decodeURIComponent(new URL(import.meta.url).pathname.slice(1));
  const seen = await sweep(scenario, breakage as Breakage, folder, script);
  console.log(JSON.stringify(seen));
  Deno.exit(0);
}

const { fs } = dieAt(denoSystem.fs, Number(n));
const program = what === "update" ? update : repair;
try {
  await program(scenario, folder, broken(breakage as Breakage, fs));
} catch (error) {
  // A sick version is put back, and that is told as an error.
  if (!scenario.sick) throw error;
}
console.log("finished");
Deno.exit(0);
