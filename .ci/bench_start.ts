/** How soon the program is ready, where that is what it costs. */
import { join } from "@std/path";
import { inTurn, median, ratio, type Row, spread } from "./bench_figures.ts";
import { type Bench, describe, type Release } from "./bench_material.ts";
import { timed } from "./bench_process.ts";

const ROUNDS = 41;

/** Beside a hello world that was compiled in the same way. */
export async function startTimes(bench: Bench): Promise<Row[]> {
  const { folder, shim, hello } = bench;
  const installed = join(folder, "start");
  Deno.mkdirSync(installed);
  const tool = join(folder, "tool");
  Deno.writeTextFileSync(tool, "#!/bin/sh\n", { mode: 0o755 });
  const release = join(folder, "start.json");
  Deno.writeTextFileSync(release, JSON.stringify(releaseOf(describe(tool))));
  await timed(shim, ["--install-dir", installed, "--manifest", release]);
  const check = ["--check", "--install-dir", installed, "--manifest", release, "--max-age", "1h"];
  await timed(shim, check); // keeps the answer
  const ways: Record<string, { readonly args: string[]; readonly most: number }> = {
    "`--version`": { args: ["--version"], most: 1.2 },
    "`--check`, answered from what was kept": { args: check, most: 1.3 },
    "`--repair` with nothing to do": { args: ["--repair", "--install-dir", installed], most: 1.3 },
  };
  const [theirs, ...ours] = await inTurn(ROUNDS, [
    () => timed(hello, []),
    ...Object.values(ways).map(({ args }) => () => timed(shim, args)),
  ]) as [number[], ...number[][]];
  const rows = Object.entries(ways).map(([what, { most }], at): Row => {
    const { text, met } = ratio(ours[at]!, theirs, most);
    return {
      what: `start: ${what}`,
      ours: `${median(ours[at]!).toFixed(1)} ms`,
      beside: `${median(theirs).toFixed(1)} ms: a compiled hello world (${text})`,
      target: `at most ${most} times`,
      met,
    };
  });
  return [...rows, await repairTime(bench)];
}

function releaseOf({ size, sha256 }: Release): Record<string, unknown> {
  const file = { target: "tool", url: "tool", size, sha256 };
  const platforms = { [Deno.build.target]: { files: [file] } };
  return { schema: 1, name: "bench", version: "0.0.1", platforms };
}

async function repairTime({ folder, shim }: Bench): Promise<Row> {
  const full = join(folder, "full");
  Deno.mkdirSync(full);
  for (let index = 0; index < 10_000; index++) {
    Deno.writeTextFileSync(join(full, `tool-${index}`), "#!/bin/sh\n", { mode: 0o755 });
  }
  const [ours, version] = await inTurn(ROUNDS, [
    () => timed(shim, ["--repair", "--install-dir", full]),
    () => timed(shim, ["--version"]),
  ]) as [number[], number[]];
  const more = spread(ours.map((value, at) => value - version[at]!));
  return {
    what: "`--repair` with nothing to do among 10,000 files",
    ours: `${median(ours).toFixed(1)} ms`,
    beside: `${median(version).toFixed(1)} ms: \`--version\` (${more.median.toFixed(1)} more, ` +
      `${more.low.toFixed(1)} to ${more.high.toFixed(1)})`,
    target: "at most 100 ms more",
    met: more.low <= 100,
  };
}
