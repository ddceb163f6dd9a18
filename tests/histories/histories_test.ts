/** Random histories of a folder that two tools share. `deno task fuzz` lives 2,000 of them. */
import { assert } from "@std/assert";
import fc from "fast-check";
import { brokenShim, SABOTAGES } from "./broken_shim.ts";
import { live } from "./history.ts";
import { histories } from "./steps.ts";

const RUNS = Number(Deno.env.get("FUZZ_RUNS") ?? 0) > 0 ? 2000 : 60;

const SEED = Number(Deno.env.get("FUZZ_SEED") ?? (RUNS === 60 ? 1 : 0));

Deno.test({
  name: `in ${RUNS} random histories no file has what it may not have`,
  // The smallest executables there are: elsewhere the system wants more of them.
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await fc.assert(fc.asyncProperty(histories(12), (steps) => live(steps)), {
      numRuns: RUNS,
      // The same ones each time, but for `deno task fuzz`.
      ...(SEED > 0 && { seed: SEED }),
    });
  },
});

for (const [what, changes] of Object.entries(SABOTAGES)) {
  Deno.test({
    name: `the histories see a shim that ${what}`,
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      const shim = await brokenShim(changes);
      const property = fc.asyncProperty(histories(12), (steps) => live(steps, shim));
      // The same ones that ours lives through above. Not shrunk: that it is seen is enough.
      const options = { numRuns: 60, seed: 1, endOnFailure: true };
      assert((await fc.check(property, options)).failed, "it was not seen");
    },
  });
}
