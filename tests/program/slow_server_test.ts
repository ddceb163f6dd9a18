/** The compiled shim on a line that is slow for each connection. */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { delay, dripping, partsOf } from "../support/dripping_server.ts";
import { hostileServer } from "../support/hostile_server.ts";
import { compiledShim, sha256 } from "../support/shim.ts";
import { tool } from "../support/world.ts";

const SIZE = 12_000_000;

Deno.test({
  name: "an update over slow connections goes on over four; killed there, the next one takes it up",
  ignore: Deno.build.os === "windows", // The tool is a shell script.
  async fn() {
    const folder = Deno.makeTempDirSync({ prefix: "updater-shim-" });
    const content = new Uint8Array(SIZE).fill(0x0a);
    content.set(new TextEncoder().encode(`${tool("2.0.0")}exit 0\n`));
    // 750 KB a second: it would take 16 s, and five of these are enough to see that.
    const fourth = Promise.withResolvers<void>();
    let given = 0;
    const { answer, seen } = dripping(content, {
      step: 15_000,
      async part() {
        await delay(50);
        if (++given === 4) fourth.resolve();
      },
    });
    const file = { target: "tool", url: "tool", size: SIZE, sha256: sha256(content) };
    const platforms = { [Deno.build.target]: { files: [file] } };
    const manifest = JSON.stringify({ schema: 1, name: "tool", version: "2.0.0", platforms });
    await using server = hostileServer(async (to) =>
      to.path.includes("release.json") ? await to.reply(200, {}, manifest) : await answer(to)
    );
    const command = new Deno.Command(await compiledShim(), {
      args: ["--install-dir", folder, "--manifest", `${server.url}/release.json`],
      stdout: "null",
      stderr: "piped",
    });
    try {
      const killed = command.spawn();
      await fourth.promise;
      killed.kill("SIGKILL");
      await killed.output();
      const before = server.asked.length;
      const { code, stderr } = await command.output();
      assertEquals(code, 0, new TextDecoder().decode(stderr));
      assertEquals(Deno.readFileSync(join(folder, "tool")), content);
      assert(partsOf(server).length > 4, `${partsOf(server).length} parts`);
      assertEquals(seen.most, 4);
      const { headers } = server.asked.slice(before).find(({ path }) => path.endsWith("/tool"))!;
      const from = Number(/^bytes=(\d+)-$/.exec(headers.get("range") ?? "")?.[1]);
      assert(from > 3_000_000, `it goes on from ${from}`);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});
