/** What people do to a tool that is installed, and what the commands make of it. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { runAs, served, SharedFolder } from "../support/shared_folder.ts";
import { compiledShim } from "../support/shim.ts";
import { tool } from "../support/world.ts";
import { tinyTool } from "../histories/tiny_tool.ts";

const ignore = Deno.build.os === "windows"; // The tools are shell scripts.
const SCRIPT = "#!/bin/sh\necho precious\n";
const state = (...names: string[]) => [".updater-shim", "alpha", ...names] as const;

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

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}

test("--uninstall leaves the user's own program in a target's place, and says so", async () => {
  await using it = await withAlpha("1.0.0");
  it.write("alphax", "the user's own\n");
  const { code, stderr } = await it.run("alpha", "--uninstall", "--yes");
  assertEquals([code, it.names()], [0, ["alphax"]], stderr);
  assertStringIncludes(stderr, 'alphax" was left: it is not what was installed');
});

test("--uninstall leaves a link that leads into another tree, and what is behind it", async () => {
  await using it = await withAlpha("1.0.0");
  Deno.writeTextFileSync(`${it.root}/other`, tool("alphax 1.0.0"));
  Deno.removeSync(it.path("alphax"));
  Deno.symlinkSync(`${it.root}/other`, it.path("alphax"));
  const { code, stderr } = await it.run("alpha", "--uninstall", "--yes");
  assertEquals([code, it.names()], [0, ["alphax"]], stderr);
  assertEquals(Deno.readTextFileSync(`${it.root}/other`), tool("alphax 1.0.0"));
});

test("--from for a second executable does not become the tool's version", async () => {
  await using it = await withAlpha("1.0.0");
  const helper = it.write("helper", tool("helper 9.9.9"));
  assertEquals((await it.run("alpha", "--from", helper, "--target", "alphax")).code, 0);
  await it.publish("alpha", "2.0.0", [served("alpha", "2.0.0"), served("alphax", "2.0.0")]);
  const { code, stderr } = await it.run("alpha");
  assertEquals([code, it.read("alphax")], [0, tool("alphax 2.0.0")], stderr);
  assertStringIncludes(stderr, "Updated 1.0.0 -> 2.0.0");
});

test("--from does not take a name that no target may have", async () => {
  await using it = await withAlpha("1.0.0");
  const before = it.read("alpha.json");
  const other = `${it.root}/alpha.json`;
  Deno.writeTextFileSync(other, tool("1.0.0"), { mode: 0o755 });
  const { code, stderr } = await it.run("alpha", "--from", other);
  assertEquals([code, it.read("alpha.json")], [2, before], stderr);
  assertStringIncludes(stderr, "--target");
});

test('"mytool v1.4.0" is a version; of an unknown one nothing is known, not even that it is older', async () => {
  await using it = new SharedFolder();
  it.write("alpha", "#!/bin/sh\necho 'alpha v1.4.0 (2026-11-01)'\n");
  await it.publish("alpha", "1.3.0", [served("alpha", "1.3.0")]);
  const older = await it.run("alpha");
  assertEquals(older.code, 4, older.stderr);
  assertStringIncludes(older.stderr, "1.3.0 is older than the installed version 1.4.0");
  it.write("alpha", "#!/bin/sh\necho 'alpha, autumn edition'\n");
  for (const args of [["--check"], []]) {
    const unknown = await it.run("alpha", ...args);
    assertEquals(unknown.code, 4, unknown.stderr);
    assertStringIncludes(unknown.stderr, "not known which version of alpha is installed");
  }
  assertEquals((await it.run("alpha", "--force")).code, 0);
  assertEquals(it.read("alpha"), tool("alpha 1.3.0"));
});

test("after a mistaken 9999.0.0 --allow-downgrade leads back, and to what comes then", async () => {
  await using it = await withAlpha("1.0.0", "9999.0.0");
  const files = (version: string) => [served("alpha", version), served("alphax", version)];
  await it.publish("alpha", "1.1.0", files("1.1.0"));
  assertEquals((await it.run("alpha")).code, 4);
  assertEquals((await it.run("alpha", "--allow-downgrade")).code, 0);
  await it.publish("alpha", "1.2.0", files("1.2.0"));
  const { code, stderr } = await it.run("alpha");
  assertEquals([code, it.read("alpha")], [0, tool("alpha 1.2.0")], stderr);
});

test("what the user went back from is not offered again before there is a newer one", async () => {
  await using it = await withAlpha("1.0.0", "2.0.0");
  assertEquals((await it.run("alpha", "--rollback")).code, 0);
  const again = await it.run("alpha");
  assertEquals([again.code, it.read("alpha")], [0, tool("alpha 1.0.0")], again.stderr);
  assertStringIncludes(again.stderr, "You went back from 2.0.0");
  assertEquals((await it.run("alpha", "--check")).code, 0);
  await it.publish("alpha", "2.0.1", [served("alpha", "2.0.1"), served("alphax", "2.0.1")]);
  assertEquals((await it.run("alpha", "--check")).code, 10);
});

test("what the user went back to and then removed is installed by the next update", async () => {
  for (const gone of [["alpha"], ["alpha", "alphax"]]) {
    await using it = await withAlpha("1.0.0", "2.0.0");
    assertEquals((await it.run("alpha", "--rollback")).code, 0);
    for (const name of gone) Deno.removeSync(it.path(name));
    assertEquals((await it.run("alpha", "--check")).code, 10);
    const { code, stderr } = await it.run("alpha");
    const now = ["alpha", "alphax"].map((name) => it.read(name));
    assertEquals([code, now], [0, [tool("alpha 2.0.0"), tool("alphax 2.0.0")]], stderr);
  }
});

test("--force and then --rollback goes back to the version before, not to the same one", async () => {
  await using it = await withAlpha("1.0.0", "2.0.0");
  assertEquals((await it.run("alpha", "--force")).code, 0);
  const { code, stderr } = await it.run("alpha", "--rollback");
  assertEquals([code, it.read("alpha")], [0, tool("alpha 1.0.0")], stderr);
  assertStringIncludes(stderr, "Went back: 2.0.0 -> 1.0.0");
});

test("a service is started again also where the update fails, with the failure's code", async () => {
  await using it = await withAlpha("1.0.0");
  const mark = `${it.root}/started`;
  it.write("alpha", `#!/bin/sh\n[ "$1" = serve ] && echo "$0" >"${mark}"\necho alpha 1.0.0\n`);
  await it.publish("alpha", "2.0.0", [served("alpha", "2.0.0"), {
    ...served("alphax", "2.0.0"),
    entry: { sha256: "0".repeat(64) },
  }]);
  const { code, stderr } = await it.run("alpha", "--relaunch", "--", "serve");
  assertEquals(code, 4, stderr);
  for (let i = 0; i < 200 && !exists(mark); i++) await new Promise((done) => setTimeout(done, 20));
  assertEquals(exists(mark), true, stderr);
});

test("--repair sees what --status sees: an older version that runs is better than none", async () => {
  await using it = await withAlpha("1.0.0", "2.0.0");
  Deno.removeSync(it.path("alphax"));
  assertMatch((await it.run("alpha", "--status")).stdout, /alphax \(missing\)/);
  const repaired = await it.run("alpha", "--repair");
  assertEquals(
    [repaired.code, it.read("alpha"), it.read("alphax")],
    [0, tool("alpha 1.0.0"), tool("alphax 1.0.0")],
    repaired.stderr,
  );
  assertStringIncludes((await it.run("alpha", "--repair")).stderr, "Nothing to repair");
  // And no mistake of the user's: the newer one is offered again.
  assertEquals((await it.run("alpha", "--check")).code, 10);
});

test("where there is no copy, --repair names what is missing and the update brings it", async () => {
  await using it = await withAlpha("1.0.0");
  Deno.removeSync(it.path("alphax"));
  const { code, stderr } = await it.run("alpha", "--repair");
  assertEquals(code, 9, stderr);
  assertMatch(stderr, /alphax": it is missing/);
  assertStringIncludes(stderr, "Run the update");
  assertEquals((await it.run("alpha")).code, 0);
  assertEquals(it.read("alphax"), tool("alphax 1.0.0"));
});

test("garbage of the same size is not up to date", async () => {
  await using it = await withAlpha("1.0.0");
  it.write("alphax", "x".repeat(tool("alphax 1.0.0").length));
  assertMatch((await it.run("alpha", "--status")).stdout, /alphax \((changed|broken|not-a-file)\)/);
  const { stderr } = await it.run("alpha", "--force");
  assertEquals(it.read("alphax"), tool("alphax 1.0.0"), stderr);
});

test("a receipt that cannot be read is said to be that", async () => {
  await using it = await withAlpha("1.0.0", "2.0.0");
  Deno.writeTextFileSync(it.path(...state("receipt.json")), "{");
  for (const command of [["--rollback"], ["--uninstall", "--yes"]]) {
    const { code, stderr } = await it.run("alpha", ...command);
    assertEquals(code, 7, stderr);
    assertMatch(stderr, /receipt ".*receipt\.json" cannot be read/);
  }
  assertStringIncludes((await it.run("alpha", "--status")).stdout, "the receipt cannot be read");
  assertEquals(it.read("alpha"), tool("alpha 2.0.0"));
  assertEquals((await it.run("alpha", "--force")).code, 0);
  assertEquals((await it.run("alpha", "--uninstall", "--yes")).code, 0);
});

test("the outcome of a failed update stays until there is another one", async () => {
  await using it = await withAlpha("1.0.0");
  await it.publish("alpha", "2.0.0", [{
    ...served("alpha", "2.0.0"),
    entry: { sha256: "0".repeat(64) },
  }]);
  assertEquals((await it.run("alpha")).code, 4);
  assertEquals((await it.run("alpha", "--repair")).code, 0);
  const last = JSON.parse(it.read(...state("last-run.json")));
  assertEquals([last.code, last.outcome.event], [4, "error"]);
});

test("a broken configuration stops no command that mends, looks or removes", async () => {
  for (const broken of ["", '{"name": "al', '{"later": 1}']) {
    await using it = await withAlpha("1.0.0", "2.0.0");
    Deno.writeTextFileSync(it.path("alpha.json"), broken);
    for (const command of ["--status", "--repair", "--rollback"]) {
      const { code, stderr } = await it.run("alpha", command);
      assertEquals(code, 0, stderr);
      assertStringIncludes(stderr, "alpha.json");
    }
    assertEquals((await it.run("alpha")).code, 2);
    const { code, stderr } = await it.run("alpha", "--uninstall", "--yes");
    assertEquals([code, it.names()], [0, []], stderr);
  }
});

test("a first installation makes the folder, and its removal takes that away again", async () => {
  await using it = new SharedFolder();
  await it.publish("alpha", "1.0.0", [served("alpha", "1.0.0")]);
  const { manifest } = JSON.parse(it.read("alpha.json"));
  const made = `${it.root}/made`;
  const installed = await runAs(["--install-dir", made, "--manifest", manifest]);
  assertEquals(installed.code, 0, installed.stderr);
  assertEquals(Deno.readTextFileSync(`${made}/alpha`), tool("alpha 1.0.0"));
  assertEquals((await runAs(["--install-dir", made, "--uninstall", "--yes"])).code, 0);
  assertEquals(exists(made), false);
});

test("a usage error leaves no state dir behind", async () => {
  await using it = new SharedFolder();
  it.write("alpha", tool("alpha 1.0.0"));
  assertEquals((await it.run("alpha")).code, 2);
  assertEquals(it.names(), ["alpha"]);
});

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

test("a text is no program: --from refuses it, and no shell runs it", async () => {
  await using it = await withAlpha("1.0.0");
  const mark = `${it.root}/executed`;
  const page = it.write("page.html", `touch "${mark}"\n`, 0o644);
  const { code, stderr } = await it.run("alpha", "--from", page, "--target", "alpha");
  assertEquals([code, it.read("alpha"), exists(mark)], [4, tool("alpha 1.0.0"), false], stderr);
  assertStringIncludes(stderr, "neither an executable nor a script with #!");
});

test("a release whose executable is a text, or one for another processor, is not started", async () => {
  await using it = await withAlpha("1.0.0");
  const mark = `${it.root}/executed`;
  const other = new Uint8Array(64);
  other.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  new DataView(other.buffer).setUint16(18, 8, true); // MIPS
  const text = new TextEncoder().encode(`touch "${mark}"\n`);
  for (const [content, why] of [[text, "neither an executable"], [other, "processor"]] as const) {
    await it.publish("alpha", "2.0.0", [{ target: "alpha", content }]);
    const { code, stderr } = await it.run("alpha");
    assertEquals([code, it.read("alpha"), exists(mark)], [8, tool("alpha 1.0.0"), false], stderr);
    assertStringIncludes(stderr, why);
  }
});

test("another tool's release under one id is refused: two tools would become one", async () => {
  await using it = await withAlpha("1.0.0");
  await it.publish("beta", "3.0.0", [served("beta", "3.0.0")]);
  const { manifest } = JSON.parse(it.read("beta.json"));
  Deno.writeTextFileSync(it.path("alpha.json"), JSON.stringify({ manifest }));
  const { code, stderr } = await it.run("alpha");
  assertEquals([code, exists(it.path("beta"))], [4, false], stderr);
  assertStringIncludes(stderr, 'is of "beta", not of "alpha"');
});

test("after a first installation the next update finds its release, and trusts the same keys", async () => {
  await using it = new SharedFolder();
  await it.publish("alpha", "1.0.0", [served("alpha", "1.0.0")]);
  const { manifest } = JSON.parse(it.read("alpha.json"));
  Deno.removeSync(it.path("alpha.json"));
  assertEquals((await it.run("alpha", "--manifest", manifest)).code, 0);
  assertEquals(JSON.parse(it.read("alpha.json")), {
    name: "alpha",
    manifest: [manifest],
    publicKeys: [],
  });
  assertStringIncludes((await it.run("alpha")).stderr, "1.0.0 is installed: up to date");
});

test("an executable that lost its right to be executed gets it back by --repair", async () => {
  await using it = await withAlpha("1.0.0");
  Deno.chmodSync(it.path("alphax"), 0o644);
  const { code, stderr } = await it.run("alpha", "--repair");
  assertEquals([code, Deno.statSync(it.path("alphax")).mode! & 0o100], [0, 0o100], stderr);
  assertStringIncludes((await it.run("alpha", "--repair")).stderr, "Nothing to repair");
});

test("what an update took over by force is somebody else's again after a rollback", async () => {
  await using it = await withAlpha("1.0.0");
  it.write("alphay", tool("somebody's own"));
  await it.publish("alpha", "2.0.0", [served("alpha", "2.0.0"), served("alphay", "2.0.0")]);
  assertEquals((await it.run("alpha")).code, 7);
  assertEquals((await it.run("alpha", "--force")).code, 0);
  assertEquals((await it.run("alpha", "--rollback")).code, 0);
  assertEquals(it.read("alphay"), tool("somebody's own"));
  assertEquals((await it.run("alpha", "--uninstall", "--yes")).code, 0);
  assertEquals(it.read("alphay"), tool("somebody's own"));
});

test("--from takes over nothing of another tool's, nor of the user's, without --force", async () => {
  await using it = await withAlpha("1.0.0");
  await it.publish("beta", "1.0.0", [served("beta", "1.0.0")]);
  assertEquals((await it.run("beta")).code, 0);
  it.write("mine", tool("the user's own"));
  const fresh = it.write("fresh", tool("fresh 3.0.0"));
  for (const name of ["beta", "mine"]) {
    const before = it.read(name);
    const { code, stderr } = await it.run("alpha", "--from", fresh, "--target", name);
    assertEquals([code, it.read(name)], [7, before], stderr);
  }
});

test("garbage beside the main executable is no up-to-date set: it may be somebody's, and --force mends it", async () => {
  await using it = await withAlpha("1.0.0");
  it.write("alphax", "garbage\n");
  const refused = await it.run("alpha");
  assertEquals([refused.code, it.read("alphax")], [7, "garbage\n"], refused.stderr);
  const { code, stderr } = await it.run("alpha", "--force");
  assertEquals([code, it.read("alphax")], [0, tool("alphax 1.0.0")], stderr);
});

test("a repair goes back over nothing that somebody put there", async () => {
  await using it = await withAlpha("1.0.0", "2.0.0");
  Deno.removeSync(it.path("alphax"));
  it.write("alpha", tool("alpha, mine"));
  const { code, stderr } = await it.run("alpha", "--repair");
  assertEquals([code, it.read("alpha")], [9, tool("alpha, mine")], stderr);
});

test("an executable that a newer release no longer has stays known, and goes with the tool", async () => {
  await using it = await withAlpha("1.0.0", "2.0.0");
  assertEquals(exists(it.path(...state("rollback", "alphax"))), true);
  for (const version of ["3.0.0", "4.0.0"]) {
    await it.publish("alpha", version, [served("alpha", version)]);
    assertEquals((await it.run("alpha")).code, 0);
  }
  assertEquals(it.read("alphax"), tool("alphax 2.0.0"));
  assertEquals(exists(it.path(...state("rollback", "alphax"))), false, "a stale rollback copy");
  const { code, stderr } = await it.run("alpha", "--uninstall", "--yes");
  assertEquals([code, it.names()], [0, []], stderr);
});

test("a packed executable whose section table lies beyond its end is complete", async () => {
  if (Deno.build.os !== "linux") return;
  await using it = new SharedFolder();
  const packed = tinyTool({ says: "alpha 2.0.0" });
  new DataView(packed.buffer).setBigUint64(40, 1_000_000n, true);
  new DataView(packed.buffer).setUint16(60, 10, true);
  Deno.writeFileSync(it.path("alpha"), packed, { mode: 0o755 });
  it.write("alpha.previous", tool("alpha 1.0.0"));
  await it.publish("alpha", "2.0.0", [{ target: "alpha", content: packed }]);
  assertEquals((await it.run("alpha", "--repair")).code, 0);
  assertEquals(Deno.readFileSync(it.path("alpha")), packed);
  const { code, stderr } = await it.run("alpha", "--force");
  assertEquals([code, Deno.readFileSync(it.path("alpha"))], [0, packed], stderr);
  assertEquals((await it.run("alpha", "--repair")).code, 0);
  assertEquals(Deno.readFileSync(it.path("alpha")), packed);
  assertMatch((await it.run("alpha", "--status")).stdout, /alpha(?! \()/);
});

test("--uninstall takes the tool's own shim along, whatever its name, and leaves a shared folder", async () => {
  await using it = new SharedFolder();
  await it.publish("alpha-updater", "1.0.0", [served("alpha", "1.0.0")]);
  const shim = it.path("alpha-updater");
  Deno.linkSync(await compiledShim(), shim);
  assertEquals((await runAs([], shim)).code, 0);
  const { code, stderr } = await runAs(["--uninstall", "--yes"], shim);
  assertEquals([code, it.names()], [0, []], stderr);
});

test("an orphan behind a link that leads nowhere is found and told without any receipt", async () => {
  await using it = new SharedFolder();
  Deno.mkdirSync(`${it.root}/lib`);
  Deno.writeTextFileSync(`${it.root}/lib/alpha.previous`, tool("alpha 1.0.0"), { mode: 0o755 });
  Deno.symlinkSync("../lib/alpha", it.path("alpha"));
  const { code, stderr } = await it.run("alpha", "--repair");
  assertEquals(
    [code, Deno.readTextFileSync(`${it.root}/lib/alpha`)],
    [0, tool("alpha 1.0.0")],
    stderr,
  );
  assertEquals(stderr.includes("Nothing to repair"), false, stderr);
});

test("what a failed health check printed is one line that people can read", async () => {
  await using it = await withAlpha("1.0.0");
  const content = new TextEncoder().encode("#!/bin/sh\nprintf 'one\\ntwo\\n' >&2\nexit 3\n");
  await it.publish("alpha", "2.0.0", [{ target: "alpha", content }]);
  const { code, stderr } = await it.run("alpha");
  assertEquals(code, 8, stderr);
  assertStringIncludes(stderr, "one / two");
  assertEquals(stderr.includes("\\u{a}"), false, stderr);
});

test("a service is started again also where its configuration is broken, when it has ended", async () => {
  await using it = await withAlpha("1.0.0");
  const mark = `${it.root}/started`;
  it.write("alpha", `#!/bin/sh\n[ "$1" = serve ] && echo "$0" >"${mark}"\necho alpha 1.0.0\n`);
  Deno.writeTextFileSync(it.path("alpha.json"), "{");
  const service = new Deno.Command("sleep", { args: ["60"] }).spawn();
  const updating = it.run(
    "alpha",
    ...["--parent-pid", String(service.pid), "--relaunch", "--", "serve"],
  );
  await new Promise((done) => setTimeout(done, 500));
  assertEquals(exists(mark), false, "it was started beside the one that still runs");
  service.kill();
  await service.status;
  const { code, stderr } = await updating;
  assertEquals(code, 2, stderr);
  for (let i = 0; i < 200 && !exists(mark); i++) await new Promise((done) => setTimeout(done, 20));
  assertEquals(exists(mark), true, stderr);
});

test("--rollback brings back what the last --from replaced, and not what one before it did", async () => {
  await using it = await withAlpha("1.0.0");
  for (const version of ["2.0.0", "3.0.0"]) {
    const local = it.write("local", tool(`alphax ${version}`));
    assertEquals((await it.run("alpha", "--from", local, "--target", "alphax")).code, 0);
  }
  const { code, stderr } = await it.run("alpha", "--rollback");
  assertEquals([code, it.read("alphax")], [0, tool("alphax 2.0.0")], stderr);
});

test("--repair says what it leaves, also where there is no state dir", async () => {
  await using it = new SharedFolder();
  it.write("alpha", tool("alpha 2.0.0"));
  it.write("alpha.previous", tool("alpha 1.0.0"));
  const { code, stderr } = await it.run("alpha", "--repair");
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, it.path("alpha.previous"));
  assertStringIncludes(stderr, `"${it.path("alpha")}" is complete`);
  assertEquals(it.names(), ["alpha", "alpha.previous"]);
});

test("--rollback names what only the newer version had, and leaves it", async () => {
  await using it = new SharedFolder();
  await it.publish("alpha", "1.0.0", [served("alpha", "1.0.0")]);
  assertEquals((await it.run("alpha")).code, 0);
  await it.publish("alpha", "2.0.0", ["alpha", "alphax"].map((name) => served(name, "2.0.0")));
  assertEquals((await it.run("alpha")).code, 0);
  const { code, stderr } = await it.run("alpha", "--rollback");
  assertEquals([code, it.read("alpha")], [0, tool("alpha 1.0.0")], stderr);
  assertStringIncludes(stderr, `"${it.path("alphax")}" stays as it is`);
  assertEquals((await it.run("alpha", "--uninstall", "--yes")).code, 0);
  assertEquals(it.names().includes("alphax"), false);
});

test("--rollback of what replaced the user's own file says nothing of a newer version's", async () => {
  await using it = await withAlpha("1.0.0");
  it.write("own", SCRIPT);
  const fresh = it.write("fresh", tool("own 1.0.0"));
  assertEquals((await it.run("alpha", "--from", fresh, "--target", "own", "--force")).code, 0);
  const { code, stderr } = await it.run("alpha", "--rollback");
  assertEquals([code, it.read("own")], [0, SCRIPT], stderr);
  assertEquals(stderr.includes("stays as it is"), false, stderr);
});

test("--from does not replace the updater by a tool, unless that is forced", async () => {
  await using it = await withAlpha("1.0.0");
  const shim = it.path("alpha-updater");
  Deno.copyFileSync(await compiledShim(), shim);
  Deno.renameSync(it.path("alpha.json"), it.path("alpha-updater.json"));
  const fresh = it.write("fresh", tool("alpha 2.0.0"));
  const args = ["--from", fresh, "--target", "alpha-updater"];
  const refused = await runAs(args, shim);
  assertEquals(refused.code, 2, refused.stderr);
  assertStringIncludes(refused.stderr, "is the updater itself");
  assertEquals((await runAs(["--version"], shim)).code, 0);
  assertEquals((await runAs([...args, "--force"], shim)).code, 0);
});

test("--repair gives back the right to run what was installed, to all who may read it, and to nothing else", async () => {
  await using it = await withAlpha("1.0.0");
  Deno.chmodSync(it.path("alphax"), 0o644);
  Deno.removeSync(it.path("alpha"));
  const diary = `${it.root}/diary`;
  Deno.writeTextFileSync(diary, "secret\n", { mode: 0o600 });
  Deno.linkSync(diary, it.path("alpha"));
  await it.run("alpha", "--repair");
  const modes = [it.path("alphax"), diary].map((path) => Deno.statSync(path).mode! & 0o777);
  assertEquals([...modes, Deno.readTextFileSync(diary)], [0o755, 0o600, "secret\n"]);
});
