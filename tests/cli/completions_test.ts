import { assert, assertEquals, assertMatch } from "@std/assert";
import { completionScript } from "../../src/cli/completions.ts";
import { OPTIONS, SHELLS } from "../../src/cli/options.ts";

Deno.test("Every shell's script names every option", () => {
  for (const shell of SHELLS) {
    const script = completionScript(shell, "uv-updater");
    assert(script.endsWith("\n"));
    for (const { name } of OPTIONS) {
      assertMatch(script, new RegExp(`(--|-l )${name}\\b`), `${name} in ${shell}`);
    }
  }
});

Deno.test("A script completes the name that the shim has here, and no other", () => {
  for (const shell of SHELLS) {
    const script = completionScript(shell, "uv-updater").replaceAll("version of updater-shim", "");
    assertMatch(script, /uv-updater/);
    assertEquals(script.includes("updater-shim"), false, shell);
    assertEquals(script.includes("updater_shim"), false, shell);
  }
});
