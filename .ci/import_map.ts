/** What the imports of the source lead to when it is bundled. */
import { dirname, fromFileUrl, join, toFileUrl } from "@std/path";

const ROOT = dirname(dirname(fromFileUrl(import.meta.url)));

/** As Deno reads it. */
export interface ImportMap {
  readonly imports: Readonly<Record<string, string>>;
  readonly scopes: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/**
 * The project's own imports for bundling `entry`; of the platforms that of `target` alone, which is half as much to bundle;
 * and each module of the runtime once (`scratch` gets the files for that).
 */
export function importMap(entry: string, target: string, scratch: string): ImportMap {
  const { imports } = JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.json"))) as ImportMap;
  const module = (name: string) => toFileUrl(join(ROOT, "src", "system", name)).href;
  const own = target.includes("windows")
    ? { "own_platform.ts": "own_windows.ts", "deno_files.ts": "deno_files_windows.ts" }
    : { "own_platform.ts": "own_posix.ts" };
  const exchanged = Object.entries(own).map(([name, by]) => [module(name), module(by)]);
  const shared = shareBuiltins(entry, scratch);
  return {
    imports: { ...imports, ...Object.fromEntries(exchanged) },
    scopes: {
      [toFileUrl(join(ROOT, "src/")).href]: shared,
      // Its own text is run in another thread, and finds nothing there that stands around it.
      [module("deno_digest.ts")]: Object.fromEntries(
        Object.keys(shared).map((name) => [name, name]),
      ),
    },
  };
}

/**
 * The bundle would import from a module of the runtime as often as files do, 50 times and in 2 KB.
 * So they all get it from one file, which imports what any of them wants.
 */
function shareBuiltins(entry: string, scratch: string): Record<string, string> {
  const pack = join(ROOT, "src", "pack");
  // What the maker of releases wants is nothing to the shim.
  const left = entry.startsWith(pack) ? undefined : pack;
  const sources = sourcesBelow(join(ROOT, "src"), left).join("\n");
  const names = new Map<string, Set<string>>();
  for (const [, list, module] of sources.matchAll(/^import \{([^}]*)\} from "(node:[^"]+)";/gm)) {
    const known = names.get(module!) ?? new Set();
    names.set(module!, known);
    for (const name of list!.matchAll(/(?:type )?(\w+)(?: as \w+)?/g)) known.add(name[1]!);
  }
  // Who wants the whole of a module would not find it there.
  for (const [, module] of sources.matchAll(/^import [^{}"]+ from "(node:[^"]+)";/gm)) {
    names.delete(module!);
  }
  return Object.fromEntries([...names].map(([module, wanted]) => {
    const path = join(scratch, `${module.replace(/\W/g, "_")}.js`);
    Deno.writeTextFileSync(path, `export { ${[...wanted].join(", ")} } from "${module}";\n`);
    return [module, toFileUrl(path).href];
  }));
}

function sourcesBelow(folder: string, left: string | undefined): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    if (path === left) return [];
    return isDirectory ? sourcesBelow(path, left) : [Deno.readTextFileSync(path)];
  });
}
