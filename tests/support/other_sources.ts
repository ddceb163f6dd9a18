/** A program compiled from a copy of these sources, in a folder of its own. */
import { assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));
const SOURCES = ["deno.json", "deno.lock", "main.ts", "src", ".ci", "tests/support/lint_plugin.ts"];

/** Copies what a compile needs into `folder`. */
export function copySources(folder: string): void {
  for (const path of SOURCES) copy(join(ROOT, path), join(folder, path));
}

/** Compiles the copy in `folder`; returns the executable's path. */
export async function compileIn(
  folder: string,
  program: string,
  environment: Record<string, string> = {},
): Promise<string> {
  const output = join(folder, "dist", "updater-shim");
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ".ci/compile.ts", "--program", program, "--output", output],
    cwd: folder,
    env: environment,
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return output;
}

function copy(from: string, to: string): void {
  Deno.mkdirSync(dirname(to), { recursive: true });
  if (Deno.statSync(from).isFile) return Deno.copyFileSync(from, to);
  for (const { name } of Deno.readDirSync(from)) copy(join(from, name), join(to, name));
}
