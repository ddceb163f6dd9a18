/** `--uninstall` where Windows knows who executes the shim besides ourselves: Wine's never does. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { run } from "../../src/run.ts";
import { denoSystem } from "../../src/system/deno_system.ts";
import { posix } from "../../src/system/posix.ts";
import type { System } from "../../src/system/system.ts";

Deno.test({
  name:
    "A shim that another process executes is not removed, nor is anything else; its own run is none",
  ignore: Deno.build.os === "windows", // The tool is a shell script.
  async fn() {
    const folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-" }));
    try {
      const [shim, fresh] = [join(folder, "updater-shim"), `${folder}-new`];
      Deno.writeTextFileSync(shim, "the shim's executable");
      Deno.writeTextFileSync(fresh, "#!/bin/sh\necho tool 2.0.0\n", { mode: 0o755 });
      const said: string[] = [];
      let holders: string[] = [], waited = 0;
      const system: System = {
        ...denoSystem,
        execPath: shim,
        shimName: "updater-shim",
        platform: { ...posix, holdersOf: (_system, path) => path === shim ? holders : [] },
        clock: { ...denoSystem.clock, delay: (ms) => Promise.resolve(void (waited += ms)) },
        terminal: { ...denoSystem.terminal, out() {}, err: (text) => void said.push(text) },
      };
      const here = ["--install-dir", folder];
      assertEquals(
        await run([...here, "--from", fresh, "--target", "tool"], system),
        0,
        said.join(""),
      );
      const ourselves = `updater-shim.exe (process ${Deno.pid})`;
      holders = [ourselves, "updater-shim.exe (process 4242)"];
      assertEquals(await run([...here, "--uninstall", "--yes"], system), 7, said.join(""));
      assertStringIncludes(said.join(""), "it is in use by updater-shim.exe (process 4242)");
      assertStringIncludes(said.join(""), "Nothing was removed");
      assert(waited >= 5000, "one that is about to end is waited for");
      const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
      assertEquals(names, [".updater-shim", "tool", "updater-shim"]);
      holders = [ourselves];
      assertEquals(await run([...here, "--uninstall", "--yes"], system), 0, said.join(""));
      Deno.removeSync(fresh);
    } finally {
      await Deno.remove(folder, { recursive: true }).catch(() => {}); // it has gone with the tool
    }
  },
});
