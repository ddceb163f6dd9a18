/** What happened to users of uv on Windows, byte for byte, and what the shim makes of it. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { cachedProgram, DENO, helper, runWindows, windowsPath } from "./bed.ts";
import { shimArgs } from "./bundle.ts";
import { eventsOf } from "../support/tool_folder.ts";
import { type Installation, makeInstallation } from "./installation.ts";
import { serveWindowsRelease, type WindowsRelease } from "./release.ts";

const OLD = "esbuild-0.28.1.exe";
const NEW = "esbuild-0.28.2.exe";

Deno.test("uv.exe is missing and uv.exe.previous.exe is there: --repair restores it", async () => {
  await using tool = makeInstallation({ "uv.exe.previous.exe": OLD, "uvx.exe": OLD });
  const gone = await tool.run("uv.exe", "--version");
  assert(gone.code !== 0);
  const result = await tool.shim(["--repair", "--json"]);
  assertEquals(result.code, 0, result.stderr);
  assertEquals(eventsOf(result), [{
    event: "repaired",
    path: tool.windowsPath("uv.exe"),
    from: tool.windowsPath("uv.exe.previous.exe"),
  }]);
  assertStringIncludes(result.stderr, `Restored ${tool.windowsPath("uv.exe")} from `);
  assertEquals((await tool.run("uv.exe", "--version")).stdout, "0.28.1\n");
  assertEquals(tool.names(), ["uv.exe", "uvx.exe"]);
  const again = await tool.shim(["--repair", "--json"]);
  assertEquals(eventsOf(again), [{ event: "nothing-to-repair" }]);
});

Deno.test("The old uv still runs under its .previous name: it is restored all the same", async () => {
  await using tool = makeInstallation({ "uv.exe.previous.exe": OLD });
  await using running = await tool.keepRunning("uv.exe.previous.exe", "0.28.1");
  const { code, stderr } = await tool.shim(["--repair"]);
  assertEquals(code, 0, stderr);
  assertEquals(tool.names(), ["uv.exe"]);
  assertEquals((await tool.run("uv.exe", "--version")).stdout, "0.28.1\n");
  await running.terminate();
  assert(tool.is("uv.exe", OLD));
});

Deno.test("uv.exe is cut off, and open elsewhere: the old one takes its place", async () => {
  await using tool = makeInstallation({ "uv.exe": NEW, "uv.exe.previous.exe": OLD });
  Deno.truncateSync(tool.path("uv.exe"), 1_000_000);
  const args = helper("hold_file", "uv.exe", "rwd", "1500");
  const holder = runWindows(tool.folder, DENO, args);
  const { code, stderr } = await tool.shim(["--repair"]);
  assertEquals(code, 0, stderr);
  assertEquals(tool.names(), ["uv.exe"]);
  assert(tool.is("uv.exe", OLD));
  assertEquals(tool.stateNames("broken"), ["uv.exe"]);
  await holder;
  assertEquals((await tool.shim(["--repair"])).code, 0);
  assertEquals(tool.stateNames("trash"), []);
});

Deno.test("An update that is ended in the download: the tool runs, the next goes on", async () => {
  await using tool = makeInstallation({ "uv.exe": OLD });
  await using release = serveWindowsRelease("0.28.2", { "uv.exe": NEW });
  release.hang(true);
  await using shim = await tool.startShim("--manifest", release.manifest, "--json");
  await shim.printed('"download"');
  assertEquals((await shim.terminate()).code, 137);
  await assertGoesOn(tool, release, "cleaned");
});

Deno.test("Ctrl-C in the download: code 130, the tool runs, the next goes on", async () => {
  await using tool = makeInstallation({ "uv.exe": OLD });
  await using release = serveWindowsRelease("0.28.2", { "uv.exe": NEW });
  release.hang(true);
  const { code, output } = await inConsole("ctrl-c", tool, release);
  assertEquals(code, 130, output);
  assertStringIncludes(output, "The update was interrupted");
  assertStringIncludes(output, "Nothing was changed");
  await assertGoesOn(tool, release, undefined);
});

Deno.test("The console is closed in the download: the tool runs, the next goes on", async () => {
  await using tool = makeInstallation({ "uv.exe": OLD });
  await using release = serveWindowsRelease("0.28.2", { "uv.exe": NEW });
  release.hang(true);
  const { output } = await inConsole("close", tool, release);
  assertStringIncludes(output, '"download"');
  await assertGoesOn(tool, release, "cleaned");
});

/** The shim in a console of its own, where that happens as soon as it downloads. */
async function inConsole(event: "ctrl-c" | "close", tool: Installation, release: WindowsRelease) {
  const output = join(tool.folder, "..", "output");
  const shim = await shimArgs(
    ...["--install-dir", windowsPath(tool.folder), "--manifest", release.manifest, "--json"],
  );
  const deno = windowsPath(cachedProgram(DENO));
  const args = helper("console", event, '"download"', windowsPath(output), deno, ...shim);
  const { code, stderr } = await runWindows("/", DENO, args, { timeoutSeconds: 60 });
  assertEquals(stderr, "");
  return { code, output: Deno.readTextFileSync(output) };
}

async function assertGoesOn(
  tool: Installation,
  release: WindowsRelease,
  recovered: "cleaned" | undefined,
): Promise<void> {
  assert(tool.is("uv.exe", OLD));
  assertEquals((await tool.run("uv.exe", "--version")).stdout, "0.28.1\n");
  release.hang(false);
  const result = await tool.shim(["--manifest", release.manifest, "--json"]);
  assertEquals(result.code, 0, result.stderr);
  const outcome = eventsOf(result).find(({ event }) => event === "recovered")?.outcome;
  assertEquals(outcome, recovered);
  assertEquals(release.ranges.length, 1, "the download was resumed");
  assertEquals((await tool.run("uv.exe", "--version")).stdout, "0.28.2\n");
  assertEquals(tool.names(), ["uv.exe"]);
  assertEquals(tool.stateNames("partial"), []);
}
