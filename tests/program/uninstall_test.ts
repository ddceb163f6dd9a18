/** `--uninstall` on Unix: by the compiled shim on a real install dir, and killed at every step. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, join } from "@std/path";
import { denoSystem } from "../../src/system/deno_system.ts";
import { run } from "../../src/run.ts";
import type { System } from "../../src/system/system.ts";
import { FaultAt, FaultyFileSystem } from "../support/faulty_file_system.ts";
import { compiledShim } from "../support/shim.ts";
import { tool } from "../support/world.ts";

/** Windows has tests of its own, in tests/windows. */
const ignore = Deno.build.os === "windows";
const SHIM = "updater-shim";

/** A folder with two folders in it, the install dir and TMPDIR. It ends with its scope. */
class Place implements AsyncDisposable {
  readonly parent = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-un-" }));
  readonly folder = join(this.parent, "tool");
  readonly temporary = join(this.parent, "tmp");

  constructor() {
    Deno.mkdirSync(this.folder);
    Deno.mkdirSync(this.temporary);
    this.write("tool/updater-shim.json", '{"name": "tool"}');
  }

  path(name: string): string {
    return join(this.parent, name);
  }

  write(name: string, text: string): string {
    Deno.writeTextFileSync(this.path(name), text, { mode: 0o755 });
    return this.path(name);
  }

  /** Below the parent, without TMPDIR, which is asserted to be empty. */
  names(): string[] {
    assertEquals(list(this.temporary), []);
    return list(this.parent).filter((name) => name !== "tmp");
  }

  /** Runs a shim to its end. */
  async shim(path: string, ...args: string[]): Promise<{ code: number; stderr: string }> {
    const env = { TMPDIR: this.temporary };
    const { code, stderr } = await new Deno.Command(path, { args, env, stdin: "null" }).output();
    return { code, stderr: new TextDecoder().decode(stderr) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.parent, { recursive: true });
  }
}

/** Everything below a folder, relative and sorted. */
function list(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? [name, ...list(join(folder, name)).map((below) => join(name, below))] : [name]
  ).sort();
}

/** Two executables, installed by a shim of the folder's own; and its path. */
async function installed(place: Place): Promise<string> {
  const shim = place.path(`tool/${SHIM}`);
  await Deno.copyFile(await compiledShim(), shim);
  for (const name of ["tool", "toolx"]) {
    place.write("new", tool("1.0.0"));
    const { code, stderr } = await place.shim(
      ...[shim, "--from", place.path("new"), "--target", name] as const,
      "--force", // one of them is there before
    );
    assertEquals(code, 0, stderr);
    Deno.removeSync(place.path("new"));
  }
  return shim;
}

Deno.test({
  name:
    "--uninstall removes tool, state dir, configuration and its own executable; the folder was there before",
  ignore,
  async fn() {
    await using place = new Place();
    const shim = await installed(place);
    assert(list(place.folder).includes(".updater-shim"));
    const { code, stderr } = await place.shim(shim, "--uninstall");
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, shim);
    assertEquals(place.names(), ["tool"]);
  },
});

Deno.test({
  name: "The same through links: to the shim, and from the folder to an executable elsewhere",
  ignore,
  async fn() {
    await using place = new Place();
    Deno.mkdirSync(place.path("elsewhere"));
    place.write("elsewhere/real", tool("0.9.0"));
    Deno.symlinkSync("../elsewhere/real", place.path("tool/toolx"));
    Deno.symlinkSync(`tool/${SHIM}`, place.path("link"));
    await installed(place);
    assertEquals(Deno.readTextFileSync(place.path("elsewhere/real")), tool("1.0.0"));
    const { code, stderr } = await place.shim(place.path("link"), "--uninstall");
    assertEquals(code, 0, stderr);
    // What --force has replaced there is nowhere else.
    const [kept, ...rest] = place.names().toReversed();
    assertEquals(Deno.readTextFileSync(place.path(kept!)), tool("0.9.0"));
    const broken = ["tool/.updater-shim/broken", "tool/.updater-shim"];
    assertEquals(rest, [...broken, "tool", "link", "elsewhere"]);
  },
});

Deno.test({
  name: "--uninstall touches no file that is not the tool's, and then the folder stays",
  ignore,
  async fn() {
    await using place = new Place();
    const shim = await installed(place);
    place.write("tool/other-program", "not ours");
    const odd = `tool/.${SHIM}.${"0".repeat(16)}.staged`;
    place.write(odd, "not ours");
    place.write("tool/tool.cfg", "not ours");
    assertEquals((await place.shim(shim, "--uninstall")).code, 0);
    assertEquals(place.names(), ["tool", odd, "tool/other-program", "tool/tool.cfg"]);
  },
});

Deno.test({
  name: "A shim that lies elsewhere stays, for the other tools that it serves",
  ignore,
  async fn() {
    await using place = new Place();
    const shim = await installed(place);
    Deno.mkdirSync(place.path("bin"));
    const other = place.path(`bin/${SHIM}`);
    Deno.renameSync(shim, other);
    const { code } = await place.shim(other, "--uninstall", "--install-dir", place.folder);
    assertEquals(code, 0);
    assertEquals(place.names(), ["bin", `bin/${SHIM}`, "tool"]);
  },
});

Deno.test({
  name: "Where no update ever was, --uninstall removes nothing and leaves nothing behind",
  ignore,
  async fn() {
    await using place = new Place();
    place.write("tool/tool", tool("1.0.0"));
    const before = place.names();
    const args = ["--uninstall", "--install-dir", place.folder];
    const { code, stderr } = await place.shim(await compiledShim(), ...args);
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "Nothing was installed here");
    assertEquals(place.names(), before);
  },
});

Deno.test({
  name: "where the question would not be seen --uninstall removes nothing; --yes says that it may",
  ignore: Deno.build.os !== "linux", // script(1) has other options elsewhere.
  async fn() {
    await using place = new Place();
    const shim = await installed(place);
    const before = place.names();
    for (const [command, expected] of [["--uninstall", 2], ["--uninstall --yes", 0]] as const) {
      const { code } = await new Deno.Command("script", {
        args: ["-qec", `${shim} ${command} 2>${place.path("tmp/said")}`, "/dev/null"],
        stdin: "null",
        stdout: "null",
      }).output();
      const said = Deno.readTextFileSync(place.path("tmp/said"));
      Deno.removeSync(place.path("tmp/said"));
      assertEquals(code, expected, said);
      if (expected === 0) assertEquals(place.names(), ["tool"]);
      else {
        assertEquals(place.names(), before);
        assertStringIncludes(said, "With --yes nobody is asked");
      }
    }
  },
});

Deno.test({
  name: "--uninstall waits for the tool that asked for it",
  ignore,
  async fn() {
    await using place = new Place();
    const shim = await installed(place);
    const command = new Deno.Command("cat", { stdin: "piped", stdout: "null" });
    const parent = command.spawn();
    const uninstall = new Deno.Command(shim, {
      args: ["--uninstall", "--json", "--parent-pid", String(parent.pid)],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const output = uninstall.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const first = await output.read();
    assertStringIncludes(first.value ?? "", '"waiting"');
    assert(list(place.folder).includes("toolx"));
    await parent.stdin.close();
    await parent.status;
    while (!(await output.read()).done);
    assertEquals((await uninstall.status).code, 0);
    assertEquals(place.names(), ["tool"]);
  },
});

Deno.test({
  name: "Killed at any step, the next --uninstall carries on and leaves nothing",
  ignore,
  async fn() {
    let steps = 0;
    for await (const { place, shim, step } of killedUninstalls()) {
      await finish(place, shim, step);
      assertEquals(place.names(), ["tool"], `killed at step ${step}`);
      steps = step;
    }
    assert(steps > 8, "there are more steps than that");
  },
});

Deno.test({
  name: "Killed at any step, a --repair brings back nothing that was removed",
  ignore,
  async fn() {
    let repairs = 0;
    // Both have an old version to go back to.
    for await (const { place, shim, step } of killedUninstalls("2.0.0")) {
      const tools = () => list(place.folder).filter((name) => /^toolx?$/.test(name));
      if (!list(place.parent).includes("tool")) continue;
      const before = tools();
      await run(["--repair", "--quiet"], systemOf(shim));
      assertEquals(tools(), before, `killed at step ${step}`);
      repairs++;
    }
    assert(repairs > 8, "there are more steps than that");
  },
});

/** Installs, updates to what is given, and uninstalls, ended at each step; then once to its end. */
async function* killedUninstalls(...updates: string[]) {
  for (let step = 1;; step++) {
    await using place = new Place();
    const shim = place.write(`tool/${SHIM}`, "stands for the program that runs");
    for (const version of ["1.0.0", ...updates]) await installHere(place, shim, version);
    const kill = new FaultAt(step, "EIO", true); // nothing works from there on
    await run(["--uninstall", "--quiet"], systemOf(shim, kill));
    if (!kill.reached) return assertEquals(place.names(), ["tool"]);
    yield { place, shim, step };
  }
}

/** The next start; where the shim was gone already, that of one that was installed anew. */
async function finish(place: Place, shim: string, step: number): Promise<void> {
  if (!list(place.parent).includes("tool")) return;
  // Killed before its very last step: an empty folder is no start of anything.
  if (list(place.folder).length === 0) return;
  if (!list(place.folder).includes(SHIM)) place.write(`tool/${SHIM}`, "installed anew");
  const code = await run(["--uninstall", "--quiet"], systemOf(shim));
  assertEquals(code, 0, `killed at step ${step}`);
}

async function installHere(place: Place, shim: string, version: string): Promise<void> {
  for (const name of ["tool", "toolx"]) {
    const from = place.write("new", tool(version));
    const args = ["--quiet", "--from", from, "--target", name];
    assertEquals(await run(args, systemOf(shim)), 0);
    Deno.removeSync(from);
  }
}

/** This machine, as seen by a shim of that path. */
function systemOf(execPath: string, kill?: FaultAt): System {
  const { fs, terminal } = denoSystem;
  return {
    ...denoSystem,
    execPath,
    cwd: dirname(execPath),
    fs: kill ? new FaultyFileSystem(fs, kill.fault) : fs,
    terminal: { ...terminal, out() {}, err() {} },
    onStopSignal() {},
  };
}
