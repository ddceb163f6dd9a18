/** What people are told on Windows: each with what to do next, and never "a fault of our own". */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, join } from "@std/path";
import { cachedProgram, DENO, helper, runWindows, windowsPath } from "./bed.ts";
import { eventsOf, makeInstallation } from "./installation.ts";
import { shimArgs } from "./bundle.ts";

const OLD = "esbuild-0.28.1.exe", NEW = "esbuild-0.28.2.exe";

Deno.test("A network path is refused with what to do, as install dir, --from and --manifest", async () => {
  await using tool = makeInstallation({ "esbuild.exe": OLD });
  const share = "\\\\server\\share";
  const ways = [
    ["--install-dir", share, "--repair"],
    ["--install-dir", `\\\\?\\UNC\\server\\share`, "--status"],
    ["--install-dir", tool.windowsPath("."), "--from", `${share}\\new.exe`],
    ["--install-dir", tool.windowsPath("."), "--manifest", `${share}\\release.json`],
  ];
  for (const way of ways) {
    const { code, stderr } = await runWindows(tool.folder, DENO, await shimArgs(...way));
    assertEquals(code, 7, `${way.join(" ")}: ${stderr}`);
    assertStringIncludes(stderr, "it is a network path, which updater-shim cannot open");
    assertStringIncludes(stderr, "drive letter");
    assert(!stderr.includes("--allow-all"), stderr);
  }
  assert(tool.is("esbuild.exe", OLD));
});

Deno.test("A .cmd and a .bat target are updated under their names, and a library is not tried", async () => {
  await using tool = makeInstallation({});
  const parent = dirname(tool.folder);
  for (const name of ["tool.cmd", "tool.bat"]) {
    const text = (version: string) => `@echo tool ${version}\r\n`;
    Deno.writeTextFileSync(tool.path(name), text("1.0.0"));
    Deno.writeTextFileSync(join(parent, "new"), text("2.0.0"));
    const from = ["--from", windowsPath(join(parent, "new")), "--target", name];
    const { code, stderr } = await tool.shim(from);
    assertEquals(code, 0, stderr);
    assertEquals(Deno.readTextFileSync(tool.path(name)), text("2.0.0"));
  }
});

Deno.test("A file of the state dir that cannot be used is named by its path", async () => {
  await using tool = makeInstallation({ "esbuild.exe": OLD });
  const from = ["--from", windowsPath(cachedProgram(NEW)), "--target", "esbuild.exe"];
  assertEquals((await tool.shim(from)).code, 0);
  Deno.writeTextFileSync(tool.path(".updater-shim/trash"), "not a folder");
  const { stdout, stderr } = await tool.shim(["--uninstall", "--yes", "--json"]);
  assert(!stderr.includes("a file of the install dir"), stderr);
  const error = eventsOf({ stdout, stderr, code: 0 }).at(-1);
  if (error?.event === "error") assertStringIncludes(String(error.path), ".updater-shim\\trash");
});

Deno.test("A shim that was ended by force does not hold the lock, whoever has its process id now", async () => {
  await using tool = makeInstallation({ "esbuild.exe": OLD });
  const from = ["--from", windowsPath(cachedProgram(NEW)), "--target", "esbuild.exe"];
  assertEquals((await tool.shim(from)).code, 0);
  const lockedBy = async (since: string, pid?: number) => {
    const holder = (pid: number) => JSON.stringify({ pid, since });
    const file = tool.path(".updater-shim/holder.json");
    if (pid !== undefined) {
      Deno.writeTextFileSync(file, holder(pid));
      return JSON.parse((await tool.shim(["--status", "--json"])).stdout).lockedBy;
    }
    // A program that runs meanwhile, in a Windows of which we do not know the process ids.
    const args = helper("process", "attached", windowsPath(cachedProgram(DENO)), "eval", WAIT);
    const { spawnWindows } = await import("./bed.ts");
    await using other = await spawnWindows(tool.folder, DENO, args);
    const its = Number(/pid (\d+)/.exec(await other.printed("pid "))![1]);
    Deno.writeTextFileSync(file, holder(its));
    return JSON.parse((await tool.shim(["--status", "--json"])).stdout).lockedBy;
  };
  const later = new Date(Date.now() + 60_000).toISOString();
  assertEquals(await lockedBy(later, 4_000_000), null, "there is no such process");
  assert(await lockedBy(later) !== null, "it runs, and began before that");
  assertEquals(await lockedBy("2020-01-01T00:00:00Z"), null, "it began long after");
});

const WAIT = "await new Response(Deno.stdin.readable).text()";
