/** `--download-only`, and the update that follows, by the compiled shim. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { closedPort } from "../support/network.ts";
import { manifestFor, releaseRoutes, serve, type Served, sha256 } from "../support/shim.ts";
import { createSigner } from "../support/signer.ts";
import { eventsOf, ToolFolder } from "../support/tool_folder.ts";
import { tool } from "../support/world.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
/** The tool is a shell script. */
const ignore = Deno.build.os === "windows";
const file = (version: string): Served => ({ target: "tool", content: bytes(tool(version)) });
const publish = (version: string, change: Record<string, unknown> = {}) =>
  serve(releaseRoutes([file(version)], { version, ...change }));
const HOUR = 3_600_000;

/** The state dir's `downloaded/`, without the tool in it. */
const DOWNLOADED = ["about.json", "files", "release.json"];

function names(it: ToolFolder, ...folder: string[]): string[] {
  return [...Deno.readDirSync(it.state(...folder))].map(({ name }) => name).sort();
}

/** Makes what lies ready older. */
function age(it: ToolFolder, ms: number): void {
  const path = it.state("downloaded", "about.json");
  const about = JSON.parse(Deno.readTextFileSync(path));
  Deno.writeTextFileSync(path, JSON.stringify({ ...about, at: about.at - ms }));
}

Deno.test({
  name: "What is installed already is downloaded by force, and then installed by force",
  ignore,
  async fn() {
    await using it = new ToolFolder();
    await using server = publish("2.0.0");
    it.configure({ manifest: `${server.url}/release.json` });
    assertEquals((await it.run()).code, 0);
    const { code, stderr } = await it.run("--download-only", "--force");
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /Downloaded 2\.0\.0: an update with --force installs it/);
  },
});

Deno.test({
  name: "What was downloaded is installed by the next update without a network",
  ignore,
  async fn() {
    await using it = new ToolFolder();
    {
      await using server = publish("2.0.0");
      it.configure({ manifest: `${server.url}/release.json` });
      const before = Deno.statSync(it.path("tool"));
      const run = await it.run("--download-only", "--json");
      assertEquals(run.code, 0, run.stderr);
      assertEquals(eventsOf(run).at(-1), { event: "downloaded", from: "1.0.0", to: "2.0.0" });
      assertEquals(Deno.statSync(it.path("tool")).ino, before.ino, "nothing was replaced");
      assertEquals([names(it, "downloaded"), names(it, "partial")], [DOWNLOADED, []]);
      const asked = server.requests.length;
      assertEquals((await it.run("--download-only")).code, 0);
      const again = server.requests.slice(asked);
      assertEquals(again, ["/release.json"], "what is there is not fetched again");
    }
    // The server is gone.
    const update = await it.run("--json");
    assertEquals([update.code, await it.says()], [0, "tool 2.0.0"], update.stderr);
    const events = eventsOf(update).map(({ event }) => event);
    assertEquals(events.includes("download") || events.includes("warning"), false);
    assertEquals(names(it).includes("downloaded"), false);
  },
});

Deno.test({
  name: "After a while the network is asked first; where it fails, the download is gone on with",
  ignore,
  async fn() {
    await using it = new ToolFolder();
    const server = publish("2.0.0");
    it.configure({ manifest: `${server.url}/release.json` });
    assertEquals((await it.run("--download-only")).code, 0);
    age(it, HOUR);
    const asked = server.requests.length;
    assertEquals((await it.run("--dry-run")).code, 0);
    assertEquals(server.requests.slice(asked), ["/release.json"]);
    await server[Symbol.asyncDispose]();
    const run = await it.run();
    assertEquals([run.code, await it.says()], [0, "tool 2.0.0"], run.stderr);
    assertMatch(run.stderr, /Warning: Cannot fetch .*\n {2}What was downloaded on 20.* is gone on/);
  },
});

Deno.test({
  name: "A newer release, or a withdrawal, is seen by the update, and the download is removed",
  ignore,
  async fn() {
    for (const [version, expected] of [["3.0.0", "tool 3.0.0"], ["1.0.0", "tool 1.0.0"]] as const) {
      await using it = new ToolFolder();
      await using first = publish("2.0.0");
      await using later = publish(version);
      const [a, b] = [`${first.url}/release.json`, `${later.url}/release.json`];
      it.configure({ manifest: [a, b] });
      assertEquals((await it.run("--download-only")).code, 0);
      age(it, HOUR);
      it.configure({ manifest: [b, a] });
      const run = await it.run();
      assertEquals([run.code, await it.says()], [0, expected], run.stderr);
      assertEquals(names(it).includes("downloaded"), false);
    }
  },
});

Deno.test({
  name: "All is judged again when it is installed: expiry, key, version, bytes",
  ignore,
  async fn(t) {
    const [author, other] = [await createSigner(), await createSigner()];
    /** A signed release is downloaded; then `change`, and an update while nobody answers. */
    async function attempt(
      change: (it: ToolFolder, manifest: string) => void,
      fields: Record<string, unknown> = {},
    ) {
      const it = new ToolFolder();
      const document = bytes(JSON.stringify(manifestFor([file("2.0.0")], fields)));
      const signature = await author.sign(document);
      const server = serve({
        ...releaseRoutes([file("2.0.0")]),
        "/release.json": () => new Response(document.slice()),
        "/release.json.minisig": () => new Response(signature.slice()),
      });
      const manifest = `${server.url}/release.json`;
      it.configure({ manifest, publicKeys: [author.publicKey] });
      const run = await it.run("--download-only");
      assertEquals(run.code, 0, run.stderr);
      await server[Symbol.asyncDispose]();
      change(it, manifest);
      return { it, run: await it.run() };
    }
    await t.step("as it was", async () => {
      const { it, run } = await attempt(() => {});
      await using _ = it;
      assertEquals([run.code, await it.says()], [0, "tool 2.0.0"], run.stderr);
    });
    await t.step("another key", async () => {
      const { it, run } = await attempt((it, manifest) =>
        it.configure({ manifest, publicKeys: [other.publicKey] })
      );
      await using _ = it;
      assertEquals([run.code, await it.says()], [4, "tool 1.0.0"], run.stderr);
    });
    await t.step("a forged manifest", async () => {
      const { it, run } = await attempt((it) => {
        const path = ".updater-shim/updater-shim/downloaded/release.json";
        it.write(path, JSON.stringify(manifestFor([file("6.6.6")], { version: "6.6.6" })));
      });
      await using _ = it;
      assertEquals([run.code, await it.says()], [4, "tool 1.0.0"], run.stderr);
    });
    await t.step("past its date", async () => {
      const expires = new Date(Date.now() + 3_000).toISOString();
      const { it, run } = await attempt(() => {
        while (Date.now() < Date.parse(expires));
      }, { expires });
      await using _ = it;
      assertEquals([run.code, await it.says()], [4, "tool 1.0.0"], run.stderr);
      assertMatch(run.stderr, /expired on/);
    });
    await t.step("bytes that a power cut took", async () => {
      const { it, run } = await attempt((it) =>
        it.write(
          ".updater-shim/updater-shim/downloaded/files/tool",
          "\0".repeat(file("2.0.0").content.length),
        )
      );
      await using _ = it;
      assertEquals([run.code, await it.says()], [3, "tool 1.0.0"], run.stderr);
    });
    await t.step("another manifest is asked for", async () => {
      const elsewhere = `http://127.0.0.1:${closedPort()}/release.json`;
      const { it, run } = await attempt((it) =>
        it.configure({ manifest: elsewhere, publicKeys: [author.publicKey] })
      );
      await using _ = it;
      assertEquals([run.code, await it.says()], [3, "tool 1.0.0"], run.stderr);
    });
  },
});

Deno.test({
  name: "An archive is unpacked beforehand, and one that has another executable is refused then",
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "updater-shim-archive-" });
    await Deno.writeTextFile(`${folder}/tool`, tool("2.0.0"), { mode: 0o755 });
    await new Deno.Command("tar", { args: ["-C", folder, "-czf", `${folder}/t.tar.gz`, "tool"] })
      .output();
    const archive = await Deno.readFile(`${folder}/t.tar.gz`);
    await Deno.remove(folder, { recursive: true });
    const right = { size: file("2.0.0").content.length, sha256: sha256(file("2.0.0").content) };
    for (const executable of [undefined, right, { ...right, sha256: "0".repeat(64) }]) {
      await using it = new ToolFolder();
      const entry = {
        url: "files/t.tar.gz",
        member: "tool",
        size: archive.length,
        sha256: sha256(archive),
        ...(executable && { executable }),
      };
      const manifest = manifestFor([{ ...file("2.0.0"), entry }]);
      const server = serve({
        "/release.json": () => Response.json(manifest),
        "/files/t.tar.gz": () => new Response(archive.slice()),
      });
      it.configure({ manifest: `${server.url}/release.json` });
      const run = await it.run("--download-only");
      await server[Symbol.asyncDispose]();
      if (executable && executable !== right) {
        assertEquals(run.code, 4, run.stderr);
        assertEquals((await it.run()).code, 3, "nothing lies ready");
        continue;
      }
      assertEquals(run.code, 0, run.stderr);
      const update = await it.run();
      assertEquals([update.code, await it.says()], [0, "tool 2.0.0"], update.stderr);
    }
  },
});

Deno.test({
  name: "Up to date there is nothing to download; a parent is not waited for",
  ignore,
  async fn() {
    await using it = new ToolFolder("2.0.0");
    await using server = publish("2.0.0");
    it.configure({ manifest: `${server.url}/release.json` });
    const run = await it.run("--download-only", "--json");
    assertEquals([run.code, eventsOf(run).at(-1)!.event], [0, "up-to-date"]);
    assert(!names(it).includes("downloaded"));
    const stray = await it.run("--download-only", "--parent-pid", "1");
    assertEquals(stray.code, 2);
    assertMatch(stray.stderr, /--parent-pid does not go with --download-only/);
  },
});
