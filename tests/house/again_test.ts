/** Each complaint of a sweep ends with the command that runs it again: such a command runs it, and it alone. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { dirname, fromFileUrl, join, toFileUrl } from "@std/path";
import { SECTIONS } from "../crash/main.ts";
import { parsePoint, Report } from "../crash/report.ts";
import { command } from "../support/again.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));

Deno.test("what a complaint of the crash suite ends with is a section, and a point of it", () => {
  const lines: string[] = [];
  const { log } = console;
  console.log = (line: string) => void lines.push(...line.split("\n"));
  try {
    for (const section of Object.keys(SECTIONS)) {
      const report = new Report();
      report.section = section;
      const row = report.row("something");
      for (const at of ["12", "EIO:12", "12:7"]) {
        const verdicts = { before: "missing", after: "missing", strangers: [] } as const;
        row.add({ at, where: "somewhere", ...verdicts });
      }
      report.close(row, 1);
    }
  } finally {
    console.log = log;
  }
  const commands = lines.flatMap((line) =>
    /again: deno task test:crash (.+)$/.exec(line)?.[1] ?? []
  );
  // Each promise that failed, and each point of it.
  assertEquals(commands.length, Object.keys(SECTIONS).length * 4);
  for (const text of commands) {
    const [section, option = "--at", point = "1"] = text.split(" ");
    assert(section! in SECTIONS, text);
    assertEquals(option, "--at");
    assert(parsePoint(point).at > 0, text);
  }
});

Deno.test("every sweep of the crash suite says which point is to be tried again", () => {
  const sweeps = [...Deno.readDirSync(join(ROOT, "tests", "crash"))].filter(({ name }) =>
    name.endsWith(".ts") && name !== "report.ts"
  ).map(({ name }) => Deno.readTextFileSync(join(ROOT, "tests", "crash", name)))
    .filter((source) => source.includes("row.add("));
  assertEquals(sweeps.length, 4);
  for (const source of sweeps) assertMatch(source, /report\.only|\{ only \} = lab\.report/);
});

Deno.test("what a sweep of the ordinary tests or on Windows ends with runs that sweep alone", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "updater-shim-" });
  try {
    const file = join(folder, "sweep_test.ts");
    const source = `import { sweepTest } from ${
      JSON.stringify(import.meta.resolve("../support/again.ts"))
    };
      const fails = () => Promise.reject(new Error("the set is mixed"));
      for (const name of ["one file", "one file, with torn renames", "(all) of it"]) {
        sweepTest({ task: "test", url: import.meta.url, name }, fails);
      }`;
    Deno.writeTextFileSync(file, source);
    for (const name of ["one file", "(all) of it"]) {
      const again = command({ task: "test", url: toFileUrl(file).href, name });
      const [, pattern] = /--filter '([^']+)' \S+sweep_test\.ts$/.exec(again) ?? [];
      const output = await test(["--filter", pattern ?? "no pattern", file]);
      assertStringIncludes(output, "0 passed | 1 failed");
      assertStringIncludes(output, again);
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("the command of a sweep names a task and a file that are there", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.json")));
  const simulated = ["simulation_test.ts", "simulated_faults_test.ts"].map((name) =>
    `simulation/${name}`
  );
  for (const path of [...simulated, "windows/kill_sweep_test.ts"]) {
    const source = Deno.readTextFileSync(join(ROOT, "tests", path));
    const [, task] = /sweepTest\(\{ task: "([^"]+)"/.exec(source) ?? [];
    assert(task! in tasks, path);
    const url = toFileUrl(join(ROOT, "tests", path)).href;
    const file = command({ task: "test", url, name: "" }).split(" ").at(-1)!;
    assert(Deno.statSync(join(ROOT, file)).isFile, file);
  }
});

async function test(args: readonly string[]): Promise<string> {
  const config = join(ROOT, "deno.json");
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-lock", "--config", config, ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}
