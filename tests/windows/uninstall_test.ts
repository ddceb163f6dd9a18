/**
 * `--uninstall` and `--from` on Windows: what the Rust crate self-replace promises, by the tests that
 * it has (nothing is left in the folder or in TEMP, through a link, at a forced exit), and more. A
 * Windows Deno named `updater-shim.exe` is the shim, as in self_test.ts.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { basename, dirname, join } from "@std/path";
import {
  type CachedProgram,
  cachedProgram,
  runWindows,
  spawnWindows,
  temporary,
  WINE_ONLY,
} from "./bed.ts";
import { programArgs, shimArgs } from "./bundle.ts";
import { type Installation, makeInstallation } from "./installation.ts";

const PROGRAMS = {
  "esbuild.exe": "esbuild-0.28.1.exe",
  "updater-shim.exe": "deno-2.9.5.exe",
} as const;

Deno.test("--from installs a copy: the file that it came from may be deleted", async () => {
  await using tool = makeInstallation(PROGRAMS);
  await installFrom(tool, "esbuild-0.28.2.exe", "esbuild.exe");
  assertEquals((await tool.run("esbuild.exe", "--version")).stdout.trim(), "0.28.2");
  assertEquals(tool.names(), ["esbuild.exe", "updater-shim.exe"]);
});

Deno.test("--uninstall leaves nothing: no tool, no state dir, no shim, no file in TEMP", async () => {
  await using tool = await usedInstallation();
  const before = names(temporary());
  const { code, stderr } = await ownShim(tool, "--uninstall");
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, tool.windowsPath("updater-shim.exe"));
  await emptied(tool.folder);
  // On Windows itself other programs use that folder, too.
  if (!WINE_ONLY) assertEquals(names(temporary()), before);
});

Deno.test("the same where names have spaces, letters of all kinds and signs that mean something to cmd", async () => {
  for (const name of ["über 中文 😀", "a & b ^(c)", "100% %PATH% 50%", "wow! !SHIM_STATE! 'x'"]) {
    await using tool = await usedInstallation(name);
    const { code, stderr } = await ownShim(tool, "--uninstall");
    assertEquals(code, 0, stderr);
    await emptied(tool.folder);
  }
});

Deno.test("--uninstall touches no file that is not the tool's, and then the folder stays", async () => {
  await using tool = await usedInstallation();
  Deno.writeTextFileSync(tool.path("notes.txt"), "not ours");
  assertEquals((await ownShim(tool, "--uninstall")).code, 0);
  await gone(tool.path(".updater-shim"));
  assertEquals(tool.names(), ["notes.txt"]);
});

Deno.test("A shim that is ended by force right after its last step is removed, too", async () => {
  await using tool = await usedInstallation();
  const args = await shimArgs("--uninstall", "--json");
  await using shim = await spawnWindows(tool.folder, ".\\updater-shim.exe", args);
  await shim.printed('"uninstalled"');
  await shim.terminate();
  await emptied(tool.folder);
});

Deno.test({
  name: "Started through a link to its folder, the shim empties the folder and leaves the link",
  ignore: WINE_ONLY, // only administrators may make a link
  async fn() {
    await using tool = await usedInstallation();
    const parent = dirname(tool.folder);
    // Made from outside: Wine cannot, but follows it.
    Deno.symlinkSync("tool", join(parent, "link"));
    const { code, stderr } = await runWindows(
      parent,
      ".\\link\\updater-shim.exe",
      await shimArgs("--uninstall"),
    );
    assertEquals(code, 0, stderr);
    await emptied(tool.folder);
    assertEquals(names(parent), ["link", "tool"]);
  },
});

Deno.test("A shim that lies elsewhere stays", async () => {
  await using tool = await usedInstallation();
  Deno.removeSync(tool.path("updater-shim.exe"));
  const { code, stderr } = await tool.shim(["--uninstall"]);
  assertEquals(code, 0, stderr);
  await emptied(tool.folder);
});

Deno.test("While the tool runs, nothing of it is removed; after that, all of it", async () => {
  await using tool = await usedInstallation();
  await using running = await tool.keepRunning("esbuild.exe", "0.28.2");
  const before = tool.names();
  const refused = await ownShim(tool, "--uninstall");
  assertEquals(refused.code, 7, refused.stderr);
  assertStringIncludes(
    refused.stderr,
    `Cannot remove "${tool.windowsPath("esbuild.exe")}": it is in use`,
  );
  assertStringIncludes(refused.stderr, "Nothing was removed.");
  assertEquals(tool.names(), before);
  await running.terminate();
  assertEquals((await ownShim(tool, "--uninstall")).code, 0);
  await emptied(tool.folder);
});

Deno.test("The same while a version runs that an update has replaced", async () => {
  await using tool = makeInstallation(PROGRAMS);
  await using running = await tool.keepRunning("esbuild.exe", "0.28.1");
  await installFrom(tool, "esbuild-0.28.2.exe", "esbuild.exe");
  const refused = await ownShim(tool, "--uninstall");
  assertEquals(refused.code, 7, refused.stderr);
  assertStringIncludes(refused.stderr, "it is in use");
  assert(tool.is("esbuild.exe", "esbuild-0.28.2.exe"));
  await running.terminate();
  assertEquals((await ownShim(tool, "--uninstall")).code, 0);
  await emptied(tool.folder);
});

Deno.test("Terminated at any step, an uninstall is carried on by the next, or by its helper", async () => {
  await using tool = await usedInstallation();
  const copy = `${tool.folder}.copy`;
  copyFolder(tool.folder, copy);
  const seen: string[] = [];
  for (let step = 1;; step++) {
    if (step > 1) copyFolder(copy, tool.folder);
    const program = await programArgs("uninstall", String(step));
    const { stdout } = await runWindows(tool.folder, ".\\updater-shim.exe", program);
    if (!stdout.includes("killed before")) break;
    seen.push(/killed before (.*)/.exec(stdout)![1]!);
    // Without the helper everything that is needed to carry on is there.
    if (!stdout.includes("helper started")) {
      const { code, stderr } = await ownShim(tool, "--uninstall");
      assertEquals(code, 0, `${seen.at(-1)}: ${stderr}`);
    }
    await emptied(tool.folder);
  }
  assert(seen.some((step) => step.includes("esbuild.exe")), seen.join("\n"));
  assert(seen.some((step) => step.includes("rollback")), seen.join("\n"));
  assert(seen.length > 8, seen.join("\n"));
});

async function usedInstallation(name?: string): Promise<Installation> {
  const tool = makeInstallation(PROGRAMS, name);
  await installFrom(tool, "esbuild-0.28.2.exe", "esbuild.exe");
  assertEquals(tool.stateNames("rollback"), ["esbuild.exe"]);
  return tool;
}

async function installFrom(tool: Installation, program: CachedProgram, target: string) {
  const source = join(dirname(tool.folder), "new.exe");
  Deno.copyFileSync(cachedProgram(program), source);
  const { code, stderr } = await ownShim(tool, "--from", "..\\new.exe", "--target", target);
  assertEquals(code, 0, stderr);
  Deno.removeSync(source);
  assert(tool.is(target, program));
}

async function ownShim(tool: Installation, ...args: string[]) {
  return await runWindows(tool.folder, ".\\updater-shim.exe", await shimArgs(...args));
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

/** With the times of the files: the receipt believes those. */
function copyFolder(from: string, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    const [source, copy] = [join(from, name), join(to, name)];
    if (isDirectory) {
      copyFolder(source, copy);
    } else {
      Deno.copyFileSync(source, copy);
      const { atime, mtime } = Deno.statSync(source);
      Deno.utimeSync(copy, atime!, mtime!);
    }
  }
}

/** Resolves when nothing is in the folder; what removes it has no other way to tell. */
async function emptied(folder: string): Promise<void> {
  await becomes(folder, (left) => left.length === 0);
}

/** The same for a name. */
async function gone(path: string): Promise<void> {
  await becomes(dirname(path), (left) => !left.includes(basename(path)));
}

async function becomes(folder: string, isSo: (left: string[]) => boolean): Promise<void> {
  const end = Date.now() + 20_000;
  while (!isSo(names(folder))) {
    if (Date.now() > end) throw new Error(`"${folder}" still has ${names(folder)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
