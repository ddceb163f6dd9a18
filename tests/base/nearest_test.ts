import { assertEquals } from "@std/assert";
import { nearest } from "../../src/base/nearest.ts";

Deno.test("The nearest word is the one with the fewest changes, in whatever case", () => {
  const options = ["install-dir", "manifest", "public-key", "pin", "dry-run"];
  const cases: Record<string, string> = {
    "instal-dir": "install-dir",
    "MANIFST": "manifest",
    "pubic-key": "public-key",
    "dryrun": "dry-run",
    "pni": "pin",
    "": "pin",
    ["manifest".repeat(100_000)]: "install-dir",
  };
  for (const [text, expected] of Object.entries(cases)) {
    if (text.length < 100) assertEquals(nearest(text, options), expected, text);
    else assertEquals(options.includes(nearest(text, options)), true);
  }
  // By single letters both are as near.
  assertEquals(nearest("sing", ["lint", "sign"]), "sign");
});
