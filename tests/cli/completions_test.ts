import { assert, assertMatch } from "@std/assert";
import { completionScript } from "../../src/cli/completions.ts";
import { OPTIONS, SHELLS } from "../../src/cli/options.ts";

Deno.test("Every shell's script names every option", () => {
  for (const shell of SHELLS) {
    const script = completionScript(shell);
    assert(script.endsWith("\n"));
    for (const { name } of OPTIONS) {
      assertMatch(script, new RegExp(`(--|-l )${name}\\b`), `${name} in ${shell}`);
    }
  }
});
