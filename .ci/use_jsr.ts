/**
 * `deno run -A .ci/use_jsr.ts [FOLDER]` moves a checkout to JSR: `deno.json` gets the imports of
 * `jsr.json`. The very same tasks then run on the standard library's own packages and their types.
 */
import { dirname, fromFileUrl, join } from "@std/path";

const ROOT = dirname(dirname(fromFileUrl(import.meta.url)));

/** A configuration with an import map. */
export interface Imports {
  imports: Record<string, string>;
}

/** Reads a JSON file of a checkout; of this one where no other is named. */
export function readImports(name: string, folder = ROOT): Imports {
  return JSON.parse(Deno.readTextFileSync(join(folder, name))) as Imports;
}

/** Moves the checkout in `folder`. A second time changes nothing. */
export function useJsr(folder = ROOT): void {
  const { imports } = readImports("jsr.json", folder);
  const moved = { ...readImports("deno.json", folder), imports };
  Deno.writeTextFileSync(join(folder, "deno.json"), JSON.stringify(moved, null, 2) + "\n");
  // It pins the npm packages; Deno writes one for these.
  try {
    Deno.removeSync(join(folder, "deno.lock"));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

if (import.meta.main) useJsr(Deno.args[0]);
