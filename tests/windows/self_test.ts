/**
 * The shim as a part of the set that it updates. A Windows Deno named `updater-shim.exe` runs the
 * bundle: what the shim asks for is the path of its own executable, and what Windows guards is the
 * image that executes, and both are those of the real thing.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { DENO, helper, runWindows, spawnWindows } from "./bed.ts";
import { shimArgs } from "./bundle.ts";
import { type Installation, makeInstallation } from "./installation.ts";
import { serveWindowsRelease } from "./release.ts";

Deno.test("An update replaces the shim that makes it; the next start is the new one", async () => {
  await using tool = makeInstallation({
    "esbuild.exe": "esbuild-0.28.1.exe",
    "updater-shim.exe": "deno-2.9.4.exe",
  });
  await using release = serveWindowsRelease("2.0.0", {
    "esbuild.exe": "esbuild-0.28.2.exe",
    "updater-shim.exe": "deno-2.9.5.exe",
  });
  assertEquals(await versions(tool), ["0.28.1", "2.9.4"]);
  const { code, stderr } = await runOwnShim(tool, "--manifest", release.manifest);
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, `"${tool.windowsPath("updater-shim.exe")}" was in use`);
  assert(!stderr.includes(`"${tool.windowsPath("esbuild.exe")}" was in use`), stderr);
  assertEquals(await versions(tool), ["0.28.2", "2.9.5"]);
  assertEquals(tool.names(), ["esbuild.exe", "updater-shim.exe"]);
  assertEquals(tool.stateNames("trash").length, 1, "it was still running");

  const next = await runOwnShim(tool, "--manifest", release.manifest);
  assertEquals([next.code, next.stderr.split("\n")[1]], [0, "2.0.0 is installed: up to date"]);
  assertEquals(tool.stateNames("trash"), []);

  assertEquals((await runOwnShim(tool, "--rollback")).code, 0);
  assertEquals(await versions(tool), ["0.28.1", "2.9.4"]);
  assertEquals((await runOwnShim(tool, "--repair")).code, 0);
  assertEquals(tool.names(), ["esbuild.exe", "updater-shim.exe"]);
  assertEquals(tool.stateNames("trash"), []);
});

Deno.test("A shim that is replaced and ended in between is finished by the next", async () => {
  const old = { "a.exe": "esbuild-0.28.1.exe", "updater-shim.exe": "deno-2.9.4.exe" } as const;
  await using tool = makeInstallation({ ...old, "z.exe": "esbuild-0.28.1.exe" });
  await using release = serveWindowsRelease("2.0.0", {
    "a.exe": "esbuild-0.28.2.exe",
    "updater-shim.exe": "deno-2.9.5.exe",
    "z.exe": "esbuild-0.28.2.exe",
  });
  const hold = helper("hold_file", "z.exe", "rw", "110000");
  await using holder = await spawnWindows(tool.folder, DENO, hold);
  await holder.printed("held");
  const args = await shimArgs("--manifest", release.manifest, "--json");
  await using shim = await spawnWindows(tool.folder, ".\\updater-shim.exe", args);
  // The second of the three is in place, and the third cannot be replaced: it is ended there.
  await shim.printed('"swapped"');
  await shim.printed('"warning"');
  assertEquals((await shim.terminate()).code, 137);
  await holder.terminate();
  assertEquals(tool.is("z.exe", "esbuild-0.28.1.exe"), true);
  assertEquals(tool.is("updater-shim.exe", "deno-2.9.5.exe"), true);

  const { code, stderr } = await runOwnShim(tool, "--repair");
  assertEquals([code, stderr], [0, "Finished an update that had been interrupted.\n"]);
  assertEquals(
    ["a.exe", "z.exe"].map((name) => tool.is(name, "esbuild-0.28.2.exe")),
    [true, true],
  );
  assertEquals(tool.is("updater-shim.exe", "deno-2.9.5.exe"), true);
  assertEquals(tool.names(), ["a.exe", "updater-shim.exe", "z.exe"]);
  assertEquals(tool.stateNames("trash"), []);
});

/** Without `--install-dir`: it is where the shim is. */
async function runOwnShim(tool: Installation, ...args: string[]) {
  return await runWindows(tool.folder, ".\\updater-shim.exe", await shimArgs(...args));
}

async function versions(tool: Installation): Promise<string[]> {
  const esbuild = await tool.run("esbuild.exe", "--version");
  const shim = await tool.run("updater-shim.exe", "--version");
  assertMatch(shim.stdout, /^deno /);
  return [esbuild.stdout.trim(), shim.stdout.split(" ")[1]!];
}
