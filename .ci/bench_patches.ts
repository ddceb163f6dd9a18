/** Patches between real releases: how large, how long to make, what it takes to apply them. */
import { dirname, fromFileUrl, join } from "@std/path";
import { median, type Row } from "./bench_figures.ts";
import { type Bench, describe, npmExecutable } from "./bench_material.ts";
import { pacedUpdate } from "./bench_paced.ts";
import { runProgram } from "./run_program.ts";

/** What is promised: shares of the new file and of its gzip file, and the rest for some 95 MB. */
const MOST = { raw: 0.05, gzip: 0.12, makeMs: 20_000, makeMiB: 750, applyMs: 300, applyMB: 60 };
const LARGE = 90_000_000;
/** A tenth of a second is disturbed easily: the median of so many. */
const ROUNDS = 5;
const ROOT = dirname(dirname(fromFileUrl(import.meta.url)));

/** Consecutive releases, as their authors published them: package, versions, place in the archive. */
const PAIRS: readonly (readonly [string, string, string, string])[] = [
  ["lefthook-linux-x64", "2.2.1", "2.2.2", "package/bin/lefthook"],
  ["@esbuild/linux-x64", "0.28.1", "0.28.2", "package/bin/esbuild"],
  ["@esbuild/win32-x64", "0.28.1", "0.28.2", "package/esbuild.exe"],
  ["@dprint/linux-x64-glibc", "0.57.1", "0.57.4", "package/dprint"],
  ["turbo-linux-64", "2.8.16", "2.8.17", "turbo-linux-x64/bin/turbo"],
  ["@ast-grep/cli-linux-x64-gnu", "0.51.0", "0.51.1", "package/ast-grep"],
  ["@deno/linux-x64-glibc", "2.9.5", "2.9.6", "package/deno"],
  ["@deno/win32-x64", "2.9.4", "2.9.5", "package/deno.exe"],
  ["@biomejs/cli-linux-x64", "2.6.7", "2.6.8", "package/biome"],
  ["@oven/bun-linux-x64", "1.4.4", "1.4.5", "package/bin/bun"],
];

/** What was measured of one pair: bytes, milliseconds of processor time, MiB and MB above idle. */
interface Figures {
  readonly name: string;
  readonly size: number;
  readonly gzip: number;
  readonly patch: number;
  readonly makeMs: number;
  readonly makeMiB: number;
  readonly applyMs: number;
  readonly applyMB: number;
}

/** The table of `.github/PATCH-FORMAT.md`, printed, and the rows that say whether it is enough. */
export async function patches(bench: Bench): Promise<Row[]> {
  const all: Figures[] = [];
  for (const pair of PAIRS) all.push(await measure(bench.folder, pair));
  console.log(`\n${figuresTable(all)}`);
  const large = all.filter(({ size }) => size >= LARGE);
  const worst = (value: (figures: Figures) => number) => Math.max(...large.map(value));
  const raw = median(all.map(({ patch, size }) => patch / size));
  const gzip = median(all.map(({ patch, gzip }) => patch / gzip));
  const [makeMs, makeMiB] = [worst((it) => it.makeMs), worst((it) => it.makeMiB)];
  const [applyMs, applyMB] = [worst((it) => it.applyMs), worst((it) => it.applyMB)];
  return [{
    what: `patches between releases, median of ${all.length} pairs`,
    ours: `${percent(raw)} of the new file`,
    beside: `${percent(gzip)} of it in \`.gz\``,
    target: `at most ${percent(MOST.raw)} and ${percent(MOST.gzip)}`,
    met: raw <= MOST.raw && gzip <= MOST.gzip,
  }, {
    what: "making a patch of 95 to 107 MB, the largest of four",
    ours: `${(makeMs / 1000).toFixed(1)} s of CPU, ${makeMiB.toFixed(0)} MiB`,
    beside: "",
    target: `at most ${MOST.makeMs / 1000} s and ${MOST.makeMiB} MiB`,
    met: makeMs <= MOST.makeMs && makeMiB <= MOST.makeMiB,
  }, {
    what: "applying it, the digest of the result included",
    ours: `${applyMs.toFixed(0)} ms of CPU, ${applyMB.toFixed(0)} MB above idle`,
    beside: "",
    target: `at most ${MOST.applyMs} ms and ${MOST.applyMB} MB`,
    met: applyMs <= MOST.applyMs && applyMB <= MOST.applyMB,
  }, await pacedUpdate(bench)];
}

async function measure(
  folder: string,
  [name, from, to, member]: typeof PAIRS[number],
): Promise<Figures> {
  const old = await npmExecutable(`${name}@${from}`, member);
  const fresh = describe(await npmExecutable(`${name}@${to}`, member));
  const [patch, made] = [join(folder, "patch"), join(folder, "made")];
  const make = await probe("make", old, fresh.path, patch);
  const applied: Probed[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    applied.push(await probe("apply", old, patch, made, String(fresh.size)));
    if (describe(made).sha256 !== fresh.sha256) throw new Error(`the patch of ${name} is wrong`);
    Deno.removeSync(made);
  }
  const gzip = await runProgram("sh", ["-c", 'gzip -9 -c "$1" | wc -c', "sh", fresh.path]);
  const figures = {
    name: `${name.replace(/^@|-linux-x64.*$/g, "")} ${from} → ${to}`,
    size: fresh.size,
    gzip: Number(gzip),
    patch: Deno.statSync(patch).size,
    makeMs: make.cpuMs,
    makeMiB: make.peakKiB / 1024,
    applyMs: median(applied.map(({ cpuMs }) => cpuMs)),
    applyMB: median(applied.map(({ peakKiB, idleKiB }) => (peakKiB - idleKiB) * 1024 / 1e6)),
  };
  Deno.removeSync(patch);
  return figures;
}

/** What `bench_patch_probe.ts` prints. */
interface Probed {
  readonly cpuMs: number;
  readonly peakKiB: number;
  readonly idleKiB: number;
}

/** In a process of its own. */
async function probe(...args: string[]): Promise<Probed> {
  const program = join(ROOT, ".ci", "bench_patch_probe.ts");
  const text = await runProgram(Deno.execPath(), ["run", "-A", program, ...args], { cwd: ROOT });
  return JSON.parse(text);
}

function figuresTable(all: readonly Figures[]): string {
  const rows = all.map((it) => [
    it.name,
    (it.size / 1e6).toFixed(1),
    (it.patch / 1e6).toFixed(2),
    percent(it.patch / it.size),
    percent(it.patch / it.gzip),
    `${(it.makeMs / 1000).toFixed(1)} s, ${it.makeMiB.toFixed(0)} MiB`,
    `${it.applyMs.toFixed(0)} ms, ${it.applyMB.toFixed(0)} MB`,
  ]);
  const head = ["release", "MB", "patch", "of it", "of its `.gz`", "made in", "applied in"];
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
