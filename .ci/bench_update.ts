/** A whole update over loopback, its time and its memory. */
import { join, toFileUrl } from "@std/path";
import { inTurn, median, ratio, type Row } from "./bench_figures.ts";
import { type Bench, describe, material, type Release } from "./bench_material.ts";
import { peakKiB, prepareMemory, timed } from "./bench_process.ts";
import { serve } from "./bench_server.ts";

const ROUNDS = 11;
const MIB = 1024 * 1024;

/**
 * The whole update, health checks included, against the least that a careful script would do: where
 * another installer put the old version, which is asked for its version, and where the shim did.
 */
export async function updateTimes({ folder, shim }: Bench): Promise<Row[]> {
  const { large, oldLarge } = await material();
  await using server = await serve(folder, large);
  const old = writeManifest(folder, describe(oldLarge));
  const installed = join(folder, "installed");
  const target = join(installed, "deno");
  const script = `set -e; cd "$1"; curl -sS -o fresh "$2"; openssl dgst -sha256 fresh >sum
    chmod 755 fresh; sync fresh; mv fresh deno; rm sum`;
  const copyOld = () => Promise.resolve(Deno.copyFileSync(oldLarge, target));
  const update = (manifest: string) => () =>
    timed(shim, ["--install-dir", installed, "--manifest", manifest, "--quiet"]);
  const contestant = (install: () => Promise<unknown>, run: () => Promise<number>) => async () => {
    Deno.mkdirSync(installed);
    await install();
    await prepareMemory();
    const ms = await run();
    if (Deno.statSync(target).size !== large.size) throw new Error(`${target} was not updated`);
    Deno.removeSync(installed, { recursive: true });
    return ms;
  };
  const [theirs, ...ours] = await inTurn(ROUNDS, [
    contestant(copyOld, () => timed("sh", ["-c", script, "sh", installed, server.file])),
    contestant(copyOld, update(server.manifest)),
    contestant(update(old), update(server.manifest)),
  ]) as [number[], ...number[][]];
  return ["first", "later"].map((which, at) => {
    const { text, met } = ratio(ours[at]!, theirs, 1.05);
    return {
      what: `${which} update of ${
        (large.size / MIB).toFixed(0)
      } MiB over loopback, ${server.program}`,
      ours: `${median(ours[at]!).toFixed(0)} ms`,
      beside: `${median(theirs).toFixed(0)} ms: curl, openssl, sync, mv (${text})`,
      target: "at most 1.05 times",
      met,
    };
  });
}

/** Of a release that lies on this disk. Returns its path. */
function writeManifest(folder: string, { path, size, sha256 }: Release): string {
  const files = [{ target: "deno", url: toFileUrl(path).href, size, sha256 }];
  const platforms = { [Deno.build.target]: { files } };
  const manifest = join(folder, "old.json");
  const text = JSON.stringify({ schema: 1, name: "bench", version: "2.9.5", platforms });
  Deno.writeTextFileSync(manifest, text);
  return manifest;
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
      beside: `${(idle / 1024).toFixed(1)} MiB idle (${
        ((peak - idle) * 1024 / 1e6).toFixed(1)
      } MB more)`,
      target: "at most 27 MB more",
      met: (peak - idle) * 1024 <= 27e6,
    });
  }
  return rows;
}

async function medianPeak(measure: () => Promise<number>): Promise<number> {
  const peaks: number[] = [];
  for (let round = 0; round < 5; round++) peaks.push(await measure());
  return median(peaks);
}
