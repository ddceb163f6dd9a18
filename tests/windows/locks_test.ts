/** Files that other programs hold: for moments, for long, for ever. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { DENO, helper, runWindows, spawnWindows, windowsPath } from "./bed.ts";
import { programArgs } from "./bundle.ts";
import { type Installation, makeInstallation } from "./installation.ts";

const OLD = "esbuild-0.28.1.exe";
const NEW = "esbuild-0.28.2.exe";
/** What virus scanners and editors allow others: all but to rename or delete the file. */
const SCANNER = "rw";

for (const held of [200, 5000]) {
  Deno.test(`A target that a scanner holds for ${held} ms is replaced after that`, async () => {
    await using tool = makeInstallation({ "tool.exe": OLD, "new.exe": NEW });
    await using holder = await hold(tool, "tool.exe", SCANNER);
    const from = ["--from", tool.windowsPath("new.exe"), ...TARGET];
    await using shim = await tool.startShim(...from, "--json");
    await shim.printed('"committing"');
    await new Promise((resolve) => setTimeout(resolve, held));
    assert(tool.is("tool.exe", OLD), "it is held");
    await holder.terminate();
    const { code, stderr } = await shim.result;
    assertEquals(code, 0, stderr);
    const told = `"${tool.windowsPath("tool.exe")}" is held by another program: waiting up to 30 s`;
    assertEquals(stderr.includes(told), held >= 1000, stderr);
    assert(tool.is("tool.exe", NEW));
    assertEquals(tool.names(), ["new.exe", "tool.exe"]);
  });
}

const TARGET = ["--target", "tool.exe"];

Deno.test("A target that is held for ever is tried for 30 s and left as it was", async () => {
  await using tool = makeInstallation({ "tool.exe": OLD, "new.exe": NEW });
  await using _holder = await hold(tool, "tool.exe", SCANNER);
  const { error, seconds, pauses } = await runCase(tool, "replace");
  assertMatch(error!.message, /^Cannot replace ".*tool\.exe": .*\(os error 32\)/);
  assertStringIncludes(error!.hint, "close it and run again");
  assertStringIncludes(error!.hint, 'run resmon.exe and search for "tool.exe"');
  assert(seconds >= 30 && seconds < 31, `it gave up after ${seconds} s`);
  assertPauses(pauses);
  assert(tool.is("tool.exe", OLD) && tool.is("new.exe", NEW));
  assertEquals(tool.names(), ["new.exe", "tool.exe"]);
});

/** From 10 ms to 1 s, each up to twice the one before, and by chance up to a half shorter. */
function assertPauses(pauses: readonly number[]): void {
  for (const [index, pause] of pauses.entries()) {
    const longest = Math.min(10 * 2 ** index, 1000);
    assert(pause >= longest / 2 && pause <= longest, `pause ${index} took ${pause} ms`);
  }
  assert(new Set(pauses.slice(7)).size > 10, "they are jittered");
}

Deno.test("Where the new file cannot take the place, the old one is back at once", async () => {
  await using tool = makeInstallation({ "tool.exe": OLD, "new.exe": NEW });
  await using _running = await tool.keepRunning("tool.exe", "0.28.1");
  await using _holder = await hold(tool, "new.exe", SCANNER);
  const { error, seconds, renames, events } = await runCase(tool, "watched");
  assertEquals(error!.kind, "filesystem");
  assertStringIncludes(error!.hint, `Another program uses "${tool.windowsPath("new.exe")}"`);
  assert(seconds >= 60 && seconds < 61, `it gave up after ${seconds} s`);
  assertStringIncludes(
    events[0]!.message!,
    `new.exe" is held by another program: waiting up to 60 s`,
  );
  assertEquals(events.slice(1).map(({ message }) => message), ["missing at 0 pauses"]);
  // Four times over it alone; then over it, aside, in, and aside undone.
  const first = ["new.exe", "new.exe", "new.exe", "new.exe"];
  assertEquals(
    renames.slice(0, 12),
    [...first, "new.exe", "tool.exe", "new.exe", "spare.exe", "new.exe", "tool.exe", "new.exe"]
      .concat("spare.exe"),
  );
  assert(tool.is("tool.exe", OLD));
  assertEquals(tool.names(), ["new.exe", "tool.exe"]);
});

Deno.test("Of three targets, one that is held for ever leaves all three as they were", async () => {
  await using tool = makeInstallation({
    ...{ "a.exe": OLD, "tool.exe": OLD, "z.exe": OLD },
    "new.exe": NEW,
  });
  await using _running = await tool.keepRunning("a.exe", "0.28.1");
  await using holder = await hold(tool, "tool.exe", SCANNER);
  const { error, seconds, events } = await runCase(tool, "install");
  assertMatch(error!.message, /^Cannot replace ".*tool\.exe": /);
  assert(seconds >= 30 && seconds < 62, `it gave up after ${seconds} s`);
  assertEquals(events.filter(({ event }) => event === "swapped").length, 1);
  assertEquals(["a.exe", "tool.exe", "z.exe"].map((name) => tool.is(name, OLD)), [
    true,
    true,
    true,
  ]);
  await holder.terminate();
  assertEquals((await tool.shim(["--repair"])).code, 0);
  assertEquals(tool.names(), ["a.exe", "new.exe", "tool.exe", "z.exe"]);
  assertEquals(["a.exe", "tool.exe", "z.exe"].map((name) => tool.is(name, OLD)), [
    true,
    true,
    true,
  ]);
});

Deno.test("A new file that a scanner has for itself at first is run when it is let go", async () => {
  await using tool = makeInstallation({ "tool.exe": OLD });
  const { error, pauses, events } = await runCase(tool, "health");
  assertEquals(error, null);
  assertEquals(pauses, [20, 40]);
  assertEquals(events.map(({ event }) => event), ["health-check"]);
});

Deno.test("Windows is asked who holds a file, also after the permission for that is given up", async () => {
  await using tool = makeInstallation({ "tool.exe": OLD });
  const { error, events } = await runCase(tool, "holders");
  assertEquals([error, events[0]?.message], [null, "0 holders"], "Wine never knows one");
});

Deno.test("An error that does not pass by itself is not waited for", async () => {
  await using tool = makeInstallation({ "tool.exe": OLD, "new.exe": NEW });
  const { error, pauses } = await runCase(tool, "nowhere");
  assertMatch(error!.message, /\(os error 3\)/);
  assertEquals(pauses, []);
});

Deno.test("Somebody who reads the shim's own files does not stop an update", async () => {
  await using tool = makeInstallation({ "tool.exe": OLD, "new.exe": NEW });
  const from = ["--from", tool.windowsPath("new.exe"), ...TARGET];
  assertEquals((await tool.shim(from)).code, 0);
  const ofTool = ["receipt.json", "last-run.json", "log.txt", "rollback\\tool.exe"];
  const own = [...ofTool.map((name) => `updater-shim\\${name}`), "lock"];
  const holders = await Promise.all(
    own.map((name) => hold(tool, `.updater-shim\\${name}`, "rwd", 3000)),
  );
  const { code, stderr } = await tool.shim(["--rollback"]);
  assertEquals([code, stderr], [0, "Went back: 0.28.2 -> 0.28.1\n"]);
  assert(tool.is("tool.exe", OLD));
  await Promise.all(holders.map((holder) => holder.terminate()));
});

Deno.test("A read-only target is replaced, and stays read-only", async () => {
  await using tool = makeInstallation({ "tool.exe": OLD, "new.exe": NEW });
  await attribute(tool, "+r");
  const { code, stderr } = await tool.shim(["--from", tool.windowsPath("new.exe"), ...TARGET]);
  assertEquals(code, 0, stderr);
  assert(tool.is("tool.exe", NEW));
  assertEquals(await attribute(tool), "read-only");

  await using running = await tool.keepRunning("tool.exe", "0.28.2");
  assertEquals((await tool.shim(["--rollback"])).code, 0, "also while it runs");
  assert(tool.is("tool.exe", OLD));
  assertEquals(await attribute(tool), "read-only");
  await running.terminate();
  assertEquals((await tool.shim(["--repair"])).code, 0);
  assertEquals([tool.names(), tool.stateNames("trash")], [["new.exe", "tool.exe"], []]);
});

Deno.test("A read-only target that cannot be replaced stays read-only", async () => {
  await using tool = makeInstallation({ "tool.exe": OLD, "new.exe": NEW });
  await attribute(tool, "+r");
  await using _holder = await hold(tool, "tool.exe", SCANNER);
  const { error } = await runCase(tool, "replace");
  assertMatch(error!.message, /\(os error 32\)/);
  assertEquals(await attribute(tool), "read-only");
});

/** What `tool.exe` is, after the change. */
async function attribute(tool: Installation, change?: "+r"): Promise<string> {
  const set = change ? `Deno.chmodSync("tool.exe", 0o444);` : "";
  const get = `Deno.statSync("tool.exe").mode & 0o200 ? "writable" : "read-only"`;
  const script = `${set} console.log(${get});`;
  return (await runWindows(tool.folder, DENO, ["eval", script])).stdout.trim();
}

async function hold(tool: Installation, name: string, share: string, milliseconds = 110_000) {
  const args = helper("hold_file", name, share, String(milliseconds));
  const holder = await spawnWindows(tool.folder, DENO, args);
  await holder.printed("held");
  return holder;
}

interface Outcome {
  readonly error:
    | { readonly kind?: string; readonly message: string; readonly hint: string }
    | null;
  readonly seconds: number;
  readonly pauses: readonly number[];
  readonly renames: readonly string[];
  readonly events: readonly { readonly event: string; readonly message?: string }[];
}

/** One case of `programs/locks.ts`. */
async function runCase(tool: Installation, name: string): Promise<Outcome> {
  const args = await programArgs("locks", name, windowsPath(tool.folder));
  const { code, stdout, stderr } = await runWindows(tool.folder, DENO, args);
  assertEquals([code, stderr], [0, ""]);
  return JSON.parse(stdout);
}
