/** One bad answer of a server must not block a release for good: by the compiled shim, run again. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { fileAnswer, hostileServer } from "../support/hostile_server.ts";
import { manifestFor, runShim } from "../support/shim.ts";
import { tool } from "../support/world.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
/** The tool is a shell script. */
const ignore = Deno.build.os === "windows";

/** An install dir with version 1.0.0 of the tool; ends with its scope. */
function installDir() {
  const folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-answers-" }));
  Deno.writeTextFileSync(join(folder, "tool"), tool("1.0.0"), { mode: 0o755 });
  return { folder, [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
}

Deno.test({
  name: "a download with an endless validator is gone on with by the next run, or begun anew",
  ignore,
  async fn() {
    await using it = installDir();
    const content = bytes(tool("2.0.0") + "#".repeat(200_000));
    const manifest = JSON.stringify(manifestFor([{ target: "tool", content }]));
    const etag = `"${"e".repeat(50_000)}"`;
    let honest = false;
    await using server = hostileServer(async (to) => {
      if (to.path === "/release.json") return await to.reply(200, {}, manifest);
      if (!honest) {
        // Cut off, and from then on nothing: the run ends with what it has.
        if (to.headers.has("range") || to.index > 1) return await to.reply(404);
        return await fileAnswer(content, { cut: () => 90_000, validators: { etag } })(to);
      }
      const line = [...to.headers].find(([, value]) => value.length > 8_000);
      if (line) return await to.reply(431);
      await fileAnswer(content, { validators: { etag } })(to);
    });
    const args = ["--manifest", `${server.url}/release.json`];
    const first = await runShim(it.folder, ...args);
    assertEquals(first.code, 3, first.stderr);
    const partial = [...Deno.readDirSync(join(it.folder, ".updater-shim", "updater-shim"))].map((
      { name },
    ) => name);
    assert(partial.length > 0);
    honest = true;
    const again = await runShim(it.folder, ...args);
    assertEquals(again.code, 0, again.stderr);
  },
});

Deno.test({
  name: "a server that refuses every part of a file gives it whole to the next run",
  ignore,
  async fn() {
    await using it = installDir();
    const content = bytes(tool("2.0.0") + "#".repeat(200_000));
    const manifest = JSON.stringify(manifestFor([{ target: "tool", content }]));
    let refusing = false;
    await using server = hostileServer(async (to) => {
      if (to.path === "/release.json") return await to.reply(200, {}, manifest);
      if (to.headers.has("range")) return await to.reply(refusing ? 403 : 500);
      await fileAnswer(content, { cut: () => refusing ? Infinity : 90_000 })(to);
    });
    const args = ["--manifest", `${server.url}/release.json`];
    const first = await runShim(it.folder, ...args);
    assertEquals(first.code, 3, first.stderr);
    refusing = true;
    const again = await runShim(it.folder, ...args);
    assertEquals(again.code, 0, again.stderr);
    assertEquals(server.asked.slice(-2).map(({ headers }) => headers.has("range")), [true, false]);
  },
});

Deno.test("a platform name of 900 KB is not printed", async () => {
  await using it = installDir();
  const manifest = join(it.folder, "release.json");
  const platforms = { ["x".repeat(900_000)]: { files: [] } };
  const content = { schema: 1, name: "tool", version: "2.0.0", platforms };
  Deno.writeTextFileSync(manifest, JSON.stringify(content));
  for (const json of [[], ["--json"]]) {
    const { code, stdout, stderr } = await runShim(it.folder, "--manifest", manifest, ...json);
    assertEquals(code, 2);
    assertMatch(stderr, /platforms/);
    assert(stdout.length + stderr.length < 2_000, `${stdout.length} and ${stderr.length}`);
  }
});
