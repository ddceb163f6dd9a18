/** Each command, by the compiled shim on a real install dir, as a main tool or a person calls it. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import {
  compiledShim,
  releaseRoutes,
  runShim,
  serve,
  type Served,
  type TestServer,
} from "../support/shim.ts";
import { tool } from "../support/world.ts";

const encoder = new TextEncoder();
/** The shim needs programs that can be started; these are shell scripts. */
const ignore = Deno.build.os === "windows";

function set(version: string, ...targets: string[]): Served[] {
  return targets.map((target) => ({ target, content: encoder.encode(tool(version)) }));
}

/** An install dir with executables of version 1.0.0, and a server that has a release. */
class Installation implements AsyncDisposable {
  readonly folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-commands-" }));
  #server: TestServer | undefined;

  constructor(...names: string[]) {
    for (const name of names) this.write(name, tool("1.0.0"));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string): void {
    Deno.writeTextFileSync(this.path(name), text, { mode: 0o755 });
  }

  /** Publishes a release, and configures the shim with its address. */
  async publish(version: string, files: readonly Served[]): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    this.#server = serve(releaseRoutes(files, { version }));
    const manifest = `${this.#server.url}/release.json`;
    this.write("updater-shim.json", JSON.stringify({ name: "tool", manifest }));
  }

  run(...args: string[]) {
    return runShim(this.folder, ...args);
  }

  /** What the executables say. */
  async says(...names: string[]): Promise<string[]> {
    const said: string[] = [];
    for (const name of names) {
      const { stdout } = await new Deno.Command(this.path(name), { args: ["--version"] }).output();
      said.push(new TextDecoder().decode(stdout).trim());
    }
    return said;
  }

  /** Everything below the install dir, relative and sorted. */
  names(folder = this.folder, prefix = ""): string[] {
    return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
      isDirectory
        ? [`${prefix}${name}/`, ...this.names(join(folder, name), `${prefix}${name}/`)]
        : [prefix + name]
    ).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

const STATE = [
  ".updater-shim/",
  ".updater-shim/lock",
  ".updater-shim/updater-shim/",
  ".updater-shim/updater-shim/installation-id",
  ".updater-shim/updater-shim/last-run.json",
  ".updater-shim/updater-shim/log.txt",
  ".updater-shim/updater-shim/partial/",
  ".updater-shim/updater-shim/receipt.json",
  ".updater-shim/updater-shim/staged/",
];

Deno.test({
  name: "An update replaces the whole set, tells it in events, and leaves nothing else behind",
  ignore,
  async fn() {
    await using it = new Installation("tool", "toolx");
    await it.publish("2.0.0", set("2.0.0", "tool", "toolx"));
    const { code, stdout, stderr } = await it.run("--json");
    assertEquals(code, 0, stderr);
    assertEquals(await it.says("tool", "toolx"), ["tool 2.0.0", "tool 2.0.0"]);
    const events = stdout.trim().split("\n").map((line) => JSON.parse(line));
    const names = events.map(({ event }) => event).filter((name) => name !== "download");
    assertEquals(names, [
      "manifest",
      "verified",
      "verified",
      "health-check",
      "health-check",
      "committing",
      "swapped",
      "swapped",
      "health-check",
      "health-check",
      "updated",
    ]);
    assertEquals(events.at(-1), { event: "updated", from: "1.0.0", to: "2.0.0" });
    const last = JSON.parse(
      Deno.readTextFileSync(it.path(".updater-shim/updater-shim/last-run.json")),
    );
    assertEquals([last.code, last.outcome], [0, events.at(-1)]);
    const rollback = ["rollback/", "rollback/tool", "rollback/toolx"]
      .map((name) => `.updater-shim/updater-shim/${name}`);
    const expected = [...STATE, ...rollback, "tool", "toolx", "updater-shim.json"].sort();
    assertEquals(it.names(), expected);
    assertStringIncludes(
      Deno.readTextFileSync(it.path(".updater-shim/updater-shim/log.txt")),
      "Updated 1.0.0 -> 2.0.0",
    );
  },
});

Deno.test({
  name: "An update works where the environment says what programs are to load (LD_LIBRARY_PATH)",
  ignore,
  async fn() {
    await using it = new Installation("tool");
    const shim = await compiledShim();
    const folder = it.folder;
    const run = async (version: string, content: string, env: Record<string, string>) => {
      await it.publish(version, [{ target: "tool", content: encoder.encode(content) }]);
      return await new Deno.Command(shim, { args: ["--install-dir", folder], env, stdin: "null" })
        .output();
    };
    const one = { LD_LIBRARY_PATH: "/nowhere" };
    const more = { ...one, LD_BIND_NOW: "1", DYLD_LIBRARY_PATH: "/nowhere" };
    for (const [version, env] of [["2.0.0", one], ["3.0.0", more]] as const) {
      const { code, stderr } = await run(version, tool(version), env);
      assertEquals(code, 0, new TextDecoder().decode(stderr));
      assertEquals(await it.says("tool"), [`tool ${version}`]);
    }
  },
});

Deno.test({
  name: "A second update finds nothing to do; --force installs the same version again",
  ignore,
  async fn() {
    await using it = new Installation("tool");
    await it.publish("2.0.0", set("2.0.0", "tool"));
    assertEquals((await it.run()).code, 0);
    const before = Deno.statSync(it.path("tool"));
    const again = await it.run();
    assertEquals([again.code, again.stderr.includes("up to date")], [0, true], again.stderr);
    assertEquals(Deno.statSync(it.path("tool")).ino, before.ino);
    assertEquals((await it.run("--force")).code, 0);
    assertEquals(Deno.statSync(it.path("tool")).ino === before.ino, false);
  },
});

Deno.test({
  name: "A tool that is not there yet is installed, with the manifest's mode",
  ignore,
  async fn() {
    await using it = new Installation();
    const [file] = set("2.0.0", "tool");
    await it.publish("2.0.0", [{ ...file!, entry: { mode: "750" } }]);
    const { code, stderr } = await it.run();
    assertEquals([code, stderr.includes("Installed 2.0.0")], [0, true], stderr);
    assertEquals(Deno.statSync(it.path("tool")).mode! & 0o777, 0o750);
    const nothing = await it.run("--rollback");
    assertEquals(nothing.code, 2);
    assertMatch(nothing.stderr, /There is no version to go back to/);
  },
});

Deno.test({
  name: "An executable that is missing is put back by an update to the same version",
  ignore,
  async fn() {
    await using it = new Installation("tool", "toolx");
    await it.publish("2.0.0", set("2.0.0", "tool", "toolx"));
    assertEquals((await it.run()).code, 0);
    Deno.removeSync(it.path("toolx"));
    assertEquals((await it.run()).code, 0);
    assertEquals(await it.says("tool", "toolx"), ["tool 2.0.0", "tool 2.0.0"]);
  },
});

Deno.test({
  name: "--check says by its exit code whether there is a newer version, and touches nothing",
  ignore,
  async fn() {
    await using it = new Installation("tool");
    await it.publish("2.0.0", set("2.0.0", "tool"));
    const before = it.names();
    const available = await it.run("--check");
    assertEquals(available.code, 10);
    assertStringIncludes(available.stderr, "An update is available: 1.0.0 -> 2.0.0");
    assertEquals(it.names(), before);
    await it.publish("1.0.0", set("1.0.0", "tool"));
    assertEquals((await it.run("--check")).code, 0);
  },
});

Deno.test({
  name: "--dry-run says what would be replaced, also where no shim ever was, and touches nothing",
  ignore,
  async fn() {
    await using it = new Installation("tool");
    await it.publish("2.0.0", set("2.0.0", "tool"));
    const before = it.names();
    const { code, stderr } = await it.run("--dry-run");
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, `Would update 1.0.0 -> 2.0.0:\n  ${it.path("tool")}`);
    assertEquals(it.names(), before);
    assertEquals(await it.says("tool"), ["tool 1.0.0"]);
  },
});

Deno.test({
  name: "--rollback goes back, once more forward again, and --status tells where it is",
  ignore,
  async fn() {
    await using it = new Installation("tool", "toolx");
    await it.publish("2.0.0", set("2.0.0", "tool", "toolx"));
    assertEquals((await it.run()).code, 0);
    for (const [version, other] of [["1.0.0", "2.0.0"], ["2.0.0", "1.0.0"], ["1.0.0", "2.0.0"]]) {
      const { code, stderr } = await it.run("--rollback");
      assertEquals(code, 0, stderr);
      assertEquals(await it.says("tool", "toolx"), [`tool ${version}`, `tool ${version}`]);
      const status = JSON.parse((await it.run("--status", "--json")).stdout);
      assertEquals([status.version, status.rollback, status.leftovers], [version, other, []]);
      const states = status.files.map(({ state }: { state: string }) => state);
      assertEquals(states, ["installed", "installed"]);
    }
  },
});

Deno.test({
  name: "--rollback refuses a copy that is not what the update put there",
  ignore,
  async fn() {
    await using it = new Installation("tool");
    await it.publish("2.0.0", set("2.0.0", "tool"));
    assertEquals((await it.run()).code, 0);
    Deno.writeTextFileSync(it.path(".updater-shim/updater-shim/rollback/tool"), tool("6.6.6"));
    const { code, stderr } = await it.run("--rollback");
    assertEquals(code, 4);
    assertMatch(stderr, /The rollback copy ".*" is missing or not what the last update put there/);
    assertEquals(await it.says("tool"), ["tool 2.0.0"]);
  },
});

Deno.test({
  name: "--from installs a copy of a local file; of a set, the others stay known",
  ignore,
  async fn() {
    await using it = new Installation("tool", "toolx");
    await it.publish("2.0.0", set("2.0.0", "tool", "toolx"));
    assertEquals((await it.run()).code, 0);
    it.write("built", tool("2.1.0"));
    const { code, stderr } = await it.run("--from", it.path("built"), "--target", "toolx");
    assertEquals(code, 0, stderr);
    Deno.removeSync(it.path("built"));
    assertEquals(await it.says("tool", "toolx"), ["tool 2.0.0", "tool 2.1.0"]);
    assertEquals((await it.run("--rollback")).code, 0);
    assertEquals(await it.says("tool", "toolx"), ["tool 2.0.0", "tool 2.0.0"]);
    const status = JSON.parse((await it.run("--status", "--json")).stdout);
    const paths = status.files.map(({ path }: { path: string }) => path).sort();
    assertEquals(paths, [it.path("tool"), it.path("toolx")]);
  },
});

Deno.test({
  name: "--pin fetches the manifest of that version, older than the installed only if allowed",
  ignore,
  async fn() {
    await using it = new Installation("tool");
    const files = set("1.5.0", "tool");
    const routes = releaseRoutes(files, { version: "1.5.0" });
    routes["/1.5.0/release.json"] = routes["/release.json"]!;
    routes["/1.5.0/files/tool"] = routes["/files/tool"]!;
    await using server = serve(routes);
    const pinnedManifest = `${server.url}/{version}/release.json`;
    it.write("updater-shim.json", JSON.stringify({ name: "tool", pinnedManifest }));
    const { code, stderr } = await it.run("--pin", "1.5.0");
    assertEquals(code, 0, stderr);
    assertEquals(await it.says("tool"), ["tool 1.5.0"]);

    it.write("tool", tool("3.0.0"));
    Deno.removeSync(it.path(".updater-shim"), { recursive: true });
    const refused = await it.run("--pin", "1.5.0");
    assertEquals(refused.code, 4);
    assertStringIncludes(refused.stderr, "Version 1.5.0 is older than the installed version 3.0.0");
    assertEquals((await it.run("--pin", "1.5.0", "--allow-downgrade")).code, 0);
    assertEquals(await it.says("tool"), ["tool 1.5.0"]);
  },
});

Deno.test({
  name: "--relaunch starts the new tool with the arguments, and it outlives the shim",
  ignore,
  async fn() {
    await using it = new Installation("tool");
    const script = `#!/bin/sh
[ "$1" = --version ] && { echo "tool 2.0.0"; exit; }
sleep 0.3
echo "$@" > "${it.path("said")}.new" && mv "${it.path("said")}.new" "${it.path("said")}"
`;
    await it.publish("2.0.0", [{ target: "tool", content: encoder.encode(script) }]);
    const { code, stderr } = await it.run("--relaunch", "--", "serve", "--port 1", "--json");
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, `Started ${it.path("tool")}`);
    for (let tries = 0; tries < 500 && !it.names().includes("said"); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assertEquals(Deno.readTextFileSync(it.path("said")), "serve --port 1 --json\n");
  },
});

Deno.test({
  name: "A release may contain the shim itself: the next start is the new one",
  ignore,
  async fn() {
    await using it = new Installation("tool");
    const own = it.path("updater-shim");
    Deno.copyFileSync(await compiledShim(), own);
    await it.publish("2.0.0", set("2.0.0", "tool", "updater-shim"));
    // Without --install-dir: the tool lies where the shim lies.
    const { code } = await new Deno.Command(own, { stdin: "null" }).output();
    assertEquals(code, 0);
    assertEquals(await it.says("tool", "updater-shim"), ["tool 2.0.0", "tool 2.0.0"]);
  },
});

for (const [signal, expected] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test({
    name: `${signal} in the download ends with ${expected}, and the next update resumes`,
    ignore,
    async fn() {
      await using it = new Installation("tool");
      const padding = `# ${"x".repeat(100_000)}\n`;
      const content = encoder.encode(tool("2.0.0") + padding);
      const never = Promise.withResolvers<void>();
      const ranges: (string | null)[] = [];
      const routes = releaseRoutes([{ target: "tool", content }]);
      routes["/files/tool"] = (request) => {
        const range = request.headers.get("range");
        ranges.push(range);
        if (range) {
          const at = Number(/\d+/.exec(range));
          const headers = {
            "content-range": `bytes ${at}-${content.length - 1}/${content.length}`,
            etag: '"1"',
          };
          return new Response(content.slice(at), { status: 206, headers });
        }
        const half = new ReadableStream<Uint8Array>({
          async start(controller) {
            controller.enqueue(content.slice(0, 50_000));
            await never.promise;
            controller.close();
          },
        });
        return new Response(half, { headers: { etag: '"1"' } });
      };
      await using server = serve(routes);
      const args = ["--install-dir", it.folder, "--manifest", `${server.url}/release.json`];
      const child = new Deno.Command(await compiledShim(), {
        args,
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).spawn();
      const partial = it.path(".updater-shim/updater-shim/partial");
      while (!hasBytes(partial, 50_000)) await new Promise((resolve) => setTimeout(resolve, 10));
      child.kill(signal);
      const { code, stderr } = await child.output();
      never.resolve();
      assertEquals(code, expected, new TextDecoder().decode(stderr));
      assertMatch(
        new TextDecoder().decode(stderr),
        /(updater-shim|\w+ could not be [a-z ]+): .+\n {2}\S/,
      );
      assertEquals(await it.says("tool"), ["tool 1.0.0"]);
      const left = it.names().filter((name) => /staged\/.|previous|journal/.test(name));
      assertEquals(left, []);
      assertEquals((await it.run("--manifest", `${server.url}/release.json`)).code, 0);
      assertEquals(await it.says("tool"), ["tool 2.0.0"]);
      assertEquals(ranges, [null, "bytes=50000-"]);
    },
  });
}

function hasBytes(folder: string, count: number): boolean {
  try {
    return [...Deno.readDirSync(folder)].some(({ name }) =>
      name.endsWith(".part") && Deno.statSync(join(folder, name)).size >= count
    );
  } catch {
    return false;
  }
}
