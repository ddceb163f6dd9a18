/** A shim that is compiled from sources broken on purpose. */
import { assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import type { Bed } from "./bed.ts";
import type { Lab } from "./lab.ts";
import { must } from "./process.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));

/** One change of the sources. */
export interface Change {
  readonly file: string;
  /** Must be there once: else the sources have changed, and with them what is proven. */
  readonly from: string;
  readonly to: string;
}

/** Returns the executable's path. */
export async function brokenShim({ scratch }: Lab, { file, from, to }: Change): Promise<string> {
  const name = `broken-${crypto.randomUUID()}`;
  const folder = join(scratch, `${name}-sources`), shim = join(scratch, name, "updater-shim");
  Deno.mkdirSync(folder);
  for (const part of ["src", ".ci", "main.ts", "deno.json", "deno.lock"]) {
    await must("cp", "-r", join(ROOT, part), folder);
  }
  const path = join(folder, file);
  const text = Deno.readTextFileSync(path);
  if (text.split(from).length !== 2) {
    throw new Error(`"${from}" does not stand in ${file} exactly once`);
  }
  Deno.writeTextFileSync(path, text.replace(from, () => to));
  await must(Deno.execPath(), "run", "-A", join(folder, ".ci/compile.ts"), "--output", shim);
  Deno.removeSync(folder, { recursive: true });
  return shim;
}

/** Else a shim that cannot do anything would prove whatever is expected to go wrong. */
export async function updatesAlone(bed: Bed): Promise<void> {
  const { code, stderr } = await bed.shimRun();
  assertEquals([code, bed.verdict()], [0, "new"], stderr);
}
