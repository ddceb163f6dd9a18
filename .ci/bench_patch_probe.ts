/**
 * Makes or applies one patch and prints what it took: `make OLD NEW PATCH`, or
 * `apply OLD PATCH NEW SIZE`, where the time for the digest of the result counts, too. Linux only.
 */
import process from "node:process";
import { digestFile } from "../src/files/digest.ts";
import { applyPatch } from "../src/patch/apply_patch.ts";
import { makePatch } from "../src/patch/make_patch.ts";
import { denoSystem } from "../src/system/deno_system.ts";

const { fs } = denoSystem;
const idleKiB = peak();
const before = process.cpuUsage();
const [what, old, ...rest] = Deno.args;
if (what === "make") await make(old!, rest[0]!, rest[1]!);
else await apply(old!, rest[0]!, rest[1]!, Number(rest[2]));
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ cpuMs: (user + system) / 1000, peakKiB: peak(), idleKiB }));

async function make(old: string, fresh: string, patch: string): Promise<void> {
  const result = await makePatch(old, fresh, patch, { fs, fullSize: Infinity });
  if ("refused" in result) throw new Error(result.refused);
}

async function apply(old: string, patch: string, fresh: string, size: number): Promise<void> {
  using out = Deno.openSync(fresh, { write: true, createNew: true });
  using from = Deno.openSync(old);
  using by = Deno.openSync(patch);
  await applyPatch({ patch: by, old: from, out }, { size });
  digestFile(fs, fresh);
}

function peak(): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(Deno.readTextFileSync("/proc/self/status"))![1]);
}
