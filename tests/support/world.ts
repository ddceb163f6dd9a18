/** A real install dir in a temporary folder, and a session on it that records its events. */
import { join } from "@std/path";
import { denoSystem } from "../../src/system/deno_system.ts";
import type { ShimEvent } from "../../src/base/events.ts";
import { openInstallDir, openStateDir } from "../../src/installation/install_dir.ts";
import type { Session } from "../../src/session.ts";
import type { System } from "../../src/system/system.ts";

/** Ends with its folder. */
export interface World extends Session, AsyncDisposable {
  readonly folder: string;
  readonly events: ShimEvent[];
  /** Absolute path in the folder. */
  path(name: string): string;
  /** Writes an executable shell script (or other text) and returns its path. */
  write(name: string, content: string | Uint8Array, mode?: number): string;
  read(name: string): string;
  /** The names in the folder, sorted, without the state dir. */
  names(): string[];
}

/** Makes a world; `change` may exchange parts of the real system. */
export function makeWorld(change: Partial<System> = {}): World {
  const folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-" }));
  const system = { ...denoSystem, ...change };
  const dir = openInstallDir(system, folder);
  const events: ShimEvent[] = [];
  return {
    system,
    dir,
    folder,
    events,
    report: (event) => void events.push(event),
    path: (name) => join(folder, name),
    write(name, content, mode = 0o755) {
      const path = join(folder, name);
      Deno.writeFileSync(
        path,
        typeof content === "string" ? new TextEncoder().encode(content) : content,
      );
      Deno.chmodSync(path, mode);
      return path;
    },
    read: (name) => Deno.readTextFileSync(join(folder, name)),
    names: () =>
      [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
        name !== ".updater-shim"
      ).sort(),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** The same, where a shim has worked before. */
export function makeUsedWorld(change: Partial<System> = {}): World {
  const world = makeWorld(change);
  openStateDir(world.system, world.dir);
  return world;
}

/** A shell script that answers `--version`. */
export function tool(version: string): string {
  return `#!/bin/sh\necho "tool ${version}"\n`;
}
