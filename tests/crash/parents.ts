/** How main tools end, and that the shim waits for it, finishes after it, and touches nothing before. */
import { assertEquals, assertRejects } from "@std/assert";
import type { Bed } from "./bed.ts";
import { brokenShim, updatesAlone } from "./broken_shim.ts";
import type { Lab } from "./lab.ts";
import { run, until } from "./process.ts";
import { NAMES } from "./tools.ts";

const PARENT = 5;
const LAST_RUN = ".updater-shim/updater-shim/last-run.json";

/** Each kind of parent. */
export async function parents(lab: Lab): Promise<void> {
  const check = (name: string, promise: (bed: Bed) => Promise<void>) =>
    lab.report.check(name, () => promise(lab.bed()));
  await check("a target is not touched until a sleeping parent has exited", waitsFor);
  await lab.report.check("it is seen that a shim does not wait", async () => {
    const shim = await brokenShim(lab, {
      file: "src/parent/wait_for_parent.ts",
      from: "if (!parent && !waitStdin) return;",
      to: "if (parent || !waitStdin) return;",
    });
    await updatesAlone(lab.bed("new", shim));
    // Seen at the first change: the long time is for a machine that has much else to do.
    await assertRejects(() => waitsFor(lab.bed("new", shim), 10_000));
  });
  await check("the shim's own parent is waited for, too", async (bed) => {
    const tool = shell(bed, `"$@" --parent-pid $$ & exec sleep 60`);
    await untouchedFor(bed, 500);
    tool.kill("SIGKILL");
    await finishes(bed, tool);
  });
  await check("a stopped parent has not exited: code 5, and nothing is changed", async (bed) => {
    const tool = sleeper();
    tool.kill("SIGSTOP");
    const before = touched(bed);
    const { code } = await bed.shimRun("--parent-pid", `${tool.pid}`, "--wait-timeout", "0.5");
    assertEquals([code, touched(bed)], [PARENT, before]);
    tool.kill("SIGKILL");
    await tool.status;
  });
  await check("a parent that never exits: code 5, and nothing is changed", async (bed) => {
    const tool = sleeper();
    const before = touched(bed);
    const { code } = await bed.shimRun("--parent-pid", `${tool.pid}`, "--wait-timeout", "0.5");
    assertEquals([code, touched(bed)], [PARENT, before]);
    tool.kill("SIGKILL");
    await tool.status;
  });
  await check("a zombie has exited", async (bed) => {
    // Nobody asks for the end of the first sleep: the shell has become the second one.
    const outer = shell(bed, `sleep 0.2 & echo $! >"$0"/zombie; exec sleep 60`, bed.folder);
    const pid = await numberIn(`${bed.folder}/zombie`);
    assertEquals((await bed.shimRun("--parent-pid", pid)).code, 0);
    assertEquals(bed.verdict(), "new");
    outer.kill("SIGKILL");
    await outer.status;
  });
  await check("a parent that exited before the shim began has exited", async (bed) => {
    const tool = new Deno.Command("true").spawn();
    await tool.status;
    assertEquals((await bed.shimRun("--parent-pid", `${tool.pid}`)).code, 0);
    assertEquals(bed.verdict(), "new");
  });
  await check("a pid that is another process's by now has exited", pidUsedAgain);
  await check("a tool that becomes the shim (exec) has exited", async (bed) => {
    const tool = shell(bed, `exec "$@" --parent-pid $$`);
    assertEquals((await tool.status).code, 0);
    assertEquals(bed.verdict(), "new");
  });
  await check("the end of the standard input counts with --wait-stdin", async (bed) => {
    const [program, ...args] = bed.command("--wait-stdin");
    const shim = new Deno.Command(program!, { args, stdin: "piped", stderr: "null" }).spawn();
    await untouchedFor(bed, 300);
    await shim.stdin.close();
    assertEquals((await shim.status).code, 0);
    assertEquals(bed.verdict(), "new");
  });
  await check("a parent that is killed: the shim finishes", async (bed) => {
    const tool = shell(bed, `"$@" --parent-pid $$ & wait`);
    await waits(bed);
    tool.kill("SIGKILL");
    await finishes(bed, tool);
  });
  for (const signal of ["INT", "HUP", "TERM", "KILL"]) {
    const name = `SIG${signal} to the parent's process group: a shim in its own session finishes`;
    await check(name, async (bed) => {
      const tool = shell(bed, `setsid "$@" --parent-pid $$ & wait`, "", true);
      await waits(bed);
      await run(["kill", `-${signal}`, "--", `-${tool.pid}`]);
      await finishes(bed, tool);
    });
  }
  await check("SIGHUP to the process group: a shim in it finishes, too", async (bed) => {
    const tool = shell(bed, `"$@" --parent-pid $$ & wait`, "", true);
    await waits(bed);
    await run(["kill", "-HUP", "--", `-${tool.pid}`]);
    await finishes(bed, tool);
  });
  await check("the terminal is closed: the shim finishes", terminalClosed);
}

async function waitsFor(bed: Bed, ms = 500): Promise<void> {
  const tool = sleeper();
  const [program, ...args] = bed.command("--parent-pid", `${tool.pid}`);
  const shim = new Deno.Command(program!, { args, stdin: "null", stderr: "null" }).spawn();
  try {
    await untouchedFor(bed, ms);
  } finally {
    tool.kill("SIGKILL");
    await tool.status;
    await shim.status;
  }
  assertEquals(bed.verdict(), "new");
}

/** In a pid namespace, where the next pid can be chosen. */
async function pidUsedAgain(bed: Bed): Promise<void> {
  const script = `
    sleep 60 & first=$!
    "$@" --parent-pid $first --wait-timeout 20 & shim=$!
    sleep 0.5
    kill -9 $first; wait $first 2>/dev/null
    echo $((first - 1)) >/proc/sys/kernel/ns_last_pid
    sleep 60 & second=$!
    [ $first = $second ] || { echo "the pid was not used again" >&2; exit 77; }
    wait $shim; code=$?
    kill -9 $second
    exit $code`;
  const inside = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
  const { code, stderr } = await run([...inside, "sh", "-c", script, "sh", ...bed.command()]);
  assertEquals(code, 0, stderr);
  assertEquals(bed.verdict(), "new");
}

/** `script` is the terminal; when it is killed, the terminal hangs up. */
async function terminalClosed(bed: Bed): Promise<void> {
  const command = `"$SHIM" --install-dir "$DIR" --parent-pid $$ & sleep 60`;
  const terminal = new Deno.Command("script", {
    args: ["--quiet", "--command", command, "/dev/null"],
    env: { SHIM: bed.shim, DIR: bed.install, SHELL: "/bin/sh" },
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await waits(bed);
  terminal.kill("SIGKILL");
  await terminal.stdin.close().catch(() => {});
  await finishes(bed, terminal);
}

function sleeper(): Deno.ChildProcess {
  return new Deno.Command("sleep", { args: ["60"] }).spawn();
}

/** A main tool; `"$@"` is the shim's command line. */
function shell(bed: Bed, script: string, zero = "sh", group = false): Deno.ChildProcess {
  const args = ["sh", "-c", script, zero, ...bed.command()];
  const [program, ...rest] = group ? ["setsid", ...args] : args;
  const options = { args: rest, stdin: "null", stdout: "null", stderr: "null" } as const;
  return new Deno.Command(program!, options).spawn();
}

/** Which files the targets are, and when they were changed. */
function touched(bed: Bed): string {
  return NAMES.map((name) => {
    const { ino, mtime, ctime, nlink } = Deno.lstatSync(bed.path(name));
    return [name, ino, mtime?.getTime(), ctime?.getTime(), nlink].join(" ");
  }).join("\n");
}

async function untouchedFor(bed: Bed, ms: number): Promise<void> {
  const before = touched(bed);
  for (const end = performance.now() + ms; performance.now() < end;) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    assertEquals(touched(bed), before);
  }
}

/** The shim has begun: it waits for its parent, or is about to. */
async function waits(bed: Bed): Promise<void> {
  await until("the shim runs", () => bed.names().includes(".updater-shim/updater-shim/waits.json"));
  await untouchedFor(bed, 200);
}

async function finishes(bed: Bed, tool: Deno.ChildProcess): Promise<void> {
  await tool.status;
  await until("the shim has finished", () => bed.names().includes(LAST_RUN));
  const { code } = JSON.parse(Deno.readTextFileSync(bed.path(LAST_RUN)));
  assertEquals([code, bed.verdict()], [0, "new"]);
}

async function numberIn(path: string): Promise<string> {
  await until(`${path} is written`, () => {
    try {
      return /^\d+\n$/.test(Deno.readTextFileSync(path));
    } catch {
      return false;
    }
  });
  return Deno.readTextFileSync(path).trim();
}
