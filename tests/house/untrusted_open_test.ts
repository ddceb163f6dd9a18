/** The linter sees it where a file of the state dir is opened without a look at whose it is. */
import { assertEquals } from "@std/assert";
import plugin from "../support/lint_plugin.ts";

const complaints = (source: string, file = "src/commands/x.ts") =>
  Deno.lint.runPlugin(plugin, `/checkout/${file}`, source)
    .filter(({ id }) => id === "seam/no-untrusted-open").length;

Deno.test("only trusted_file.ts opens the configuration and files of the state dir", () => {
  assertEquals(complaints("readIfThere(fs, dir.receipt, 10);"), 1);
  assertEquals(complaints("openPatiently(fs, dir.config, { read: true });"), 1);
  assertEquals(complaints("system.fs.openSync(dir.log, options);"), 1);
  assertEquals(complaints("fs.openSync(staged, options); readIfThere(fs, path, 10);"), 0);
  assertEquals(complaints("readIfThere(fs, dir.receipt, 10);", "src/files/trusted_file.ts"), 0);
});
