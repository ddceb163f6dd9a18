/**
 * `deno run -A .ci/suite.ts TASK [deno test's arguments]`: runs one suite and says at its end what
 * was left out and what else there is to run, so that nobody takes a part for the whole.
 */
import { dirname, fromFileUrl, join } from "@std/path";

const ROOT = dirname(dirname(fromFileUrl(import.meta.url)));

/** Folders with tasks of their own. */
const APART = ["tests/windows", "tests/crash", "tests/programs"];

/** What `deno test` gets for each task where the command line names no file or folder. */
export const SUITES: Readonly<Record<string, readonly string[]>> = {
  "test": [`--ignore=${APART}`, "tests/"],
  "test:programs": ["tests/programs/"],
  "test:windows": ["tests/windows/"],
  "fuzz": ["tests/fuzz/", "tests/histories/", "tests/programs/archive_differential_test.ts"],
};

/** Files of the ordinary tests know nothing of each other: so many processes have their shares. */
const AT_ONCE = Math.min(navigator.hardwareConcurrency, 4);

interface Ended {
  readonly code: number;
  /** JUnit's. */
  readonly report: string;
}

/** Runs `deno test`. What the first of several prints is seen at once, of the others when they end. */
async function runTests(args: readonly string[], index: number): Promise<Ended> {
  const report = Deno.makeTempFileSync({ prefix: "updater-shim-", suffix: ".xml" });
  const stdio = index === 0 ? "inherit" : "piped";
  try {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", `--junit-path=${report}`, ...args],
      stdout: stdio,
      stderr: stdio,
    }).spawn();
    const printed = stdio === "piped" ? await child.output() : undefined;
    const { code } = await child.status;
    for (const part of [printed?.stdout, printed?.stderr]) {
      if (part) await write(part);
    }
    return { code, report: Deno.readTextFileSync(report) };
  } finally {
    Deno.removeSync(report);
  }
}

async function write(bytes: Uint8Array): Promise<void> {
  await new Blob([bytes.slice()]).stream().pipeTo(Deno.stdout.writable, { preventClose: true });
}

/** The files of the ordinary tests, dealt out. */
export function shares(folder: string, without: readonly string[], count: number): string[][] {
  const files = testFiles(folder).filter((file) =>
    !without.some((left) => file.startsWith(`${left}/`))
  );
  return Array.from({ length: count }, (_, share) => files.filter((_, at) => at % count === share));
}

function testFiles(folder: string): string[] {
  return [...Deno.readDirSync(folder)]
    .sort((one, other) => one.name < other.name ? -1 : 1)
    .flatMap(({ name, isDirectory }) => {
      const path = `${folder}/${name}`;
      return isDirectory ? testFiles(path) : name.endsWith("_test.ts") ? [path] : [];
    });
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
  const all = task === "test" && given.length === 0
    ? shares("tests", APART, AT_ONCE)
    : [given.some(exists) ? given : [...given, ...suite]];
  const ended = await Promise.all(all.map(runTests));
  const report = ended.map(({ report }) => report).join("\n");
  console.log(ending(task, report, given.length > 0).join("\n"));
  Deno.exitCode = Math.max(...ended.map(({ code }) => code));
}
