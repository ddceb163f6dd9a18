/** Installations in places that are not as usual: their names, paths, devices and rights. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { dirname, join } from "@std/path";
import { cachedProgram, DENO, runWindows, windowsPath, WINE_ONLY } from "./bed.ts";
import { bundleOf, TARGET } from "./bundle.ts";
import { type Installation, makeInstallation } from "./installation.ts";
import { serveWindowsRelease } from "./release.ts";

const OLD = { "esbuild.exe": "esbuild-0.28.1.exe" } as const;
const NEW = { "esbuild.exe": "esbuild-0.28.2.exe" } as const;

/** Updates, goes back, and restores an orphan, and asks whether each left nothing else. */
async function goThrough(tool: Installation): Promise<void> {
  const before = tool.names();
  await using release = serveWindowsRelease("0.28.2", NEW);
  const steps = [
    { args: ["--manifest", release.manifest], has: "esbuild-0.28.2.exe" },
    { args: ["--rollback"], has: "esbuild-0.28.1.exe" },
    { args: ["--repair"], has: "esbuild-0.28.1.exe" },
  ] as const;
  for (const { args, has } of steps) {
    if (args[0] === "--repair") {
      Deno.renameSync(tool.path("esbuild.exe"), tool.path("esbuild.exe.previous.exe"));
    }
    const { code, stderr } = await tool.shim(args);
    assertEquals(code, 0, stderr);
    assert(tool.is("esbuild.exe", has), `after ${args[0]}: ${stderr}`);
    assertEquals(tool.names(), before, `after ${args[0]}`);
  }
}

Deno.test("Names with spaces, letters of all kinds and emoji", async () => {
  await using tool = makeInstallation(OLD, "Ünïcode 中文 العربية 😀 & (1) 100% ^ ' !x!");
  await goThrough(tool);
  const { stdout } = await tool.shim(["--status"]);
  assertStringIncludes(stdout, tool.windowsPath("esbuild.exe"), "in UTF-8, whatever the code page");
});

Deno.test("Paths of more than 260 characters", async () => {
  await using tool = makeInstallation(OLD, "x".repeat(240));
  assert(tool.windowsPath("esbuild.exe").length > 260);
  // Wine, unlike Windows, starts no program there.
  Deno.writeTextFileSync(tool.path("updater-shim.json"), '{"healthCheck": false}');
  await goThrough({ ...tool, shim: (args) => unlimitedShim(tool, args) });
});

/**
 * With all permissions: with fewer, Deno asks for the real path of each file that it opens, and Wine,
 * unlike Windows, does not know that above 260 characters (os error 234).
 */
async function unlimitedShim(tool: Installation, args: readonly string[]) {
  const bundle = windowsPath(await bundleOf("main.ts"));
  const all = ["run", "-A", "--no-config", bundle, "--install-dir", tool.windowsPath("."), ...args];
  return await runWindows(dirname(tool.folder), DENO, all);
}

Deno.test("A manifest that names the target in other letters' case means the same file", async () => {
  await using tool = makeInstallation({ "tool.exe": "esbuild-0.28.1.exe" });
  await using release = serveWindowsRelease("2.0.0", { "Tool.EXE": "esbuild-0.28.2.exe" });
  const { code, stderr } = await tool.shim(["--manifest", release.manifest]);
  assertEquals(code, 0, stderr);
  assertEquals(tool.names(), ["tool.exe"]);
  assert(tool.is("tool.exe", "esbuild-0.28.2.exe"));
  assertEquals((await tool.shim(["--rollback"])).code, 0);
  assertEquals(tool.names(), ["tool.exe"]);
  assert(tool.is("tool.exe", "esbuild-0.28.1.exe"));
});

Deno.test("Two targets that differ only in case, and names of devices, are refused", async () => {
  await using tool = makeInstallation({ "tool.exe": "esbuild-0.28.1.exe" });
  const refused = [
    ["tool.exe", "TOOL.exe"],
    ...["con.exe", "NUL", "aux.txt", "com1.exe", "LPT9", "a.exe ", "a.exe.", "a:b.exe"].map((
      name,
    ) => [
      name,
    ]),
  ];
  for (const names of refused) {
    const manifest = join(dirname(tool.folder), "release.json");
    Deno.writeTextFileSync(manifest, manifestOf(names));
    const { code, stderr } = await tool.shim(["--manifest", windowsPath(manifest)]);
    assertEquals(code, 2, `${names}: ${stderr}`);
    assertEquals(tool.names(), ["tool.exe"]);
    assert(tool.is("tool.exe", "esbuild-0.28.1.exe"));
  }
  const program = windowsPath(cachedProgram("esbuild-0.28.2.exe"));
  const { code, stderr } = await tool.shim(["--from", program, "--target", "con.exe"]);
  assertEquals([code, tool.names()], [2, ["tool.exe"]], stderr);
});

Deno.test({
  name: "A link to another drive stays, and the file behind it is replaced",
  ignore: WINE_ONLY, // another drive, and a link that only administrators may make
  async fn() {
    await using tool = makeInstallation({});
    const elsewhere = Deno.makeTempDirSync({ dir: "/dev/shm", prefix: "updater-shim-" }); // drive E:
    try {
      const real = join(elsewhere, "real.exe");
      Deno.copyFileSync(cachedProgram("esbuild-0.28.1.exe"), real);
      // Made from outside: Wine cannot, but follows it.
      Deno.symlinkSync(real, tool.path("esbuild.exe"));
      await using release = serveWindowsRelease("0.28.2", NEW);
      const { code, stderr } = await tool.shim(["--manifest", release.manifest]);
      assertEquals(code, 0, stderr);
      assert(tool.is("esbuild.exe", "esbuild-0.28.2.exe"));
      assertEquals(Deno.readLinkSync(tool.path("esbuild.exe")), real);
      assertEquals((await tool.shim(["--rollback"])).code, 0);
      assert(tool.is("esbuild.exe", "esbuild-0.28.1.exe"));
      assertEquals(Deno.readLinkSync(tool.path("esbuild.exe")), real);
      assertEquals([...Deno.readDirSync(elsewhere)].map(({ name }) => name), ["real.exe"]);
      assertEquals(tool.names(), ["esbuild.exe"]);
    } finally {
      Deno.removeSync(elsewhere, { recursive: true });
    }
  },
});

Deno.test("A read-only executable is replaced, and the new one is read-only", async () => {
  await using tool = makeInstallation(OLD);
  Deno.chmodSync(tool.path("esbuild.exe"), 0o555); // Wine: FILE_ATTRIBUTE_READONLY
  await using release = serveWindowsRelease("0.28.2", NEW);
  const { code, stderr } = await tool.shim(["--manifest", release.manifest]);
  assertEquals(code, 0, stderr);
  assert(tool.is("esbuild.exe", "esbuild-0.28.2.exe"));
  assertEquals(Deno.statSync(tool.path("esbuild.exe")).mode! & 0o222, 0);
  assertEquals((await tool.shim(["--rollback"])).code, 0);
  assert(tool.is("esbuild.exe", "esbuild-0.28.1.exe"));
  const uninstall = await tool.shim(["--uninstall"]);
  assertEquals(uninstall.code, 0, uninstall.stderr);
});

Deno.test({
  name: "Without the right to write: code 7, what to do, and nothing is changed",
  ignore: WINE_ONLY, // rights are taken away by chattr
  async fn() {
    for (const used of [false, true]) {
      await using tool = makeInstallation(OLD);
      await using release = serveWindowsRelease("0.28.2", NEW);
      // A folder that was installed by an administrator, before and after its first update.
      if (used) assertEquals((await tool.shim(["--manifest", release.manifest])).code, 0);
      const has = used ? "esbuild-0.28.2.exe" : "esbuild-0.28.1.exe";
      await chattr("+i", tool.folder);
      try {
        const force = ["--manifest", release.manifest, "--force"];
        const { code, stderr } = await tool.shim(force, { timeoutSeconds: 60 });
        assertEquals(code, 7, stderr);
        assertMatch(stderr, /as administrator\), or install it per user/);
        assertStringIncludes(stderr, tool.windowsPath("").replace(/\\$/, ""));
        assert(tool.is("esbuild.exe", has));
        assertEquals(tool.names(), ["esbuild.exe"]);
      } finally {
        await chattr("-i", tool.folder);
      }
      assertEquals((await tool.shim(["--manifest", release.manifest])).code, 0);
    }
  },
});

/** Wine runs as root, whom modes do not stop. */
async function chattr(change: string, path: string): Promise<void> {
  const { success } = await new Deno.Command("chattr", { args: [change, path] }).output();
  if (!success) throw new Error(`chattr ${change} does not work here: is ${path} on ext4?`);
}

function manifestOf(targets: readonly string[]): string {
  const files = targets.map((target) => ({ target, url: "x", size: 1, sha256: "0".repeat(64) }));
  return JSON.stringify({
    schema: 1,
    name: "tool",
    version: "2.0.0",
    platforms: { [TARGET]: { files } },
  });
}
