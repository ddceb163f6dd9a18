/** The rules of Windows that the other tests build on: is the bed as strict as the real thing? */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import {
  cachedProgram,
  DENO,
  helper,
  runWindows,
  spawnWindows,
  windowsPath,
  WINE_ONLY,
} from "./bed.ts";

const ACCESS_DENIED = "os error 5";
const SHARING_VIOLATION = "os error 32";

Deno.test("the real Windows Deno runs a script", async () => {
  await using folder = await makeFolder("a folder with spaces, ü and 日本語");
  const script =
    `console.log(Deno.build.os, Deno.args, await new Response(Deno.stdin.readable).text());
    console.error("Fehler: ✗");
    Deno.exit(7);`;
  Deno.writeTextFileSync(join(folder.path, "script.js"), script);
  const args = ["run", "-A", "script.js", "two words", "ü 日本", 'a "quoted" one', ""];
  const { code, stdout, stderr } = await runWindows(folder.path, DENO, args, { stdin: "input ✓" });
  assertEquals(code, 7);
  assertEquals(stdout, `windows [ "two words", "ü 日本", 'a "quoted" one', "" ] input ✓\n`);
  assertEquals(stderr, "Fehler: ✗\n");
});

Deno.test("rename over a running executable is refused, aside is not", async () => {
  await using folder = await makeFolder();
  const tool = join(folder.path, "tool.exe");
  Deno.copyFileSync(cachedProgram("esbuild-0.28.1.exe"), tool);
  Deno.copyFileSync(cachedProgram("esbuild-0.28.2.exe"), join(folder.path, "new.exe"));
  {
    await using running = await spawnWindows(folder.path, ".\\tool.exe", ["--service=0.28.1"]);
    await running.printed("0.28.1"); // it greets, then waits for its input to end
    const { stdout } = await runWindows(folder.path, DENO, ["eval", TRY_ALL]);
    assertEquals(outcomes(stdout), {
      openToWrite: SHARING_VIOLATION,
      remove: ACCESS_DENIED,
      renameOver: ACCESS_DENIED,
      link: "done",
      removeLink: ACCESS_DENIED,
      renameAside: "done",
      renameIn: "done",
      removeAside: ACCESS_DENIED,
    });
    assertEquals((await runWindows(folder.path, ".\\tool.exe", ["--version"])).stdout, "0.28.2\n");
  }
  const removal = `Deno.removeSync("aside"); Deno.removeSync("tool.exe.previous");`;
  const { code, stderr } = await runWindows(folder.path, DENO, ["eval", removal]);
  assertEquals([code, stderr], [0, ""], "once it has exited, all of it can go");
});

const ATTEMPT = `const attempt = (name, action) => {
  try { action(); console.log(name + "=done"); }
  catch (error) { console.log(name + "=" + (/os error \\d+/.exec(error.message) ?? [error])[0]); }
};`;

const TRY_ALL = `${ATTEMPT}
attempt("openToWrite", () => Deno.openSync("tool.exe", { write: true }).close());
attempt("remove", () => Deno.removeSync("tool.exe"));
attempt("renameOver", () => Deno.renameSync("new.exe", "tool.exe"));
attempt("link", () => Deno.linkSync("tool.exe", "tool.exe.previous"));
attempt("removeLink", () => Deno.removeSync("tool.exe.previous"));
attempt("renameAside", () => Deno.renameSync("tool.exe", "aside"));
attempt("renameIn", () => Deno.renameSync("new.exe", "tool.exe"));
attempt("removeAside", () => Deno.removeSync("aside"));`;

function outcomes(stdout: string): Record<string, string> {
  return Object.fromEntries(stdout.trim().split("\n").map((line) => line.split("=")));
}

Deno.test("a file held without the right to delete it cannot be renamed, until it is let go", async () => {
  await using folder = await makeFolder();
  Deno.writeTextFileSync(join(folder.path, "held"), "x");
  const rename = `${ATTEMPT} attempt("rename", () => Deno.renameSync("held", "moved"));`;
  {
    await using holder = await spawnWindows(
      folder.path,
      DENO,
      helper("hold_file", "held", "rw", "60000"),
    );
    await holder.printed("held");
    const { stdout } = await runWindows(folder.path, DENO, ["eval", rename]);
    assertEquals(outcomes(stdout), { rename: SHARING_VIOLATION });
  }
  const { stdout } = await runWindows(folder.path, DENO, ["eval", rename]);
  assertEquals(outcomes(stdout), { rename: "done" });
});

Deno.test("a lock ends with the process that is terminated", async () => {
  await using folder = await makeFolder();
  const open = `const file = Deno.openSync("lock", { read: true, write: true, create: true });`;
  const lock = `${open} console.log(file.tryLockSync(true));`;
  await using holder = await spawnWindows(
    folder.path,
    DENO,
    ["eval", `${lock} setTimeout(() => {}, 60000);`],
  );
  await holder.printed("true");
  assertEquals((await runWindows(folder.path, DENO, ["eval", lock])).stdout, "false\n");
  const { code } = await holder.terminate();
  assertEquals(code, 137);
  assertEquals((await runWindows(folder.path, DENO, ["eval", lock])).stdout, "true\n");
});

Deno.test("Ctrl-C reaches a program in its console", async () => {
  await using folder = await makeFolder();
  const listening =
    `Deno.addSignalListener("SIGINT", () => { console.log("got it"); Deno.exit(3); });
    console.log("up"); setTimeout(() => {}, 60000);`;
  Deno.writeTextFileSync(join(folder.path, "listening.js"), listening);
  const { code, output } = await inConsole(folder.path, "ctrl-c", "listening.js");
  assertEquals([code, output], [3, "up\ngot it\n"]);
});

Deno.test("closing the console ends the programs in it", async () => {
  await using folder = await makeFolder();
  const writing = `const sign = () => Deno.writeTextFileSync("alive", "x", { append: true });
    sign(); setInterval(sign, 20); console.log("up");`;
  Deno.writeTextFileSync(join(folder.path, "writing.js"), writing);
  const { output } = await inConsole(folder.path, "close", "writing.js");
  assertEquals(output, "up\n");
  const size = () => Deno.statSync(join(folder.path, "alive")).size;
  const before = size();
  const { stdout } = await runWindows(folder.path, DENO, ["eval", "console.log(1)"]); // takes a while
  assertEquals([stdout, size()], ["1\n", before]);
});

async function inConsole(folder: string, event: "ctrl-c" | "close", script: string) {
  const deno = windowsPath(cachedProgram(DENO));
  const args = helper("console", event, "up", "output", deno, "run", "-A", script);
  const { code, stderr } = await runWindows(folder, DENO, args, { timeoutSeconds: 30 });
  assertEquals(stderr, "");
  return { code, output: Deno.readTextFileSync(join(folder, "output")) };
}

Deno.test("a program that does not end is ended, and says so", async () => {
  await using folder = await makeFolder();
  const forever = ["eval", "setTimeout(() => {}, 60000)"];
  const { code, stderr } = await runWindows(folder.path, DENO, forever, { timeoutSeconds: 2 });
  assertEquals(code, 124);
  assertStringIncludes(stderr, "did not end within 2 s");
});

Deno.test("waiting for an output that never comes ends with the program", async () => {
  await using folder = await makeFolder();
  await using process = await spawnWindows(folder.path, DENO, ["eval", `console.log("this")`]);
  await assertRejects(() => process.printed("that"), Error, `"stdout":"this\\n"`);
});

Deno.test({
  name: "the other drive is another device",
  ignore: WINE_ONLY, // one drive is all that a machine need have
  async fn() {
    await using folder = await makeFolder();
    const other = Deno.makeTempDirSync({ dir: "/dev/shm" });
    try {
      Deno.writeTextFileSync(join(folder.path, "file"), "x");
      const there = JSON.stringify(windowsPath(join(other, "file")));
      const rename = `${ATTEMPT} attempt("rename", () => Deno.renameSync("file", ${there}));`;
      const { stdout } = await runWindows(folder.path, DENO, ["eval", rename]);
      assertEquals(outcomes(stdout), { rename: "os error 17" });
      assert(there.startsWith('"E:'));
    } finally {
      Deno.removeSync(other, { recursive: true });
    }
  },
});

async function makeFolder(name = "folder") {
  const parent = await Deno.makeTempDir();
  const path = join(parent, name);
  await Deno.mkdir(path);
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(parent, { recursive: true }),
  };
}
