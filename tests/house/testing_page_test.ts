/** The table of TESTING.md is the one that the crash suite prints: its columns, its rows, nothing bad. */
import { assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { COLUMNS, Report } from "../crash/report.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));
const PAGE = Deno.readTextFileSync(join(ROOT, ".github", "TESTING.md"));
/** What is no fault. */
const GOOD = 3;

Deno.test("TESTING.md has the rows that the crash suite prints, and nothing bad in them", () => {
  const [columns, , ...rows] = cellsOf(
    /<!-- crash: .*? -->\n(.*?)<!-- \/crash -->/s.exec(PAGE)![1]!,
  );
  assertEquals(columns, ["", ...COLUMNS]);
  assertEquals(rows.map(([name]) => name).sort(), rowsOfSuite().sort());
  for (const [name, ...cells] of rows) {
    assertEquals(cells.slice(GOOD), COLUMNS.slice(GOOD).map(() => "0"), name);
  }
});

Deno.test("the crash suite prints its table as a page has it", () => {
  const report = new Report();
  for (const name of ["a", "a longer name"]) report.row(name).counts.tried = 1234;
  const printed = capture(() => report.finish()).split("\n\n")[0]!.trim();
  assertEquals(cellsOf(printed).map((row) => row.slice(0, 2)), [
    ["", "tried"],
    ["-------------", "-----"],
    ["a", "1234"],
    ["a longer name", "1234"],
  ]);
  assertEquals(new Set(printed.split("\n").map((line) => line.length)).size, 1);
});

/** Every name of a row in the suite's own source. */
function rowsOfSuite(): string[] {
  const sources = ["main.ts", "error_sweep.ts", "recovery_sweep.ts", "power_cuts.ts"].map((name) =>
    Deno.readTextFileSync(join(ROOT, "tests", "crash", name))
  ).join("\n");
  const kinds = /const KINDS = \[(.*?)\]/.exec(sources)![1]!.match(/\w+/g)!;
  const names = sources.match(
    /(?<=\bname(?: =|:) ")killed[^"]*|(?<=")(recovery killed|an error[^"]*)(?=")/g,
  )!;
  const folders = Deno.readTextFileSync(join(ROOT, "tests", "crash", "folders.ts"))
    .match(/(?<= = ")in a [^"]*/g)!;
  const inFolders = ["killed", "recovery killed", "an error", "power cut"]
    .flatMap((what) => folders.map((folder) => `${what}, ${folder}`));
  return [...names, ...inFolders, ...kinds.map((kind) => `power cut, ${kind}`)];
}

function cellsOf(table: string): string[][] {
  return table.trim().split("\n").map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.trim())
  );
}

function capture(print: () => void): string {
  const { log } = console;
  let text = "";
  console.log = (line: string) => void (text += `${line}\n`);
  try {
    print();
  } finally {
    console.log = log;
  }
  return text;
}
