/** A suite says at its end what it left out and what else there is. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { ending, shares, SUITES } from "../../.ci/suite.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));
const LEFT_OUT = `left & out <"é">`;

Deno.test("a suite passes on how it ended, and names the tests and steps that it left out", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "updater-shim-" });
  try {
    const file = join(folder, "some_test.ts");
    Deno.writeTextFileSync(
      file,
      `Deno.test("runs", () => {});
      const root = Deno.pid < 0;
      Deno.test({ name: ${JSON.stringify(LEFT_OUT)}, ignore: !root, fn() {} });
      Deno.test("has steps", async (t) => {
        await t.step({ name: "a step", ignore: true, fn() {} });
      });
      Deno.test("fails", () => {
        if (Deno.env.get("FAIL")) throw new Error("as it should");
      });`,
    );
    const good = await run({}, "test", file);
    assertEquals(good.code, 0, good.output);
    assertMatch(good.output, /\nok \| 3 passed/);
    assertStringIncludes(good.output, "A part of the suite was run");
    assertMatch(good.output, /Left out on this machine \(\w+, \w+\), and the condition for that:/);
    assertStringIncludes(
      good.output,
      `\n  ${LEFT_OUT} (!root, where that is Deno.pid < 0)\n  has steps > a step (true)\n`,
    );
    assertStringIncludes(good.output, "\nWhat else there is to run:\n  deno task test:programs: ");

    const bad = await run({ FAIL: "1" }, "test", file);
    assertEquals(bad.code, 1, bad.output);
    assertStringIncludes(bad.output, LEFT_OUT);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("a suite of which nothing is left out says so, and one that ran nothing, too", () => {
  const one = `<testcase name="a" time="0.1">\n</testcase>`;
  assertStringIncludes(ending("test", one, false).join("\n"), "Left out: nothing.\n");
  assertStringIncludes(ending("test", "", false).join("\n"), "No test was run.\n");
});

Deno.test("every folder of tests belongs to a task, and each of those tasks to a suite", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.json"))) as {
    tasks: Record<string, { description: string; command: string }>;
  };
  for (const name of Object.keys(SUITES)) {
    assertMatch(tasks[name]!.command, new RegExp(`\\.ci/suite\\.ts ${name}$`));
  }
  const apart = /^--ignore=(.*)$/.exec(SUITES.test![0]!)![1]!.split(",");
  for (const folder of apart) {
    assertEquals(Deno.statSync(join(ROOT, folder)).isDirectory, true);
    assertStringIncludes(Object.keys(tasks).join(" "), folder.replace("tests/", "test:"));
  }
});

Deno.test("each file of the ordinary tests is in one share, and none of another task's in any", () => {
  const files = shares("tests", ["tests/crash", "tests/windows"], 3).flat();
  assertEquals(files.length, new Set(files).size);
  assertEquals(
    shares("tests", [], 2).flat().sort().filter((file) => !/^tests\/(crash|windows)\//.test(file)),
    files.sort(),
  );
  assertEquals(files.includes("tests/house/suite_test.ts"), true);
});

async function run(env: Record<string, string>, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ".ci/suite.ts", ...args],
    cwd: ROOT,
    env: { ...env, NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, output: text(stdout) + text(stderr) };
}
