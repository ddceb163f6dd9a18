import { assert, assertEquals } from "@std/assert";
import { basename, dirname, fromFileUrl, join } from "@std/path";
import { bundleInto, bundleTo, compileShim, permissions } from "../../.ci/compile.ts";
import { denoSystem } from "../../src/system/deno_system.ts";
import type { Processes } from "../../src/system/processes.ts";
import type { System } from "../../src/system/system.ts";
import type { Outcomes } from "../support/permission_probe.ts";
import { releaseRoutes, runShim, serve } from "../support/shim.ts";
import { makeBed } from "../support/signed_release.ts";
import { bytes } from "../support/signer.ts";
import { STAFF } from "../support/users.ts";
import { tool } from "../support/world.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));
const windows = Deno.build.os === "windows";
const EXE = windows ? ".exe" : "";
/** Any program may see these: Deno gives them away for Node's sake, whatever the permissions. */
const FOR_EVERYBODY = ["FORCE_COLOR", "NODE_DEBUG", "NODE_OPTIONS", "NO_COLOR"];
/** It says whether a progress bar can be drawn. */
const OURS = ["TERM"];

/** A folder with the probe, compiled as the shim is, under two names. */
async function makeProbe() {
  const folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-" }));
  const [probe, other] = [`probe${EXE}`, `other${EXE}`];
  const entry = join(ROOT, "tests", "support", "permission_probe.ts");
  await compileShim({ output: join(folder, probe), entry });
  Deno.linkSync(join(folder, probe), join(folder, other));
  return {
    folder,
    probe,
    other,
    async ask(args: string[], env: Record<string, string> = {}): Promise<Outcomes> {
      const { stdout, stderr } = await new Deno.Command(join(folder, probe), {
        args,
        env,
        stdin: "null",
      }).output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      assert(stdout.length > 0, text(stderr));
      return JSON.parse(text(stdout));
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** What is as the expectation does not say. */
function unexpected(outcomes: Outcomes, allowed: readonly string[]): [string, string][] {
  return Object.entries(outcomes).filter(([what, outcome]) =>
    outcome !== (allowed.includes(what) ? "allowed" : "refused")
  );
}

Deno.test("what the compiled shim may do and what not", async (t) => {
  await using probe = await makeProbe();

  await t.step(
    "the compiled shim reads no environment variable of the user's but TERM",
    async () => {
      const planted = {
        SECRET: "x",
        HTTPS_PROXY: "http://user:secret@proxy",
        DENO_AUTH_TOKENS: "x",
      };
      const open = Object.fromEntries([...FOR_EVERYBODY, ...OURS].map((name) => [name, ""]));
      const names = Object.keys({ ...Deno.env.toObject(), ...planted, ...open });
      const outcomes = await probe.ask(["environment", ...names], { ...planted, ...open });
      if (windows) delete outcomes["all by /proc"];
      assertEquals(unexpected(outcomes, [...FOR_EVERYBODY, ...OURS]), []);
    },
  );

  await t.step("the compiled shim opens no library and learns nothing of the machine", async () => {
    const outcomes = await probe.ask(["system"]);
    if (windows) ["device", "memory of the process"].forEach((what) => delete outcomes[what]);
    assertEquals(unexpected(outcomes, ["free space"]), []);
  });

  await t.step("the compiled shim runs the named programs and no other, in no way", async () => {
    const { folder } = probe;
    const outcomes = await probe.ask(["programs", folder, probe.probe, probe.other]);
    assertEquals(outcomes["asking for it"], "denied");
    delete outcomes["asking for it"];
    // They are named when the manifest was verified; until then any program could be run.
    const named = Object.keys(outcomes).filter((what) => what.startsWith("named"));
    assertEquals(named.length, 4);
    assertEquals(unexpected(outcomes, ["before: another", ...named]), []);
    const file = join(folder, "hello.txt");
    for (let tries = 0; !exists(file) && tries < 200; tries++) await denoSystem.clock.delay(50);
    assert(exists(file), "what was to outlive the shim did not");
  });
});

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

Deno.test({
  name:
    "before an update fetches a file it gives up all programs but the staged file and the target",
  ignore: windows, // The tool is a shell script.
  async fn() {
    await using bed = await makeBed();
    await bed.publish({ version: "2.0.0" });
    const steps: string[] = [];
    const note = (what: string, path: string) => steps.push(`${what} ${shown(path)}`);
    const processes: Processes = {
      ...denoSystem.processes,
      confine: (programs) => programs.forEach((path) => note("may run", path)),
      run: (path, ...rest) => (note("runs", path), denoSystem.processes.run(path, ...rest)),
    };
    const fetch: System["fetch"] = (url, init) => {
      note("fetches", new URL(url).pathname);
      return denoSystem.fetch(url, init);
    };
    const { code, tool } = await bed.update([], { processes, fetch });
    assertEquals([code, tool], [0, "tool 2.0.0"]);
    assertEquals(steps, [
      "fetches release.json",
      "fetches release.json.minisig",
      "runs tool", // Its version: there is no receipt yet.
      "may run staged/tool",
      "may run tool",
      "fetches tool",
      "runs staged/tool",
      "runs tool",
    ]);
  },
});

function shown(path: string): string {
  return /[\\/]staged[\\/]/.test(path) ? `staged/${basename(path)}` : basename(path);
}

Deno.test({
  name: "a tool behind a link is updated and started again by the compiled shim, confined as it is",
  ignore: windows, // Links need a right there, and the tool is a shell script.
  async fn() {
    const folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-" }));
    try {
      const [real, bin] = [join(folder, "real"), join(folder, "bin")];
      Deno.mkdirSync(real);
      Deno.mkdirSync(bin);
      Deno.writeTextFileSync(join(real, "tool"), tool("1.0.0"), { mode: 0o755 });
      Deno.symlinkSync(join(real, "tool"), join(bin, "tool"));
      const content = `#!/bin/sh\n[ "$1" = again ] && echo "$0" >"$2"\necho "tool 2.0.0"\n`;
      await using server = serve(releaseRoutes([{ target: "tool", content: bytes(content) }]));
      const told = join(folder, "told");
      const args = ["--manifest", `${server.url}/release.json`, "--relaunch", "--", "again", told];
      const { code, stderr } = await runShim(bin, ...args);
      assertEquals([code, stderr.includes("Cannot start")], [0, false], stderr);
      for (let tries = 0; !exists(told) && tries < 200; tries++) await denoSystem.clock.delay(50);
      assertEquals(Deno.readTextFileSync(told), `${join(bin, "tool")}\n`);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});

Deno.test("nothing in the bundle, dependencies included, starts programs in another place", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "updater-shim-" });
  try {
    const path = join(folder, "bundle.js");
    await bundleTo(join(ROOT, "main.ts"), path);
    const text = Deno.readTextFileSync(path);
    const count = (pattern: RegExp) => [...text.matchAll(pattern)].length;
    // As it is and without `LD_*`, to work as somebody else (root), and to remove us (Windows):
    // src/system/deno_programs.ts.
    assertEquals(count(/Deno\.Command\b/g), 4);
    assertEquals(count(/\bDeno\.dlopen\b/g), 1);
    assertEquals([count(/Deno\.env\b/g), count(/Deno\.env\.get\("TERM"\)/g)], [1, 1]);
    assertEquals(
      count(/child_process|worker_threads|process\.env|\beval\(|Function\(/g),
      0,
    );
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("the Deno of this test confines itself as the one of the compiled shim does", async () => {
  const folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-" }));
  try {
    const bundle = join(folder, "probe.js");
    await bundleTo(join(ROOT, "tests", "support", "confined_probe.ts"), bundle);
    const flags = [...permissions(Deno.build.target), "--unstable-worker-options"];
    const program = ["run", "--no-prompt", "--no-config", ...flags, bundle];
    const named = Deno.execPath(), other = join(folder, `other${EXE}`);
    Deno.copyFileSync(named, other);
    const args = [...program, named, other, "--version"];
    const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
    const { run, ...others } = JSON.parse(new TextDecoder().decode(stdout));
    assertEquals([run.code, run.stdout.startsWith("deno ")], [0, true]);
    assertEquals(others, {
      runOther: "Requires run access",
      size: Deno.statSync(named).size,
      sizeOfOther: null,
      direct: "Requires run access",
      library: "Requires ffi access",
    });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test({
  name: "with any one permission less an update does not work",
  ignore: windows, // The tool is a shell script.
  async fn() {
    const folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-" }));
    try {
      const bundle = join(folder, "bundle.js");
      await bundleTo(join(ROOT, "main.ts"), bundle);
      const content = bytes(tool("2.0.0"));
      await using server = serve(releaseRoutes([{ target: "tool", content }]));
      const updates = async (flags: readonly string[]): Promise<boolean> => {
        const installed = Deno.makeTempDirSync({ dir: folder });
        Deno.writeTextFileSync(join(installed, "tool"), tool("1.0.0"), { mode: 0o755 });
        const program = ["run", "--no-prompt", "--no-config", "--quiet", ...flags, bundle];
        const args = ["--install-dir", installed, "--manifest", `${server.url}/release.json`];
        const command = new Deno.Command(Deno.execPath(), { args: [...program, ...args] });
        return (await command.output()).success;
      };
      const all = permissions(Deno.build.target).flatMap(oneEach);
      assert(await updates(all));
      // Without that one a terminal that cannot draw a bar is sent one.
      const needed = all.filter((flag) => flag.startsWith("--allow") && !/=TERM$/.test(flag));
      for (const flag of needed) {
        assertEquals(await updates(all.filter((other) => other !== flag)), false, flag);
      }
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});

Deno.test({
  name:
    "with this Deno, too, the permissions are enough in a group's folder, and for a file behind --auth-fd",
  ignore: Deno.build.os !== "linux" || Deno.uid() !== 0, // A file is given to another group.
  async fn() {
    const folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-" }));
    try {
      const [bundle] = await bundleInto(join(ROOT, "main.ts"), join(folder, "bundle"));
      const content = bytes(tool("2.0.0"));
      await using server = serve(releaseRoutes([{ target: "tool", content }]));
      const installed = join(folder, "installed");
      Deno.mkdirSync(installed);
      Deno.chownSync(installed, 0, STAFF);
      Deno.chmodSync(installed, 0o775);
      Deno.writeTextFileSync(join(installed, "tool"), tool("1.0.0"), { mode: 0o755 });
      const flags = [...permissions(Deno.build.target), "--unstable-worker-options"];
      const program = ["run", "--no-prompt", "--no-config", "--quiet", ...flags, bundle!];
      const args = ["--install-dir", installed, "--manifest", `${server.url}/release.json`];
      const credentials = join(folder, "credentials");
      Deno.writeTextFileSync(credentials, "machine example.com login bob password x\n");
      const { code, stderr } = await new Deno.Command("sh", {
        args: [
          ...["-c", 'exec "$@" --auth-fd 3 3<"$0"', credentials],
          ...[Deno.execPath(), ...program, ...args],
        ],
      }).output();
      assertEquals([code, new TextDecoder().decode(stderr).match(/Cannot.*/)?.[0]], [0, undefined]);
      assertEquals(Deno.readFileSync(join(installed, "tool")), content);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});

/** `--allow-x=a,b` as `--allow-x=a` and `--allow-x=b`. */
function oneEach(flag: string): string[] {
  const [name, list] = flag.split("=");
  return list === undefined ? [flag] : list.split(",").map((item) => `${name}=${item}`);
}
