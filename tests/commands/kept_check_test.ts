/** What `--check --max-age` costs each start of a tool. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { run } from "../../src/run.ts";
import { denoSystem } from "../../src/system/deno_system.ts";
import type { System } from "../../src/system/system.ts";
import { WithoutOneSync } from "../support/broken_file_systems.ts";
import { makeWorld, tool } from "../support/world.ts";

const NONE = -1;

Deno.test({
  name: "A check that is answered from what was kept waits for no disk",
  ignore: Deno.build.os === "windows", // The tool is a shell script.
  async fn() {
    await using world = makeWorld();
    world.write("tool", tool("1.0.0"));
    const file = { target: "tool", url: "tool", size: 1, sha256: "0".repeat(64) };
    const platforms = { [Deno.build.target]: { files: [file] } };
    const release = { schema: 1, name: "tool", version: "1.0.0", platforms };
    const manifest = join(world.folder, "release.json");
    Deno.writeTextFileSync(manifest, JSON.stringify(release));
    const said: string[] = [];
    const fs = new WithoutOneSync(denoSystem.fs, NONE);
    const terminal = { ...denoSystem.terminal, err: (text: string) => void said.push(text) };
    const system: System = { ...denoSystem, fs, terminal };
    const check = ["--check", "--max-age", "1h", "--install-dir", world.folder];
    for (const _ of ["asked", "kept"]) {
      fs.synced.length = 0;
      assertEquals(await run([...check, "--manifest", manifest], system), 0, said.join(""));
    }
    assertEquals(fs.synced, []);
  },
});
