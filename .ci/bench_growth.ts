/** How time and memory grow with what there is to do: `.github/growth.svg`. */
import { dirname, fromFileUrl, join } from "@std/path";
import { chart, type Panel, type Point } from "./bench_chart.ts";
import { median } from "./bench_figures.ts";
import { type Bench, describe } from "./bench_material.ts";
import { peakKiB, timed } from "./bench_process.ts";
import { serve } from "./bench_server.ts";

const ROOT = dirname(dirname(fromFileUrl(import.meta.url)));
const ROUNDS = 3;
const SCRIPT = "#!/bin/sh\nexit 0\n";

/** Measures all and writes the picture. */
export async function drawGrowth(bench: Bench): Promise<void> {
  const panels: Panel[] = [
    { title: "an update, by size in MB", points: await bySize(bench, [1, 10, 100, 500, 2000]) },
    {
      title: "an update, by number of executables",
      points: await byTargets(bench, [1, 10, 50, 200]),
    },
    { title: "--repair, by tools in the folder", points: await byTools(bench, [1, 5, 20, 50]) },
    {
      title: "--repair, by files in the folder",
      points: await byFiles(bench, [10, 100, 1000, 10_000, 100_000]),
    },
  ];
  for (const { title, points } of panels) {
    const text = points.map(({ at, ms, mib }) =>
      `${at}: ${ms.toFixed(0)} ms, ${mib.toFixed(0)} MiB`
    );
    console.log(`${title}\n  ${text.join("\n  ")}`);
  }
  Deno.writeTextFileSync(join(ROOT, ".github", "growth.svg"), chart(panels));
}

/** One point: the medians of some runs, each in a folder that `prepare` makes. */
async function measure(
  { folder, shim }: Bench,
  at: number,
  prepare: (installed: string) => void | Promise<void>,
  args: (installed: string) => string[],
): Promise<Point> {
  const times: number[] = [], peaks: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [values, run] of [[times, timed], [peaks, peakKiB]] as const) {
      const installed = Deno.makeTempDirSync({ dir: folder });
      await prepare(installed);
      values.push(await run(shim, args(installed)));
      Deno.removeSync(installed, { recursive: true });
    }
  }
  return { at, ms: median(times), mib: median(peaks) / 1024 };
}

async function bySize(bench: Bench, sizes: readonly number[]): Promise<Point[]> {
  const points: Point[] = [];
  for (const size of sizes) {
    const path = join(bench.folder, "large");
    Deno.writeTextFileSync(path, SCRIPT, { mode: 0o755 });
    Deno.truncateSync(path, size * 1e6);
    await using server = await serve(bench.folder, describe(path));
    const args = (
      installed: string,
    ) => ["--install-dir", installed, "--manifest", server.manifest, "--quiet"];
    points.push(await measure(bench, size, () => {}, args));
    Deno.removeSync(path);
  }
  return points;
}

async function byTargets(bench: Bench, counts: readonly number[]): Promise<Point[]> {
  const points: Point[] = [];
  for (const count of counts) {
    const release = Deno.makeTempDirSync({ dir: bench.folder });
    const files = Array.from({ length: count }, (_, at) => {
      const path = join(release, `tool-${at}`);
      Deno.writeTextFileSync(path, SCRIPT, { mode: 0o755 });
      const { size, sha256 } = describe(path);
      return { target: `tool-${at}`, url: `tool-${at}`, size, sha256 };
    });
    const platforms = { [Deno.build.target]: { files } };
    const manifest = join(release, "release.json");
    const document = { schema: 1, name: "bench", version: "2.0.0", platforms };
    Deno.writeTextFileSync(manifest, JSON.stringify(document));
    const args = (
      installed: string,
    ) => ["--install-dir", installed, "--manifest", manifest, "--quiet"];
    points.push(await measure(bench, count, () => {}, args));
  }
  return points;
}

async function byTools(bench: Bench, counts: readonly number[]): Promise<Point[]> {
  const points: Point[] = [];
  for (const count of counts) {
    points.push(
      await measure(bench, count, async (installed) => {
        for (let at = 0; at < count; at++) {
          const [config, tool] = [join(installed, `tool-${at}.json`), join(bench.folder, "tool")];
          Deno.writeTextFileSync(config, "{}");
          Deno.writeTextFileSync(tool, SCRIPT, { mode: 0o755 });
          await timed(bench.shim, ["--config", config, "--from", tool, "--target", `tool-${at}`]);
        }
      }, (installed) => ["--repair", "--install-dir", installed]),
    );
  }
  return points;
}

async function byFiles(bench: Bench, counts: readonly number[]): Promise<Point[]> {
  const points: Point[] = [];
  for (const count of counts) {
    points.push(
      await measure(bench, count, (installed) => {
        for (let at = 0; at < count; at++) {
          Deno.writeTextFileSync(join(installed, `tool-${at}`), SCRIPT, { mode: 0o755 });
        }
      }, (installed) => ["--repair", "--install-dir", installed]),
    );
  }
  return points;
}
