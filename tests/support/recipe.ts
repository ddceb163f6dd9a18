/** A main tool that was made from a recipe, installed with the compiled shim, and a release of it. */
import { join } from "@std/path";
import { compiledShim, releaseRoutes, serve, type Served, type TestServer } from "./shim.ts";

/** Makes a recipe's tool: puts `mytool` into the folder, with that text of the source. */
export interface Recipe {
  /** Below `tests/recipes`. The page shows exactly these. */
  readonly sources: readonly string[];
  /** Makes the executable `mytool` in a folder that has the sources. */
  readonly make: (folder: string) => Promise<void>;
  /** Puts beside the installed tool what it needs to run. */
  readonly accompany?: (folder: string) => void;
}

/** Where the recipes are. */
export const RECIPES = new URL("../recipes/", import.meta.url);

/** Ends with its folder and its server. */
export class RecipeTool implements AsyncDisposable {
  private constructor(
    readonly folder: string,
    private readonly server: TestServer,
    private readonly hanging: PromiseWithResolvers<void>,
  ) {}

  /**
   * `mytool` 1.0.0 is installed; 2.0.0 is released: right, or in a way that the download never ends, or
   * not at all.
   */
  static async make(
    recipe: Recipe,
    release: "right" | "hangs" | "missing" = "right",
  ): Promise<RecipeTool> {
    const folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-recipe-" }));
    const [old, fresh] = [await build(recipe, "1.0.0"), await build(recipe, "2.0.0")];
    Deno.writeFileSync(join(folder, "mytool"), old, { mode: 0o755 });
    Deno.copyFileSync(await compiledShim(), join(folder, "updater-shim"));
    const files: Served[] = [{ target: "mytool", content: fresh }];
    const routes = releaseRoutes(files, { name: "mytool" });
    const hanging = Promise.withResolvers<void>();
    if (release === "missing") delete routes["/release.json"];
    if (release === "hangs") {
      routes["/files/mytool"] = async () => (await hanging.promise, new Response("too late"));
    }
    const server = serve(routes);
    recipe.accompany?.(folder);
    const config = { name: "mytool", manifest: `${server.url}/release.json` };
    Deno.writeTextFileSync(join(folder, "updater-shim.json"), JSON.stringify(config));
    return new RecipeTool(folder, server, hanging);
  }

  /** What a shell says in a real terminal; resolves when it has ended. Keys are pressed at a text. */
  async inTerminal(
    command: string,
    keys?: { readonly at: string; readonly press: string },
  ): Promise<{ code: number; output: string }> {
    // script(1) is in every Debian, and gives the command a terminal of its own.
    const script = new Deno.Command("script", {
      args: ["--quiet", "--flush", "--return", "--command", command, "/dev/null"],
      cwd: this.folder,
      env: { PATH: `${this.folder}:${PATH_WITH_DENO}`, SHELL: "/bin/sh" },
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const input = script.stdin.getWriter();
    let output = "", pressed = false;
    for await (const text of script.stdout.pipeThrough(new TextDecoderStream())) {
      output += text;
      if (!keys || pressed || !output.includes(keys.at)) continue;
      pressed = true;
      await input.write(new TextEncoder().encode(keys.press));
    }
    await input.close().catch(() => {});
    return { code: (await script.status).code, output: output.replaceAll("\r\n", "\n") };
  }

  /** The requests that the server got. */
  get requests(): readonly string[] {
    return this.server.requests;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hanging.resolve();
    await this.server[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** The Deno that runs the tests is `deno` for the tools that Deno runs. */
const PATH_WITH_DENO = `${Deno.execPath().replace(/\/[^/]*$/, "")}:${Deno.env.get("PATH")}`;

const built = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

/** Each version of each recipe once. */
function build(recipe: Recipe, version: string): Promise<Uint8Array<ArrayBuffer>> {
  const key = `${recipe.sources[0]} ${version}`;
  const known = built.get(key) ?? buildNow(recipe, version);
  built.set(key, known);
  return known;
}

async function buildNow({ sources, make }: Recipe, version: string) {
  const folder = Deno.makeTempDirSync({ prefix: "updater-shim-recipe-" });
  try {
    for (const source of sources) {
      const text = Deno.readTextFileSync(new URL(source, RECIPES));
      const name = source.split("/").at(-1)!;
      Deno.writeTextFileSync(join(folder, name), text.replace("1.0.0", version), { mode: 0o755 });
    }
    await make(folder);
    return await Deno.readFile(join(folder, "mytool"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a compiler or the like in the folder; throws with what it said. */
export async function runIn(folder: string, program: string, ...args: string[]): Promise<void> {
  const env = { GOCACHE: join(folder, ".cache"), GOTOOLCHAIN: "local" };
  const { code, stdout, stderr } = await new Deno.Command(program, { args, cwd: folder, env })
    .output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}:\n${text(stdout)}${text(stderr)}`);
}
