/** A folder that a group may write to: between the last look and the start its names are exchanged. */
import { assertEquals } from "@std/assert";
import { dirname, join } from "@std/path";
import { findInstalled } from "../../src/commands/installed.ts";
import { resolveTarget } from "../../src/installation/targets.ts";
import { denoSystem } from "../../src/system/deno_system.ts";
import type { Processes } from "../../src/system/processes.ts";
import { transact } from "../support/transaction.ts";
import { makeUsedWorld, tool, type World } from "../support/world.ts";

const ignore = Deno.build.os !== "linux"; // There is no such way elsewhere (SECURITY.md).
const CHECK = { args: ["--version"], timeoutMs: 10_000 };

/** In place of the state dir there is another, with a program of somebody's under every name. */
function exchangeStateDir(world: World, asked: string): void {
  const state = world.dir.state, evil = join(world.dir.path, "evil");
  const staged = [...Deno.readDirSync(world.dir.staged)].map(({ name }) => name)[0]!;
  const place = join(evil, world.dir.staged.slice(state.length), staged, "uv");
  Deno.mkdirSync(dirname(place), { recursive: true, mode: 0o700 });
  Deno.writeTextFileSync(place, `#!/bin/sh\n: >"${asked}"\necho "tool 6.6.6"\n`, { mode: 0o755 });
  Deno.renameSync(state, join(world.dir.path, "away"));
  Deno.renameSync(evil, state);
}

/** A world in which the folder's group is not ours alone, and who is in it waits for the start. */
function makeSharedWorld(seen: string[]) {
  let exchanged = false;
  const processes: Processes = {
    ...denoSystem.processes,
    async run(path, ...rest) {
      if (!exchanged) exchangeStateDir(world, join(world.dir.path, "asked"));
      exchanged = true;
      const result = await denoSystem.processes.run(path, ...rest);
      seen.push(result.stdout.trim());
      return result;
    },
  };
  const user = { uid: denoSystem.user!.uid, gid: denoSystem.user!.gid + 1 };
  const world = makeUsedWorld({ processes, user });
  Deno.chmodSync(world.dir.path, 0o775);
  return world;
}

Deno.test({
  name: "what runs is the staged file that was verified, whatever its path means by then",
  ignore,
  async fn() {
    const seen: string[] = [], before = Deno.cwd();
    await using world = makeSharedWorld(seen);
    world.write("uv", tool("1.0.0"));
    const fill = (staged: string) => Deno.writeTextFileSync(staged, tool("2.0.0"));
    const outcome = await transact(world, ["uv"], fill, CHECK).catch((error) => error as Error);
    assertEquals([seen, outcome instanceof Error], [["tool 2.0.0"], true]);
    assertEquals([world.read("uv"), Deno.cwd()], [tool("1.0.0"), before]);
  },
});

Deno.test({
  name: "what is asked for its version is the copy that was made of the tool",
  ignore,
  async fn() {
    const seen: string[] = [];
    await using world = makeSharedWorld(seen);
    world.write("uv", tool("1.0.0"));
    const target = resolveTarget(world.system, world.dir, "uv");
    await findInstalled({ ...world, mayWrite: true }, [target], CHECK, true).catch(() => {});
    assertEquals(seen, ["tool 1.0.0"]);
  },
});
