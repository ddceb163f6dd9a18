/**
 * A transaction and its recovery on a real disk, where somebody else is at work in the same folder.
 * What a kill at each step leaves is the simulation's (`tests/simulation/`).
 */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { UpdateError } from "../../src/base/errors.ts";
import { denoSystem } from "../../src/system/deno_system.ts";
import type { FileSystem } from "../../src/system/file_system.ts";
import type { Processes } from "../../src/system/processes.ts";
import { openInstallDir, openStateDir } from "../../src/installation/install_dir.ts";
import { digestFile } from "../../src/files/digest.ts";
import { readReceipt, writeReceipt } from "../../src/installation/receipt.ts";
import { RECEIPT } from "../support/receipt.ts";
import { readJournal } from "../../src/transaction/journal.ts";
import { recover } from "../../src/transaction/recover.ts";
import { makeUsedWorld, tool, type World } from "../support/world.ts";
import { transact } from "../support/transaction.ts";
import { FaultAt, FaultyFileSystem } from "../support/faulty_file_system.ts";

const ignore = Deno.build.os === "windows"; // The tools are shell scripts.
const CHECK = { args: ["--version"], timeoutMs: 10_000 };

/** Version 2 of these in place of what is there. */
function update(world: World, names = ["uv"], stop?: AbortSignal): Promise<void> {
  const fill = (staged: string, name: string) =>
    Deno.writeTextFileSync(staged, tool(`2 of ${name}`));
  return transact(world, names, fill, CHECK, stop);
}

/** Throws from its n-th call of the journal's writing on, at every step: as if it had been killed. */
function dyingAfter(records: number): { fs: FileSystem } {
  let written = 0, dead = false;
  const die = <T extends unknown[], R>(step: (...args: T) => R) => (...args: T): R => {
    if (dead) throw Object.assign(new Error("dead"), { code: "EIO" });
    return step(...args);
  };
  const { fs } = denoSystem;
  const renameSync = (from: string, to: string) => {
    fs.renameSync(from, to);
    if (to.endsWith("journal") && ++written === records) dead = true;
  };
  return {
    fs: {
      ...fs,
      renameSync: die(renameSync),
      linkSync: die(fs.linkSync),
      removeSync: die(fs.removeSync),
      mkdirSync: die(fs.mkdirSync),
      openSync: die(fs.openSync),
    },
  };
}

/** Throws from the journal's third record on: the targets are new, and it does not say so. */
function dyingAtCommitted(): FileSystem {
  const { fs } = denoSystem;
  let dead = false, written = 0;
  const die = <T extends unknown[], R>(step: (...args: T) => R) => (...args: T): R => {
    if (dead) throw Object.assign(new Error("dead"), { code: "EIO" });
    return step(...args);
  };
  return {
    ...fs,
    renameSync: die((from: string, to: string) => {
      dead = to.endsWith("journal") && ++written === 3;
      die(fs.renameSync)(from, to);
    }),
    linkSync: die(fs.linkSync),
    removeSync: die(fs.removeSync),
    mkdirSync: die(fs.mkdirSync),
    openSync: die(fs.openSync),
  };
}

/** An update that is killed when the journal's `records`-th record was written. */
async function interrupted(world: World, records: number, names?: string[]): Promise<World> {
  const dying: World = { ...world, system: { ...world.system, ...dyingAfter(records) } };
  // After the commit that is a warning only.
  await update(dying, names).catch(() => {});
  return world;
}

Deno.test({
  name: "A foreign .previous never becomes the tool, also where ours had to be hidden",
  ignore,
  async fn() {
    await using world = makeUsedWorld();
    world.write("uv", tool("1"));
    world.write("uv.previous", tool("foreign"));
    await interrupted(world, 3); // staging, committing, committed
    assertEquals(world.read("uv"), tool("2 of uv"));
    Deno.removeSync(world.path("uv"));
    const { mended } = await recover(world);
    assertEquals(mended, [world.path("uv")]);
    assertEquals([world.read("uv"), world.read("uv.previous")], [tool("1"), tool("foreign")]);
    assertEquals(world.names(), ["uv", "uv.previous"]);
  },
});

for (const [which, gone] of [["uv", "removed"], ["uvx", "removed"], ["uvx", "cut off"]] as const) {
  Deno.test({
    name: `${which}, committed and then ${gone}, takes the set back, wherever that is cut short`,
    ignore,
    async fn() {
      const names = ["uv", "uvx"];
      for (let step = 1;; step++) {
        await using world = makeUsedWorld();
        for (const name of names) world.write(name, tool(`1 of ${name}`));
        await interrupted(world, 3, names);
        assertEquals(
          names.map((name) => world.read(name)),
          names.map((name) => tool(`2 of ${name}`)),
        );
        if (gone === "removed") Deno.removeSync(world.path(which));
        else Deno.writeTextFileSync(world.path(which), "");
        const kill = new FaultAt(step, "EIO", true);
        const fs = new FaultyFileSystem(world.system.fs, kill.fault);
        await recover({ ...world, system: { ...world.system, fs } }).catch(() => {});
        await recover(world);
        const set = names.map((name) => world.read(name));
        assertEquals(set, names.map((name) => tool(`1 of ${name}`)), `step ${step}`);
        if (!kill.reached) {
          assert(step > 5, "there are more steps than that");
          return;
        }
      }
    },
  });
}

/** Processes of which every run of that path does something first. */
function whenRun(path: (world: World) => string, act: (world: World) => number | void) {
  const holder: { world?: World } = {};
  const processes: Processes = {
    ...denoSystem.processes,
    async run(program, ...rest) {
      const code = program === path(holder.world!) ? act(holder.world!) : undefined;
      const result = await denoSystem.processes.run(program, ...rest);
      return code === undefined ? result : { ...result, code };
    },
  };
  return { holder, processes };
}

for (const sick of [false, true]) {
  Deno.test({
    name: `A .previous that appears meanwhile is left alone, ${sick ? "undone" : "updated"}`,
    ignore,
    async fn() {
      const planted: { path?: string } = {};
      const { holder, processes } = whenRun((world) => world.path("uv"), () => sick ? 1 : 0);
      const fs: FileSystem = {
        ...denoSystem.fs,
        lstatSync(path) {
          // After the plan, right before the commit links it.
          if (planted.path === undefined && path.includes("/staged/")) {
            planted.path = holder.world!.write("uv.previous", tool("planted"));
          }
          return denoSystem.fs.lstatSync(path);
        },
      };
      await using world = makeUsedWorld({ processes, fs });
      holder.world = world;
      world.write("uv", tool("1"));
      if (sick) await assertRejects(() => update(world), UpdateError, "health check");
      else await update(world);
      assert(planted.path);
      assertEquals(world.read("uv"), sick ? tool("1") : tool("2 of uv"));
      assertEquals(world.read("uv.previous"), tool("planted"));
      assertEquals(world.names(), ["uv", "uv.previous"]);
      if (!sick) {
        assertEquals(Deno.readTextFileSync(join(world.dir.rollback, "uv")), tool("1"));
      }
    },
  });
}

Deno.test({
  name: "A target that another installer makes while the update runs is refused and left alone",
  ignore,
  async fn() {
    // Before the last look, and after it.
    for (const late of [false, true]) {
      const holder: { world?: World } = {};
      const make = (path: string) => {
        if (path.includes("/staged/")) holder.world!.write("uv", tool("another"));
      };
      const fs: FileSystem = {
        ...denoSystem.fs,
        // Only staged files get a mode.
        fchmodSync: (
          file,
          mode,
        ) => (late || make("/staged/"), denoSystem.fs.fchmodSync(file, mode)),
        linkSync: (from, to) => (late && make(from), denoSystem.fs.linkSync(from, to)),
      };
      await using world = makeUsedWorld({ fs });
      holder.world = world;
      world.write("uvx", tool("1"));
      const error = await assertRejects(() => update(world, ["uvx", "uv"]), UpdateError);
      assertEquals([error.kind, error.path], ["filesystem", world.path("uv")]);
      assertMatch(error.message, /made by something else while the update ran/);
      assertEquals([world.read("uv"), world.read("uvx")], [tool("another"), tool("1")]);
      assertEquals(world.names(), ["uv", "uvx"]);
      assertEquals(readJournal(world.system, world.dir).state, "none");
    }
  },
});

Deno.test({
  name: "Recovery tries what it finishes, and goes back from what does not run",
  ignore,
  async fn() {
    const { holder, processes } = whenRun((world) => world.path("uv"), () => 1);
    await using world = makeUsedWorld({ processes });
    holder.world = world;
    world.write("uv", tool("1"));
    await interrupted(world, 2); // staging, committing
    const { mended, unrepaired } = await recover(world);
    assertEquals([mended, unrepaired], [[world.path("uv")], []]);
    assertEquals(world.read("uv"), tool("1"));
    assertEquals(world.names(), ["uv"]);
    assert(
      world.events.some((event) => event.event === "recovered" && event.outcome === "rolled-back"),
    );
  },
});

Deno.test({
  name: "Any tool's shim mends any tool's interrupted update, and touches nothing else of it",
  ignore,
  async fn() {
    await using world = makeUsedWorld();
    world.write("uv", tool("1"));
    await interrupted(world, 2);
    const dir = openInstallDir(world.system, world.folder, "other-updater");
    openStateDir(world.system, dir);
    const { mended } = await recover({ ...world, dir });
    assertEquals(mended, [world.path("uv")]);
    assertEquals(world.read("uv"), tool("2 of uv"));
    assertEquals(Deno.readTextFileSync(join(world.dir.rollback, "uv")), tool("1"));
    assertEquals(readJournal(world.system, world.dir).state, "none");
  },
});

Deno.test({
  name: "A moved folder is mended where it is now; a copy does not act on what is the original's",
  ignore,
  async fn() {
    await using world = makeUsedWorld();
    const outside = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-outside-" }));
    try {
      Deno.writeTextFileSync(join(outside, "uvx"), tool("1"), { mode: 0o755 });
      Deno.symlinkSync(join(outside, "uvx"), world.path("uvx"));
      world.write("uv", tool("1"));
      await interrupted(world, 2, ["uv", "uvx"]);
      const copy = `${world.folder}-copy`, moved = `${world.folder}-moved`;
      await new Deno.Command("cp", { args: ["-a", world.folder, copy] }).output();
      const at = (folder: string) => ({ ...world, dir: openInstallDir(world.system, folder) });
      try {
        // The link leads to a file that is the original's: its own shim goes on with that.
        Deno.writeTextFileSync(join(outside, "uvx.previous"), tool("1"));
        for (const _ of [1, 2]) {
          const { unrepaired, blocked } = await recover(at(copy));
          assertEquals(unrepaired.map(({ path }) => path), [join(outside, "uvx")]);
          assertEquals(blocked, false);
          assert(world.events.every(({ event }) => event !== "recovered"));
        }
        assertEquals(Deno.readTextFileSync(join(outside, "uvx")), tool("1"));
        assertEquals(Deno.readTextFileSync(join(outside, "uvx.previous")), tool("1"));
        assertEquals(Deno.readTextFileSync(join(copy, "uv")), tool("1"), "not a mix");
        Deno.renameSync(world.folder, moved);
        const { unrepaired } = await recover(at(moved));
        assertEquals(unrepaired, []);
        assertEquals(Deno.readTextFileSync(join(outside, "uvx")), tool("2 of uvx"));
        assertEquals(Deno.readTextFileSync(join(moved, "uv")), tool("2 of uv"));
        assertEquals([...Deno.readDirSync(outside)].map(({ name }) => name), ["uvx"]);
      } finally {
        Deno.removeSync(copy, { recursive: true });
        Deno.renameSync(moved, world.folder);
      }
    } finally {
      Deno.removeSync(outside, { recursive: true });
    }
  },
});

Deno.test({
  name: "Somebody who wants to stop waits two seconds at most for the check after the swap",
  ignore,
  async fn() {
    const stop = new AbortController();
    const reason = new UpdateError("terminated", "The update was interrupted");
    const began: number[] = [];
    const { holder, processes } = whenRun((world) => world.path("uv"), () => {
      began.push(performance.now());
      stop.abort(reason);
    });
    await using world = makeUsedWorld({ processes });
    holder.world = world;
    world.write("uv", tool("1"));
    const fill = (staged: string) =>
      Deno.writeTextFileSync(
        staged,
        `#!/bin/sh\ncase "$0" in */staged/*) ;; *) sleep 60 ;; esac\necho tool 2\n`,
      );
    const error = await assertRejects(() => transact(world, ["uv"], fill, CHECK, stop.signal));
    assertEquals(error, reason);
    assertEquals([began.length, world.read("uv")], [1, tool("1")]);
    assertEquals(world.names(), ["uv"]);
  },
});

Deno.test({
  name: "What has given up leaves no hidden name behind, and what could not go is tried again",
  ignore,
  async fn() {
    await using world = makeUsedWorld();
    world.write("uv", tool("1"));
    await interrupted(world, 2);
    world.write("uv", tool("somebody else's"));
    const first = await recover(world);
    assertEquals(first.unrepaired.map(({ path }) => path), [world.path("uv")]);
    assertEquals(world.read("uv"), tool("somebody else's"));
    assertEquals(world.names().filter((name) => name.startsWith(".")), []);
    assertEquals((await recover(world)).unrepaired, first.unrepaired, "until it is sane");
    await update(world);
    assertEquals(readJournal(world.system, world.dir).state, "none");
    assertEquals((await recover(world)).unrepaired, []);
  },
});

for (const kind of ["link", "text", "folder"]) {
  Deno.test({
    name: `A ${kind} under a target's name is told until the old ones can come back`,
    ignore,
    async fn() {
      await using world = makeUsedWorld();
      world.write("uv", tool("1"));
      world.write("uvx", tool("1"));
      await interrupted(world, 2, ["uv", "uvx"]);
      for (const name of ["uv", "uvx"]) {
        Deno.linkSync(world.path(name), world.path(`${name}.previous`));
      }
      Deno.removeSync(world.path("uv"));
      if (kind === "link") Deno.symlinkSync("elsewhere", world.path("uv"));
      if (kind === "text") world.write("uv", "my notes\n");
      if (kind === "folder") Deno.mkdirSync(world.path("uv"));
      for (const _ of [1, 2]) {
        const { unrepaired } = await recover(world);
        assertEquals(unrepaired.map(({ path }) => path), [world.path("uv")]);
        assertEquals(world.read("uvx"), tool("1"));
        assertEquals(readReceipt(world.system, world.dir), "none");
        assertEquals(world.events.filter(({ event }) => event === "recovered"), []);
      }
      Deno.removeSync(world.path("uv"));
      assertEquals((await recover(world)).unrepaired, []);
      assertEquals([world.read("uv"), world.names()], [tool("1"), ["uv", "uvx"]]);
    },
  });
}

for (const name of ["uv", "uvx", "uvw"]) {
  Deno.test({
    name: `What somebody puts in the place of one, ${name}, leaves no mix of the others`,
    ignore,
    async fn() {
      await using world = makeUsedWorld();
      world.write("uv", tool("1"));
      world.write("uvx", tool("1"));
      // Killed when all are replaced, before `committed` is written. There was no uvw.
      const dying = { ...world.system, fs: dyingAtCommitted() };
      await update({ ...world, system: dying }, ["uv", "uvx", "uvw"]).catch(() => {});
      assertEquals(world.read("uvw"), tool("2 of uvw"));
      Deno.removeSync(world.path(name));
      world.write(name, tool("somebody's"));
      const { unrepaired } = await recover(world);
      const told = name === "uvw" ? [] : [world.path(name)];
      assertEquals(unrepaired.map(({ path }) => path), told);
      assertEquals((await recover(world)).unrepaired, unrepaired, "until it is sane");
      const kept = told.map(() => `${name}.previous`);
      const there = new Set(["uv", "uvx", name, ...kept]);
      assertEquals(world.names(), [...there].sort());
      for (const one of ["uv", "uvx"]) {
        assertEquals(world.read(one), tool(one === name ? "somebody's" : "1"));
      }
      assertEquals(world.read(name), tool("somebody's"));
    },
  });
}

for (const found of ["another", "another, and no old one", "missing", "cut off"] as const) {
  Deno.test({
    name: `A damaged journal: a complete file stays, with its old one, and is told: ${found}`,
    ignore,
    async fn() {
      await using world = makeUsedWorld();
      const files = ["uv", "uvx"].map((name) => {
        const path = world.write(name, tool("1"));
        Deno.linkSync(path, world.path(`${name}.previous`));
        return { name, ...digestFile(world.system.fs, path) };
      });
      writeReceipt(world.system.fs, world.dir, { ...RECEIPT, files });
      Deno.removeSync(world.path("uv"));
      if (found === "cut off") world.write("uv", "");
      if (found.startsWith("another")) world.write("uv", tool("2"));
      if (found === "another, and no old one") Deno.removeSync(world.path("uv.previous"));
      const stays = found.startsWith("another");
      Deno.writeTextFileSync(world.dir.journal, "torn");
      for (const _ of [1, 2]) {
        const { unrepaired } = await recover(world);
        assertEquals(unrepaired.map(({ path }) => path), stays ? [world.path("uv")] : []);
        assertEquals(world.read("uv"), tool(stays ? "2" : "1"));
      }
      const left = found === "another"
        ? ["uv", "uv.previous", "uvx", "uvx.previous"]
        : stays
        ? ["uv", "uvx", "uvx.previous"]
        : ["uv", "uvx"];
      assertEquals(world.names(), left);
    },
  });
}
