/** A whole update over loopback, its time and its memory. */
import { join } from "@std/path";
import { inTurn, median, ratio, type Row } from "./bench_figures.ts";
import { type Bench, material } from "./bench_material.ts";
import { peakKiB, prepareMemory, timed } from "./bench_process.ts";
import { serve } from "./bench_server.ts";

const ROUNDS = 11;
const MIB = 1024 * 1024;

/** The whole update, health checks included, against the least that a careful script would do. */
export async function updateTimes({ folder, shim }: Bench): Promise<Row[]> {
  const { large, oldLarge } = await material();
  await using server = await serve(folder, large);
  const installed = join(folder, "installed");
  const target = join(installed, "deno");
  const script = `set -e; cd "$1"; curl -sS -o fresh "$2"; openssl dgst -sha256 fresh >sum
    chmod 755 fresh; sync fresh; mv fresh deno; rm sum`;
  const contestant = (run: () => Promise<number>) => async () => {
    Deno.mkdirSync(installed);
    Deno.copyFileSync(oldLarge, target);
    await prepareMemory();
    const ms = await run();
    if (Deno.statSync(target).size !== large.size) throw new Error(`${target} was not updated`);
    Deno.removeSync(installed, { recursive: true });
    return ms;
  };
  const [ours, theirs] = await inTurn(ROUNDS, [
    contestant(() =>
      timed(shim, ["--install-dir", installed, "--manifest", server.manifest, "--quiet"])
    ),
    contestant(() => timed("sh", ["-c", script, "sh", installed, server.file])),
  ]) as [number[], number[]];
  const { text, met } = ratio(ours, theirs, 1.3);
  return [{
    what: `update of ${(large.size / MIB).toFixed(0)} MiB over loopback, ${server.program}`,
    ours: `${median(ours).toFixed(0)} ms`,
    beside: `${median(theirs).toFixed(0)} ms: curl, openssl, sync, mv (${text})`,
    target: "at most 1.3 times",
    met,
  }];
}

/** Memory must not depend on the size of what is downloaded. */
export async function updateMemory({ folder, shim }: Bench): Promise<Row[]> {
  const { small, large, huge } = await material();
  const rows: Row[] = [];
  const idle = await medianPeak(() => peakKiB(shim, ["--version"]));
  for (const release of [small, large, huge]) {
    await using server = await serve(folder, release);
    const peak = await medianPeak(async () => {
      const installed = Deno.makeTempDirSync({ dir: folder });
      // An old file is hashed, too. It is of the same bytes: hence --force.
      Deno.copyFileSync(release.path, join(installed, "deno"));
      const args = ["--install-dir", installed, "--manifest", server.manifest];
      const peak = await peakKiB(shim, [...args, "--force", "--quiet"]);
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
