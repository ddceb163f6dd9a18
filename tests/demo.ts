/**
 * `deno task demo`: the main job on a real tool, and what happens when it is interrupted. Everything
 * happens in one temporary folder, which is removed at the end.
 */
import { join } from "@std/path";
import { compileShim } from "../.ci/compile.ts";
import { fetchTool, type Release } from "./support/esbuild.ts";
import { serveRelease } from "./support/release_server.ts";

const checks: { what: string; seen: string; ok: boolean }[] = [];

function say(text: string): void {
  console.error(text);
}

function chapter(text: string): void {
  say(`\n== ${text} ${"=".repeat(Math.max(0, 88 - text.length))}\n`);
}

function expect(what: string, seen: string, ok: boolean): void {
  checks.push({ what, seen, ok });
  say(`   ${ok ? "ok " : "NOT OK"}  ${what}: ${seen}`);
}

/** An install dir as an installer leaves it: the tool, the shim, its configuration. */
class Installation {
  constructor(readonly folder: string) {}

  static make(folder: string, shim: string, old: Release, manifest: string): Installation {
    Deno.mkdirSync(folder);
    const made = new Installation(folder);
    Deno.copyFileSync(old.executable, made.path("esbuild"));
    Deno.copyFileSync(shim, made.path("esbuild-updater"));
    Deno.writeTextFileSync(
      made.path("esbuild-updater.json"),
      JSON.stringify({ name: "esbuild", manifest }, null, 2),
    );
    // The main tool's own part: the shim takes its place, and its terminal.
    Deno.writeTextFileSync(
      made.path("estool"),
      `#!/bin/sh
here=$(dirname "$0")
case "$1 $2" in
  "self update") exec "$here/esbuild-updater" ;;
  *) exec "$here/esbuild" "$@" ;;
esac
`,
    );
    for (const name of ["esbuild", "esbuild-updater", "estool"]) {
      Deno.chmodSync(made.path(name), 0o755);
    }
    return made;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** What a user types; output goes to this terminal. */
  async run(name: string, ...args: string[]): Promise<number> {
    say(`$ ${name} ${args.join(" ")}`);
    const { code } = await new Deno.Command(this.path(name), { args }).spawn().status;
    return code;
  }

  version(): string {
    try {
      const { code, stdout } = new Deno.Command(this.path("esbuild"), { args: ["--version"] })
        .outputSync();
      const text = code === 0 ? new TextDecoder().decode(stdout).trim() : `fails with code ${code}`;
      say(`$ esbuild --version\n${text}`);
      return text;
    } catch (error) {
      say(`$ esbuild --version\n${(error as Error).message}`);
      return "cannot be started";
    }
  }

  names(): string {
    return [...Deno.readDirSync(this.folder)].map(({ name }) => name).sort().join(" ");
  }
}

const CLEAN = ".updater-shim esbuild esbuild-updater esbuild-updater.json estool";

async function demo(scratch: string): Promise<void> {
  chapter("1. A shim, a tool in two versions, a server");
  const shim = join(scratch, "updater-shim");
  await compileShim({ output: shim });
  say("esbuild 0.28.1 and 0.28.2 from npm …");
  const old = await fetchTool(scratch, "0.28.1");
  const fresh = await fetchTool(scratch, "0.28.2");
  await using server = serveRelease(fresh);
  say(`The release manifest of 0.28.2 is at ${server.manifest}`);

  chapter("2. The main job: self update");
  const one = Installation.make(join(scratch, "one"), shim, old, server.manifest);
  const before = one.version();
  expect("before", before, before === "0.28.1");
  say("The server takes a second for it, so that there is something to see.");
  server.throttle(5_000_000);
  const done = await one.run("estool", "self", "update");
  expect("the exit code of `self update`", String(done), done === 0);
  const after = one.version();
  expect("after", after, after === "0.28.2");
  expect("files left over", one.names() === CLEAN ? "none" : one.names(), one.names() === CLEAN);
  const back = await one.run("esbuild-updater", "--rollback");
  const rolled = one.version();
  expect("and back again with --rollback", rolled, back === 0 && rolled === "0.28.1");

  chapter("3. Killed in the middle of the download");
  const two = Installation.make(join(scratch, "two"), shim, old, server.manifest);
  server.throttle(2_000_000);
  say("$ estool self update");
  const running = new Deno.Command(two.path("estool"), { args: ["self", "update"] }).spawn();
  const received = await untilHalf(two, fresh.size);
  running.kill("SIGKILL");
  await running.status;
  say(`kill -9 ${running.pid}   (after ${received} of ${fresh.size} bytes)`);
  const still = two.version();
  expect("the tool still runs", still, still === "0.28.1");
  server.throttle(Infinity);
  const code = await two.run("esbuild-updater");
  const start = server.ranges.at(-1) ?? 0;
  expect("the next update resumes", `at byte ${start}`, code === 0 && start > 0);
  const resumed = two.version();
  expect("and goes through", resumed, resumed === "0.28.2");

  chapter("4. The two accidents of `uv self update`");
  say("Interrupted on Windows: only the .previous.exe is left.");
  Deno.renameSync(two.path("esbuild"), two.path("esbuild.previous.exe"));
  expect("the tool is gone", two.version(), !isThere(two.path("esbuild")));
  await two.run("esbuild-updater", "--repair");
  const restored = two.version();
  expect("mended by --repair", restored, restored === "0.28.2");

  say("\nInterrupted on Linux: half an executable, copied across file systems.");
  Deno.renameSync(two.path("esbuild"), two.path("esbuild.previous"));
  Deno.copyFileSync(two.path("esbuild.previous"), two.path("esbuild"));
  Deno.truncateSync(two.path("esbuild"), Math.floor(fresh.executableSize / 2));
  const broken = two.version();
  expect("the tool is cut off", broken, broken !== "0.28.2");
  await two.run("esbuild-updater", "--repair");
  const mended = two.version();
  expect("mended by --repair", mended, mended === "0.28.2");
  await two.run("esbuild-updater", "--repair");
  expect("files left over", two.names() === CLEAN ? "none" : two.names(), two.names() === CLEAN);
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Waits until about half of the download is on the disk, and says how much that is. */
async function untilHalf(at: Installation, size: number): Promise<number> {
  const partial = join(at.folder, ".updater-shim", "esbuild-updater", "partial");
  for (let i = 0; i < 600; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    try {
      const part = [...Deno.readDirSync(partial)].find(({ name }) => name.endsWith(".part"))!;
      const received = Deno.statSync(join(partial, part.name)).size;
      if (received > size / 3) return received;
    } catch {
      // Not yet there.
    }
  }
  throw new Error("the download did not get half way within 12 s");
}

const scratch = Deno.makeTempDirSync({ prefix: "updater-shim-demo-" });
const began = performance.now();
try {
  await demo(scratch);
} finally {
  Deno.removeSync(scratch, { recursive: true });
}
chapter("What was checked");
const width = Math.max(...checks.map(({ what }) => what.length));
for (const { what, seen, ok } of checks) {
  say(`${ok ? "ok    " : "NOT OK"}  ${what.padEnd(width)}  ${seen}`);
}
const failed = checks.filter(({ ok }) => !ok).length;
const seconds = ((performance.now() - began) / 1000).toFixed(1);
say(`\n${checks.length - failed} passed, ${failed} failed in ${seconds} s`);
Deno.exit(failed === 0 ? 0 : 1);
