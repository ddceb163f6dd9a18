/**
 * Windows program: `--uninstall` of the folder that its executable is in, which ends at its n-th step
 * on the file system. Prints "killed before …", if it came so far; and "helper started" before.
 *
 * Argument: n.
 */
import { denoSystem } from "../../../src/system/deno_system.ts";
import { run } from "../../../src/run.ts";
import { dieAt } from "../sweep/endings.ts";

const { fs } = dieAt(denoSystem.fs, Number(Deno.args[0]));
const { processes } = denoSystem;
const code = await run(["--uninstall", "--quiet"], {
  ...denoSystem,
  fs,
  processes: {
    ...processes,
    leaveBehind(...call) {
      processes.leaveBehind(...call);
      console.log("helper started");
    },
  },
});
Deno.exit(code);
