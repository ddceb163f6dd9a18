/** A main tool written for Deno starts its update on Windows: with the helper, and without. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, join } from "@std/path";
import {
  cachedProgram,
  DENO,
  runWindows,
  spawnWindows,
  windowsPath,
  type WindowsProcess,
} from "./bed.ts";
import { programArgs, shimArgs } from "./bundle.ts";
import { eventsOf } from "../support/tool_folder.ts";
import { type Installation, makeInstallation } from "./installation.ts";
import { serveWindowsRelease } from "./release.ts";

const OLD = { "esbuild.exe": "esbuild-0.28.1.exe" } as const;

Deno.test("An update that the helper started outlives the tool and is made", async () => {
  await using tool = makeInstallation(OLD);
  await using parent = await startTool(tool, "helper");
  await parent.closeInput();
  assertEquals((await parent.result).code, 0);
  await until(() => tool.stateNames().includes("last-run.json"));
  assertEquals(tool.state("last-run.json").code, 0, log(tool));
  assert(tool.is("esbuild.exe", "esbuild-0.28.2.exe"));
});

Deno.test("An update that the helper started outlives a tool that is ended by force", async () => {
  await using tool = makeInstallation(OLD);
  await using parent = await startTool(tool, "helper");
  await parent.terminate();
  await until(() => tool.stateNames().includes("last-run.json"));
  assert(tool.is("esbuild.exe", "esbuild-0.28.2.exe"), log(tool));
});

Deno.test("The new version is started with the arguments that the tool asked for", async () => {
  await using tool = makeInstallation(OLD);
  const [input, output] = [tool.path("a b.js"), tool.path("out.js")];
  Deno.writeTextFileSync(input, "let answer = 42;");
  const again = ["--", windowsPath(input), `--outfile=${windowsPath(output)}`, "--minify"];
  await using parent = await startTool(tool, "helper", ...again);
  await parent.closeInput();
  await until(() => tool.names().includes("out.js"));
  assert(tool.is("esbuild.exe", "esbuild-0.28.2.exe"), log(tool));
  await until(() => log(tool).includes("exit code 0"));
});

Deno.test("selfUpdate downloads on the terminal, and the rest is made when the tool has ended", async () => {
  await using tool = makeInstallation(OLD);
  await using release = serveWindowsRelease("0.28.2", { "esbuild.exe": "esbuild-0.28.2.exe" });
  await using parent = await startSelfUpdate(tool, release.manifest);
  await parent.printed("code 0");
  assert(tool.is("esbuild.exe", "esbuild-0.28.1.exe"), "not before the tool has ended");
  await parent.closeInput();
  const { code, stderr } = await parent.result;
  assertEquals(code, 0);
  assertStringIncludes(stderr, "0.28.2", "what was downloaded is told on the terminal");
  await until(() => tool.is("esbuild.exe", "esbuild-0.28.2.exe"));
  await until(() => log(tool).includes("exit code 0"));
});

Deno.test("A download that fails is the end of selfUpdate: its code, and nothing in the background", async () => {
  await using tool = makeInstallation(OLD);
  await using release = serveWindowsRelease("0.28.2", { "esbuild.exe": "esbuild-0.28.2.exe" });
  const missing = release.manifest.replace("release", "no-release");
  await using parent = await startSelfUpdate(tool, missing);
  await parent.printed("code 3");
  await parent.closeInput();
  assertEquals((await parent.result).code, 3);
  assertEquals(log(tool).includes("Waiting for process"), false, log(tool));
});

/** The tool, at its whole self-update. */
async function startSelfUpdate(tool: Installation, manifest: string): Promise<WindowsProcess> {
  const shim = await shimArgs("--install-dir", tool.windowsPath("."), "--manifest", manifest);
  const deno = `${await cacheFolder(tool)}\\${DENO}`;
  return await spawnWindows(tool.folder, DENO, await programArgs("adopter", "self", deno, ...shim));
}

Deno.test("Without the helper it is ended with the tool, has changed nothing, and the next start tells", async () => {
  await using tool = makeInstallation(OLD);
  await using parent = await startTool(tool, "attached");
  const pid = /pid (\d+)/.exec(await parent.printed("pid "))![1]!;
  await parent.closeInput();
  assertEquals((await parent.result).code, 0);
  await until(() => hasExited(tool, pid));
  assertEquals(tool.stateNames().includes("last-run.json"), false, log(tool));
  assert(tool.is("esbuild.exe", "esbuild-0.28.1.exe"));
  const repaired = await tool.shim(["--repair", "--json"]);
  assertEquals(repaired.code, 0, repaired.stderr);
  const [warning, result] = eventsOf(repaired);
  assertStringIncludes(String(warning?.message), "was ended while it waited for process");
  assertStringIncludes(String(warning?.hint), "detached: true");
  assertEquals(result, { event: "nothing-to-repair" });
  const again = await tool.shim(["--repair", "--json"]);
  assertEquals(eventsOf(again), [{ event: "nothing-to-repair" }], "it is told once");
  assertEquals(tool.names(), ["esbuild.exe"]);
});

/** The tool, with its update waiting for its end. */
async function startTool(
  tool: Installation,
  how: "helper" | "attached",
  ...again: string[]
): Promise<WindowsProcess> {
  const source = join(dirname(tool.folder), "new.exe");
  Deno.copyFileSync(cachedProgram("esbuild-0.28.2.exe"), source);
  const from = ["--from", windowsPath(source), "--target", "esbuild.exe"];
  const shim = await shimArgs("--install-dir", tool.windowsPath("."), ...from);
  // The tool hands its own Deno on: there is no compiled shim for Windows here.
  const deno = `${await cacheFolder(tool)}\\${DENO}`;
  const args = await programArgs("adopter", how, deno, ...shim, ...again);
  const parent = await spawnWindows(tool.folder, DENO, args);
  await until(() => log(tool).includes("Waiting for process"));
  return parent;
}

async function cacheFolder(tool: Installation): Promise<string> {
  const { stdout } = await runWindows(tool.folder, DENO, [
    "eval",
    "console.log(Deno.execPath())",
  ]);
  return stdout.trim().replace(/\\[^\\]*$/, "");
}

async function hasExited(tool: Installation, pid: string): Promise<boolean> {
  const program = `try { Deno.kill(${pid}, 0); console.log("runs") } catch { console.log("gone") }`;
  const { stdout } = await runWindows(tool.folder, DENO, ["eval", program]);
  return stdout.trim() === "gone";
}

function log(tool: Installation): string {
  try {
    return Deno.readTextFileSync(tool.path(".updater-shim/updater-shim/log.txt"));
  } catch {
    return ""; // not yet made
  }
}

async function until(happened: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!await happened()) {
    if (Date.now() > end) throw new Error(`not within 30 s: ${happened}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
