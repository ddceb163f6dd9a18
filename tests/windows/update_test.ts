/** The main job on Windows: real tools, a parent that is waited for by its handle, running targets. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  cachedProgram,
  DENO,
  helper,
  runWindows,
  spawnWindows,
  windowsPath,
  WINE_ONLY,
} from "./bed.ts";
import { shimArgs } from "./bundle.ts";
import { eventsOf } from "../support/tool_folder.ts";
import { type Installation, makeInstallation } from "./installation.ts";
import { serveWindowsRelease } from "./release.ts";

const OLD = "esbuild-0.28.1.exe";
const NEW = "esbuild-0.28.2.exe";
/** What a code page of the last century cannot show. */
const NAME = "mein Werkzeug ü 日本";

Deno.test("A tool is updated after it has exited, in one rename", async () => {
  await using tool = makeInstallation({ "esbuild.exe": OLD });
  await using release = serveWindowsRelease("0.28.2", { "esbuild.exe": NEW });
  await using running = await startTool(tool);
  const args = ["--manifest", release.manifest, "--json", "--parent-pid", String(running.pid)];
  await using shim = await tool.startShim(...args);
  await shim.printed('"waiting"');
  assert(tool.is("esbuild.exe", OLD), "nothing is touched while the tool runs");
  assertEquals(tool.names(), ["esbuild.exe"]);
  await running.end();
  const result = await shim.result;
  assertEquals(result.code, 0, result.stderr);
  // A target that has to be moved aside, in two renames, would be warned of in between.
  const events = eventsOf(result).map(({ event }) => event).filter((name) => name !== "download");
  assertEquals(events, [
    ...["waiting", "manifest", "verified", "health-check"],
    ...["committing", "swapped", "health-check", "updated"],
  ]);
  assertEquals((await tool.run("esbuild.exe", "--version")).stdout, "0.28.2\n");
  assert(tool.is("esbuild.exe", NEW));
  assertEquals(tool.names(), ["esbuild.exe"]);
  assertEquals([tool.stateNames("rollback"), tool.stateNames("trash")], [["esbuild.exe"], []]);
});

Deno.test("A parent that does not exit in time is left alone, and so is everything else", async () => {
  await using tool = makeInstallation({ "esbuild.exe": OLD });
  await using running = await startTool(tool);
  const wait = ["--parent-pid", String(running.pid), "--wait-timeout", "1"];
  const { code, stderr } = await tool.shim(["--manifest", "none.json", ...wait]);
  assertEquals(code, 5);
  assertStringIncludes(stderr, `Process ${running.pid} did not exit within 1 s`);
  assert(tool.is("esbuild.exe", OLD));
});

Deno.test("deno.exe updates itself: it starts the shim and exits", async () => {
  await using tool = makeInstallation({ "deno.exe": "deno-2.9.4.exe" });
  await using release = serveWindowsRelease("2.9.5", { "deno.exe": DENO });
  const shim = await shimArgs(
    ...["--install-dir", windowsPath(tool.folder), "--manifest", release.manifest, "--json"],
    ...["--parent-pid", "{pid}"],
  );
  const args = helper("process", "detached", windowsPath(cachedProgram(DENO)), ...shim);
  // Its output is the shim's, too: this is over when both have exited.
  await using parent = await spawnWindows(tool.folder, ".\\deno.exe", args);
  await parent.printed('"waiting"');
  assert(tool.is("deno.exe", "deno-2.9.4.exe"));
  await parent.closeInput();
  const { code, stdout, stderr } = await parent.result;
  assertEquals(code, 0, stderr);
  assertStringIncludes(stdout, '"updated","from":"2.9.4","to":"2.9.5"');
  assert(!stdout.includes('"warning"'), stdout);
  assert(tool.is("deno.exe", DENO));
  assertMatch((await tool.run("deno.exe", "--version")).stdout, /^deno 2\.9\.5 /);
  assertEquals([tool.names(), tool.stateNames("trash")], [["deno.exe"], []]);
});

Deno.test("A target that runs elsewhere is replaced too; its image goes when it has ended", async () => {
  await using tool = makeInstallation({ "esbuild.exe": OLD }, NAME);
  await using release = serveWindowsRelease("0.28.2", { "esbuild.exe": NEW });
  await using running = await startTool(tool);
  // No process has that id, but Windows would open the running tool by it.
  const notThere = String(running.pid + 1);
  const update = ["--manifest", release.manifest, "--parent-pid", notThere];
  const { code, stdout, stderr } = await tool.shim(update);
  assertEquals([code, stdout], [0, ""], stderr);
  const path = tool.windowsPath("esbuild.exe");
  assertStringIncludes(stderr, `Warning: "${path}" was in use while it was replaced`);
  assertStringIncludes(stderr, 'run resmon.exe and search for "esbuild.exe"');
  assertEquals((await tool.run("esbuild.exe", "--version")).stdout, "0.28.2\n");
  assertEquals(tool.names(), ["esbuild.exe"]);
  assertEquals(tool.stateNames("trash").length, 1);

  const again = await tool.shim(["--rollback"]);
  assertEquals(again.code, 0, "the kept file runs as well, and is no obstacle: " + again.stderr);
  assertEquals((await tool.run("esbuild.exe", "--version")).stdout, "0.28.1\n");
  assert(tool.stateNames("trash").length >= 1, "what runs cannot be removed");

  await running.end();
  assertEquals((await tool.shim(["--repair"])).code, 0);
  assertEquals([tool.names(), tool.stateNames("trash")], [["esbuild.exe"], []]);
  assert(tool.is("esbuild.exe", OLD));
});

Deno.test("Messages are UTF-8 whatever the code page is", async () => {
  await using tool = makeInstallation({ "esbuild.exe": OLD }, NAME);
  const pages = (await runWindows("/", DENO, ["eval", CODE_PAGES])).stdout;
  if (!WINE_ONLY) assertEquals(pages, "1252 437\n"); // elsewhere they are the user's
  const { code, stderr } = await tool.shim(["--rollback"]);
  assertEquals(code, 2);
  const folder = windowsPath(tool.folder);
  assertStringIncludes(stderr, `There is no version to go back to in "${folder}"`);
  const log = Deno.readTextFileSync(tool.path(".updater-shim/updater-shim/log.txt"));
  assertStringIncludes(log, `There is no version to go back to in "${folder}"`);
});

/** Windows' own, and a console's: neither has the letters of `NAME`. */
const CODE_PAGES = `const { symbols } = Deno.dlopen("kernel32.dll", {
  GetACP: { parameters: [], result: "u32" },
  GetOEMCP: { parameters: [], result: "u32" },
});
console.log(symbols.GetACP(), symbols.GetOEMCP());`;

/** esbuild, running, and the process id that Windows gave it. */
async function startTool(tool: Installation) {
  const args = helper("process", "attached", ".\\esbuild.exe", "--service=0.28.1");
  const process = await spawnWindows(tool.folder, DENO, args);
  await process.printed("0.28.1");
  const output = await process.printed("pid ");
  return {
    pid: Number(/pid (\d+)/.exec(output)![1]),
    async end() {
      await process.closeInput();
      await process.result;
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}
