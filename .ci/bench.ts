/**
 * `deno task bench [SECTION…]`: the figures that the project promises, measured side by side in one run
 * on real executables, as a table. Linux only. Exit code 1 when a target is missed beyond the spread of
 * what was measured. Three are no part of all: `growth` draws `.github/growth.svg`, in ten minutes, `line`
 * is a line that loses packets (root), and `peers FOLDER` runs other libraries, which lie in that folder
 * (`.github/FIGURES.md`).
 */
import { join } from "@std/path";
import { archives } from "./bench_archives.ts";
import { type Row, table } from "./bench_figures.ts";
import { slowLine } from "./bench_line.ts";
import { drawGrowth } from "./bench_growth.ts";
import type { Bench } from "./bench_material.ts";
import { patches } from "./bench_patches.ts";
import { peers } from "./bench_peers.ts";
import { sizes } from "./bench_size.ts";
import { startTimes } from "./bench_start.ts";
import { updateMemory, updateTimes } from "./bench_update.ts";
import { compileShim } from "./compile.ts";

const SECTIONS: Readonly<Record<string, (bench: Bench) => Promise<Row[]>>> = {
  update: updateTimes,
  memory: updateMemory,
  archives,
  patches,
  start: startTimes,
  size: sizes,
};

async function prepare(folder: string): Promise<Bench> {
  const [shim, hello] = [join(folder, "updater-shim"), join(folder, "hello")];
  const bundle = await compileShim({ output: shim });
  const entry = join(folder, "hello.ts");
  Deno.writeTextFileSync(entry, 'console.log("hello");\n');
  await compileShim({ output: hello, entry });
  return { folder, shim, hello, bundle };
}

/** What is to be measured. */
interface Wanted {
  readonly sections: readonly string[];
  readonly growth: boolean;
  readonly line: boolean;
  /** Where other libraries lie. */
  readonly peers?: string;
}

/** Throws on what there is not. */
function readArguments(args: readonly string[]): Wanted {
  const at = args.indexOf("peers");
  const folder = at < 0 ? undefined : args[at + 1];
  if (at >= 0 && folder === undefined) throw new Error("peers needs a folder: .github/FIGURES.md");
  const names = at < 0 ? args : args.toSpliced(at, 2);
  const known = [...Object.keys(SECTIONS), "growth", "line"];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown) throw new Error(`no section ${unknown}: ${known.join(", ")}, peers FOLDER`);
  const sections = names.filter((name) => name in SECTIONS);
  const growth = names.includes("growth");
  return {
    sections,
    growth,
    line: names.includes("line"),
    ...(folder !== undefined && { peers: folder }),
  };
}

async function main(args: readonly string[]): Promise<void> {
  const wanted = readArguments(args);
  const folder = Deno.makeTempDirSync({ prefix: "updater-shim-bench-" });
  try {
    const bench = await prepare(folder);
    if (wanted.growth) await drawGrowth(bench);
    const rows: Row[] = [];
    for (const [name, section] of Object.entries(SECTIONS)) {
      if (args.length === 0 || wanted.sections.includes(name)) rows.push(...await section(bench));
    }
    if (wanted.line) rows.push(...await slowLine(bench));
    if (wanted.peers !== undefined) rows.push(...await peers(bench, wanted.peers));
    if (rows.length > 0) console.log(`\n${table(rows)}`);
    if (rows.some(({ met }) => !met)) Deno.exitCode = 1;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

if (import.meta.main) await main(Deno.args);
