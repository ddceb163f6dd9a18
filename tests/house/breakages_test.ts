/** The sources that `deno task test:crash` breaks on purpose are still there to be broken. */
import { assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { BREAKAGES } from "../crash/proofs.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));

Deno.test("each breakage of the proofs changes one place of the sources", () => {
  for (const { name, file, from } of BREAKAGES) {
    const places = Deno.readTextFileSync(join(ROOT, file)).split(from).length - 1;
    assertEquals(places, 1, `${name}: ${file}`);
  }
});
