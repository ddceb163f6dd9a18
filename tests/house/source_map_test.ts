import { assertEquals } from "@std/assert";
import { generatedBytes } from "../../.ci/bench_source_map.ts";

Deno.test("each byte of a generated file is counted once, for the source that the map names", () => {
  // Columns 0 and 2 of the first line are of a and of b; columns 0 and 16 of the second are of a and
  // of none: a step back, and a number of two digits.
  const map = { sources: ["a", "b"], mappings: "AAAA,ECAA;ADAA,gB" };
  const sizes = generatedBytes('12ä\n0123456789abcdef"the rest"', JSON.stringify(map));
  assertEquals([...sizes], [["", 10], ["a", 18], ["b", 3]]);
});
