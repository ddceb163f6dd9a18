/** Updates by a patch, by the compiled shim over HTTP, and what it does where a patch is no good. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { gzip, tar } from "../support/archive_corpus.ts";
import { joined, patchBetween, randomBytes } from "../support/patches.ts";
import { manifestFor, type Routes, serve, type Served, sha256 } from "../support/shim.ts";
import { eventsOf, ToolFolder } from "../support/tool_folder.ts";
import { tool } from "../support/world.ts";

/** The tool is a shell script. */
const ignore = Deno.build.os === "windows";
const bytes = (text: string) => new TextEncoder().encode(text);

/** A tool with enough behind its end for patches to be worth something. */
function program(version: string, seed = 1): Uint8Array<ArrayBuffer> {
  return joined([bytes(`${tool(version)}exit\n`), randomBytes(200_000, seed)]);
}

const OLD = program("1.0.0"), NEW = program("2.0.0");
const PATCH = patchBetween(OLD, NEW);
const digest = (content: Uint8Array) => ({ size: content.length, sha256: sha256(content) });

/** A patch as the manifest names it. */
function entry(patch: Uint8Array, change: Record<string, unknown> = {}) {
  return { from: digest(OLD), url: "files/patch", ...digest(patch), format: "usp1", ...change };
}

/** A release of NEW with these patches; `served` is what comes under the patch's URL. */
function release(
  patches: readonly unknown[],
  served: Uint8Array | ((request: Request) => Response) = PATCH,
  file: Partial<Served> = {},
): Routes {
  const whole: Served = { target: "tool", content: NEW, ...file };
  const manifest = manifestFor([{ ...whole, entry: { ...file.entry, patches } }]);
  return {
    "/release.json": () => Response.json(manifest),
    "/files/tool": () => new Response(whole.content.slice()),
    "/files/patch": typeof served === "function"
      ? served
      : () => new Response(new Uint8Array(served)),
  };
}

/** Everything below the state dir, by name. */
function stateFiles(it: ToolFolder, folder = it.path(".updater-shim")): Map<string, string> {
  const files = new Map<string, string>();
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = join(folder, name);
    if (!isDirectory) files.set(name, path);
    else for (const [inner, place] of stateFiles(it, path)) files.set(inner, place);
  }
  return files;
}

const logOf = (it: ToolFolder) => Deno.readTextFileSync(stateFiles(it).get("log.txt")!);

/** NEW is installed, as a whole, and nothing of the patch is left. */
async function assertUpdated(it: ToolFolder, run: { code: number; stderr: string }) {
  assertEquals(run.code, 0, run.stderr);
  assertEquals(Deno.readFileSync(it.path("tool")), NEW);
  assertEquals(await it.says(), "tool 2.0.0");
  const left = [...stateFiles(it).keys()].filter((name) =>
    /\.(part|refused|json\.part)/.test(name)
  );
  assertEquals(left, []);
}

async function withTool(act: (it: ToolFolder) => Promise<void>, content = OLD): Promise<void> {
  await using it = new ToolFolder(null);
  it.write("tool", content, 0o755);
  await act(it);
}

/** An update of OLD that must not say a word of alarm; returns what was asked of the server. */
async function quietUpdate(
  routes: Routes,
  content = OLD,
): Promise<{ asked: string[]; log: string }> {
  await using server = serve(routes);
  let log = "";
  await withTool(async (it) => {
    it.configure({ manifest: `${server.url}/release.json` });
    const run = await it.run();
    await assertUpdated(it, run);
    assert(!/warning|patch|error/i.test(run.stderr), run.stderr);
    log = logOf(it);
  }, content);
  return { asked: server.requests.slice(1), log };
}

Deno.test({
  name: "An update by a patch fetches the patch only, and says how much that saves",
  ignore,
  async fn() {
    await using server = serve(release([entry(PATCH)]));
    await withTool(async (it) => {
      it.configure({ manifest: `${server.url}/release.json` });
      const run = await it.run("--json");
      await assertUpdated(it, run);
      assertEquals(server.requests, ["/release.json", "/files/patch"]);
      const last = eventsOf(run).filter(({ event }) => event === "download").at(-1);
      const { size: received } = digest(PATCH);
      assertEquals(last, {
        ...{ event: "download", file: "tool", received, total: received },
        insteadOf: NEW.length,
      });
      assertMatch(run.stderr, /of \d+ B instead of 200 kB/);
      assertEquals(/patch-refused/.test(logOf(it)), false);
    });
  },
});

Deno.test({
  name: "A patch serves an executable that comes in an archive",
  ignore,
  async fn() {
    const content = gzip(tar({ name: "tool-2/tool", content: NEW }));
    const file = {
      content,
      entry: { url: "files/t.tar.gz", member: "tool-2/tool", executable: digest(NEW) },
    };
    assertEquals((await quietUpdate(release([entry(PATCH)], PATCH, file))).asked, ["/files/patch"]);
  },
});

Deno.test({
  name: "After --download-only with a patch, the update needs nothing but the manifest",
  ignore,
  async fn() {
    const server = serve(release([entry(PATCH)]));
    await withTool(async (it) => {
      it.configure({ manifest: `${server.url}/release.json` });
      const fetched = await it.run("--download-only");
      assertEquals(fetched.code, 0, fetched.stderr);
      assertEquals(server.requests, ["/release.json", "/files/patch"]);
      await server[Symbol.asyncDispose]();
      await assertUpdated(it, await it.run());
    });
  },
});

Deno.test({
  name: "A patch that was cut off is gone on with",
  ignore,
  async fn() {
    // Random parts, so that the patch is long enough to be cut.
    const old = joined([OLD, randomBytes(4000, 5)]);
    const patch = patchBetween(old, NEW), big = joined([NEW, randomBytes(90_000, 9)]);
    const large = patchBetween(old, big);
    assert(large.length > 80_000 && patch.length < large.length);
    const ranges: (string | null)[] = [];
    const served = (request: Request) => {
      const range = request.headers.get("range");
      ranges.push(range);
      const headers = { etag: '"one"', "content-length": String(large.length) };
      if (range === null) {
        return new Response(
          new ReadableStream({
            async start(controller) {
              controller.enqueue(large.slice(0, 50_000));
              await new Promise((resolve) => setTimeout(resolve, 300));
              controller.error(new Error("cut by the test"));
            },
          }),
          { headers },
        );
      }
      const from = Number(/\d+/.exec(range)![0]);
      return new Response(large.slice(from), {
        status: 206,
        headers: {
          etag: '"one"',
          "content-range": `bytes ${from}-${large.length - 1}/${large.length}`,
        },
      });
    };
    const routes = release([entry(large, { from: digest(old) })], served, { content: big });
    await using server = serve(routes);
    await withTool(async (it) => {
      it.configure({ manifest: `${server.url}/release.json` });
      const run = await it.run();
      assertEquals(run.code, 0, run.stderr);
      assertEquals(Deno.readFileSync(it.path("tool")), big);
      assertEquals(ranges, [null, "bytes=50000-"]);
      assertEquals(server.requests.includes("/files/tool"), false);
    }, old);
  },
});

// Each of these ends with the full file, without a word: [what, patches, what is served, asked, log].
const OTHER = patchBetween(OLD, program("6.6.6"));
const flipped = PATCH.slice();
// The head of the first chunk: a length that no stream can have.
flipped.fill(255, 24, 28);
// Of another tool, where the manifest says that it is for this one.
const OTHERS = randomBytes(150_000, 3);
const FOREIGN = patchBetween(OTHERS, OTHERS.with(7, 7));
const HUGE = joined([PATCH, new Uint8Array(130_000)]);
const BSDIFF = bytes("BSDIFF40".padEnd(300));
const both = ["/files/patch", "/files/tool"], only = ["/files/tool"];
const cases: Record<string, [unknown[], Uint8Array | (() => Response), string[], RegExp]> = {
  "for another old file": [
    [entry(PATCH, { from: digest(program("0.9.0")) })],
    ...[PATCH, only, /none of its patches/] as const,
  ],
  "for a file of this size and another digest": [
    [entry(PATCH, { from: { size: OLD.length, sha256: sha256(NEW) } })],
    ...[PATCH, only, /none of its patches/] as const,
  ],
  "of an unknown format": [
    [entry(PATCH, { format: "bsdiff" })],
    ...[PATCH, only, /none of its patches/] as const,
  ],
  "larger than 60 % of the full file": [[entry(HUGE)], HUGE, only, /save too little/],
  "that is not there": [[entry(PATCH)], () => new Response("no", { status: 404 }), both, /404/],
  "with another digest": [[entry(PATCH)], flipped, both, /is not what the manifest says/],
  "of another size": [[entry(PATCH)], PATCH.slice(1), both, /is not what the manifest says/],
  "of another tool's format": [[entry(BSDIFF)], BSDIFF, both, /does not begin with/],
  "of another tool": [[entry(FOREIGN)], FOREIGN, both, /it is for another old file/],
  "with a damaged stream": [[entry(flipped)], flipped, both, /patch-refused/],
  "that makes another file": [[entry(OTHER)], OTHER, both, /it made \d+ bytes/],
  "whose URL is refused": [
    [entry(PATCH, { url: "file:///etc/passwd" })],
    PATCH,
    only,
    /exit code 0/,
  ],
};

for (const [what, [patches, served, asked, said]] of Object.entries(cases)) {
  Deno.test({
    name: `In the place of a patch ${what} the full file is fetched, quietly`,
    ignore,
    async fn() {
      const found = await quietUpdate(release(patches, served));
      assertEquals(found.asked, asked);
      assertMatch(found.log, said);
    },
  });
}

Deno.test({
  name: "Patches are never chained: neither from a result, nor in a loop",
  ignore,
  async fn() {
    const middle = program("1.5.0");
    const url = "files/patch";
    const chain = [
      // OLD → middle → NEW, NEW → OLD, and NEW → NEW.
      { from: digest(middle), url, ...digest(PATCH), format: "usp1" },
      { from: digest(NEW), url, ...digest(PATCH), format: "usp1" },
    ];
    assertEquals((await quietUpdate(release(chain))).asked, only);
    // The patch of NEW to itself, where NEW is installed and is to be installed again.
    await using server = serve(release(chain));
    await withTool(async (it) => {
      it.configure({ manifest: `${server.url}/release.json` });
      assertEquals((await it.run()).code, 0);
      await assertUpdated(it, await it.run("--force"));
      assertEquals(server.requests.includes("/files/patch"), false);
    });
  },
});

Deno.test({
  name: "A patch that was wrong is not tried again by the next run",
  ignore,
  async fn() {
    const routes = release([entry(OTHER)], OTHER);
    const whole = routes["/files/tool"]!;
    routes["/files/tool"] = () => new Response("down", { status: 404 });
    await using server = serve(routes);
    await withTool(async (it) => {
      it.configure({ manifest: `${server.url}/release.json` });
      assertEquals((await it.run()).code, 3);
      assertEquals(Deno.readFileSync(it.path("tool")), OLD);
      assertEquals(server.requests.filter((path) => path === "/files/patch").length, 1);
      routes["/files/tool"] = whole;
      await assertUpdated(it, await it.run());
      assertEquals(server.requests.filter((path) => path === "/files/patch").length, 1);
    });
  },
});

Deno.test({
  name: "Where one mirror serves a wrong patch, the next one's is taken, quietly",
  ignore,
  async fn() {
    await using bad = serve(release([entry(PATCH)], flipped));
    await using good = serve(release([entry(PATCH)]));
    await withTool(async (it) => {
      it.configure({ manifest: [bad, good].map(({ url }) => `${url}/release.json`) });
      const run = await it.run();
      await assertUpdated(it, run);
      assertEquals(/warning/i.test(run.stderr), false, run.stderr);
      assertEquals(good.requests, ["/files/patch"]);
    });
  },
});

Deno.test({
  name: "An archive that is fetched for one executable serves the others, too",
  ignore,
  async fn() {
    const content = gzip(tar({ name: "tool", content: NEW }, { name: "toolx", content: NEW }));
    const common = { url: "files/t.tar.gz", ...digest(content), executable: digest(NEW) };
    const files = [
      { target: "tool", member: "tool", ...common, patches: [entry(PATCH)] },
      { target: "toolx", member: "toolx", ...common },
    ];
    const manifest = manifestFor([], { platforms: { [Deno.build.target]: { files } } });
    await using server = serve({
      ...release([]),
      "/release.json": () => Response.json(manifest),
      "/files/t.tar.gz": () => new Response(new Uint8Array(content)),
    });
    await withTool(async (it) => {
      it.configure({ manifest: `${server.url}/release.json` });
      await assertUpdated(it, await it.run());
      assertEquals(server.requests, ["/release.json", "/files/t.tar.gz"]);
    });
  },
});
