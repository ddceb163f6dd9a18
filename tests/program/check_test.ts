/** `--check` with a greatest age, and releases that are handed out step by step, by the compiled shim. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  compiledShim,
  releaseRoutes,
  serve,
  type Served,
  type TestServer,
} from "../support/shim.ts";
import { eventsOf, ToolFolder } from "../support/tool_folder.ts";
import { tool } from "../support/world.ts";

/** The tool is a shell script. */
const ignore = Deno.build.os === "windows";
const file = (version: string): Served => ({
  target: "tool",
  content: new TextEncoder().encode(tool(version)),
});
const publish = (version: string, change: Record<string, unknown> = {}): TestServer =>
  serve(releaseRoutes([file(version)], { version, ...change }));
const DAILY = ["--check", "--max-age", "24h"];

Deno.test({
  name: "A kept answer is given again without a request, with what is new, until it is too old",
  ignore,
  async fn() {
    const notes = "Faster, see https://example.com/2.0", homepage = "https://example.com/";
    await using server = publish("2.0.0", { notes, homepage });
    await using it = new ToolFolder();
    it.configure({ manifest: `${server.url}/release.json` });
    const first = await it.run(...DAILY, "--json");
    assertEquals(first.code, 10, first.stderr);
    const [available] = eventsOf(first).filter(({ event }) => event === "available");
    const { checked, ...rest } = available!;
    const expected = { event: "available", from: "1.0.0", to: "2.0.0", notes, homepage };
    assertEquals(rest, { ...expected, fresh: true });
    for (let again = 0; again < 5; again++) {
      const run = await it.run(...DAILY, "--json");
      assertEquals(run.code, 10);
      assertEquals(eventsOf(run), [{ ...expected, checked, fresh: false }]);
    }
    const text = await it.run(...DAILY);
    assertEquals(text.stderr, `An update is available: 1.0.0 -> 2.0.0\n  What is new: ${notes}\n`);
    assertEquals(server.requests.length, 1);
    // An hour is over when it was asked two hours ago.
    const path = it.state("check.json");
    const kept = JSON.parse(Deno.readTextFileSync(path));
    Deno.writeTextFileSync(path, JSON.stringify({ ...kept, asked: kept.asked - 7_200_000 }));
    await it.run("--check", "--max-age", "24h");
    assertEquals(server.requests.length, 1);
    await it.run("--check", "--max-age", "1h");
    assertEquals(server.requests.length, 2);
    // A clock that was ahead does not silence it for years.
    Deno.writeTextFileSync(path, JSON.stringify({ ...kept, asked: kept.asked + 1e11 }));
    await it.run(...DAILY);
    assertEquals(server.requests.length, 3);
    await it.run("--check");
    assertEquals(server.requests.length, 4, "without an age it is asked now");
  },
});

Deno.test({
  name: "Twenty starts at once are one request, and a server that fails is not asked again",
  ignore,
  async fn() {
    await using server = serve({
      "/release.json": async () => {
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        return Response.json(null, { status: 500 });
      },
    });
    await using it = new ToolFolder();
    it.configure({ manifest: `${server.url}/release.json` });
    const shim = await compiledShim();
    const start = () =>
      new Deno.Command(shim, { args: ["--install-dir", it.folder, ...DAILY], stdin: "null" })
        .output();
    const codes = (await Promise.all(Array.from({ length: 20 }, start))).map(({ code }) => code);
    assertEquals(codes.filter((code) => code !== 3 && code !== 6), [], `${codes}`);
    assertEquals(server.requests.length, 1);
    const later = await it.run(...DAILY);
    assertEquals(later.code, 3);
    assertMatch(
      later.stderr,
      /There was no answer \d minutes ago, and it is not asked again so soon/,
    );
    assertEquals(server.requests.length, 1);
  },
});

Deno.test({
  name: "Offline a try counts too, and the last answer is given until there is a newer one",
  ignore,
  async fn() {
    await using it = new ToolFolder();
    const server = publish("2.0.0");
    it.configure({ manifest: `${server.url}/release.json` });
    assertEquals((await it.run(...DAILY)).code, 10);
    await server[Symbol.asyncDispose]();
    const path = it.state("check.json");
    const kept = JSON.parse(Deno.readTextFileSync(path));
    Deno.writeTextFileSync(path, JSON.stringify({ ...kept, asked: kept.asked - 3 * 86_400_000 }));
    assertEquals((await it.run(...DAILY)).code, 3);
    const { asked } = JSON.parse(Deno.readTextFileSync(path));
    assert(asked >= kept.asked, "the failed try is noted");
    const again = await it.run(...DAILY, "--json");
    assertEquals(again.code, 10, again.stderr);
    assertEquals(eventsOf(again)[0]!.checked, new Date(kept.answer.checked).toISOString());
  },
});

Deno.test({
  name: "A kept answer is held against what is installed now, by whatever means",
  ignore,
  async fn() {
    await using server = publish("2.0.0");
    await using it = new ToolFolder();
    it.configure({ manifest: `${server.url}/release.json` });
    assertEquals((await it.run(...DAILY)).code, 10);
    // Another installer was here.
    it.write("tool", tool("2.0.0") + "# larger\n", 0o755);
    const other = await it.run(...DAILY);
    assertEquals([other.code, server.requests.length], [0, 1], other.stderr);
    assertStringIncludes(other.stderr, "2.0.0 is installed: up to date");
    it.write("tool", tool("1.5.0"), 0o755);
    const older = await it.run(...DAILY, "--json");
    assertEquals([older.code, eventsOf(older)[0]!.from], [10, "1.5.0"]);
    assertEquals((await it.run()).code, 0);
    const before = server.requests.length;
    assertEquals((await it.run(...DAILY)).code, 0);
    assertEquals(server.requests.length, before);
  },
});

Deno.test({
  name: "Another question has another answer; without an age nothing is written",
  ignore,
  async fn() {
    await using server = publish("2.0.0");
    await using beta = publish("3.0.0");
    await using it = new ToolFolder();
    const channels = { beta: `${beta.url}/release.json` };
    it.configure({ manifest: `${server.url}/release.json`, channels });
    const before = it.snapshot();
    assertEquals((await it.run("--check")).code, 10);
    assertEquals(it.snapshot(), before);
    assertMatch((await it.run(...DAILY)).stderr, /-> 2\.0\.0/);
    assertMatch((await it.run(...DAILY, "--channel=beta")).stderr, /-> 3\.0\.0/);
    assertEquals([server.requests.length, beta.requests.length], [2, 1]);
  },
});

Deno.test({
  name: "A damaged answer is none; where nothing can be kept nothing is asked",
  ignore,
  async fn() {
    await using server = publish("2.0.0");
    await using it = new ToolFolder();
    it.configure({ manifest: `${server.url}/release.json` });
    assertEquals((await it.run(...DAILY)).code, 10);
    for (const damage of ["", "{", "null", '{"format":1}', '{"format":2}', "x".repeat(100_000)]) {
      it.write(".updater-shim/updater-shim/check.json", damage);
      assertEquals((await it.run(...DAILY)).code, 10, damage.slice(0, 20));
    }
    const asked = server.requests.length;
    await using other = new ToolFolder();
    other.configure({ manifest: `${server.url}/release.json` });
    other.write(".updater-shim", "no folder");
    assertEquals((await other.run(...DAILY)).code, 7);
    assertEquals(server.requests.length, asked);
  },
});

Deno.test({
  name: "A rollout reaches its share of the installations; who has it at 5 % has it at 20 %",
  ignore,
  async fn() {
    const share = (percent: number) => publish("2.0.0", { rollout: { percent } });
    await using nobody = share(0), half = share(50), most = share(100);
    const offered: Record<string, boolean> = {};
    for (let index = 0; index < 8; index++) {
      await using it = new ToolFolder();
      const at = (server: TestServer) => ["--manifest", `${server.url}/release.json`];
      assertEquals((await it.run("--check", ...at(half))).code, 0, "no id yet: last in the row");
      const none = await it.run(...at(nobody), "--json");
      assertEquals([none.code, await it.says()], [0, "tool 1.0.0"], none.stderr);
      assertEquals(eventsOf(none).at(-1), {
        event: "held-back",
        version: "1.0.0",
        to: "2.0.0",
        percent: 0,
      });
      const id = Deno.readTextFileSync(it.state("installation-id"));
      assertMatch(id, /^[0-9a-f]{32}\n$/);
      const check = await it.run("--check", ...at(half));
      const update = await it.run(...at(half));
      offered[id] = check.code === 10;
      assertEquals(await it.says(), offered[id] ? "tool 2.0.0" : "tool 1.0.0", update.stderr);
      if (offered[id]) {
        // What is installed stays, also when the release is withdrawn.
        const later = await it.run(...at(nobody));
        assertEquals([later.code, await it.says()], [0, "tool 2.0.0"], later.stderr);
      } else {
        assertMatch(update.stderr, /2\.0\.0 is handed out step by step, to 50 % so far/);
        assertEquals((await it.run(...at(most))).code, 0);
        assertEquals(await it.says(), "tool 2.0.0");
      }
    }
    // One in 128 that all eight are on one side; then the ids are not random.
    assertEquals(Object.keys(offered).length, 8);
  },
});

Deno.test({
  name: "Who asks for this release gets it, whatever its share; so does a first installation",
  ignore,
  async fn() {
    await using server = publish("2.0.0", { rollout: { percent: 0 } });
    const manifest = `${server.url}/release.json`;
    const config = {
      manifest,
      pinnedManifest: manifest + "?{version}",
      channels: { all: manifest },
    };
    for (const args of [["--force"], ["--pin=2.0.0"], ["--channel=all"]]) {
      await using it = new ToolFolder();
      it.configure(config);
      assertEquals((await it.run(...args)).code, 0);
      assertEquals(await it.says(), "tool 2.0.0", args.join(" "));
    }
    await using configured = new ToolFolder();
    configured.configure({ ...config, channel: "all" });
    await configured.run();
    assertEquals(await configured.says(), "tool 1.0.0", "a configured channel is nobody's request");
    await using empty = new ToolFolder(null);
    empty.configure(config);
    assertEquals((await empty.run()).code, 0);
    assertEquals(await empty.says(), "tool 2.0.0");
  },
});

Deno.test({
  name:
    "--check of a tool that is newer than the release is an answer; the update stays a downgrade",
  ignore,
  async fn() {
    await using server = publish("1.1.0");
    await using it = new ToolFolder("1.3.0");
    it.configure({ manifest: `${server.url}/release.json` });
    for (const kept of [[], ["--max-age", "24h"], ["--max-age", "24h"]]) {
      const { code, stderr } = await it.run("--check", ...kept);
      assertEquals(code, 0, stderr);
      assertStringIncludes(stderr, "1.3.0 is installed: newer than the release 1.1.0\n");
    }
    assertEquals((await it.run()).code, 4);
  },
});
