/** What people read, by the compiled shim: the tool's name, its homepage, what is new, the manual. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { closedPort } from "../support/network.ts";
import { compiledShim, releaseRoutes, runShim, serve, type Served } from "../support/shim.ts";
import { eventsOf, ToolFolder } from "../support/tool_folder.ts";
import { tool } from "../support/world.ts";

/** The tool is a shell script. */
const ignore = Deno.build.os === "windows";
const file = (version: string): Served => ({
  target: "tool",
  content: new TextEncoder().encode(tool(version)),
});

Deno.test({
  name: "Failures name the tool once it is known: by the configuration, the manifest, the receipt",
  ignore,
  async fn() {
    const down = `http://127.0.0.1:${closedPort()}/release.json`;
    await using it = new ToolFolder();
    it.configure({ manifest: down });
    assertMatch((await it.run()).stderr, /^updater-shim: Cannot fetch/m);
    it.configure({ name: "mytool", manifest: down });
    assertMatch((await it.run()).stderr, /^mytool could not be updated: Cannot fetch/m);
    assertMatch((await it.run("--check")).stderr, /^mytool could not be checked for an update: C/m);
    assertMatch((await it.run("--rollback")).stderr, /^mytool could not be rolled back: There is/m);
    await using server = serve(releaseRoutes([file("2.0.0")]));
    it.configure({ manifest: `${server.url}/release.json` });
    assertEquals((await it.run()).code, 0);
    it.configure({ manifest: down });
    assertMatch((await it.run()).stderr, /^tool could not be updated: Cannot fetch/m);
    await using sick = serve(
      releaseRoutes([{ target: "tool", content: new TextEncoder().encode("#!/bin/sh\nexit 3\n") }]),
    );
    await using other = new ToolFolder();
    other.configure({ manifest: `${sick.url}/release.json` });
    assertMatch((await other.run()).stderr, /^tool could not be updated: /m);
  },
});

Deno.test({
  name: "Where people are sent to the authors, the homepage of the manifest says where they are",
  ignore,
  async fn() {
    const homepage = "https://example.com/mytool";
    const platforms = { "riscv64gc-unknown-linux-gnu": { files: [{ ...entry() }] } };
    await using server = serve(releaseRoutes([file("2.0.0")], { homepage, platforms }));
    await using it = new ToolFolder();
    it.configure({ manifest: `${server.url}/release.json` });
    const run = await it.run("--json");
    assertEquals(run.code, 2);
    assertStringIncludes(run.stderr, `Ask the tool's authors (${homepage}) for yours.`);
    assertStringIncludes(String(eventsOf(run).at(-1)!.hint), homepage);
  },
});

function entry() {
  return { target: "tool", url: "tool", size: 1, sha256: "0".repeat(64) };
}

Deno.test({
  name: "What is new is said once, after the update",
  ignore,
  async fn() {
    const notes = "Twice as fast: https://example.com/2.0";
    await using server = serve(releaseRoutes([file("2.0.0")], { notes }));
    await using it = new ToolFolder();
    it.configure({ manifest: `${server.url}/release.json` });
    const { stderr } = await it.run("--no-progress");
    const lines = stderr.split("\n").filter((line) => /^(Found|Updated| {2}What)/.test(line));
    assertEquals(lines, [
      "Found tool 2.0.0 (no public key is configured: not signed)",
      "Updated 1.0.0 -> 2.0.0",
      `  What is new: ${notes}`,
    ]);
  },
});

Deno.test("A shim of another name says its own name, in advice, completions and the manual", async () => {
  const folder = await Deno.makeTempDir({ prefix: "updater-shim-named-" });
  try {
    const suffix = Deno.build.os === "windows" ? ".exe" : "";
    const path = join(folder, `uv-updater${suffix}`);
    await Deno.copyFile(await compiledShim(), path);
    const run = async (...args: string[]) => {
      const { stdout, stderr } = await new Deno.Command(path, { args }).output();
      return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    };
    const mistake = await run("--chekc");
    assertEquals(
      mistake,
      'uv-updater: Unknown option "--chekc"; did you mean "--check"?\n' +
        "  For all options: uv-updater --help\n",
    );
    assertMatch(await run("--completions", "bash"), /complete -F _uv_updater uv-updater\n$/);
    assertMatch(await run("--man"), /^\.TH UV-UPDATER 1 /);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("--version --json is JSON; --man and --version touch nothing", async () => {
  await using it = new ToolFolder(null);
  const before = it.snapshot();
  const version = await runShim(it.folder, "--version", "--json");
  const { event, version: number, ...rest } = JSON.parse(version.stdout);
  assertEquals([event, rest], ["version", {}]);
  assertMatch((await it.run("--version")).stdout, new RegExp(`^updater-shim ${number}\n$`));
  const man = await new Deno.Command(await compiledShim(), { args: ["--man"] }).output();
  assert(man.success);
  assertEquals(it.snapshot(), before);
});

Deno.test({
  name: "--uninstall --dry-run names what would go, and touches nothing; a script is not asked",
  ignore,
  async fn() {
    await using server = serve(releaseRoutes([file("2.0.0")]));
    await using it = new ToolFolder();
    it.configure({ manifest: `${server.url}/release.json` });
    assertMatch((await it.run("--uninstall", "--dry-run")).stderr, /Would remove nothing/);
    assertEquals((await it.run()).code, 0);
    const before = it.snapshot();
    const plan = await it.run("--uninstall", "--dry-run", "--json");
    assertEquals(plan.code, 0, plan.stderr);
    const files = [it.path("tool"), it.path("updater-shim.json"), it.state()];
    assertEquals(eventsOf(plan), [{ event: "would-uninstall", files }]);
    assertEquals(it.snapshot(), before);
    const done = await it.run("--uninstall");
    assertEquals(done.code, 0, done.stderr);
    // The folder itself goes, because nothing else was in it.
    Deno.mkdirSync(it.folder, { recursive: true });
    assertEquals(it.snapshot(), []);
  },
});
