import { assertEquals, assertStringIncludes } from "@std/assert";
import { UpdateError } from "../../src/base/errors.ts";
import { waitForParent } from "../../src/parent/wait_for_parent.ts";
import type { Processes } from "../../src/system/processes.ts";
import { windows } from "../../src/system/windows.ts";
import { makeWorld } from "../support/world.ts";
import { denoSystem } from "../../src/system/deno_system.ts";

const never = new AbortController().signal;

/**
 * Waits for a pid the way a shim does that was started after that process: true when it counts as
 * exited, else the error. The shim's own pid is a real process's, because the start times count.
 */
async function waitFor(
  pid: number,
  timeoutMs: number,
  change: Partial<Processes> = {},
  stop = never,
): Promise<true | UpdateError> {
  await new Promise((resolve) => setTimeout(resolve, 30)); // three ticks of the kernel's clock
  const shim = sleeper("30");
  const processes = { ...denoSystem.processes, pid: shim.pid, ...change };
  await using world = makeWorld({ processes });
  try {
    await waitForParent(world, { parentPid: pid, waitStdin: false, timeoutMs }, stop);
    return true;
  } catch (error) {
    if (error instanceof UpdateError) return error;
    throw error;
  } finally {
    await end(shim);
  }
}

async function exits(pid: number, timeoutMs: number, change: Partial<Processes> = {}) {
  return await waitFor(pid, timeoutMs, change) === true;
}

function sleeper(seconds: string): Deno.ChildProcess {
  return new Deno.Command("sleep", { args: [seconds] }).spawn();
}

async function end(child: Deno.ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await child.status;
}

Deno.test("A process that ends is waited for", async () => {
  const child = sleeper("0.3");
  assertEquals(await exits(child.pid, 5000), true);
  await child.status;
});

Deno.test("A process that does not end is given up with its pid in the message", async () => {
  const child = sleeper("30");
  const error = await waitFor(child.pid, 150);
  if (error === true) throw new Error("it counts as exited");
  assertEquals(error.message, `Process ${child.pid} did not exit within 0.15 s`);
  assertEquals(error.exitCode, 5);
  await end(child);
});

Deno.test("A stopped process has not exited", async () => {
  const child = sleeper("30");
  child.kill("SIGSTOP");
  assertEquals(await exits(child.pid, 300), false);
  await end(child);
});

Deno.test("A zombie has exited", async () => {
  const { outer, pid } = await willBeZombie("0.2");
  await untilZombie(pid);
  assertEquals(await exits(pid, 2000), true);
  await end(outer);
});

Deno.test("A process that becomes a zombie while it is waited for has exited", async () => {
  const { outer, pid } = await willBeZombie("0.4");
  assertEquals(await exits(pid, 5000), true);
  await end(outer);
});

Deno.test("A zombie has exited where there is a shell and no cat", async () => {
  const { outer, pid } = await willBeZombie("0.2");
  await untilZombie(pid);
  const run: Processes["run"] = (program, ...more) =>
    program === "/bin/cat"
      ? Promise.reject(new Deno.errors.NotFound(program))
      : denoSystem.processes.run(program, ...more);
  assertEquals(await exits(pid, 2000, { run }), true);
  await end(outer);
});

Deno.test("A pid that was never there has exited", async () => {
  assertEquals(await exits(4_194_000, 100), true);
});

Deno.test("Our own pid has exited: the tool exec'ed the shim", async () => {
  assertEquals(await exits(Deno.pid, 100, { pid: Deno.pid }), true);
});

Deno.test("A pid that belongs to a process younger than the shim has exited", async () => {
  const older = sleeper("30");
  await new Promise((resolve) => setTimeout(resolve, 30));
  const younger = sleeper("30");
  assertEquals(await exits(younger.pid, 200, { pid: older.pid }), true);
  assertEquals(await exits(older.pid, 200, { pid: younger.pid }), false);
  await end(older);
  await end(younger);
});

Deno.test("A pid that another process takes over while we wait has exited", async () => {
  const parent = sleeper("30");
  await new Promise((resolve) => setTimeout(resolve, 30));
  const successor = sleeper("30");
  let looks = 0;
  const taken = await exits(parent.pid, 3000, {
    run(path, args, timeoutMs) {
      // Pids cannot be made to come round in a test: from the second look on, the answer is the
      // successor's.
      const asked = args[0] === `/proc/${parent.pid}/stat` && ++looks > 1;
      return denoSystem.processes.run(
        path,
        asked ? [`/proc/${successor.pid}/stat`] : args,
        timeoutMs,
      );
    },
  });
  assertEquals([taken, looks], [true, 2]);
  await end(parent);
  await end(successor);
});

Deno.test("Our own parent is watched by getppid, without a look at any pid", async () => {
  let parent = 77;
  setTimeout(() => parent = 1, 200);
  const exists = () => {
    throw new Error("asked for a pid");
  };
  assertEquals(await exits(77, 3000, { parentPid: () => parent, exists }), true);
});

Deno.test("The end of the standard input counts as exit with --wait-stdin", async () => {
  const child = sleeper("30");
  const terminal = {
    ...denoSystem.terminal,
    inputEnd: () => new Promise<void>((resolve) => setTimeout(resolve, 50)),
  };
  await using world = makeWorld({ terminal });
  const wait = { parentPid: child.pid, waitStdin: true, timeoutMs: 3000 };
  await waitForParent(world, wait, never);
  await end(child);
});

Deno.test("An interruption ends the wait with its own reason", async () => {
  const child = sleeper("30");
  const stop = new AbortController();
  const reason = new UpdateError("interrupted", "Interrupted");
  setTimeout(() => stop.abort(reason), 100);
  assertEquals(await waitFor(child.pid, 5000, {}, stop.signal), reason);
  await end(child);
});

/** A sleep that ends when its shell has become another one, which never asks how. */
async function willBeZombie(seconds: string): Promise<{ outer: Deno.ChildProcess; pid: number }> {
  const outer = new Deno.Command("sh", {
    args: ["-c", `sleep ${seconds} & echo $!; exec sleep 30`],
    stdout: "piped",
  }).spawn();
  return { outer, pid: await firstNumber(outer.stdout) };
}

async function firstNumber(stream: ReadableStream<Uint8Array>): Promise<number> {
  const reader = stream.getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) break;
    text += new TextDecoder().decode(value);
  }
  await reader.cancel();
  return Number(text);
}

async function untilZombie(pid: number): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (/\) Z /.test(Deno.readTextFileSync(`/proc/${pid}/stat`))) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("no zombie");
}

Deno.test("A Windows that does not lie in C:\\Windows is told, with what works there", async () => {
  const processes = {
    ...denoSystem.processes,
    openLibrary() {
      throw new Error("Could not open library: The specified module could not be found.");
    },
  };
  await using world = makeWorld({ os: "windows", platform: windows, processes });
  const wait = { parentPid: 4, waitStdin: false, timeoutMs: 100 };
  const error = await waitForParent(world, wait, never).catch((error) => error);
  assertEquals(error.exitCode, 7);
  assertStringIncludes(error.message, 'Cannot open "C:\\Windows\\System32\\kernel32.dll"');
  assertStringIncludes(error.hint, "--wait-stdin");
});
