/**
 * `deno task bench`: the figures that the project promises, measured side by side in one run on
 * real executables, as a table. Linux only. Exit code 1 when a target is missed.
 */
import { join } from "@std/path";
import { median, type Row, table } from "./bench_figures.ts";
import { material } from "./bench_material.ts";
import { peakKiB, prepareMemory, timed } from "./bench_process.ts";
import { serve } from "./bench_server.ts";
import { BUNDLE_LIMIT, compileShim } from "./compile.ts";

const ROUNDS = 7;
const STARTS = 21;
const MIB = 1024 * 1024;

const folder = Deno.makeTempDirSync({ prefix: "updater-shim-bench-" });
try {
  const rows = await measure();
  console.log(`\n${table(rows)}`);
  if (rows.some(({ met }) => !met)) Deno.exitCode = 1;
} finally {
  Deno.removeSync(folder, { recursive: true });
}

async function measure(): Promise<Row[]> {
  const shim = join(folder, "updater-shim");
  const hello = join(folder, "hello");
  const bundle = await compileShim({ output: shim });
  const entry = join(folder, "hello.ts");
  Deno.writeTextFileSync(entry, 'console.log("hello");\n');
  await compileShim({ output: hello, entry });
  return [
    await updateTime(shim),
    ...await updateMemory(shim),
    await startTime(shim, hello),
    await repairTime(shim),
    bundleSize(bundle),
  ];
}

function bundleSize(bundle: number): Row {
  return {
    what: "bundle of our code and its dependencies, minified",
    ours: `${bundle} bytes`,
    beside: "",
    target: `at most ${BUNDLE_LIMIT} bytes`,
    met: bundle <= BUNDLE_LIMIT,
  };
}

/** The whole update, health checks included, against the least that a careful script would do. */
async function updateTime(shim: string): Promise<Row> {
  const { large, oldLarge } = await material();
  await using server = await serve(folder, large);
  const installed = join(folder, "installed");
  Deno.mkdirSync(installed);
  const target = join(installed, "deno");
  const script = `set -e; cd "$1"; curl -sS -o fresh "$2"; openssl dgst -sha256 fresh >sum
    chmod 755 fresh; sync fresh; mv fresh deno; rm sum`;
  const contestants = [
    () => timed(shim, ["--install-dir", installed, "--manifest", server.manifest, "--quiet"]),
    () => timed("sh", ["-c", script, "sh", installed, server.file]),
  ];
  const times: number[][] = contestants.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, contestant] of contestants.entries()) {
      Deno.removeSync(installed, { recursive: true });
      Deno.mkdirSync(installed);
      Deno.copyFileSync(oldLarge, target);
      await prepareMemory();
      times[at]!.push(await contestant());
      if (Deno.statSync(target).size !== large.size) throw new Error(`${target} was not updated`);
    }
  }
  const [ours, theirs] = times.map(median) as [number, number];
  return {
    what: `update of ${(large.size / MIB).toFixed(0)} MiB over loopback, ${server.program}`,
    ours: `${ours.toFixed(0)} ms`,
    beside: `${theirs.toFixed(0)} ms: curl, openssl, sync, mv (${
      (ours / theirs).toFixed(2)
    } times)`,
    target: "at most 1.3 times",
    met: ours <= 1.3 * theirs,
  };
}

/** Memory must not depend on the size of what is downloaded. */
async function updateMemory(shim: string): Promise<Row[]> {
  const { small, large, huge } = await material();
  const rows: Row[] = [];
  const idle = await medianPeak(() => peakKiB(shim, ["--version"]));
  for (const release of [small, large, huge]) {
    await using server = await serve(folder, release);
    const peak = await medianPeak(async () => {
      const installed = Deno.makeTempDirSync({ dir: folder });
      // An old file is hashed, too. It is of the same bytes: hence --force.
      Deno.copyFileSync(release.path, join(installed, "deno"));
      const args = [
        "--install-dir",
        installed,
        "--manifest",
        server.manifest,
        "--force",
        "--quiet",
      ];
      const peak = await peakKiB(shim, args);
      Deno.removeSync(installed, { recursive: true });
      return peak;
    });
    rows.push({
      what: `peak memory of an update of ${(release.size / MIB).toFixed(0)} MiB`,
      ours: `${(peak / 1024).toFixed(1)} MiB`,
      beside: `${(idle / 1024).toFixed(1)} MiB idle (${((peak - idle) / 1024).toFixed(1)} more)`,
      target: "at most 40 MB more",
      met: (peak - idle) * 1024 <= 40e6,
    });
  }
  return rows;
}

async function medianPeak(measure: () => Promise<number>): Promise<number> {
  const peaks: number[] = [];
  for (let round = 0; round < 5; round++) peaks.push(await measure());
  return median(peaks);
}

async function startTime(shim: string, hello: string): Promise<Row> {
  const [ours, theirs] = await interleaved(
    () => timed(shim, ["--version"]),
    () => timed(hello, []),
  );
  return {
    what: "start: `--version`",
    ours: `${ours.toFixed(1)} ms`,
    beside: `${theirs.toFixed(1)} ms: a compiled hello world (${(ours / theirs).toFixed(2)} times)`,
    target: "at most 1.5 times",
    met: ours <= 1.5 * theirs,
  };
}

async function repairTime(shim: string): Promise<Row> {
  const full = join(folder, "full");
  Deno.mkdirSync(full);
  for (let index = 0; index < 10_000; index++) {
    Deno.writeTextFileSync(join(full, `tool-${index}`), "#!/bin/sh\n", { mode: 0o755 });
  }
  const [ours, version] = await interleaved(
    () => timed(shim, ["--repair", "--install-dir", full]),
    () => timed(shim, ["--version"]),
  );
  return {
    what: "`--repair` with nothing to do among 10,000 files",
    ours: `${ours.toFixed(1)} ms`,
    beside: `${version.toFixed(1)} ms: \`--version\` (${(ours - version).toFixed(1)} more)`,
    target: "at most 100 ms more",
    met: ours - version <= 100,
  };
}

async function interleaved(
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
): Promise<[number, number]> {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < STARTS; round++) {
    times[0].push(await ours());
    times[1].push(await theirs());
  }
  return [median(times[0]), median(times[1])];
}
