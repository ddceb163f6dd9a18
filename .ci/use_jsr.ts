/**
 * Moves this checkout to JSR: `deno.json` gets the imports of `jsr.json`. CI then runs the very same
 * tasks on the standard library's own packages and their types.
 */
import { dirname, fromFileUrl, join } from "@std/path";

const ROOT = dirname(dirname(fromFileUrl(import.meta.url)));

/** A configuration with an import map. */
export interface Imports {
  imports: Record<string, string>;
}

/** Reads a JSON file of the project's root. */
export function readImports(name: string): Imports {
  return JSON.parse(Deno.readTextFileSync(join(ROOT, name))) as Imports;
}

if (import.meta.main) {
  const moved = { ...readImports("deno.json"), imports: readImports("jsr.json").imports };
  Deno.writeTextFileSync(join(ROOT, "deno.json"), JSON.stringify(moved, null, 2) + "\n");
  // It pins the npm packages; Deno writes one for these.
  Deno.removeSync(join(ROOT, "deno.lock"));
}
