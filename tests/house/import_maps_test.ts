/**
 * The two import maps: npm's, which works everywhere, and JSR's, where the types are. All of this
 * holds before and after `.ci/use_jsr.ts`, and CI runs it both ways.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { readImports, useJsr } from "../../.ci/use_jsr.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));

Deno.test("the two import maps have the same names, and deno.json is wholly one of them", () => {
  const { imports } = readImports("deno.json"), { imports: jsr } = readImports("jsr.json");
  assertEquals(Object.keys(imports).sort(), Object.keys(jsr).sort());
  if (Object.values(imports).some((place) => place.startsWith("jsr:"))) {
    assertEquals(imports, jsr);
    return;
  }
  for (const [name, place] of Object.entries(imports)) {
    if (name.startsWith("@std/")) {
      assertMatch(place, /^npm:deno-std@/);
      assertMatch(jsr[name]!, new RegExp(`^jsr:${name.split("/").slice(0, 2).join("/")}@`));
    } else assertEquals(jsr[name], place);
  }
});

Deno.test("every import is pinned to one version", () => {
  for (const map of ["deno.json", "jsr.json"]) {
    for (const place of Object.values(readImports(map).imports)) {
      assertMatch(place, /^(npm|jsr):(@[\w-]+\/)?[\w-]+@\d+\.\d+\.\d+(\/[\w./-]+)?$/);
    }
  }
});

Deno.test("moving a checkout to JSR replaces the imports and nothing else", () => {
  const copy = Deno.makeTempDirSync({ prefix: "updater-shim-" });
  try {
    for (const name of ["deno.json", "jsr.json"]) {
      Deno.copyFileSync(join(ROOT, name), join(copy, name));
    }
    Deno.writeTextFileSync(join(copy, "deno.lock"), "{}");
    for (const time of ["first", "second"]) {
      useJsr(copy);
      const { imports, ...others } = readImports("deno.json", copy);
      const { imports: _, ...before } = readImports("deno.json");
      assertEquals(imports, readImports("jsr.json").imports, time);
      assertEquals(others, before, time);
      assertEquals([...Deno.readDirSync(copy)].map(({ name }) => name).sort(), [
        "deno.json",
        "jsr.json",
      ]);
    }
  } finally {
    Deno.removeSync(copy, { recursive: true });
  }
});
