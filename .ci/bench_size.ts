/** What the bundle consists of, and how small the shim packs. */
import { dirname, fromFileUrl, join } from "@std/path";
import type { Row } from "./bench_figures.ts";
import type { Bench } from "./bench_material.ts";
import { generatedBytes } from "./bench_source_map.ts";
import { BUNDLE_LIMIT, bundleInto } from "./compile.ts";
import { runProgram } from "./run_program.ts";

const ENTRY = join(dirname(dirname(fromFileUrl(import.meta.url))), "main.ts");

/** How executables are packed for a download; the first is what this project's own releases are. */
const PACKERS = ["gzip -9", "zip -9", "zstd -19", "xz -9"];

/** The bundle and its limit, its parts, and the executable packed. */
export async function sizes({ folder, shim, bundle }: Bench): Promise<Row[]> {
  const whole: Row = {
    what: "bundle of our code and its dependencies, minified",
    ours: bytes(bundle),
    beside: "",
    target: `at most ${bytes(BUNDLE_LIMIT)}`,
    met: bundle <= BUNDLE_LIMIT,
  };
  return [whole, ...await partsOf(folder, bundle), ...await packed(shim)];
}

async function partsOf(folder: string, whole: number): Promise<Row[]> {
  const output = join(folder, "parts");
  const files = await bundleInto(ENTRY, output, Deno.build.target, ["--sourcemap=external"]);
  const parts = new Map<string, number>();
  for (const file of files) {
    const text = Deno.readTextFileSync(file);
    for (const [source, size] of generatedBytes(text, Deno.readTextFileSync(`${file}.map`))) {
      const part = partOf(source);
      parts.set(part, (parts.get(part) ?? 0) + size);
    }
  }
  return [...parts].sort(([, a], [, b]) => b - a).map(([part, size]) =>
    plain(`of it: ${part}`, bytes(size), `${(100 * size / whole).toFixed(1)} %`)
  );
}

/** The room of the file, or its package. */
function partOf(source: string): string {
  const room = /\/src\/(\w+)\/[^/]+$/.exec(source)?.[1];
  if (room) return `\`${room}/\``;
  const dependency = /\/npm\/[^/]+\/((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1];
  if (dependency) return `\`${dependency === "deno-std" ? "@std" : dependency}\``;
  const added = source === "" || source.includes("/updater-shim-imports-");
  return added ? "what the bundler adds" : "`main.ts`, `run.ts`, `work.ts`, `change.ts`";
}

function packed(shim: string): Promise<Row[]> {
  const { size } = Deno.statSync(shim);
  return Promise.all(PACKERS.map(async (packer) => {
    const script = `${packer} -q <"$1" | wc -c`;
    const small = Number(await runProgram("sh", ["-c", script, "sh", shim]));
    const share = `${(100 * small / size).toFixed(0)} % of ${megabytes(size)}`;
    return plain(`the shim, packed by \`${packer}\``, megabytes(small), share);
  }));
}

function plain(what: string, ours: string, beside: string): Row {
  return { what, ours, beside, target: "", met: true };
}

function bytes(size: number): string {
  return `${size.toLocaleString("en")} bytes`;
}

function megabytes(size: number): string {
  return `${(size / 1e6).toFixed(1)} MB`;
}
