/** An install dir of real Windows executables, and the shim at work on it. */
import { join } from "@std/path";
import { DEFAULT_TOOL_ID, IN_STATE, STATE_DIR } from "../../src/installation/names.ts";
import { sha256 } from "../support/shim.ts";
import {
  type CachedProgram,
  cachedProgram,
  DENO,
  runWindows,
  spawnWindows,
  type WindowsOptions,
  type WindowsProcess,
  type WindowsResult,
} from "./bed.ts";
import { windowsPath } from "./bed.ts";
import { shimArgs } from "./bundle.ts";

/** Ends with its folder. */
export interface Installation extends AsyncDisposable {
  /** Linux path; so are all others here. */
  readonly folder: string;
  path(name: string): string;
  /** What Windows calls it. */
  windowsPath(name: string): string;
  /** The names in the folder, sorted, without the state dir. */
  names(): string[];
  /** The names in a folder of the state dir, sorted; none where it is missing. Default: the tool's. */
  stateNames(folder?: string): string[];
  /** The state dir's own JSON files, such as `last-run.json`. */
  state(name: string): Record<string, unknown>;
  /** Whether a file is, byte for byte, a program of the cache. */
  is(name: string, program: CachedProgram): boolean;
  /** Runs an executable of the folder to its end. */
  run(name: string, ...args: string[]): Promise<WindowsResult>;
  /** Starts esbuild there and leaves it running, until its scope ends. */
  keepRunning(name: string, version: string): Promise<WindowsProcess>;
  /** Runs the shim on the folder to its end. */
  shim(args: readonly string[], options?: WindowsOptions): Promise<WindowsResult>;
  /** Starts the shim on it. */
  startShim(...args: string[]): Promise<WindowsProcess>;
}

/** Makes one with these executables. */
export function makeInstallation(
  programs: Readonly<Record<string, CachedProgram>>,
  name = "tool",
): Installation {
  // TEMP may be a short name (RUNNER~1).
  const parent = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-" }));
  const folder = join(parent, name);
  Deno.mkdirSync(folder);
  const path = (name: string) => join(folder, name);
  for (const [target, program] of Object.entries(programs)) {
    Deno.copyFileSync(cachedProgram(program), path(target));
  }
  const here = ["--install-dir", windowsPath(folder)];
  return {
    folder,
    path,
    windowsPath: (name) => windowsPath(path(name)),
    names: () => list(folder).filter((name) => name !== ".updater-shim"),
    stateNames: (name = "") => list(stateOf(folder, name)),
    state: (name) => JSON.parse(Deno.readTextFileSync(stateOf(folder, name))),
    is: (name, program) =>
      sha256(Deno.readFileSync(path(name))) === sha256(Deno.readFileSync(cachedProgram(program))),
    run: (name, ...args) => runWindows(folder, `.\\${name}`, args),
    async keepRunning(name, version) {
      const process = await spawnWindows(folder, `.\\${name}`, [`--service=${version}`]);
      await process.printed(version); // it greets, then waits for its input to end
      return process;
    },
    shim: async (args, options) =>
      await runWindows(parent, DENO, await shimArgs(...here, ...args), options),
    startShim: async (...args) =>
      await spawnWindows(parent, DENO, await shimArgs(...here, ...args)),
    [Symbol.asyncDispose]: () => Deno.remove(parent, { recursive: true }),
  };
}

/** A name of the state dir: the folder's own, or in the folder of the tool that a Deno updates here. */
function stateOf(folder: string, name: string): string {
  const state = join(folder, STATE_DIR);
  const shared: readonly string[] = Object.values(IN_STATE);
  return shared.includes(name) ? join(state, name) : join(state, DEFAULT_TOOL_ID, name);
}

function list(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
