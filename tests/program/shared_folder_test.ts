/** One folder, many tools, and what people do to it: moved, copied, tidied by hand. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { compiledShim, serve, type Served } from "../support/shim.ts";
import { runAs, served, SharedFolder } from "../support/shared_folder.ts";
import { tool } from "../support/world.ts";

const ignore = Deno.build.os === "windows"; // The tools are shell scripts.
const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test({
  name: "Two tools in one folder: each has its own versions, and removing one leaves the other",
  ignore,
  async fn() {
    await using it = new SharedFolder();
    for (const [id, version] of [["alpha", "1.0.0"], ["beta", "9.0.0"]] as const) {
      await it.publish(id, version, [served(id, version)]);
      const { code, stderr } = await it.run(id);
      assertEquals(code, 0, stderr);
    }
    await it.publish("alpha", "2.0.0", [served("alpha", "2.0.0")]);
    const second = await it.run("alpha");
    assertEquals([second.code, it.read("alpha")], [0, tool("alpha 2.0.0")], second.stderr);
    const removed = await it.run("beta", "--uninstall");
    assertEquals(removed.code, 0, removed.stderr);
    assertEquals(it.names(), [".updater-shim", "alpha", "alpha.json"]);
    assertEquals((await it.run("alpha", "--rollback")).code, 0);
    assertEquals(it.read("alpha"), tool("alpha 1.0.0"));
  },
});

Deno.test({
  name: "A release does not take over another tool's executable, nor the user's own",
  ignore,
  async fn() {
    await using it = new SharedFolder();
    await it.publish("alpha", "1.0.0", [served("shared", "of alpha")]);
    assertEquals((await it.run("alpha")).code, 0);
    await it.publish("beta", "1.0.0", [served("shared", "of beta")]);
    const taken = await it.run("beta");
    assertEquals([taken.code, it.read("shared")], [7, tool("shared of alpha")], taken.stderr);
    assertStringIncludes(taken.stderr, 'belongs to another tool, that of the shim "alpha"');
    it.write("mine", tool("mine"));
    await it.publish("alpha", "2.0.0", [served("shared", "of alpha, 2"), served("mine", "new")]);
    const own = await it.run("alpha");
    assertEquals([own.code, it.read("mine")], [7, tool("mine")], own.stderr);
    const forced = await it.run("alpha", "--force");
    assertEquals([forced.code, it.read("mine")], [0, tool("mine new")], forced.stderr);
    assertEquals(it.read(".updater-shim", "alpha", "rollback", "mine"), tool("mine"));
  },
});

Deno.test({
  name:
    "A release brings no configuration, neither its own tool's nor another one's, and no other shim",
  ignore,
  async fn() {
    await using it = new SharedFolder();
    await it.publish("beta", "1.0.0", [served("beta", "1.0.0")]);
    it.write("gamma.json", '{"manifest": "https://example.com/release.json"}', 0o600);
    it.write("gamma", tool("gamma 1.0.0"));
    const json = (target: string): Served => ({ ...served(target, "{}"), entry: { run: false } });
    const outside = () =>
      it.names().filter((name) => !name.startsWith(".")).map((name) => [name, it.read(name)]);
    // There or not, installed before or not.
    for (const installed of [false, true]) {
      for (const target of ["alpha.json", "beta.json", "gamma.json", "gamma", "delta.json"]) {
        await it.publish("alpha", installed ? "2.0.0" : "1.0.0", [
          served("alpha", "1"),
          json(target),
        ]);
        const before = outside();
        const { code, stderr } = await it.run("alpha");
        if (target === "delta.json") {
          assertEquals(code, 0, stderr);
          continue;
        }
        assertEquals(code, target === "alpha.json" ? 4 : 7, stderr);
        assertStringIncludes(
          stderr,
          target === "alpha.json"
            ? "the configuration, which says whose releases are installed"
            : `belongs to another tool, that of the shim "${target.replace(".json", "")}"`,
        );
        assertEquals(outside(), before);
      }
      assertEquals((await it.run("beta")).code, 0);
    }
    const forced = await it.run("alpha", "--force");
    assertEquals(forced.code, 0, forced.stderr);
    await it.publish("alpha", "3.0.0", [served("alpha", "3"), json("alpha.json")]);
    assertEquals((await it.run("alpha", "--force")).code, 4);
    assertEquals((await it.run("alpha", "--check")).code, 4);
  },
});

Deno.test({
  name: "A shim that bears another name is another tool's, with its own configuration",
  ignore,
  async fn() {
    await using it = new SharedFolder();
    await it.publish("alpha-updater", "1.0.0", [served("alpha", "1.0.0")]);
    Deno.linkSync(await compiledShim(), it.path("alpha-updater"));
    const { code, stderr } = await runAs([], it.path("alpha-updater"));
    assertEquals([code, it.read("alpha")], [0, tool("alpha 1.0.0")], stderr);
    assertEquals([...Deno.readDirSync(it.path(".updater-shim"))].map(({ name }) => name).sort(), [
      "alpha-updater",
      "lock",
    ]);
    for (const name of ["lock.json", "trash.json", "holder.json.json", ".x.json", "alpha.conf"]) {
      const refused = await runAs(["--config", it.path(name), "--repair"]);
      assertEquals(refused.code, 2, name);
      assertMatch(refused.stderr, /cannot be the configuration of a tool/);
    }
  },
});

Deno.test({
  name: "A moved folder goes on, a copied one does not act on the original",
  ignore,
  async fn() {
    await using it = new SharedFolder();
    Deno.mkdirSync(join(it.root, "lib"));
    Deno.writeTextFileSync(join(it.root, "lib", "beta"), tool("beta 1.0.0"), { mode: 0o755 });
    Deno.symlinkSync(join(it.root, "lib", "beta"), it.path("beta"));
    await it.publish("alpha", "1.0.0", [served("alpha", "1.0.0"), served("beta", "1.0.0")]);
    assertEquals((await it.run("alpha")).code, 0);
    await it.publish("alpha", "2.0.0", [served("alpha", "2.0.0"), served("beta", "2.0.0")]);
    assertEquals((await it.run("alpha")).code, 0);
    const copy = join(it.root, "elsewhere", "copy"), moved = join(it.root, "moved");
    Deno.mkdirSync(join(it.root, "elsewhere"));
    await new Deno.Command("cp", { args: ["-a", it.folder, copy] }).output();
    const removed = await runAs(["--config", join(copy, "alpha.json"), "--uninstall"]);
    assertEquals(removed.code, 0, removed.stderr);
    assertEquals(it.read("alpha"), tool("alpha 2.0.0"));
    assertEquals(it.read("beta"), tool("beta 2.0.0"), "behind the link");
    Deno.renameSync(it.folder, moved);
    const at = (...args: string[]) => runAs(["--config", join(moved, "alpha.json"), ...args]);
    for (const args of [["--repair"], ["--status"], [], ["--rollback"]]) {
      const { code, stderr } = await at(...args);
      assertEquals(code, 0, `${args}: ${stderr}`);
    }
    assertEquals(Deno.readTextFileSync(join(moved, "alpha")), tool("alpha 1.0.0"));
    assertEquals((await at("--uninstall")).code, 0);
    const left = [...Deno.readDirSync(it.root)].filter(({ name }) => name === "moved")
      .flatMap(() => [...Deno.readDirSync(moved)]).map(({ name }) => name);
    assertEquals(left.filter((name) => ["alpha", "beta"].includes(name)), []);
  },
});

Deno.test({
  name: "A copy beside the original removes nothing behind its links, and names them",
  ignore,
  async fn() {
    await using it = new SharedFolder();
    Deno.mkdirSync(join(it.root, "real"));
    const real = join(it.root, "real", "alpha"), copy = join(it.root, "copy");
    Deno.writeTextFileSync(real, tool("alpha 1.0.0"), { mode: 0o755 });
    Deno.symlinkSync("../real/alpha", it.path("alpha"));
    await it.publish("alpha", "2.0.0", [served("alpha", "2.0.0")]);
    assertEquals((await it.run("alpha")).code, 0);
    await new Deno.Command("cp", { args: ["-a", it.folder, copy] }).output();
    const removed = await runAs(["--config", join(copy, "alpha.json"), "--uninstall"]);
    assertEquals(removed.code, 0, removed.stderr);
    assertStringIncludes(removed.stderr, `"${join(copy, "alpha")}" was left`);
    assertEquals(Deno.readTextFileSync(real), tool("alpha 2.0.0"));
    assertEquals((await it.run("alpha", "--uninstall")).code, 0);
    assertEquals([exists(real), exists(it.path("alpha"))], [false, false]);
  },
});

Deno.test({
  name:
    "A version that was rolled back is not offered again; a newer one, or --force, is installed",
  ignore,
  async fn() {
    await using it = new SharedFolder();
    for (const version of ["1.0.0", "2.0.0"]) {
      await it.publish("alpha", version, [served("alpha", version)]);
      assertEquals((await it.run("alpha")).code, 0);
    }
    assertEquals((await it.run("alpha", "--rollback")).code, 0);
    assertEquals((await it.run("alpha", "--check")).code, 0);
    assertEquals([(await it.run("alpha")).code, it.read("alpha")], [0, tool("alpha 1.0.0")]);
    assertEquals((await it.run("alpha", "--force")).code, 0);
    assertEquals(it.read("alpha"), tool("alpha 2.0.0"));
    assertEquals((await it.run("alpha", "--rollback")).code, 0);
    await it.publish("alpha", "3.0.0", [served("alpha", "3.0.0")]);
    assertEquals([(await it.run("alpha")).code, it.read("alpha")], [0, tool("alpha 3.0.0")]);
  },
});

Deno.test({
  name: "What is installed already is neither fetched nor replaced nor kept",
  ignore,
  async fn() {
    await using it = new SharedFolder();
    const same = served("library", "same");
    await it.publish("alpha", "1.0.0", [served("alpha", "1.0.0"), same]);
    assertEquals((await it.run("alpha")).code, 0);
    const requests = await it.publish("alpha", "2.0.0", [served("alpha", "2.0.0"), same]);
    const before = Deno.statSync(it.path("library"));
    assertEquals((await it.run("alpha")).code, 0);
    assertEquals(requests.filter((path) => path.includes("library")), []);
    assertEquals(Deno.statSync(it.path("library")).ino, before.ino);
    const kept = [...Deno.readDirSync(it.path(".updater-shim", "alpha", "rollback"))];
    assertEquals(kept.map(({ name }) => name), ["alpha"]);
    assertEquals((await it.run("alpha", "--rollback")).code, 0);
    assertEquals([it.read("alpha"), it.read("library")], [
      tool("alpha 1.0.0"),
      tool("library same"),
    ]);
  },
});

/** Tools that look at their own name, or for each other, when they are tried. */
const OF_ITS_NAME: Record<string, Served[]> = {
  "one that looks at its own name": [{
    target: "busytool",
    content: bytes('#!/bin/sh\n[ "$(basename "$0")" = busytool ] || exit 1\necho busytool 2.0.0\n'),
  }],
  "one that starts its sibling": [
    {
      target: "one",
      content: bytes('#!/bin/sh\n[ "$("$(dirname "$0")/two")" = "two 2.0.0" ] || exit 1\n'),
    },
    { target: "two", content: bytes("#!/bin/sh\necho two 2.0.0\n") },
  ],
};

for (const [what, files] of Object.entries(OF_ITS_NAME)) {
  Deno.test({
    name: `The staged set lies under its real names: ${what} passes its check`,
    ignore,
    async fn() {
      await using it = new SharedFolder();
      for (const { target } of files) it.write(target, `#!/bin/sh\necho ${target} 1.0.0\n`);
      await it.publish("alpha", "2.0.0", files);
      const { code, stderr } = await it.run("alpha");
      assertEquals(code, 0, stderr);
    },
  });
}

Deno.test({
  name: "The last run's outcome stays when the next start has nothing to repair",
  ignore,
  async fn() {
    await using it = new SharedFolder();
    it.write("alpha", tool("alpha 1.0.0"));
    const sick = { target: "alpha", content: bytes("#!/bin/sh\nexit 3\n") };
    await it.publish("alpha", "2.0.0", [sick]);
    assertEquals((await it.run("alpha")).code, 8);
    const last = it.read(".updater-shim", "alpha", "last-run.json");
    assertEquals((await it.run("alpha", "--repair")).code, 0);
    assertEquals(it.read(".updater-shim", "alpha", "last-run.json"), last);
  },
});

Deno.test({
  name: "A check that hangs is ended with all that it has started",
  ignore,
  async fn() {
    await using it = new SharedFolder();
    const mark = `31${Deno.pid % 10000}`;
    const content = bytes(`#!/bin/sh\nsleep ${mark} &\nsleep ${mark}\n`);
    await it.publish("alpha", "2.0.0", [{ target: "alpha", content }]);
    const config = JSON.parse(it.read("alpha.json"));
    it.write("alpha.json", JSON.stringify({ ...config, healthCheck: { timeoutMs: 500 } }), 0o600);
    const { code, stderr } = await it.run("alpha");
    assertEquals(code, 8, stderr);
    assertEquals(running(`sleep ${mark}`), []);
  },
});

Deno.test({
  name: "Foreign files that nobody can use are left and named, and stop nothing",
  ignore,
  async fn() {
    await using it = new SharedFolder();
    it.write("notes.previous", "", 0o644);
    it.write(".tool.0123456789abcdef.previous", tool("1"));
    await it.publish("alpha", "1.0.0", [served("alpha", "1.0.0")]);
    assertEquals((await it.run("alpha")).code, 0);
    const repair = await it.run("alpha", "--repair");
    assertEquals(repair.code, 0, repair.stderr);
    assertStringIncludes(repair.stderr, "notes.previous");
    assert(it.names().includes(".tool.0123456789abcdef.previous"));
    assert(it.names().includes("notes.previous"));
  },
});

Deno.test({
  name: "A target that is called like a half-written file keeps its rollback copy",
  ignore,
  async fn() {
    await using it = new SharedFolder();
    for (const version of ["1.0.0", "2.0.0"]) {
      await it.publish("alpha", version, [served("tool.new", version)]);
      assertEquals((await it.run("alpha")).code, 0);
    }
    assertEquals((await it.run("alpha", "--repair")).code, 0);
    assertEquals((await it.run("alpha", "--rollback")).code, 0);
    assertEquals(it.read("tool.new"), tool("tool.new 1.0.0"));
  },
});

Deno.test({
  name:
    "A broken configuration is a warning for what needs none, and nothing is made before an error",
  ignore,
  async fn() {
    await using it = new SharedFolder();
    it.write("alpha.json", "{", 0o600);
    for (const command of ["--repair", "--status"]) {
      const { code, stderr } = await it.run("alpha", command);
      assertEquals(code, 0, `${command}: ${stderr}`);
      assertMatch(stderr, /Warning: The configuration ".*alpha\.json" is not valid/);
    }
    it.write("alpha.json", "{}", 0o600);
    assertEquals((await it.run("alpha")).code, 2);
    assertEquals(it.names().includes(".updater-shim"), false);
  },
});

Deno.test({
  name: "Another tool's update is waited for, and that is said; this tool's own is not",
  ignore,
  async fn() {
    await using it = new SharedFolder();
    await it.publish("beta", "1.0.0", [served("beta", "1.0.0")]);
    const never = Promise.withResolvers<Response>();
    await using slow = serve({ "/release.json": () => never.promise });
    it.write("alpha.json", JSON.stringify({ manifest: `${slow.url}/release.json` }), 0o600);
    const alpha = new Deno.Command(await compiledShim(), {
      args: ["--config", it.path("alpha.json")],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    while (slow.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const own = await it.run("alpha");
    assertEquals(own.code, 6, own.stderr);
    assertStringIncludes(own.stderr, `process ${alpha.pid}, since`);
    const patient = await it.run("beta", "--wait-timeout", "0.5");
    assertEquals(patient.code, 6, patient.stderr);
    assertStringIncludes(patient.stderr, `update of "alpha" (process ${alpha.pid}) to end`);
    const beta = it.run("beta");
    await new Promise((resolve) => setTimeout(resolve, 300));
    alpha.kill("SIGKILL");
    assertEquals([(await beta).code, it.read("beta")], [0, tool("beta 1.0.0")]);
    await alpha.status;
    never.resolve(new Response());
  },
});

Deno.test({
  name: "The lock is not held while the tool's end is waited for",
  ignore,
  async fn() {
    await using it = new SharedFolder();
    await it.publish("alpha", "1.0.0", [served("alpha", "1.0.0")]);
    const parent = new Deno.Command("sleep", { args: ["60"] }).spawn();
    const waiting = it.run("alpha", "--parent-pid", String(parent.pid));
    const waits = it.path(".updater-shim", "alpha", "waits.json");
    for (let tries = 0; tries < 500; tries++) {
      if ([...it.names()].includes(".updater-shim") && exists(waits)) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assertEquals((await it.run("alpha", "--repair")).code, 0);
    parent.kill();
    await parent.status;
    const { code, stderr } = await waiting;
    assertEquals([code, it.read("alpha")], [0, tool("alpha 1.0.0")], stderr);
    assertEquals(exists(waits), false);
  },
});

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** The processes that live with exactly this command line; `ps` need not be there. */
function running(line: string): number[] {
  if (Deno.build.os !== "linux") {
    const { stdout } = new Deno.Command("ps", { args: ["-eo", "pid=,args="] }).outputSync();
    return new TextDecoder().decode(stdout).split("\n").filter((row) => row.endsWith(` ${line}`))
      .map((row) => parseInt(row));
  }
  return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter((pid) => {
    try {
      return Deno.readTextFileSync(`/proc/${pid}/cmdline`) === `${line.replaceAll(" ", "\0")}\0`;
    } catch {
      return false; // not a process, or it has ended
    }
  });
}

Deno.test({
  name:
    "A shim that was renamed takes over what its old name had noted of the tool, and of no other",
  ignore,
  async fn() {
    await using it = new SharedFolder();
    await it.publish("other", "1.0.0", [served("other", "1.0.0")]);
    assertEquals((await it.run("other")).code, 0);
    for (const version of ["1.0.0", "2.0.0"]) {
      await it.publish("old", version, [served("tool", version)]);
      assertEquals((await it.run("old")).code, 0);
    }
    await it.publish("old", "3.0.0", [served("tool", "3.0.0")]);
    Deno.renameSync(it.path("old.json"), it.path("renamed.json"));
    Deno.renameSync(it.path("other.json"), it.path("elsewhere"));
    assertEquals((await it.run("renamed", "--check")).code, 10);
    const back = await it.run("renamed", "--rollback");
    assertEquals([back.code, it.read("tool")], [0, tool("tool 1.0.0")], back.stderr);
    assertStringIncludes(back.stderr, 'The updater was renamed: what "old" had noted');
    const next = await it.run("renamed");
    assertEquals([next.code, it.read("tool")], [0, tool("tool 3.0.0")], next.stderr);
    assertEquals([...Deno.readDirSync(it.path(".updater-shim"))].map(({ name }) => name).sort(), [
      "lock",
      "other",
      "renamed",
    ]);
    // Where the old name still has a shim, the state stays that one's.
    Deno.renameSync(it.path("renamed.json"), it.path("again.json"));
    it.write("renamed", "a shim");
    assertEquals((await it.run("again", "--rollback")).code, 2);
  },
});
