/** A folder with two tools in it, the releases that they may be offered, and the shim. */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { run } from "../../src/run.ts";
import { denoSystem } from "../../src/system/deno_system.ts";
import type { System } from "../../src/system/system.ts";
import { FaultAt, FaultyFileSystem } from "../support/faulty_file_system.ts";
import { type TinyTool, tinyTool } from "./tiny_tool.ts";

/** What lies in the folder: the label of a file's content, by name. Not the state dir. */
export type Contents = ReadonlyMap<string, string>;

/** What a release consists of: labels by target. */
export type ReleaseSet = ReadonlyMap<string, string>;

/** How a run of the shim ended. */
export interface Ended {
  readonly code: number;
  readonly said: string;
  /** It was stopped at a step, as by a kill: nothing that it did later had an effect. */
  readonly killed: boolean;
}

/** Ends with its folders. */
export class World implements Disposable {
  /** On a disk in memory where there is one: thousands of syncs of a real one take minutes. */
  readonly #root = Deno.makeTempDirSync({ dir: memoryDisk(), prefix: "histories-" });
  readonly #labels = new Map<string, string>();
  #folders = 0;
  /** Where the tools lie now. */
  folder = this.#newFolder();

  /** `shim`: another program than ours, such as one that was broken on purpose. */
  constructor(readonly shim: typeof run = run) {
    Deno.mkdirSync(this.folder);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#root, { recursive: true });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Writes a file as a person would; `label` is what it is called from then on. */
  write(name: string, label: string, content: Uint8Array, mode: number): void {
    this.#labels.set(digest(content), label);
    // A new file, as installers and editors make it: a link of the old one keeps what it had.
    Deno.writeFileSync(this.path(`${name}~`), content, { mode });
    Deno.chmodSync(this.path(`${name}~`), mode);
    Deno.renameSync(this.path(`${name}~`), this.path(name));
  }

  /** Publishes a release of a tool, in place of the one before. */
  publish(tool: string, version: string, files: ReadonlyMap<string, TinyTool>): ReleaseSet {
    const folder = join(this.#root, "releases", tool);
    Deno.mkdirSync(folder, { recursive: true });
    const set = new Map<string, string>();
    const entries = [...files].map(([target, made]) => {
      const content = tinyTool(made);
      const label = `${target} ${version}`;
      this.#labels.set(digest(content), label);
      set.set(target, label);
      Deno.writeFileSync(join(folder, target), content);
      return { target, url: target, size: content.length, sha256: digest(content) };
    });
    const manifest = {
      schema: 1,
      name: tool,
      version,
      platforms: { [Deno.build.target]: { files: entries } },
    };
    Deno.writeTextFileSync(join(folder, "release.json"), JSON.stringify(manifest));
    return set;
  }

  /** A file of a published release. */
  released(tool: string, target: string): string {
    return join(this.#root, "releases", tool, target);
  }

  configure(tool: string): void {
    const manifest = join(this.#root, "releases", tool, "release.json");
    Deno.writeTextFileSync(this.path(`${tool}.json`), JSON.stringify({ name: tool, manifest }));
  }

  contents(): Contents {
    const found = new Map<string, string>();
    for (const { name, isFile } of Deno.readDirSync(this.folder)) {
      if (name === ".updater-shim") continue;
      found.set(name, isFile ? this.#labelOf(this.path(name)) : "not a file");
    }
    return found;
  }

  #labelOf(path: string): string {
    const content = Deno.readFileSync(path);
    return this.#labels.get(digest(content)) ?? `unknown, ${content.length} bytes`;
  }

  /** Whether a file anywhere below the folder, the state dir included, has that content. */
  holdsSomewhere(label: string): boolean {
    const digests = [...this.#labels].filter(([, known]) => known === label).map(([digest]) =>
      digest
    );
    return digests.some((digest) => this.image().includes(` ${digest}\n`));
  }

  /** Everything below a folder, with modes, in one text: to see whether anything changed. */
  image(folder = this.folder): string {
    return imageOf(folder, "");
  }

  move(): void {
    const to = this.#newFolder();
    Deno.renameSync(this.folder, to);
    this.folder = to;
  }

  /** As `cp -a`. Returns the copy. */
  copy(): string {
    const to = this.#newFolder();
    copyTree(this.folder, to);
    return to;
  }

  #newFolder(): string {
    return join(Deno.realPathSync(this.#root), `folder-${++this.#folders}`);
  }

  /** Runs the shim in this program, on the real file system, killed at its n-th change of it. */
  async run(
    folder: string,
    tool: string,
    args: readonly string[],
    killAt?: number,
  ): Promise<Ended> {
    const kill = new FaultAt(killAt ?? Infinity, "EIO", true);
    let said = "";
    const system: System = {
      ...denoSystem,
      execPath: join(this.#root, "updater-shim"),
      cwd: this.#root,
      fs: new FaultyFileSystem(denoSystem.fs, kill.fault),
      terminal: {
        out: () => {},
        err: (text) => said += text,
        isTerminal: false,
        isInteractive: false,
        isAttended: false,
        readInput: () => Promise.resolve(null),
        columns: () => 80,
        inputEnd: () => new Promise(() => {}),
      },
      onStopSignal: () => {},
    };
    const code = await this.shim(["--config", join(folder, `${tool}.json`), ...args], system);
    return { code, said: said.replaceAll(this.#root, ""), killed: kill.reached };
  }
}

function memoryDisk(): string {
  try {
    return Deno.statSync("/dev/shm").isDirectory ? "/dev/shm" : Deno.makeTempDirSync();
  } catch {
    return Deno.makeTempDirSync();
  }
}

function digest(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

function imageOf(folder: string, prefix: string): string {
  return [...Deno.readDirSync(folder)].toSorted((a, b) => a.name < b.name ? -1 : 1)
    .map(({ name, isDirectory, isSymlink }) => {
      const path = join(folder, name), shown = `${prefix}${name}`;
      if (isSymlink) return `${shown} -> ${Deno.readLinkSync(path)}\n`;
      const mode = (Deno.lstatSync(path).mode! & 0o7777).toString(8);
      if (isDirectory) return `${shown}/ ${mode}\n${imageOf(path, `${shown}/`)}`;
      return `${shown} ${mode} ${digest(Deno.readFileSync(path))}\n`;
    }).join("");
}

function copyTree(from: string, to: string): void {
  Deno.mkdirSync(to, { mode: Deno.statSync(from).mode! & 0o7777 });
  for (const { name, isDirectory, isSymlink } of Deno.readDirSync(from)) {
    const [source, copy] = [join(from, name), join(to, name)];
    if (isSymlink) Deno.symlinkSync(Deno.readLinkSync(source), copy);
    else if (isDirectory) copyTree(source, copy);
    else {
      Deno.copyFileSync(source, copy);
      const { atime, mtime } = Deno.statSync(source);
      Deno.utimeSync(copy, atime!, mtime!);
    }
  }
}
