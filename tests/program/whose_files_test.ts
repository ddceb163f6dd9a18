/** What somebody put in a tool's place is never lost without a word: the compiled shim among people. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { compiledShim } from "../support/shim.ts";
import { runAs, served, SharedFolder } from "../support/shared_folder.ts";
import { tool } from "../support/world.ts";

const ignore = Deno.build.os === "windows"; // The tools are shell scripts.
const SCRIPT = "#!/bin/sh\necho precious\n";

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}

/** A folder with alpha, installed by its updater, in these versions one after the other. */
async function withAlpha(...versions: string[]): Promise<SharedFolder> {
  const it = new SharedFolder();
  for (const version of versions) {
    await it.publish("alpha", version, [served("alpha", version), served("alphax", version)]);
    const { code, stderr } = await it.run("alpha");
    assertEquals(code, 0, stderr);
  }
  return it;
}

/** Everything that lies below the folder with exactly this text. */
function placesOf(it: SharedFolder, text: string, folder = it.root): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory, isFile }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return placesOf(it, text, path);
    return isFile && Deno.readTextFileSync(path) === text ? [path] : [];
  });
}

function link(it: SharedFolder, to: string, name: string): void {
  if (it.names().includes(name)) Deno.removeSync(it.path(name));
  Deno.symlinkSync(to, it.path(name));
}

test("a target that has become a link to another program is in use, whatever the command", async () => {
  await using it = await withAlpha("1.0.0", "2.0.0");
  const mise = `${it.root}/mise`;
  // One that tells a version is another program's all the same.
  for (const text of [SCRIPT, tool("mise 1.9.0")]) {
    Deno.writeTextFileSync(mise, text, { mode: 0o755 });
    link(it, "../mise", "alpha");
    for (const command of [[], ["--rollback"], ["--from", mise, "--target", "alpha"]]) {
      const { code, stderr } = await it.run("alpha", ...command);
      assert(code === 7 || command[0] === "--from" && code === 2, `${code}: ${stderr}`);
      assertEquals(Deno.readTextFileSync(mise), text);
      if (code === 7) assertStringIncludes(stderr, `"${mise}", where "${it.path("alpha")}" leads`);
    }
    assertEquals((await it.run("alpha", "--check")).code, 7);
  }
  const forced = await it.run("alpha", "--force");
  assertEquals([forced.code, Deno.readTextFileSync(mise)], [0, tool("alpha 2.0.0")], forced.stderr);
  assertEquals(it.read(".updater-shim", "alpha", "rollback", "alpha"), tool("mise 1.9.0"));
  assertStringIncludes(forced.stderr, "what was there is kept as");
});

test("at a first installation a link to a file of another name is in use", async () => {
  await using it = new SharedFolder();
  await it.publish("alpha", "1.0.0", [served("alpha", "1.0.0")]);
  const mise = `${it.root}/mise`, build = `${it.root}/alpha-0.5.0`;
  for (const [path, code] of [[mise, 7], [build, 0]] as const) {
    Deno.writeTextFileSync(path, tool("alpha 0.5.0"), { mode: 0o755 });
    link(it, path, "alpha");
    const run = await it.run("alpha");
    assertEquals(run.code, code, run.stderr);
  }
  assertEquals(Deno.readTextFileSync(mise), tool("alpha 0.5.0"));
  assertEquals(Deno.readTextFileSync(build), tool("alpha 1.0.0"));
});

test("a link to what another tool's receipt lists is in use at a first installation", async () => {
  await using it = await withAlpha("1.0.0");
  await it.publish("beta", "2.0.0", [served("a", "2.0.0")]);
  link(it, "alphax", "a");
  const { code, stderr } = await it.run("beta");
  assertEquals([code, it.read("alphax")], [7, tool("alphax 1.0.0")], stderr);
  assertStringIncludes(stderr, 'belongs to another tool, that of the shim "alpha"');
});

test("a tool that was moved behind a link is updated there", async () => {
  await using it = await withAlpha("1.0.0");
  Deno.renameSync(it.path("alpha"), `${it.root}/alpha`);
  link(it, "../alpha", "alpha");
  await it.publish("alpha", "2.0.0", [served("alpha", "2.0.0"), served("alphax", "2.0.0")]);
  const { code, stderr } = await it.run("alpha");
  assertEquals([code, it.read("alpha")], [0, tool("alpha 2.0.0")], stderr);
  assertEquals(Deno.lstatSync(it.path("alpha")).isSymlink, true);
});

test("a program of the user's in a target's place is in use; --force keeps it through all that follows", async () => {
  for (const end of ["update", "uninstall"]) {
    await using it = await withAlpha("1.0.0", "2.0.0");
    Deno.removeSync(it.path("alpha"));
    it.write("alpha", SCRIPT);
    const refused = await it.run("alpha");
    assertEquals([refused.code, it.read("alpha")], [7, SCRIPT], refused.stderr);
    const forced = await it.run("alpha", "--force");
    assertEquals([forced.code, it.read("alpha")], [0, tool("alpha 2.0.0")], forced.stderr);
    assertEquals(placesOf(it, SCRIPT), [it.path(".updater-shim", "alpha", "rollback", "alpha")]);
    if (end === "update") {
      await it.publish("alpha", "3.0.0", [served("alpha", "3.0.0"), served("alphax", "3.0.0")]);
    }
    const ended = await it.run("alpha", ...end === "update" ? [] : ["--uninstall", "--yes"]);
    assertEquals(ended.code, 0, ended.stderr);
    const [kept, ...more] = placesOf(it, SCRIPT);
    assertEquals(more, []);
    assertMatch(kept!, /\.updater-shim\/broken\/[0-9a-f]{16}-alpha$/);
    assertStringIncludes(ended.stderr, `it is kept as "${kept}"`);
    if (end === "update") continue;
    assertEquals(it.names(), [".updater-shim"]);
    assertStringIncludes(ended.stderr, 'broken" was left');
    // A second one, with nothing installed, leaves it too.
    assertEquals((await it.run("alpha", "--uninstall", "--yes")).code, 0);
    assertEquals(placesOf(it, SCRIPT), [kept]);
  }
});

test("a build of the user's that tells its version is replaced, kept, and said; --rollback brings it", async () => {
  for (const version of ["1.0.0", "2.0.0"]) {
    await using it = await withAlpha("1.0.0");
    const own = `${tool("alpha 1.0.0")}# mine\n`;
    it.write("alpha", own);
    await it.publish("alpha", version, [served("alpha", version), served("alphax", version)]);
    const { code, stderr } = await it.run("alpha");
    assertEquals([code, it.read("alpha")], [0, tool(`alpha ${version}`)], stderr);
    assertStringIncludes(stderr, "what was there is kept as");
    const back = await it.run("alpha", "--rollback");
    assertEquals([back.code, it.read("alpha")], [0, own], back.stderr);
    assertEquals(placesOf(it, own), [it.path("alpha")]);
    const removed = await it.run("alpha", "--uninstall", "--yes");
    assertEquals([removed.code, placesOf(it, own)], [0, [it.path("alpha")]], removed.stderr);
  }
});

test("what --force took over under a new name is kept when the tool goes", async () => {
  await using it = await withAlpha("1.0.0");
  it.write("alphay", SCRIPT);
  await it.publish("alpha", "2.0.0", [served("alpha", "2.0.0"), served("alphay", "2.0.0")]);
  assertEquals((await it.run("alpha", "--force")).code, 0);
  const { code, stderr } = await it.run("alpha", "--uninstall", "--yes");
  assertEquals(code, 0, stderr);
  assertEquals(placesOf(it, SCRIPT).length, 1, stderr);
});

test("the running shim that a later release lists is taken into it, the same or another one", async () => {
  for (const same of [true, false]) {
    await using it = new SharedFolder();
    const shim = it.path("alpha-updater"), content = Deno.readFileSync(await compiledShim());
    Deno.writeFileSync(shim, content, { mode: 0o755 });
    await it.publish("alpha-updater", "1.0.0", [served("alpha", "1.0.0")]);
    assertEquals((await runAs([], shim)).code, 0);
    const next = same ? content : new TextEncoder().encode(tool("updater-shim 2.0.0"));
    const requests = await it.publish("alpha-updater", "1.1.0", [
      served("alpha", "1.1.0"),
      { target: "alpha-updater", content: next },
    ]);
    const { code, stderr } = await runAs([], shim);
    assertEquals([code, it.read("alpha")], [0, tool("alpha 1.1.0")], stderr);
    assertEquals(Deno.readFileSync(shim).length, next.length);
    assertEquals(requests.some((path) => path.includes("alpha-updater")), !same);
  }
});

test("--uninstall leaves the shim that another tool needs, by its configuration or its receipt", async () => {
  for (const updated of [true, false]) {
    await using it = new SharedFolder();
    const shim = it.path("updater-shim"), content = Deno.readFileSync(await compiledShim());
    await it.publish("alpha", "1.0.0", [
      served("alpha", "1.0.0"),
      { target: "updater-shim", content },
    ]);
    await it.publish("beta", "1.0.0", [served("beta", "1.0.0")]);
    for (const id of updated ? ["alpha", "beta"] : ["alpha"]) {
      const { code, stderr } = await it.run(id);
      assertEquals(code, 0, stderr);
    }
    const config = ["--config", it.path("alpha.json")];
    const { code, stderr } = await runAs([...config, "--uninstall", "--yes"], shim);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, 'updater-shim" was left: "beta" has no other shim');
    const left = updated ? ["beta", "beta.json"] : ["beta.json"];
    assertEquals(it.names(), [...updated ? [".updater-shim"] : [], ...left, "updater-shim"]);
    assertEquals((await runAs(["--config", it.path("beta.json")], shim)).code, 0);
  }
});

test("--from under a download's name asks which executable it is", async () => {
  await using it = await withAlpha("1.0.0");
  const fresh = `${it.root}/alpha-1.3.0-linux-x64`;
  Deno.writeTextFileSync(fresh, tool("alpha 1.3.0"), { mode: 0o755 });
  const { code, stderr } = await it.run("alpha", "--from", fresh);
  assertEquals([code, it.read("alpha")], [2, tool("alpha 1.0.0")], stderr);
  assertStringIncludes(stderr, "--target alpha");
  assertEquals((await it.run("alpha", "--from", fresh, "--target", "alpha")).code, 0);
});

test("--uninstall removes nothing where it cannot remove all", async () => {
  if (Deno.uid() !== 0) return; // Only root can be somebody else.
  await using it = new SharedFolder();
  const opt = `${it.root}/opt`;
  Deno.mkdirSync(opt);
  Deno.writeTextFileSync(`${opt}/alphax`, tool("alphax 0.9.0"), { mode: 0o755 });
  link(it, "../opt/alphax", "alphax");
  await it.publish("alpha", "1.0.0", [served("alpha", "1.0.0"), served("alphax", "1.0.0")]);
  const shim = await compiledShim();
  const user = async (...args: string[]) => {
    const command = ["--config", it.path("alpha.json"), ...args];
    const { code, stderr } = await new Deno.Command("setpriv", {
      args: ["--reuid=1000", "--regid=1000", "--clear-groups", shim, ...command],
      stdin: "null",
    }).output();
    return { code, stderr: new TextDecoder().decode(stderr) };
  };
  await new Deno.Command("chown", { args: ["-R", "1000:1000", it.root] }).output();
  const installed = await user();
  assertEquals(installed.code, 0, installed.stderr);
  Deno.chmodSync(opt, 0o555);
  const names = it.names();
  const { code, stderr } = await user("--uninstall", "--yes");
  assertEquals([code, it.names()], [7, names], stderr);
  assertStringIncludes(stderr, opt);
  Deno.chmodSync(opt, 0o755);
  const removed = await user("--uninstall", "--yes");
  assertEquals([removed.code, it.names()], [0, []], removed.stderr);
});

test("a configuration that is not there is no tool", async () => {
  await using it = await withAlpha("1.0.0");
  for (const command of [[], ["--status"], ["--check"], ["--uninstall", "--yes"], ["--repair"]]) {
    const { code, stderr } = await it.run("alhpa", ...command);
    assertEquals(code, 2, `${command}: ${stderr}`);
    assertStringIncludes(stderr, `There is no file "${it.path("alhpa.json")}"`);
    assertStringIncludes(stderr, `Did you mean "${it.path("alpha.json")}"?`);
  }
  Deno.renameSync(it.path("alpha.json"), it.path("updater-shim.json"));
  const { stderr } = await it.run("mytool", "--check");
  assertStringIncludes(stderr, `Did you mean "${it.path("updater-shim.json")}"?`);
  Deno.renameSync(it.path("updater-shim.json"), it.path("alpha.json"));
  assertEquals(it.names(), [".updater-shim", "alpha", "alpha.json", "alphax"]);
});

test("--uninstall names second names of its files that it leaves", async () => {
  await using it = await withAlpha("1.0.0");
  it.write("alpha.previous", tool("alpha 0.9.0"));
  const { code, stderr } = await it.run("alpha", "--uninstall", "--yes");
  assertEquals([code, it.names()], [0, ["alpha.previous"]], stderr);
  assertStringIncludes(stderr, 'alpha.previous" was left');
});
