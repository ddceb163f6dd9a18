/** The compiled shim on a line that is slow for each connection. */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { dripping, partsOf } from "../support/dripping_server.ts";
import { hostileServer } from "../support/hostile_server.ts";
import { compiledShim, sha256 } from "../support/shim.ts";
import { tool } from "../support/world.ts";

const SIZE = 12_000_000;

Deno.test({
  name: "an update over slow connections goes on over four of them",
  ignore: Deno.build.os === "windows", // The tool is a shell script.
  async fn() {
    const folder = Deno.makeTempDirSync({ prefix: "updater-shim-" });
    const content = new Uint8Array(SIZE).fill(0x0a);
    content.set(new TextEncoder().encode(`${tool("2.0.0")}exit 0\n`));
    // 750 KB a second: it would take 16 s, and five of these are enough to see that.
    const { answer, seen } = dripping(content, { step: 15_000 });
    const file = { target: "tool", url: "tool", size: SIZE, sha256: sha256(content) };
    const platforms = { [Deno.build.target]: { files: [file] } };
    const manifest = JSON.stringify({ schema: 1, name: "tool", version: "2.0.0", platforms });
    await using server = hostileServer(async (to) =>
      to.path.includes("release.json") ? await to.reply(200, {}, manifest) : await answer(to)
    );
    try {
      const { code, stderr } = await new Deno.Command(await compiledShim(), {
        args: ["--install-dir", folder, "--manifest", `${server.url}/release.json`],
      }).output();
      assertEquals(code, 0, new TextDecoder().decode(stderr));
      assertEquals(Deno.readFileSync(join(folder, "tool")), content);
      assert(partsOf(server).length > 2 && seen.most > 2, `${seen.most} at once`);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});
