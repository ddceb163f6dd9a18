/**
 * `deno task pictures`, the terminal: a real update of a real tool in a real terminal of 80 columns,
 * drawn as it was seen. The bar moves as it did.
 */
import { dirname, fromFileUrl, join } from "@std/path";
import { fetchTool, type Release } from "../tests/support/esbuild.ts";
import { serveRelease } from "../tests/support/release_server.ts";
import { compileShim } from "./compile.ts";
import { terminalPicture, THEMES } from "./pictures.ts";

const ROOT = dirname(dirname(fromFileUrl(import.meta.url)));
/** So that the bar can be seen to move. */
const BYTES_PER_SECOND = 2_500_000;
const FRAMES = 12;

/** What a terminal showed: the lines at the end, and what the bar's line was before. */
interface Screen {
  readonly lines: readonly string[];
  readonly bar: { readonly at: number; readonly frames: readonly string[] };
}

function install(folder: string, shim: string, old: Release, manifest: string): void {
  Deno.mkdirSync(folder);
  Deno.copyFileSync(old.executable, join(folder, "esbuild"));
  Deno.copyFileSync(shim, join(folder, "updater-shim"));
  const configuration = JSON.stringify({ name: "esbuild", manifest });
  Deno.writeTextFileSync(join(folder, "updater-shim.json"), configuration);
  const tool = `#!/bin/sh\nhere=$(dirname "$0")\n` +
    `[ "$1 $2" = "self update" ] && exec "$here/updater-shim"\nexec "$here/esbuild" "$@"\n`;
  Deno.writeTextFileSync(join(folder, "mytool"), tool);
  for (const name of ["esbuild", "updater-shim", "mytool"]) {
    Deno.chmodSync(join(folder, name), 0o755);
  }
}

/** Runs commands in a terminal of 80 columns; what it got, escape sequences and all. */
async function inTerminal(folder: string, commands: readonly string[]): Promise<string> {
  const script = commands.map((line) => `printf '$ %s\\n' '${line}'; ${line}`).join("; ");
  const { stdout } = await new Deno.Command("script", {
    args: ["-qec", `stty cols 80 rows 24; PATH="${folder}:$PATH"; ${script}`, "/dev/null"],
    stdin: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}

/** A line that is drawn over and over is the bar's; the rest is as it stands. */
function screenOf(output: string): Screen {
  const lines: string[] = [];
  let frames: string[] = [], at = 0;
  for (const line of output.replaceAll("\r\n", "\n").trimEnd().split("\n")) {
    // deno-lint-ignore no-control-regex -- escape sequences are what is looked for
    const drawn = line.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "").split("\r").filter((text) =>
      text.trim() !== ""
    );
    const bars = drawn.filter((text) => text.startsWith("["));
    if (bars.length > 0) {
      at = lines.length;
      frames = Array.from(
        { length: FRAMES },
        (_, index) => bars[Math.floor(index * bars.length / FRAMES)]!,
      );
      lines.push(bars.at(-1)!.trimEnd());
    }
    const rest = drawn.filter((text) => !text.startsWith("[")).at(-1);
    if (rest !== undefined) lines.push(rest.trimEnd());
  }
  return { lines, bar: { at, frames } };
}

if (import.meta.main) {
  const scratch = Deno.makeTempDirSync({ prefix: "updater-shim-picture-" });
  try {
    const shim = join(scratch, "updater-shim"), folder = join(scratch, "installed");
    await compileShim({ output: shim });
    const old = await fetchTool(scratch, "0.28.1"), fresh = await fetchTool(scratch, "0.28.2");
    await using server = serveRelease(fresh);
    server.throttle(BYTES_PER_SECOND);
    install(folder, shim, old, server.manifest);
    const commands = ["mytool --version", "mytool self update", "mytool --version"];
    const { lines, bar } = screenOf(await inTerminal(folder, commands));
    for (const theme of THEMES) {
      const path = join(ROOT, ".github", `terminal-${theme.name}.svg`);
      Deno.writeTextFileSync(path, terminalPicture(theme, lines, bar));
    }
  } finally {
    Deno.removeSync(scratch, { recursive: true });
  }
}
