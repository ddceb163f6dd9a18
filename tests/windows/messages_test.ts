/** What people are told on Windows: each with what to do next, and never "a fault of our own". */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { dirname, join } from "@std/path";
import { cachedProgram, DENO, helper, runWindows, windowsPath } from "./bed.ts";
import { eventsOf } from "../support/tool_folder.ts";
import { makeInstallation } from "./installation.ts";
import { shimArgs, TARGET } from "./bundle.ts";

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

Deno.test("A manifest whose path turns the limits off is a manifest like any other", async () => {
  await using tool = makeInstallation({ "esbuild.exe": OLD });
  const content = Deno.readFileSync(cachedProgram(NEW));
  const files = [{
    target: "esbuild.exe",
    url: "files/new.exe",
    size: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
  }];
  Deno.mkdirSync(tool.path("files"));
  Deno.writeFileSync(tool.path("files/new.exe"), content);
  const manifest = {
    schema: 1,
    name: "tool",
    version: "2.0.0",
    platforms: { [TARGET]: { files } },
  };
  Deno.writeTextFileSync(tool.path("release.json"), JSON.stringify(manifest));
  const path = `\\\\?\\${tool.windowsPath("release.json")}`;
  const { code, stderr } = await tool.shim(["--manifest", path]);
  assertEquals(code, 0, stderr);
  assert(tool.is("esbuild.exe", NEW));
});

Deno.test("A library is installed without being tried", async () => {
  await using tool = makeInstallation({ "esbuild.exe": OLD });
  const library = new TextEncoder().encode("MZ: nothing that runs");
  const contents = { "esbuild.exe": Deno.readFileSync(cachedProgram(NEW)), "tool.dll": library };
  const parent = dirname(tool.folder);
  const release = (run: Record<string, boolean>) => {
    const files = Object.entries(contents).map(([target, bytes]) => {
      Deno.writeFileSync(join(parent, target), bytes);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      return {
        target,
        url: target,
        size: bytes.length,
        sha256,
        ...target in run && { run: false },
      };
    });
    const platforms = { [TARGET]: { files } };
    const manifest = { schema: 1, name: "tool", version: "2.0.0", platforms };
    Deno.writeTextFileSync(join(parent, "release.json"), JSON.stringify(manifest));
  };
  const from = ["--manifest", windowsPath(join(parent, "release.json"))];
  release({});
  const tried = await tool.shim(from);
  assertEquals(tried.code, 8, `it is tried where the manifest does not say so: ${tried.stderr}`);
  release({ "tool.dll": false });
  const { code, stderr } = await tool.shim(from);
  assertEquals(code, 0, stderr);
  assertEquals(Deno.readFileSync(tool.path("tool.dll")), library);
  assert(tool.is("esbuild.exe", NEW));
});

Deno.test("A .cmd and a .bat target are updated under their names", async () => {
  for (const name of ["tool.cmd", "tool.bat"]) {
    await using tool = makeInstallation({});
    const parent = dirname(tool.folder);
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
  const result = await tool.shim(["--repair", "--json"]);
  const error = eventsOf(result).at(-1);
  assertEquals([result.code, error?.event], [9, "error"], result.stderr);
  assertStringIncludes(String(error?.path), ".updater-shim\\trash");
});

Deno.test("A shim that was ended by force does not hold the lock, whoever has its process id now", async () => {
  await using tool = makeInstallation({ "esbuild.exe": OLD });
  const from = ["--from", windowsPath(cachedProgram(NEW)), "--target", "esbuild.exe"];
  assertEquals((await tool.shim(from)).code, 0);
  const lockedBy = async (since: string, pid?: number) => {
    const rest = { tool: "updater-shim", command: "update" };
    const holder = (pid: number) => JSON.stringify({ pid, since, ...rest });
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
