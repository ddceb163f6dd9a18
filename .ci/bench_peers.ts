/**
 * Libraries that replace an executable, beside the shim in the same run. Nothing of them is in this
 * project: `.github/FIGURES.md` says what the folder of `deno task bench peers FOLDER` holds.
 */
import { join } from "@std/path";
import { inTurn, median, ratio, type Row } from "./bench_figures.ts";
import { type Bench, material, type Release } from "./bench_material.ts";
import { buildPeers } from "./bench_peers_build.ts";
import { type Cost, costOf, peakKiB, prepareMemory } from "./bench_process.ts";
import { type BenchServer, serve } from "./bench_server.ts";

const ROUNDS = 11;
const MEMORY_ROUNDS = 3;

/** Who replaces `target` in the folder by what is served. */
interface Contestant {
  readonly name: string;
  /** Where `target` is the program itself. */
  readonly replacesItself?: string;
  readonly command: (target: string) => { readonly program: string; readonly args: string[] };
}

/** What its runs have cost. */
interface Measured {
  readonly costs: readonly Cost[];
  readonly peaks: readonly number[];
}

/** Three rows for each library. */
export async function peers(bench: Bench, folder: string): Promise<Row[]> {
  const [built, { large, oldLarge }] = [await buildPeers(folder, bench.folder), await material()];
  await using server = await serve(bench.folder, large);
  const { host, pathname } = new URL(server.file);
  const library = (name: keyof typeof built, args: string[]): Contestant => ({
    name: built[name].version,
    command: (target) => ({ program: built[name].path, args: [...args, target] }),
  });
  const others: Contestant[] = [
    library("go-update", [server.file, large.sha256]),
    library("minio/selfupdate", [server.file, large.sha256]),
    {
      name: built["self-replace"].version,
      replacesItself: built["self-replace"].path,
      command: (target) => ({ program: target, args: [host, pathname, large.sha256] }),
    },
  ];
  const [ours, ...theirs] = await measure(bench, [shim(bench, server), ...others], {
    large,
    oldLarge,
  });
  return others.flatMap(({ name }, at) => rowsOf(name, ours!, theirs[at]!));
}

function shim({ shim }: Bench, { manifest }: BenchServer): Contestant {
  return {
    name: "updater-shim",
    command: (target) => {
      const args = ["--install-dir", join(target, ".."), "--manifest", manifest, "--quiet"];
      return { program: shim, args };
    },
  };
}

async function measure(
  { folder }: Bench,
  contestants: readonly Contestant[],
  { large, oldLarge }: { readonly large: Release; readonly oldLarge: string },
): Promise<Measured[]> {
  const installed = join(folder, "installed");
  const target = join(installed, "deno");
  /** Runs it in a folder with the old executable, and sees that the new one is there. */
  const replaced = async <T>(
    { name, replacesItself, command }: Contestant,
    run: (program: string, args: readonly string[]) => Promise<T>,
  ) => {
    Deno.mkdirSync(installed);
    Deno.copyFileSync(replacesItself ?? oldLarge, target);
    if (replacesItself) appendFile(target, oldLarge);
    await prepareMemory();
    const { program, args } = command(target);
    const result = await run(program, args);
    if (Deno.statSync(target).size !== large.size) throw new Error(`${name} replaced nothing`);
    Deno.removeSync(installed, { recursive: true });
    return result;
  };
  const costs = await inTurn(ROUNDS, contestants.map((one) => () => replaced(one, costOf)));
  const peaks = await inTurn(MEMORY_ROUNDS, contestants.map((one) => () => replaced(one, peakKiB)));
  return contestants.map((_, at) => ({ costs: costs[at]!, peaks: peaks[at]! }));
}

/** What follows an executable does not matter to the system: it becomes as large as the others' old one. */
function appendFile(path: string, more: string): void {
  Deno.writeFileSync(path, Deno.readFileSync(more), { append: true });
}

function rowsOf(name: string, ours: Measured, theirs: Measured): Row[] {
  const row = (
    what: string,
    unit: string,
    valuesOf: (measured: Measured) => number[],
    most?: number,
  ): Row => {
    const [own, other] = [valuesOf(ours), valuesOf(theirs)];
    const { text, met } = ratio(own, other, most ?? Infinity);
    return {
      what: `beside ${name}: ${what}`,
      ours: `${median(own).toFixed(0)} ${unit}`,
      beside: `${median(other).toFixed(0)} ${unit} (${text})`,
      target: most === undefined ? "" : `at most ${most} times`,
      met,
    };
  };
  return [
    row("time", "ms", ({ costs }) => costs.map(({ ms }) => ms), 1),
    row("processor time", "ms", ({ costs }) => costs.map(({ cpuMs }) => cpuMs)),
    row("peak memory", "MiB", ({ peaks }) => peaks.map((kib) => kib / 1024)),
  ];
}
