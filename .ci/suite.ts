/**
 * `deno run -A .ci/suite.ts TASK [deno test's arguments]`: runs one suite and says at its end what
 * was left out and what else there is to run, so that nobody takes a part for the whole.
 */
import { dirname, fromFileUrl, join } from "@std/path";

const ROOT = dirname(dirname(fromFileUrl(import.meta.url)));

/** What `deno test` gets for each task where the command line names no file or folder. */
export const SUITES: Readonly<Record<string, readonly string[]>> = {
  "test": ["--ignore=tests/windows,tests/crash,tests/programs", "tests/"],
  "test:programs": ["tests/programs/"],
  "test:windows": ["tests/windows/"],
  "fuzz": ["tests/fuzz/", "tests/histories/", "tests/programs/archive_differential_test.ts"],
};

/** Runs `deno test` with these arguments; its exit code. */
async function runTests(args: readonly string[], report: string): Promise<number> {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", `--junit-path=${report}`, ...args],
  }).spawn().status;
  return code;
}

/** A test or step that a JUnit report calls skipped. */
interface LeftOut {
  readonly name: string;
  /** The condition that stands at the test, such as `Deno.build.os === "windows"`. */
  readonly why: string | undefined;
}

/** All that were not run. */
export function leftOut(report: string): LeftOut[] {
  const cases =
    /<testcase name="([^"]*)" classname="([^"]*)"[^>]* line="(\d+)"[^>]*[^/]>\s*<skipped/g;
  return [...report.matchAll(cases)].map(([, name, file, line]) => ({
    name: unescape(name!),
    why: conditionAt(unescape(file!), Number(line)),
  }));
}

/** What follows `ignore` in a test's options; of a name, what the file says that it is. */
function conditionAt(file: string, line: number): string | undefined {
  const source = readIfThere(file);
  const options = source?.split("\n").slice(line - 1, line + 8).join("\n") ?? "";
  const [, condition] = /\bignore\b:?\s*([^,\n]*)/.exec(options) ?? [];
  const name = condition === "" ? "ignore" : condition?.replace(/^!/, "");
  const meaning = name && source
    ? new RegExp(`^ *const ${RegExp.escape(name)} = (.+?);`, "m").exec(source)?.[1]
    : undefined;
  return [condition, meaning].filter(Boolean).join(", where that is ") || undefined;
}

function readIfThere(file: string): string | undefined {
  try {
    return Deno.readTextFileSync(file.startsWith("file:") ? fromFileUrl(file) : join(ROOT, file));
  } catch {
    return undefined;
  }
}

function unescape(text: string): string {
  const named: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replaceAll(
    /&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi,
    (all, decimal, hex, name) =>
      decimal
        ? String.fromCodePoint(+decimal)
        : hex
        ? String.fromCodePoint(parseInt(hex, 16))
        : named[name] ?? all,
  );
}

/** The lines that end a run; `report` is JUnit's, empty where no test was run. */
export function ending(task: string, report: string, partly: boolean): string[] {
  const names = leftOut(report).map(({ name, why }) => why ? `${name} (${why})` : name);
  const where = `${Deno.build.os}, ${Deno.build.arch}`;
  const tasks = tasksBesides(task).map(([name, text]) => `  deno task ${name}: ${text}`);
  return [
    ...(partly ? ["A part of the suite was run: what the command line chose."] : []),
    !report.includes("<testcase")
      ? "No test was run."
      : names.length === 0
      ? "Left out: nothing."
      : `Left out on this machine (${where}), and the condition for that:`,
    ...names.map((name) => `  ${name}`),
    "What else there is to run:",
    ...tasks,
  ];
}

function tasksBesides(task: string): [name: string, description: string][] {
  const { tasks } = JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.json"))) as {
    tasks: Record<string, { description: string }>;
  };
  return Object.entries(tasks)
    .filter(([name]) => name !== task && /^(test|fuzz)/.test(name))
    .map(([name, { description }]) => [name, description]);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

if (import.meta.main) {
  const [task = "", ...given] = Deno.args;
  const suite = SUITES[task];
  if (!suite) throw new Error(`no suite "${task}": one of ${Object.keys(SUITES).join(", ")}`);
  const args = given.some(exists) ? given : [...given, ...suite];
  const report = Deno.makeTempFileSync({ prefix: "updater-shim-", suffix: ".xml" });
  try {
    const code = await runTests(args, report);
    console.log(ending(task, Deno.readTextFileSync(report), given.length > 0).join("\n"));
    Deno.exitCode = code;
  } finally {
    Deno.removeSync(report);
  }
}
