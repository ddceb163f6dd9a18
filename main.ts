/**
 * updater-shim: replaces the executables of a command-line tool after the tool has exited.
 * At every instant each of them is a complete file, the old or the new one; README.md has the
 * promises and their limits.
 */
import { denoSystem } from "./src/system/deno_system.ts";
import { run } from "./src/run.ts";

if (import.meta.main) Deno.exit(await run(Deno.args, denoSystem));
