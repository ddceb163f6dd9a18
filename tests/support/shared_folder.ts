/** A folder in which several tools live, run by the compiled shim. */
import { join } from "@std/path";
import {
  compiledShim,
  releaseRoutes,
  type Routes,
  serve,
  type Served,
  sha256,
  type ShimRun,
} from "./shim.ts";
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

  /** Everything below a folder, with owner, mode and content: equal if nothing was changed. */
  image(folder = this.folder): string {
    return [...Deno.readDirSync(folder)].toSorted((a, b) => a.name < b.name ? -1 : 1)
      .map(({ name, isDirectory, isSymlink }) => {
        const path = join(folder, name);
        const { mode, uid, ino } = Deno.lstatSync(path);
        const line = `${path} ${mode} ${uid} ${ino}`;
        if (isSymlink) return `${line} -> ${Deno.readLinkSync(path)}\n`;
        if (isDirectory) return `${line}\n${this.image(path)}`;
        return `${line} ${sha256(Deno.readFileSync(path))}\n`;
      }).join("");
  }

  /** A copy of the folder, as by `cp -a`, beside it. */
  async copy(): Promise<string> {
    const copy = join(this.root, "copy");
    const { success } = await new Deno.Command("cp", { args: ["-a", this.folder, copy] }).output();
    if (!success) throw new Error(`cannot copy "${this.folder}"`);
    return copy;
  }

  /**
   * A release of a tool, and the configuration `<id>.json` that leads to it. Some answers of the server
   * may be `changed`. Returns the requests.
   */
  async publish(
    id: string,
    version: string,
    files: readonly Served[],
    changed: Routes = {},
  ): Promise<string[]> {
    const server = serve({ ...releaseRoutes(files, { name: id, version }), ...changed });
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
