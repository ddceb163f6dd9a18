/** The recipe for notices, as it stands on the page, with the compiled shim. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { blocksOf } from "../support/pages.ts";
import { compiledShim, releaseRoutes, serve } from "../support/shim.ts";
import { ToolFolder } from "../support/tool_folder.ts";
import { tool } from "../support/world.ts";

Deno.test({
  name: "the recipe of COMMANDS.md prints a notice once a day, and not where somebody opted out",
  ignore: Deno.build.os === "windows", // The tool is a shell script.
  async fn() {
    await using it = new ToolFolder();
    const content = new TextEncoder().encode(tool("2.0.0"));
    await using server = serve(releaseRoutes([{ target: "tool", content }]));
    it.configure({ manifest: `${server.url}/release.json` });
    const shim = it.path("updater-shim");
    await Deno.copyFile(await compiledShim(), shim);
    const block = blocksOf(join(".github", "COMMANDS.md")).find(({ language }) =>
      language === "js"
    )!;
    const script = it.path("mytool.mjs");
    await Deno.writeTextFile(script, `${block.text}\nnotice(process.argv[2]);\n`);
    const start = async (env: Record<string, string>) => {
      const command = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-config", script, shim],
        env: { CI: "", ...env },
      });
      const { code, stderr } = await command.output();
      assertEquals(code, 0, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stderr);
    };
    assertEquals(await start({ MYTOOL_NO_UPDATE_CHECK: "1" }), "");
    assertEquals(server.requests, []);
    assertEquals(await start({}), "2.0.0 is available: mytool self update\n");
    assertEquals(await start({}), "");
    assertEquals(server.requests.length, 1);
  },
});
