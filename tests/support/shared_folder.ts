/** A folder in which several tools live, run by the compiled shim. */
import { join } from "@std/path";
import { compiledShim, releaseRoutes, serve, type Served, type ShimRun } from "./shim.ts";
import { tool } from "./world.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** A folder in which several tools live, each with its configuration. */
export class SharedFolder implements AsyncDisposable {
  readonly root = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-shared-" }));
  readonly folder = join(this.root, "bin");
  readonly #servers: AsyncDisposable[] = [];

  constructor() {
    Deno.mkdirSync(this.folder);
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  write(name: string, content: string, mode = 0o755): string {
    Deno.writeTextFileSync(this.path(name), content, { mode });
    return this.path(name);
  }

  read(...names: string[]): string {
    return Deno.readTextFileSync(this.path(...names));
  }

  names(): string[] {
    return [...Deno.readDirSync(this.folder)].map(({ name }) => name).sort();
  }

  /** A release of a tool, and the configuration `<id>.json` that leads to it. */
  async publish(id: string, version: string, files: readonly Served[]): Promise<string[]> {
    const server = serve(releaseRoutes(files, { name: id, version }));
    this.#servers.push(server);
    const config = { name: id, manifest: `${server.url}/release.json` };
    Deno.writeTextFileSync(this.path(`${id}.json`), JSON.stringify(config), { mode: 0o600 });
    return await Promise.resolve(server.requests as string[]);
  }

  /** The shim of one tool. */
  async run(id: string, ...args: string[]): Promise<ShimRun> {
    return await runAs(["--config", this.path(`${id}.json`), ...args]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) await server[Symbol.asyncDispose]();
    Deno.removeSync(this.root, { recursive: true });
  }
}

/** Runs the compiled shim, or another one, without a terminal. */
export async function runAs(args: string[], shim?: string): Promise<ShimRun> {
  const command = new Deno.Command(shim ?? await compiledShim(), { args, stdin: "null" });
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** An executable of a release: a script that tells its version. */
export const served = (target: string, version: string): Served => ({
  target,
  content: bytes(tool(`${target} ${version}`)),
});
