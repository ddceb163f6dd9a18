/**
 * `deno task bench [SECTION…]`: the figures that the project promises, measured side by side in one run
 * on real executables, as a table. Linux only. Exit code 1 when a target is missed beyond the spread of
 * what was measured. `growth` is not a part of all: it draws `.github/growth.svg`, in ten minutes.
 */
import { join } from "@std/path";
import { archives } from "./bench_archives.ts";
import { type Row, table } from "./bench_figures.ts";
import { drawGrowth } from "./bench_growth.ts";
import type { Bench } from "./bench_material.ts";
import { patches } from "./bench_patches.ts";
import { startTimes } from "./bench_start.ts";
import { updateMemory, updateTimes } from "./bench_update.ts";
import { BUNDLE_LIMIT, compileShim } from "./compile.ts";

const SECTIONS: Readonly<Record<string, (bench: Bench) => Row[] | Promise<Row[]>>> = {
  update: updateTimes,
  memory: updateMemory,
  archives,
  patches,
  start: startTimes,
  size: bundleSize,
};

function bundleSize({ bundle }: Bench): Row[] {
  return [{
    what: "bundle of our code and its dependencies, minified",
    ours: `${bundle} bytes`,
    beside: "",
    target: `at most ${BUNDLE_LIMIT} bytes`,
    met: bundle <= BUNDLE_LIMIT,
  }];
}

async function prepare(folder: string): Promise<Bench> {
  const [shim, hello] = [join(folder, "updater-shim"), join(folder, "hello")];
  const bundle = await compileShim({ output: shim });
  const entry = join(folder, "hello.ts");
  Deno.writeTextFileSync(entry, 'console.log("hello");\n');
  await compileShim({ output: hello, entry });
  return { folder, shim, hello, bundle };
}

async function main(names: readonly string[]): Promise<void> {
  const unknown = names.find((name) => !(name in SECTIONS) && name !== "growth");
  if (unknown) {
    throw new Error(`no section ${unknown}: ${[...Object.keys(SECTIONS), "growth"].join(", ")}`);
  }
  const folder = Deno.makeTempDirSync({ prefix: "updater-shim-bench-" });
  try {
    const bench = await prepare(folder);
    if (names.includes("growth")) await drawGrowth(bench);
    const rows: Row[] = [];
    for (const [name, section] of Object.entries(SECTIONS)) {
      if (names.length === 0 || names.includes(name)) rows.push(...await section(bench));
    }
    if (rows.length > 0) console.log(`\n${table(rows)}`);
    if (rows.some(({ met }) => !met)) Deno.exitCode = 1;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

if (import.meta.main) await main(Deno.args);
