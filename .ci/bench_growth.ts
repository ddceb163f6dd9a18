/** How time and memory grow with what there is to do: `.github/growth.svg`. */
import { createHash } from "node:crypto";
import { dirname, fromFileUrl, join } from "@std/path";
import { chart, type Panel, type Point } from "./bench_chart.ts";
import { median } from "./bench_figures.ts";
import { type Bench, describe, type Release } from "./bench_material.ts";
import { peakKiB, timed } from "./bench_process.ts";
import { serve } from "./bench_server.ts";
import { runProgram } from "./run_program.ts";

const PICTURE = join(dirname(dirname(fromFileUrl(import.meta.url))), ".github", "growth.svg");
const ROUNDS = 3;
const MIB = 1024 * 1024;

/** What grows, and how far. */
const PANELS: readonly {
  readonly title: string;
  readonly unit: string;
  readonly amounts: readonly number[];
  readonly point: (bench: Bench, amount: number) => Promise<Point>;
}[] = [
  { title: "An update", unit: "MB", amounts: [1, 10, 100, 500, 2000], point: ofSize },
  { title: "An update", unit: "executables", amounts: [1, 10, 50, 200], point: ofTargets },
  { title: "--repair", unit: "tools in the folder", amounts: [1, 5, 20, 50], point: ofTools },
  {
    title: "--repair",
    unit: "files in the folder",
    amounts: [10, 100, 1000, 10_000, 100_000],
    point: ofFiles,
  },
  {
    title: "--repair after a kill",
    unit: "executables in the journal",
    amounts: [1, 10, 50, 200],
    point: ofJournal,
  },
  { title: "--repair", unit: "KB in the log", amounts: [1, 10, 100, 1000], point: ofLog },
];

/** Measures all and writes the picture. */
export async function drawGrowth(bench: Bench): Promise<void> {
  const panels: Panel[] = [];
  for (const { title, unit, amounts, point } of PANELS) {
    console.log(`${title}, ${unit}`);
    const points: Point[] = [];
    for (const amount of amounts) {
      const own = await point(bench, amount);
      console.log(`  ${amount}: ${own.ms.toFixed(0)} ms, ${own.mib.toFixed(0)} MiB`);
      points.push(own);
    }
    panels.push({ title, unit, points });
  }
  Deno.writeTextFileSync(PICTURE, chart(panels));
}

/** The medians of some runs; `prepare` comes before each. */
async function measure(
  { shim }: Bench,
  at: number,
  args: readonly string[],
  prepare: () => void | Promise<void> = () => {},
): Promise<Point> {
  const [times, peaks]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    await prepare();
    times.push(await timed(shim, args));
    await prepare();
    peaks.push(await peakKiB(shim, args));
  }
  return { at, ms: median(times), mib: median(peaks) / 1024 };
}

async function ofSize(bench: Bench, megabytes: number): Promise<Point> {
  const folder = Deno.makeTempDirSync({ dir: bench.folder });
  const [release, installed] = [join(folder, "release"), join(folder, "installed")];
  await using server = await serve(bench.folder, scriptOf(release, megabytes * 1e6));
  const args = ["--install-dir", installed, "--manifest", server.manifest, "--quiet"];
  const point = await measure(bench, megabytes, args, () => empty(installed));
  Deno.removeSync(folder, { recursive: true });
  return point;
}

/** What follows the last command of a script does not matter to the shell. */
function scriptOf(path: string, size: number): Release {
  const chunk = new Uint8Array(MIB);
  chunk.set(new TextEncoder().encode("#!/bin/sh\nexit 0\n"));
  const hash = createHash("sha256");
  using file = Deno.openSync(path, { createNew: true, write: true, mode: 0o755 });
  for (let rest = size; rest > 0; chunk.fill(1)) {
    const part = chunk.subarray(0, Math.min(rest, chunk.length));
    file.writeSync(part);
    hash.update(part);
    rest -= part.length;
  }
  return { path, size, sha256: hash.digest("hex") };
}

async function ofTargets(bench: Bench, count: number): Promise<Point> {
  const folder = Deno.makeTempDirSync({ dir: bench.folder });
  const installed = join(folder, "installed");
  const manifest = scriptsReleased(folder, Array(count).fill("exit 0"));
  const args = ["--install-dir", installed, "--manifest", manifest, "--quiet"];
  const point = await measure(bench, count, args, () => empty(installed));
  Deno.removeSync(folder, { recursive: true });
  return point;
}

async function ofTools(bench: Bench, count: number): Promise<Point> {
  const installed = Deno.makeTempDirSync({ dir: bench.folder });
  const tool = join(bench.folder, "tool");
  Deno.writeTextFileSync(tool, "#!/bin/sh\n", { mode: 0o755 });
  for (let at = 0; at < count; at++) {
    const config = join(installed, `tool-${at}.json`);
    Deno.writeTextFileSync(config, "{}");
    await timed(bench.shim, ["--config", config, "--from", tool, "--target", `tool-${at}`]);
  }
  return await repairOf(bench, count, installed);
}

async function ofFiles(bench: Bench, count: number): Promise<Point> {
  const installed = Deno.makeTempDirSync({ dir: bench.folder });
  for (let at = 0; at < count; at++) {
    Deno.writeTextFileSync(join(installed, `tool-${at}`), "#!/bin/sh\n", { mode: 0o755 });
  }
  return await repairOf(bench, count, installed);
}

async function ofLog(bench: Bench, kilobytes: number): Promise<Point> {
  const folder = Deno.makeTempDirSync({ dir: bench.folder });
  const installed = join(folder, "installed");
  const manifest = scriptsReleased(folder, ["exit 0"]);
  await timed(bench.shim, ["--install-dir", installed, "--manifest", manifest]);
  const log = join(installed, ".updater-shim", "updater-shim", "log.txt");
  Deno.writeTextFileSync(log, `${"a line of the log ".repeat(5)}\n`.repeat(kilobytes * 11));
  return await repairOf(bench, kilobytes, installed);
}

/** What has nothing to do leaves the folder as it is. */
async function repairOf(bench: Bench, at: number, installed: string): Promise<Point> {
  const point = await measure(bench, at, ["--repair", "--install-dir", installed]);
  Deno.removeSync(installed, { recursive: true });
  return point;
}

/** An update that was killed while it tried the last of the new executables. */
async function ofJournal(bench: Bench, count: number): Promise<Point> {
  const folder = Deno.makeTempDirSync({ dir: bench.folder });
  const [installed, killed] = [join(folder, "installed"), join(folder, "killed")];
  const tried = join(folder, "tried");
  const scripts = Array(count).fill("exit 0").with(-1, `touch ${tried}; exec sleep 1`);
  const manifest = scriptsReleased(folder, scripts);
  empty(killed);
  const args = ["--install-dir", killed, "--manifest", manifest, "--quiet"];
  const update = new Deno.Command(bench.shim, { args, stderr: "null" }).spawn();
  while (!exists(tried)) await new Promise((resolve) => setTimeout(resolve, 10));
  update.kill("SIGKILL");
  await update.status;
  const point = await measure(bench, count, ["--repair", "--install-dir", installed], async () => {
    empty(installed);
    await runProgram("cp", ["-a", `${killed}/.`, installed]);
  });
  Deno.removeSync(folder, { recursive: true });
  return point;
}

/** Path of the manifest of a release of shell scripts. */
function scriptsReleased(folder: string, scripts: readonly string[]): string {
  const files = scripts.map((script, at) => {
    const path = join(folder, `tool-${at}`);
    Deno.writeTextFileSync(path, `#!/bin/sh\n# ${at}\n${script}\n`, { mode: 0o755 });
    const { size, sha256 } = describe(path);
    return { target: `tool-${at}`, url: `tool-${at}`, size, sha256 };
  });
  const manifest = join(folder, "release.json");
  const platforms = { [Deno.build.target]: { files } };
  const release = { schema: 1, name: "bench", version: "2.0.0", platforms };
  Deno.writeTextFileSync(manifest, JSON.stringify(release));
  return manifest;
}

function empty(folder: string): void {
  if (exists(folder)) Deno.removeSync(folder, { recursive: true });
  Deno.mkdirSync(folder);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
