/**
 * Stands in for the shim: compiled by the same code with the same permissions, on the same system,
 * it tries what the shim must not be able to do, and prints as JSON what came of it.
 */
import { spawnSync } from "node:child_process";
import { hostname, networkInterfaces, userInfo } from "node:os";
import process from "node:process";
import { join } from "@std/path";
import { denoSystem } from "../../src/system/deno_system.ts";

/** "refused" by the runtime, "allowed", or what else went wrong. */
export type Outcomes = Record<string, string>;

const { processes, fs } = denoSystem;
const QUICK_MS = 20_000;

async function attempt(outcomes: Outcomes, tries: Record<string, () => unknown>): Promise<void> {
  for (const [what, step] of Object.entries(tries)) {
    try {
      await step();
      outcomes[what] = "allowed";
    } catch (error) {
      outcomes[what] = error instanceof Deno.errors.NotCapable || isRefusal(error)
        ? "refused"
        : String(error);
    }
  }
}

/** An error that came from a Worker has lost its class, and a module is just not there. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error &&
    /^Requires \w+ access|escalate|^Module not found/.test(error.message);
}

/** Which of these variables can be read, and in which ways all of them at once. */
async function environment(names: readonly string[]): Promise<Outcomes> {
  const outcomes: Outcomes = {};
  const get = names.map((name) => [name, () => Deno.env.get(name)]);
  await attempt(outcomes, Object.fromEntries(get));
  await attempt(outcomes, {
    "process.env": () => process.env.HOME,
    "all by Deno": () => Deno.env.toObject(),
    "all by process.env": () => Object.keys(process.env),
    "all by /proc": () => Deno.readTextFileSync("/proc/self/environ"),
    "set": () => Deno.env.set("LD_PRELOAD", "x"),
    "delete": () => Deno.env.delete("HOME"),
  });
  return outcomes;
}

/** What else there is beside files, network and programs. */
async function system(): Promise<Outcomes> {
  const outcomes: Outcomes = {};
  await attempt(outcomes, {
    "free space": () => fs.freeBytes("."),
    "host name": () => hostname(),
    "user's name": () => userInfo(),
    "network interfaces": () => networkInterfaces(),
    "memory": () => Deno.systemMemoryInfo(),
    "system's release": () => Deno.osRelease(),
    "load": () => Deno.loadavg(),
    "library": () => processes.openLibrary("libc.so.6", {}),
    "another library of Windows": () =>
      processes.openLibrary("C:\\Windows\\System32\\user32.dll", {}),
    "native module": () => process.dlopen({ exports: {} }, "x.node"),
    "code from the network": () =>
      import(["https://raw.githubusercontent.com", "a", "b.ts"].join("/")),
    "device": () => Deno.openSync("/dev/mem"),
    "memory of the process": () => Deno.openSync("/proc/self/mem"),
  });
  return outcomes;
}

/** Programs, before and after it is known which are needed. Both names lead to this executable. */
async function programs(folder: string, named: string, other: string): Promise<Outcomes> {
  const outcomes: Outcomes = {};
  const run = (path: string) => processes.run(path, ["hello"], QUICK_MS);
  const worker = (permissions: "inherit" | { run: true }) =>
    new Worker("data:text/javascript,", { type: "module", deno: { permissions } });
  await attempt(outcomes, { "before: another": () => run(join(folder, other)) });
  processes.confine([join(folder, named)], join(folder, "partial"));
  await attempt(outcomes, {
    "named": async () => {
      const { code, stdout } = await run(join(folder, named));
      if (code !== 0 || stdout !== "hello\n") throw new Error(`${code} ${stdout}`);
    },
    "named, and ended when its time is up": async () => {
      const { timedOut } = await processes.run(join(folder, named), ["hang"], 300);
      if (!timedOut) throw new Error("it ended by itself");
    },
    "named, and ended by a signal of ours": async () => {
      const stop = AbortSignal.timeout(300);
      const { code, timedOut } = await processes.run(join(folder, named), ["hang"], QUICK_MS, stop);
      if (code === 0 || timedOut) throw new Error(`${code} ${timedOut}`);
    },
    "named, to outlive us": () => processes.spawn(join(folder, named), ["hello-file", folder]),
    "another": () => run(join(folder, other)),
    "another, to outlive us": () => processes.spawn(join(folder, other), ["hello"]),
    "another, by a detour over the named one": () => run(join(folder, named, "..", other)),
    "a program on the PATH": () => run(Deno.build.os === "windows" ? "cmd" : "printenv"),
    "a shell": () => run("/bin/sh"),
    "around the seam": () => new Deno.Command(join(folder, named)).outputSync(),
    "by node:child_process": () => {
      const { error } = spawnSync(join(folder, other), ["hello"], { env: {} });
      if (error) throw error;
    },
    "a signal to another process": () => Deno.kill(Deno.ppid, "SIGCONT"),
    "a Worker with more": () => worker({ run: true }),
    "more later": () => processes.confine([join(folder, other)], folder),
    "library": () => processes.openLibrary("C:\\Windows\\System32\\kernel32.dll", {}),
  });
  outcomes["asking for it"] = Deno.permissions.requestSync({ name: "run" }).state;
  return outcomes;
}

const [what, ...rest] = Deno.args;
switch (what) {
  case "hello":
    console.log("hello");
    break;
  case "hang":
    await new Promise((resolve) => setTimeout(resolve, 2 * QUICK_MS));
    break;
  case "hello-file":
    Deno.writeTextFileSync(join(rest[0]!, "hello.txt"), "hello");
    break;
  case "environment":
    console.log(JSON.stringify(await environment(rest)));
    break;
  case "system":
    console.log(JSON.stringify(await system()));
    break;
  case "programs":
    console.log(JSON.stringify(await programs(rest[0]!, rest[1]!, rest[2]!)));
}
Deno.exit(0);
