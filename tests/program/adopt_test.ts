/** The helper module in real main tools: one that Deno runs, and one that Node runs. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { toText } from "@std/streams/to-text";
import { fromFileUrl, join } from "@std/path";
import { bundleTo } from "../../.ci/compile.ts";
import { compiledShim, serve } from "../support/shim.ts";
import { tool } from "../support/world.ts";

/** Windows has tests of its own, in tests/windows. */
const ignore = Deno.build.os === "windows";
const RUNTIMES = { deno: ["run", "-A", "--no-config"], node: [] } as const;
type Runtime = keyof typeof RUNTIMES;

/** What the tool's `self update` does; it ends when its input does. */
const TOOL = `
import process from "node:process";
import { mkdirSync, rmdirSync } from "node:fs";
import { repair, selfUpdate, shimBeside, startUpdate } from "./adopt.js";
const [what, options] = process.argv.slice(2);
const given = { shim: shimBeside(import.meta.filename), ...JSON.parse(options ?? "{}") };
if (what === "beside") console.log(shimBeside());
else if (what === "self" || what === "nowhere") {
  if (what === "nowhere") {
    mkdirSync("gone");
    process.chdir("gone");
    rmdirSync("../gone");
  }
  process.exit(await selfUpdate(given));
} else {
  try {
    console.log(what === "repair" ? await repair(given) : await startUpdate(given));
  } catch (error) {
    console.log(error.message);
  }
}
if (what === "update") for await (const _ of process.stdin);
`;

/** An install dir with the shim in it, and a tool of two files. It ends with its scope. */
class Installation implements AsyncDisposable {
  readonly folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-adopt-" }));

  static async make(): Promise<Installation> {
    const made = new Installation();
    await Deno.copyFile(await compiledShim(), made.path("updater-shim"));
    await bundleTo(
      fromFileUrl(new URL("../../src/adopt.ts", import.meta.url)),
      made.path("adopt.js"),
    );
    Deno.writeTextFileSync(made.path("package.json"), '{"type": "module"}');
    Deno.writeTextFileSync(made.path("main.js"), TOOL);
    made.write("tool", tool("1.0.0"));
    made.write("new", tool("2.0.0"));
    return made;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string): void {
    Deno.writeTextFileSync(this.path(name), text, { mode: 0o755 });
  }

  read(name: string): string {
    return Deno.readTextFileSync(this.path(name));
  }

  has(name: string): boolean {
    return [...Deno.readDirSync(this.folder)].some((entry) => entry.name === name);
  }

  /** The main tool's process. */
  start(runtime: Runtime, what: string, options: Record<string, unknown> = {}) {
    const program = runtime === "deno" ? Deno.execPath() : runtime;
    const args = [...RUNTIMES[runtime], "main.js", what, JSON.stringify(options)];
    const io = { stdin: "piped", stdout: "piped", stderr: "inherit" } as const;
    return new Deno.Command(program, { args, cwd: this.folder, ...io }).spawn();
  }

  /** What it prints, to its end. */
  async output(runtime: Runtime, what: string, options?: Record<string, unknown>) {
    const child = this.start(runtime, what, options);
    await child.stdin.close();
    return (await toText(child.stdout)).trim();
  }

  /** The shim's outcome, once there is one. */
  async outcome(): Promise<Record<string, unknown>> {
    const file = this.path(".updater-shim/updater-shim/last-run.json");
    for (const end = Date.now() + 20_000; Date.now() < end;) {
      try {
        return JSON.parse(Deno.readTextFileSync(file));
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
    throw new Error(`no outcome in ${file}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function sessionOf(pid: string): Promise<string> {
  if (Deno.build.os === "linux") { // where `ps` need not be there
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(")")).split(" ")[4]!;
  }
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "sid=", "-p", pid] }).output();
  return new TextDecoder().decode(stdout).trim();
}

const FROM = ["--from", "new", "--target", "tool"];

for (const runtime of Object.keys(RUNTIMES) as Runtime[]) {
  Deno.test({
    name: `${runtime}: startUpdate starts a shim of a session of its own that waits for the tool`,
    ignore,
    async fn() {
      await using it = await Installation.make();
      const parent = it.start(runtime, "update", { args: FROM });
      const output = parent.stdout.pipeThrough(new TextDecoderStream()).getReader();
      const pid = (await output.read()).value!.trim();
      assertMatch(pid, /^\d+$/);
      // So neither Ctrl-C nor the closing of the terminal reaches it.
      assertEquals(await sessionOf(pid), pid);
      assertEquals(it.read("tool"), tool("1.0.0"));
      await parent.stdin.close();
      assertEquals((await parent.status).code, 0);
      await output.cancel();
      assertEquals((await it.outcome()).code, 0);
      assertEquals(it.read("tool"), tool("2.0.0"));
    },
  });

  Deno.test({
    name: `${runtime}: the update is made, too, when the tool is killed`,
    ignore,
    async fn() {
      await using it = await Installation.make();
      const parent = it.start(runtime, "update", { args: FROM });
      const output = parent.stdout.getReader();
      await output.read();
      parent.kill("SIGKILL");
      await parent.status;
      await output.cancel();
      await parent.stdin.close().catch(() => {}); // the pipe may be broken
      assertEquals((await it.outcome()).code, 0);
      assertEquals(it.read("tool"), tool("2.0.0"));
    },
  });

  Deno.test({
    name: `${runtime}: with "relaunch" the new version is started with the arguments`,
    ignore,
    async fn() {
      await using it = await Installation.make();
      it.write(
        "new",
        `#!/bin/sh\n[ "$1" = --version ] || { printf '%s,' "$@" > "$0.tmp" && mv "$0.tmp" "$0.started"; }\n`,
      );
      const pid = await it.output(runtime, "start", { args: FROM, relaunch: ["a b", "--json"] });
      assertMatch(pid, /^\d+$/);
      assertEquals((await it.outcome()).code, 0);
      for (const end = Date.now() + 20_000; !it.has("tool.started") && Date.now() < end;) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assertStringIncludes(it.read("tool.started"), "a b,--json");
    },
  });

  Deno.test({
    name: `${runtime}: selfUpdate has made the update when it ends, with the code of the shim`,
    ignore,
    async fn() {
      await using it = await Installation.make();
      const parent = it.start(runtime, "self", { args: FROM });
      const output = toText(parent.stdout);
      assertEquals((await parent.status).code, 0, await output);
      assertEquals(it.read("tool"), tool("2.0.0"));
      const refused = it.start(runtime, "self", { args: ["--no-such-option"] });
      assertEquals((await refused.status).code, 2);
      for (const { stdin, stdout } of [parent, refused]) {
        await stdin.close().catch(() => {}); // it has ended
        if (!stdout.locked) await stdout.cancel();
      }
    },
  });

  Deno.test({
    name: `${runtime}: selfUpdate works in a folder that was removed`,
    ignore,
    async fn() {
      await using it = await Installation.make();
      const args = ["--from", it.path("new"), "--target", "tool"];
      await it.output(runtime, "nowhere", { args });
      assertEquals((await it.outcome()).code, 0);
      assertEquals(it.read("tool"), tool("2.0.0"));
    },
  });

  Deno.test({
    name: `${runtime}: a signal that only the tool gets is passed on, and the tool waits`,
    ignore,
    async fn() {
      await using it = await Installation.make();
      const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
      const { promise: ended, resolve: end } = Promise.withResolvers<Response>();
      const server = serve({ "/release.json": () => (ask(), ended) });
      const parent = it.start(runtime, "self", {
        args: ["--manifest", `${server.url}/release.json`],
      });
      await asked;
      parent.kill("SIGTERM");
      assertEquals((await parent.status).code, 143);
      assertEquals((await it.outcome()).code, 143, "the shim has ended, too");
      end(new Response());
      await server[Symbol.asyncDispose]();
      await parent.stdin.close().catch(() => {});
      await parent.stdout.cancel();
    },
  });

  Deno.test({
    name: `${runtime}: repair puts a tool back that is gone, and says how it went`,
    ignore,
    async fn() {
      await using it = await Installation.make();
      Deno.renameSync(it.path("tool"), it.path("tool.previous"));
      assertEquals(await it.output(runtime, "repair"), "0");
      assertEquals(it.read("tool"), tool("1.0.0"));
      assertEquals(it.has("tool.previous"), false);
      assertEquals(await it.output(runtime, "repair", { args: ["--no-such-option"] }), "2");
    },
  });

  Deno.test({
    name: `${runtime}: where the shim cannot be started, that is said with its path`,
    ignore,
    async fn() {
      await using it = await Installation.make();
      Deno.removeSync(it.path("updater-shim"));
      for (const what of ["start", "repair"]) {
        const said = await it.output(runtime, what);
        assertStringIncludes(said, `Cannot start "${it.path("updater-shim")}": `);
        assertStringIncludes(said, "Is it beside the tool?");
      }
      assertEquals(it.has(".updater-shim"), false);
    },
  });

  Deno.test({
    name: `${runtime}: the shim is looked for beside the program that runs`,
    ignore,
    async fn() {
      await using it = await Installation.make();
      // What a compiled tool is to itself, the runtime is to this script.
      const beside = await it.output(runtime, "beside");
      const [name, option] = runtime === "deno" ? [Deno.execPath(), "eval"] : [runtime, "--print"];
      const program = `${option === "eval" ? "console.log" : ""}(process.execPath)`;
      const { stdout } = await new Deno.Command(name, { args: [option, program] }).output();
      const path = new TextDecoder().decode(stdout).trim();
      assertEquals(beside, path.replace(/[^/]*$/, "updater-shim"));
    },
  });
}

Deno.test({
  name: "deno: a permission that the tool lacks is named",
  ignore,
  async fn() {
    await using it = await Installation.make();
    const args = ["run", "--no-config", "--no-prompt", "--allow-env", "main.js", "start"];
    const command = new Deno.Command(Deno.execPath(), { args, cwd: it.folder });
    const said = new TextDecoder().decode((await command.output()).stdout);
    assertStringIncludes(said, `Cannot start "${it.path("updater-shim")}": Requires run access`);
    assertEquals(it.has(".updater-shim"), false);
  },
});
