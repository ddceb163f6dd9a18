/** A folder that was moved goes on working, and a copy of one never acts on the original. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { compiledShim } from "../support/shim.ts";
import { runAs, served, SharedFolder } from "../support/shared_folder.ts";
import { tool } from "../support/world.ts";

const ignore = Deno.build.os === "windows"; // The tools are shell scripts.
const FILESYSTEM = 7, REPAIR = 9;

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}

/** alpha 1.0.0 in the folder, and its alphax behind a link, in `lib` beside the folder. */
async function withLink(): Promise<SharedFolder> {
  const it = new SharedFolder();
  Deno.mkdirSync(join(it.root, "lib"));
  Deno.writeTextFileSync(join(it.root, "lib", "alphax"), tool("alphax 0.1.0"), { mode: 0o755 });
  Deno.symlinkSync("../lib/alphax", it.path("alphax"));
  await updateTo(it, "1.0.0");
  return it;
}

async function publish(it: SharedFolder, version: string): Promise<void> {
  await it.publish("alpha", version, [served("alpha", version), served("alphax", version)]);
}

async function updateTo(it: SharedFolder, version: string): Promise<void> {
  await publish(it, version);
  const { code, stderr } = await it.run("alpha");
  assertEquals(code, 0, stderr);
}

const inFolder = (folder: string, ...args: string[]) =>
  runAs(["--config", join(folder, "alpha.json"), ...args]);

/**
 * alpha 2.0.0 is in its place, and its shim is killed while it looks whether that runs: journal,
 * staged set and the old one's second name are there. From then on it runs.
 */
async function killedInTheCommit(it: SharedFolder): Promise<void> {
  await it.publish("alpha", "1.0.0", [served("alpha", "1.0.0")]);
  assertEquals((await it.run("alpha")).code, 0);
  const mark = join(it.root, "mark");
  const slow = `#!/bin/sh
case "$0" in */staged/*) ;; *) [ -e "${mark}" ] || { : >"${mark}"; exec sleep 5; } ;; esac
echo alpha 2.0.0
`;
  await it.publish("alpha", "2.0.0", [{
    target: "alpha",
    content: new TextEncoder().encode(slow),
  }]);
  const shim = new Deno.Command(await compiledShim(), {
    args: ["--config", it.path("alpha.json")],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  while (!exists(mark)) await new Promise((resolve) => setTimeout(resolve, 10));
  shim.kill("SIGKILL");
  await shim.status;
  assert(it.names().includes("alpha.previous"));
}

test("--repair in a copy of an interrupted folder mends the copy, and the original's is its own", async () => {
  await using it = new SharedFolder();
  await killedInTheCommit(it);
  const before = it.image();
  const copy = await it.copy();
  const inCopy = await inFolder(copy, "--repair");
  assertEquals(inCopy.code, 0, inCopy.stderr);
  assertEquals(it.image(), before, "the original was changed");
  const left = [...Deno.readDirSync(copy)].map(({ name }) => name);
  assertEquals(left.includes("alpha.previous"), false);
  const here = await it.run("alpha", "--repair");
  assertEquals(here.code, 0, here.stderr);
  assertEquals(it.names().includes("alpha.previous"), false);
});

test("what was interrupted and moved then is mended where it is now, and told once", async () => {
  await using it = new SharedFolder();
  await killedInTheCommit(it);
  const moved = join(it.root, "moved");
  Deno.renameSync(it.folder, moved);
  const { code, stderr } = await inFolder(moved, "--repair");
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, "Finished an update");
  assertEquals(stderr.includes("Nothing to repair"), false, stderr);
  const rolledBack = await inFolder(moved, "--rollback");
  assertEquals(rolledBack.code, 0, rolledBack.stderr);
  assertEquals(Deno.readTextFileSync(join(moved, "alpha")), tool("alpha 1.0.0"));
});

test("an update in a copy leaves the original's file behind the link alone, and says so", async () => {
  await using it = await withLink();
  await updateTo(it, "2.0.0");
  const copy = await it.copy(), real = join(it.root, "lib", "alphax");
  await publish(it, "3.0.0");
  Deno.copyFileSync(it.path("alpha.json"), join(copy, "alpha.json"));
  const fresh = join(it.root, "fresh");
  Deno.writeTextFileSync(fresh, tool("alphax 9.0.0"), { mode: 0o755 });
  for (const args of [[], ["--rollback"], ["--from", fresh, "--target", "alphax"]]) {
    const { code, stderr } = await inFolder(copy, ...args);
    assertEquals([code, Deno.readTextFileSync(real)], [FILESYSTEM, tool("alphax 2.0.0")], stderr);
    assertStringIncludes(stderr, "is a copy of");
  }
  assertEquals(Deno.readTextFileSync(join(copy, "alpha")), tool("alpha 2.0.0"));
  // As the hint says.
  Deno.removeSync(join(copy, "alphax"));
  Deno.copyFileSync(real, join(copy, "alphax"));
  assertEquals((await inFolder(copy)).code, 0);
  assertEquals(Deno.readTextFileSync(join(copy, "alphax")), tool("alphax 3.0.0"));
  assertEquals(Deno.readTextFileSync(real), tool("alphax 2.0.0"));
});

test("a copy that finds the original's file up to date does not take it for its own", async () => {
  await using it = await withLink();
  const copy = await it.copy(), real = join(it.root, "lib", "alphax");
  await updateTo(it, "2.0.0");
  Deno.copyFileSync(it.path("alpha.json"), join(copy, "alpha.json"));
  const updated = await inFolder(copy);
  assertEquals(updated.code, 0, updated.stderr);
  const removed = await inFolder(copy, "--uninstall", "--yes");
  assertEquals(removed.code, 0, removed.stderr);
  assertEquals(Deno.readTextFileSync(real), tool("alphax 2.0.0"));
});

test("after a move to another disk --force makes what is behind the links this folder's", async () => {
  await using it = await withLink();
  const moved = await it.copy(), real = join(it.root, "lib", "alphax");
  await publish(it, "2.0.0");
  Deno.copyFileSync(it.path("alpha.json"), join(moved, "alpha.json"));
  Deno.removeSync(it.folder, { recursive: true });
  assertEquals((await inFolder(moved)).code, FILESYSTEM);
  const forced = await inFolder(moved, "--force");
  assertEquals([forced.code, Deno.readTextFileSync(real)], [0, tool("alphax 2.0.0")]);
  assertEquals((await inFolder(moved, "--uninstall", "--yes")).code, 0);
  assertEquals(exists(real), false);
});

test("a folder that was restored at its own path is no copy", async () => {
  await using it = await withLink();
  const backup = await it.copy(), real = join(it.root, "lib", "alphax");
  Deno.removeSync(it.folder, { recursive: true });
  Deno.renameSync(backup, it.folder);
  await updateTo(it, "2.0.0");
  assertEquals(Deno.readTextFileSync(real), tool("alphax 2.0.0"));
  const back = await it.run("alpha", "--rollback");
  assertEquals([back.code, Deno.readTextFileSync(real)], [0, tool("alphax 1.0.0")], back.stderr);
  assertEquals((await it.run("alpha", "--uninstall", "--yes")).code, 0);
  assertEquals(exists(real), false);
});

test("a copy leaves what became a link after the last update to the original", async () => {
  await using it = new SharedFolder();
  await updateTo(it, "1.0.0");
  // As `stow --adopt` does.
  Deno.mkdirSync(join(it.root, "lib"));
  for (const name of ["alpha", "alphax"]) {
    Deno.renameSync(it.path(name), join(it.root, "lib", name));
    Deno.symlinkSync(join(it.root, "lib", name), it.path(name));
  }
  const before = it.image(join(it.root, "lib"));
  await publish(it, "2.0.0");
  const copy = await it.copy();
  const updated = await inFolder(copy);
  assertEquals(updated.code, FILESYSTEM, updated.stderr);
  assertStringIncludes(updated.stderr, "is a copy of");
  assertEquals((await inFolder(copy, "--uninstall", "--yes")).code, 0);
  assertEquals(it.image(join(it.root, "lib")), before, "the original was changed");
  const own = await it.run("alpha");
  assertEquals([own.code, it.read("alpha")], [0, tool("alpha 2.0.0")], own.stderr);
});

test("a folder behind a link that is gone stops nothing that has to do with the rest", async () => {
  await using it = await withLink();
  await updateTo(it, "2.0.0");
  Deno.removeSync(join(it.root, "lib"), { recursive: true });
  // Another updater was interrupted here.
  Deno.renameSync(it.path("alpha"), it.path("alpha.previous"));
  const repaired = await it.run("alpha", "--repair");
  assertEquals([repaired.code, it.read("alpha")], [REPAIR, tool("alpha 2.0.0")], repaired.stderr);
  assertStringIncludes(repaired.stderr, `"${join(it.root, "lib", "alphax")}": it is missing`);
  assertEquals(repaired.stderr.includes("Cannot list"), false, repaired.stderr);
  assertEquals((await it.run("alpha", "--status")).code, 0);
  const fresh = it.write("fresh", tool("alpha 2.5.0"));
  const from = await it.run("alpha", "--from", fresh, "--target", "alpha");
  assertEquals([from.code, it.read("alpha")], [0, tool("alpha 2.5.0")], from.stderr);
  assertEquals((await it.run("alpha", "--rollback")).code, 0);
  const removed = await it.run("alpha", "--uninstall", "--yes");
  assertEquals([removed.code, exists(it.path("alpha"))], [0, false], removed.stderr);
});

test("a receipt that somebody copied from another tool says nothing about this one", async () => {
  await using it = new SharedFolder();
  await it.publish("alpha", "1.0.0", [served("alpha", "1.0.0")]);
  assertEquals((await it.run("alpha")).code, 0);
  await it.publish("beta", "1.0.0", [served("beta", "1.0.0")]);
  const state = it.path(".updater-shim", "alpha"), copy = it.path(".updater-shim", "beta");
  await new Deno.Command("cp", { args: ["-a", state, copy] }).output();
  assertEquals((await it.run("beta", "--uninstall", "--yes")).code, FILESYSTEM);
  assertEquals(it.read("alpha"), tool("alpha 1.0.0"));
  const updated = await it.run("beta", "--force");
  assertEquals([updated.code, it.read("beta")], [0, tool("beta 1.0.0")], updated.stderr);
  assertEquals((await it.run("beta", "--uninstall", "--yes")).code, 0);
  assertEquals(it.read("alpha"), tool("alpha 1.0.0"));
});

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
