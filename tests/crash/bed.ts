/** An install dir that is broken again and again, and what may be found in it. */
import { join } from "@std/path";
import { sha256 } from "../support/shim.ts";
import { type Ended, must, run } from "./process.ts";
import { NAMES, OLD, type Tools } from "./tools.ts";

/** What a set of executables is. `mixed`: each is complete, but not of one version. */
export type Verdict = "old" | "new" | "mixed" | "missing" | "corrupt";

/** What a state dir has by the contract, besides its folders; `partial` a kill may leave. */
const STATE =
  /^\.updater-shim(\/(lock|trash|updater-shim(\/(log\.txt|last-run\.json|receipt\.json|installation-id|rollback|partial|staged))?))?$/;
const ROLLBACK = /^\.updater-shim\/updater-shim\/rollback\/toolx?$/;
const PARTIAL = /^\.updater-shim\/updater-shim\/partial\/[0-9a-f]{64}\.part(\.json)?$/;

/** One install dir in a folder of its own. */
export class Bed {
  readonly install: string;
  /** Names of another tool that lives in the folder, too. */
  others: RegExp | undefined;
  readonly #digests: Map<string, string>;

  constructor(
    readonly folder: string,
    readonly shim: string,
    readonly tools: Tools,
    readonly manifest: string,
  ) {
    this.install = join(folder, "install dir");
    this.#digests = new Map(
      [...tools.files].map(([name, bytes]) => [`${name.split("-")[0]} ${sha256(bytes)}`, name]),
    );
  }

  /** The old version, as an installer leaves it. */
  reset(version: string = OLD): void {
    Deno.removeSync(this.folder, { recursive: true });
    Deno.mkdirSync(this.install, { recursive: true });
    for (const name of NAMES) this.write(name, this.tools.get(name, version));
    const config = JSON.stringify({ name: "tool", manifest: this.manifest });
    Deno.writeTextFileSync(this.path("updater-shim.json"), config);
  }

  /** Absolute path of a name in the install dir. */
  path(name: string): string {
    return join(this.install, name);
  }

  /** Puts an executable there. */
  write(name: string, bytes: Uint8Array): void {
    Deno.writeFileSync(this.path(name), bytes, { mode: 0o755 });
    Deno.chmodSync(this.path(name), 0o755);
  }

  /** The command line of a run. */
  command(...args: string[]): string[] {
    return [this.shim, "--install-dir", this.install, ...args];
  }

  /** Runs the shim to its end. */
  async shimRun(...args: string[]): Promise<Ended> {
    return await run(this.command(...args));
  }

  /** Keeps the install dir, with links and times, to go back to. */
  async save(name: string): Promise<string> {
    const kept = join(this.folder, "..", `${name}.saved`);
    await must("cp", "-a", this.install, kept);
    return kept;
  }

  /** The same in another folder, where somebody has moved or copied it to. */
  in(folder: string): Bed {
    const bed = new Bed(folder, this.shim, this.tools, this.manifest);
    bed.others = this.others;
    return bed;
  }

  /** Goes back. */
  async restore(kept: string): Promise<void> {
    Deno.removeSync(this.install, { recursive: true });
    await must("cp", "-a", kept, this.install);
  }

  /** What the set is: by digest, mode and name. */
  verdict(): Verdict {
    return together(NAMES.map((name) => this.#one(name)));
  }

  #one(name: string): Verdict {
    let bytes: Uint8Array<ArrayBuffer>, mode: number | null;
    try {
      const info = Deno.lstatSync(this.path(name));
      if (!info.isFile) return "corrupt";
      mode = info.mode;
      bytes = Deno.readFileSync(this.path(name));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "missing";
      throw error;
    }
    const known = this.#digests.get(`${name} ${sha256(bytes)}`);
    if (((mode ?? 0) & 0o777) !== 0o755 || !known) return "corrupt";
    return known.endsWith(OLD) ? "old" : "new";
  }

  /** Whether each executable can be started and says what it is. */
  async runs(): Promise<boolean> {
    for (const name of NAMES) {
      try {
        const { code, stdout } = await run([this.path(name), "--version"]);
        if (code !== 0 || !stdout.startsWith(`${name} `)) return false;
      } catch {
        return false;
      }
    }
    return true;
  }

  /** What the contract does not name. With `partial` an interrupted download may be there. */
  strangers(partial: boolean): string[] {
    const wanted = [...NAMES, "updater-shim.json"] as string[];
    return this.names().filter((name) =>
      !wanted.includes(name) && !STATE.test(name) && !ROLLBACK.test(name) &&
      !this.others?.test(name) &&
      !(partial && PARTIAL.test(name))
    );
  }

  /** All names below the install dir, relative, sorted. */
  names(): string[] {
    const names: string[] = [];
    const walk = (folder: string, prefix: string) => {
      for (const { name, isDirectory } of entriesOf(folder)) {
        names.push(prefix + name);
        if (isDirectory) walk(join(folder, name), `${prefix}${name}/`);
      }
    };
    walk(this.install, "");
    return names.sort();
  }

  /**
   * A text that two install dirs share if they hold the same. Not the log and the last run, which
   * tell of each run, and not what is random in a name or a record; with `times` also which file
   * it is and when it was changed (not of folders: the log and the last run change theirs). `only` of
   * these names.
   */
  signature(times = false, only?: RegExp): string {
    const ignored = /\/(log\.txt|last-run\.json|holder\.json|lock)$/;
    const names = this.names().filter((name) => !ignored.test(name) && (only?.test(name) ?? true));
    return names.map((name) => {
      const info = Deno.lstatSync(this.path(name));
      const plain = name.replace(/[0-9a-f]{16}(?=\.[a-z]+$)/, "…");
      const same = times && info.isFile ? `${info.ino} ${info.mtime?.getTime()}` : "";
      return `${plain} ${info.mode} ${info.nlink} ${same} ${
        info.isFile ? this.#content(name) : ""
      }`;
    }).join("\n");
  }

  #content(name: string): string {
    const bytes = Deno.readFileSync(this.path(name));
    if (!/journal|receipt/.test(name)) return sha256(bytes);
    return new TextDecoder().decode(bytes).replace(
      /\b[0-9a-f]{16,64}\b|\d{4}-\d\d-\d\dT[^"]+/g,
      "…",
    );
  }
}

function together(each: Verdict[]): Verdict {
  for (const bad of ["missing", "corrupt", "mixed"] as const) if (each.includes(bad)) return bad;
  return new Set(each).size === 1 ? each[0]! : "mixed";
}

/** None where the folder went meanwhile: a shim may be at work in it. */
function entriesOf(folder: string): Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
