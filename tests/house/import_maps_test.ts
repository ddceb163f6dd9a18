/** The two import maps: npm's, which works everywhere, and JSR's, where the types are. */
import { assertEquals, assertMatch } from "@std/assert";
import { readImports } from "../../.ci/use_jsr.ts";

const { imports: npm } = readImports("deno.json");
const { imports: jsr } = readImports("jsr.json");

Deno.test("jsr.json maps the same names as deno.json", () => {
  assertEquals(Object.keys(jsr).sort(), Object.keys(npm).sort());
});

Deno.test("the standard library comes from npm in deno.json and from JSR in jsr.json, the rest is the same", () => {
  for (const [name, place] of Object.entries(npm)) {
    if (name.startsWith("@std/")) {
      assertMatch(place, /^npm:deno-std@/);
      assertMatch(jsr[name]!, new RegExp(`^jsr:${name.split("/").slice(0, 2).join("/")}@`));
    } else assertEquals(jsr[name], place);
  }
});

Deno.test("every import is pinned to one version", () => {
  for (const place of [...Object.values(npm), ...Object.values(jsr)]) {
    assertMatch(place, /^(npm|jsr):(@[\w-]+\/)?[\w-]+@\d+\.\d+\.\d+(\/[\w./-]+)?$/);
  }
});
