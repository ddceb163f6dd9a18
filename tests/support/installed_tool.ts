/** A version that is installed, and programs that run on it. */
import { join } from "@std/path";
import { compiledShim, type Served } from "./shim.ts";
import { tool } from "./world.ts";

const content = new TextEncoder().encode(tool("2.0.0") + `# ${"x".repeat(300_000)}\n`);

/** The version to update to: 300 KB. */
export const RELEASE: Served[] = [{ target: "tool", content }];

/** An install dir with version 1.0.0, and a copy of the shim that every user may run. */
export async function withTool(
  test: (folder: string, shim: string) => Promise<void>,
): Promise<void> {
  const root = Deno.makeTempDirSync({ prefix: "updater-shim-places-" });
  try {
    Deno.chmodSync(root, 0o755);
    const shim = join(root, "updater-shim"), folder = join(root, "installed");
    Deno.copyFileSync(await compiledShim(), shim);
    Deno.mkdirSync(folder);
    Deno.writeTextFileSync(join(folder, "tool"), tool("1.0.0"), { mode: 0o755 });
    await test(folder, shim);
  } finally {
    // What a test took from its owner keeps all but root from removing what is in it.
    if (Deno.build.os !== "windows") Deno.chmodSync(join(root, "installed"), 0o755);
    Deno.removeSync(root, { recursive: true });
  }
}

/** Runs a command to its end. */
export async function run(
  command: string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const [program, ...args] = command;
  const { code, stdout, stderr } = await new Deno.Command(program!, { args, stdin: "null" })
    .output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}
