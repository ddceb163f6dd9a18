// A tool that `deno compile` makes; updater-shim lies beside it.
import { selfUpdate } from "@updater-shim/updater-shim/adopt";

if (Deno.args[0] === "self-update") {
  Deno.exit(await selfUpdate({ given: Deno.args.slice(1) }));
}
console.log("mytool 1.0.0");
