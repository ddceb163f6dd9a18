/** Tools of the recipes that need nothing but Deno and Node; tests/programs has the others. */
import { fromFileUrl, join } from "@std/path";
import { bundleTo } from "../../.ci/compile.ts";
import type { Recipe } from "../support/recipe.ts";
import { testRecipe } from "../support/recipe_cases.ts";

const ADOPT = fromFileUrl(new URL("../../src/adopt.ts", import.meta.url));

/** One file of the recipe and of the module, as a bundler makes it; `start` is its first line. */
function bundled(source: string, start: string): Recipe {
  return {
    sources: [source],
    async make(folder) {
      const path = join(folder, source);
      const name = "@updater-shim/updater-shim/adopt";
      Deno.writeTextFileSync(path, Deno.readTextFileSync(path).replace(name, `file://${ADOPT}`));
      await bundleTo(path, join(folder, "bundle.js"));
      const code = Deno.readTextFileSync(join(folder, "bundle.js")).replace(/^#!.*\n/, "");
      Deno.writeTextFileSync(join(folder, "mytool"), `${start}\n${code}`);
    },
  };
}

testRecipe("Node", bundled("mytool.mjs", "#!/usr/bin/env node"));
// The tool is not compiled here: a Deno beside the shim is to it what it would be to itself.
testRecipe("Deno", {
  ...bundled("mytool.ts", "#!/usr/bin/env -S deno run -A --no-config"),
  accompany(folder) {
    try {
      Deno.linkSync(Deno.execPath(), join(folder, "deno"));
    } catch {
      Deno.copyFileSync(Deno.execPath(), join(folder, "deno")); // another file system
    }
  },
});
