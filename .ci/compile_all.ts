/**
 * `deno run -A .ci/compile_all.ts FOLDER`: every executable of a release, with Deno's own runtimes
 * only, under the names that `release.ts` expects. Prints their digests, so that two builds can be
 * compared by their output.
 */
import { createHash } from "node:crypto";
import { join, resolve } from "@std/path";
import { compileShim } from "./compile.ts";
import { builtName, PROGRAMS, TARGETS } from "./release.ts";

const [folder] = Deno.args;
if (!folder) throw new Error("usage: compile_all.ts FOLDER");
for (const name of Object.keys(PROGRAMS)) {
  for (const target of TARGETS) {
    const output = join(resolve(folder), builtName(target, name));
    const program = name === "updater-shim" ? "shim" : "pack";
    await compileShim({ output, program, target, fallback: false });
    const digest = createHash("sha256").update(Deno.readFileSync(output)).digest("hex");
    console.log(`${digest}  ${builtName(target, name)}`);
  }
}
