/**
 * updater-shim-pack: makes a release manifest out of what a build produced, signs it, and checks
 * both as a user's shim will. A program of its own: nothing of it is in the shim.
 */
import { withThreads } from "./deno_pack_system.ts";
import { isPatchThread, servePatches } from "./deno_patch_threads.ts";
import { runPack } from "./run_pack.ts";

if (isPatchThread()) servePatches();
else if (import.meta.main) Deno.exit(await runPack(Deno.args, withThreads(import.meta.url)));
