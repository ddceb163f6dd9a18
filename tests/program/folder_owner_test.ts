/** Root in a folder of somebody else's: the shim works as he, and only passes the outcome on. */
import { homedir } from "node:os";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { printable } from "../../src/system/deno_programs.ts";
import { isRoot, type Machine, makeMachine, OTHER, put, runAs } from "../support/users.ts";
import { tool } from "../support/world.ts";

const GROUP = 1003;
const FILESYSTEM = 7, TERMINATED = 143;

/** Another user's folder with his tool, and a new version that says who runs it. */
function makeFolder({ folder }: Machine) {
  const bin = put(join(folder, "bin"), [OTHER, GROUP], 0o755);
  put(join(bin, "tool"), [OTHER, GROUP], 0o755, tool("1.0.0"));
  const told = put(join(folder, "told"), [OTHER, GROUP], 0o600, "");
  const script = `#!/bin/sh\n{ id -u; id -g; id -G; env; } >${told}\necho "tool 2.0.0"\n`;
  const fresh = put(join(folder, "fresh"), [0, 0], 0o755, script);
  return { bin, told, fresh };
}

Deno.test({
  name: "root in another user's folder works as that user, with no group and no secret of root's",
  ignore: !isRoot,
  async fn() {
    using machine = await makeMachine();
    const { bin, told, fresh } = makeFolder(machine);
    const args = ["--install-dir", bin, "--from", fresh, "--target", "tool", "--json"];
    const command = `exec "$0" "$@"`;
    const { code, stdout, stderr } = await runAs(0, "setpriv", [
      ...["--groups", "4,5,6", "sh", "-c", command, machine.shim, ...args],
    ], { env: { SECRET: "of root" } });
    assertEquals(code, 0, stderr);
    assertStringIncludes(stdout, '"event":"updated"');
    const [uid, gid, groups, ...environment] = Deno.readTextFileSync(told).trim().split("\n");
    assertEquals([uid, gid, groups], [`${OTHER}`, `${GROUP}`, `${GROUP}`]);
    assertEquals(
      environment.filter((line) => line.includes("SECRET") || line.includes(homedir())),
      [],
    );
    const files = new TextDecoder().decode(
      new Deno.Command("find", { args: [bin, "-not", "-uid", `${OTHER}`] }).outputSync().stdout,
    );
    assertEquals(files, "", "root left files there");
  },
});

Deno.test({
  name: "every outcome of the one who works for root is root's",
  ignore: !isRoot,
  async fn() {
    using machine = await makeMachine();
    const { bin } = makeFolder(machine);
    const run = (...args: string[]) => runAs(0, machine.shim, ["--install-dir", bin, ...args]);
    const { code, stdout } = await run("--status", "--json");
    assertEquals([code, JSON.parse(stdout).event], [0, "status"]);
    assertEquals((await run("--nonsense")).code, 2);
    assertEquals((await run("--repair")).code, 0);
    Deno.chmodSync(bin, 0o777);
    const { code: refused, stderr } = await run("--from", machine.shim, "--target", "tool");
    assertEquals(refused, FILESYSTEM);
    assertStringIncludes(stderr, "every user can write to it");
  },
});

/** The process of `OTHER` that runs this program; it may not have begun. */
async function workerOf(shim: string): Promise<string> {
  for (let tries = 0; tries < 1000; tries++) {
    for (const { name } of Deno.readDirSync("/proc")) {
      try {
        const isOther = Deno.statSync(`/proc/${name}`).uid === OTHER;
        if (isOther && Deno.readTextFileSync(`/proc/${name}/cmdline`).startsWith(shim)) return name;
      } catch {
        // Not a process, or it has ended.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("nobody works for root");
}

Deno.test({
  name: "who works for root cannot reach root's terminal, and what he prints is seen there",
  ignore: !isRoot || Deno.build.os !== "linux",
  async fn() {
    using machine = await makeMachine();
    const { bin, fresh } = makeFolder(machine);
    const parent = new Deno.Command("sleep", { args: ["60"] }).spawn();
    const from = `--from ${fresh} --target tool --parent-pid ${parent.pid}`;
    const terminal = new Deno.Command("script", {
      args: ["-qec", `${machine.shim} --install-dir ${bin} ${from}`, "/dev/null"],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const printed = new Response(terminal.stdout).text();
    try {
      const pid = await workerOf(machine.shim);
      const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
      const [, , , , session, tty] = stat.slice(stat.lastIndexOf(")")).split(" ");
      assertEquals([session, tty], [pid, "0"]);
      const files = [...Deno.readDirSync(`/proc/${pid}/fd`)]
        .map(({ name }) => Deno.readLinkSync(`/proc/${pid}/fd/${name}`));
      assertEquals(files.filter((file) => /^\/dev\/(pts|tty)/.test(file)), []);
    } finally {
      parent.kill("SIGKILL");
      await parent.status;
    }
    assertStringIncludes(await printed, "2.0.0");
    await terminal.stdin.close();
    assertEquals((await terminal.status).code, 0);
    const asked = new Deno.Command("script", {
      args: ["-qec", `${machine.shim} --install-dir ${bin} --uninstall`, "/dev/null"],
      stdin: "null",
    }).outputSync();
    assertStringIncludes(new TextDecoder().decode(asked.stdout), "--yes");
    assertEquals(Deno.statSync(join(bin, "tool")).isFile, true);
  },
});

Deno.test({
  name: "what stops root's shim stops the one who works for it",
  ignore: !isRoot,
  async fn() {
    using machine = await makeMachine();
    const { bin } = makeFolder(machine);
    const parent = new Deno.Command("sleep", { args: ["60"] }).spawn();
    try {
      const args = ["--install-dir", bin, "--json", "--parent-pid", `${parent.pid}`];
      const from = ["--from", join(machine.folder, "fresh"), "--target", "tool"];
      const shim = new Deno.Command(machine.shim, {
        ...{ args: [...args, ...from], stdin: "null", stdout: "piped", stderr: "null" },
      }).spawn();
      const reader = shim.stdout.getReader();
      let said = "";
      while (!said.includes('"waiting"')) {
        const { value, done } = await reader.read();
        assert(!done, said);
        said += new TextDecoder().decode(value);
      }
      shim.kill("SIGTERM");
      assertEquals((await shim.status).code, TERMINATED);
      await reader.cancel();
      // Nobody holds the lock any more.
      const run = await runAs(OTHER, machine.shim, ["--install-dir", bin, "--repair"]);
      assertEquals(run.code, 0, run.stderr);
    } finally {
      parent.kill("SIGKILL");
      await parent.status;
    }
  },
});

Deno.test({
  name:
    "who is halted or killed in the folder's owner's name does not hold root's shim, and it says so",
  ignore: !isRoot,
  async fn() {
    using machine = await makeMachine();
    const { bin, fresh } = makeFolder(machine);
    const install = (...args: string[]) =>
      runAs(0, machine.shim, ["--install-dir", bin, "--target", "tool", "--from", ...args], {
        timeoutMs: 60_000,
      });
    // The tool is asked for its version by the one who works for root.
    const [halts, kills] = (["STOP", "KILL"] as const).map((signal) =>
      put(join(machine.folder, signal), [0, 0], 0o755, `#!/bin/sh\nkill -${signal} $PPID\necho 2\n`)
    ) as [string, string];
    const halted = await install(halts);
    assertEquals(halted.code, 0, halted.stderr);
    const killed = await install(kills, "--force");
    assertEquals(killed.code, FILESYSTEM, killed.stderr);
    assertStringIncludes(killed.stderr, "was ended (SIGKILL)");
    assertStringIncludes(killed.stderr, `as user ${OTHER}`);
    const again = await install(fresh, "--force");
    assertEquals(again.code, 0, again.stderr);
  },
});

Deno.test("what could steer root's terminal is not passed on, in whatever pieces it comes", async () => {
  const text = "Fine: \u00e9\u4e2d\u{1f600}\n\x1b]0;owned\x07 \x9b31m\r \u202egnp.exe\n";
  const bytes = new TextEncoder().encode(text);
  const pieces = ReadableStream.from(Array.from(bytes, (byte) => Uint8Array.of(byte)));
  assertEquals(
    await new Response(printable(pieces)).text(),
    "Fine: \u00e9\u4e2d\u{1f600}\n\ufffd]0;owned\ufffd \ufffd31m\ufffd \ufffdgnp.exe\n",
  );
});

Deno.test({
  name: "a tool that exec()s root's shim is not waited for by the one who works for it",
  ignore: !isRoot,
  async fn() {
    using machine = await makeMachine();
    const { bin, fresh } = makeFolder(machine);
    const script = `exec "$0" --parent-pid $$ "$@"`;
    const args = ["--install-dir", bin, "--wait-timeout", "2", "--from", fresh, "--target", "tool"];
    const { code, stderr } = await runAs(0, "sh", ["-c", script, machine.shim, ...args]);
    // Two seconds later it would be 5.
    assertEquals(code, 0, stderr);
  },
});

Deno.test({
  name: "where that user may not execute the shim, root does not do it instead",
  ignore: !isRoot,
  async fn() {
    using machine = await makeMachine();
    const { bin, fresh } = makeFolder(machine);
    const own = join(machine.folder, "own");
    Deno.copyFileSync(machine.shim, own);
    Deno.chmodSync(own, 0o700);
    const args = ["--install-dir", bin, "--from", fresh, "--target", "tool"];
    const { code, stderr } = await runAs(0, own, args);
    assertEquals(code, FILESYSTEM);
    assertStringIncludes(stderr, `belongs to user ${OTHER}`);
    assertStringIncludes(stderr, `Run it as user ${OTHER}`);
    assertEquals(Deno.readTextFileSync(join(bin, "tool")), tool("1.0.0"));
  },
});
