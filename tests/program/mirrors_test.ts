/** Mirrors and channels, by the compiled shim. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { closedPort } from "../support/network.ts";
import { manifestFor, releaseRoutes, type Routes, serve, type Served } from "../support/shim.ts";
import { createSigner } from "../support/signer.ts";
import { eventsOf, ToolFolder } from "../support/tool_folder.ts";
import { tool } from "../support/world.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
/** The tool is a shell script. */
const ignore = Deno.build.os === "windows";
const file = (version: string): Served => ({ target: "tool", content: bytes(tool(version)) });
const routesOf = (version: string) => releaseRoutes([file(version)], { version });

Deno.test({
  name: "A mirror that is down, wrong or behind is named, and the next one is used",
  ignore,
  async fn(t) {
    await using good = serve(routesOf("2.0.0"));
    const stale: Routes = {
      "/release.json": () =>
        Response.json(manifestFor([file("2.0.0")], { expires: "2020-01-01T00:00:00Z" })),
    };
    const cases: [string, Routes | undefined, RegExp][] = [
      ["closed", undefined, /Warning: Cannot fetch .*release\.json: /],
      ["missing", {}, /Warning: Cannot fetch .*: HTTP 404/],
      ["a login page", { "/release.json": () => new Response("<html>") }, /Warning: .* not JSON/],
      ["expired", stale, /Warning: The release manifest of tool 2\.0\.0 expired/],
      ["of another tool", {
        "/release.json": () => Response.json(manifestFor([file("2.0.0")], { name: "other" })),
      }, /Warning: The release manifest is of "other"/],
    ];
    for (const [name, routes, warning] of cases) {
      await t.step(name, async () => {
        await using bad = serve(routes ?? {});
        const url = routes ? bad.url : `http://127.0.0.1:${closedPort()}`;
        await using it = new ToolFolder();
        const manifest = [`${url}/release.json`, `${good.url}/release.json`];
        it.configure({ name: "tool", manifest });
        const run = await it.run();
        assertEquals([run.code, await it.says()], [0, "tool 2.0.0"], run.stderr);
        assertMatch(run.stderr, warning);
        assertStringIncludes(run.stderr, `Trying the next mirror instead: ${manifest[1]}`);
      });
    }
  },
});

Deno.test({
  name: "A mirror that went back to an older release than was seen here is not believed",
  ignore,
  async fn() {
    await using older = serve(routesOf("2.0.0"));
    await using newer = serve(routesOf("3.0.0"));
    await using it = new ToolFolder();
    it.configure({ manifest: `${newer.url}/release.json` });
    assertEquals((await it.run()).code, 0);
    it.configure({ manifest: [`${older.url}/release.json`, `${newer.url}/release.json`] });
    const run = await it.run("--check");
    assertEquals(run.code, 0, run.stderr);
    assertMatch(run.stderr, /Warning: Version 2\.0\.0 is older than the highest seen version 3/);
    assertMatch(run.stderr, /3\.0\.0 is installed: up to date/);
  },
});

Deno.test({
  name: "Wrong bytes of one mirror are fetched from the next; its digest is that of the manifest",
  ignore,
  async fn() {
    const wrong = bytes(tool("6.6.6"));
    await using bad = serve({ ...routesOf("2.0.0"), "/files/tool": () => new Response(wrong) });
    await using good = serve(routesOf("2.0.0"));
    await using it = new ToolFolder();
    it.configure({ manifest: [`${bad.url}/release.json`, `${good.url}/release.json`] });
    const run = await it.run("--json");
    assertEquals([run.code, await it.says()], [0, "tool 2.0.0"], run.stderr);
    const warning = eventsOf(run).find(({ event }) => event === "warning")!;
    assertMatch(String(warning.message), /is not what the manifest says/);
    assertEquals(warning.url, `${bad.url}/files/tool`);
    assertEquals(good.requests, ["/files/tool"]);
  },
});

Deno.test({
  name: "When all mirrors fail, a wrong signature is reported before a network that is down",
  ignore,
  async fn() {
    const [author, other] = [await createSigner(), await createSigner()];
    const document = bytes(JSON.stringify(manifestFor([file("2.0.0")])));
    const signature = await other.sign(document);
    await using forged = serve({
      "/release.json": () => new Response(document.slice()),
      "/release.json.minisig": () => new Response(signature.slice()),
    });
    const down = `http://127.0.0.1:${closedPort()}/release.json`;
    for (
      const manifest of [[`${forged.url}/release.json`, down], [down, `${forged.url}/release.json`]]
    ) {
      await using it = new ToolFolder();
      it.configure({ manifest, publicKeys: [author.publicKey] });
      const run = await it.run();
      assertEquals([run.code, await it.says()], [4, "tool 1.0.0"], run.stderr);
      assertMatch(run.stderr, /Warning: Cannot fetch|Warning: .*sign/);
    }
  },
});

Deno.test({
  name: "A channel is asked for on the command line or configured, and named if there is none",
  ignore,
  async fn() {
    await using stable = serve(routesOf("2.0.0"));
    await using beta = serve(routesOf("3.0.0"));
    await using it = new ToolFolder();
    const channels = { stable: `${stable.url}/release.json`, beta: `${beta.url}/release.json` };
    it.configure({ channels, channel: "stable" });
    const unknown = await it.run("--channel", "nightly");
    assertEquals(unknown.code, 2);
    assertMatch(unknown.stderr, /There is no channel "nightly"\n.* has: beta, stable/);
    assertEquals((await it.run()).code, 0);
    assertEquals(await it.says(), "tool 2.0.0");
    assertEquals((await it.run("--channel=beta")).code, 0);
    assertEquals(await it.says(), "tool 3.0.0");
    // Back to stable is a downgrade, which a person has to ask for.
    assertEquals((await it.run()).code, 4);
    assertEquals((await it.run("--allow-downgrade")).code, 0);
    assertEquals(await it.says(), "tool 2.0.0");
  },
});
