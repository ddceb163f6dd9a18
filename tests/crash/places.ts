/** Links, names and files that are not what one expects. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { releaseRoutes, serve, sha256 } from "../support/shim.ts";
import type { Bed } from "./bed.ts";
import { Bed as AnyBed } from "./bed.ts";
import { updatesAlone } from "./broken_shim.ts";
import type { Lab } from "./lab.ts";
import { must, run } from "./process.ts";
import { NAMES, NEW, OLD } from "./tools.ts";

const USAGE = 2, FILE_SYSTEM = 7;

/** Each place. */
export async function places(lab: Lab): Promise<void> {
  const check = (name: string, promise: (bed: Bed) => Promise<void>) =>
    lab.report.check(name, () => promise(lab.bed()));
  const links: [string, (bed: Bed) => string][] = [
    ["a link", (bed) => link(bed, join(elsewhere(bed), "tool-1.0"))],
    ["a relative link", (bed) => link(bed, "../elsewhere/tool-1.0")],
    ["a chain of links", (bed) => {
      Deno.symlinkSync("tool-1.0", join(elsewhere(bed), "second"));
      Deno.symlinkSync("../elsewhere/second", join(elsewhere(bed), "first"));
      return link(bed, "../elsewhere/first");
    }],
  ];
  for (const [name, make] of links) {
    const promise = `a target behind ${name}: the link stays, its file is replaced`;
    await check(promise, (bed) => linkStays(bed, make));
  }
  await lab.report.check("it is seen that a link is replaced, not its file", async () => {
    const naive = () => scripted(lab, 'cp "$from" "$to.fresh" && mv "$to.fresh" "$to"');
    await updatesAlone(naive());
    await assertRejects(() => linkStays(naive(), links[0]![1]));
  });
  await check(
    "a target on another file system than the state dir, and back again",
    (bed) =>
      onTmpfs(elsewhere(bed), async () => {
        link(bed, join(elsewhere(bed), "tool-1.0"));
        await updates(bed);
        assertEquals(names(elsewhere(bed)), ["tool-1.0"]);
        assertEquals((await bed.shimRun("--rollback")).code, 0);
        assertEquals(
          Deno.readFileSync(join(elsewhere(bed), "tool-1.0")),
          bed.tools.get("tool", OLD),
        );
        assertEquals(names(elsewhere(bed)), ["tool-1.0"]);
      }),
  );
  await check("an install dir that is itself a link", async (bed) => {
    const path = join(bed.folder, "link to it");
    Deno.symlinkSync("install dir", path);
    const { code, stderr } = await run([bed.shim, "--install-dir", path]);
    assertEquals([code, bed.verdict(), bed.strangers(false)], [0, "new", []], stderr);
  });
  for (
    const part of [
      'it\'s "quoted"',
      "a\nnewline",
      "Ünïcödé 工具 🛠",
      " spaces ",
      "-dash",
      "$HOME;`x`",
    ]
  ) {
    await lab.report.check(`a path with ${JSON.stringify(part)} in it`, async () => {
      const folder = join(lab.bed().folder, part);
      Deno.mkdirSync(folder);
      const { shim, tools, manifest } = lab.bed();
      const bed = new AnyBed(join(folder, "in it"), shim, tools, manifest);
      Deno.mkdirSync(bed.folder);
      bed.reset();
      await updates(bed);
      assertEquals((await bed.shimRun("--rollback")).code, 0);
      assertEquals([bed.verdict(), bed.strangers(false)], ["old", []]);
    });
  }
  await check("names of 200 characters", (bed) => longName(bed, "n".repeat(200), 0));
  await check(
    "a name that leaves no room for .previous is refused",
    (bed) => longName(bed, "n".repeat(250), USAGE),
  );
  await check("a read-only target is replaced, and stays read-only", async (bed) => {
    for (const name of NAMES) Deno.chmodSync(bed.path(name), 0o555);
    assertEquals((await bed.shimRun()).code, 0);
    for (const name of NAMES) {
      assertEquals(Deno.statSync(bed.path(name)).mode! & 0o777, 0o555);
      assertEquals(Deno.readFileSync(bed.path(name)), bed.tools.get(name, NEW));
    }
  });
  await check(
    "a target that runs goes on running, and the next start is the new one",
    async (bed) => {
      Deno.copyFileSync("/bin/sleep", bed.path("tool"));
      const running = new Deno.Command(bed.path("tool"), { args: ["60"] }).spawn();
      await updates(bed, "--force", "--allow-downgrade");
      assertEquals(Deno.readTextFileSync(`/proc/${running.pid}/comm`), "tool\n");
      running.kill("SIGKILL");
      assertEquals((await running.status).signal, "SIGKILL");
    },
  );
  for (const bit of [0o4000, 0o2000]) {
    await check(`a target of mode ${(bit | 0o755).toString(8)} is refused`, async (bed) => {
      Deno.chmodSync(bed.path("toolx"), bit | 0o755);
      const { code, stderr } = await bed.shimRun();
      assertMatch(stderr, /Cannot replace ".*toolx": it is setuid or setgid/);
      assertEquals(code, FILE_SYSTEM);
      assertEquals(Deno.statSync(bed.path("toolx")).mode! & 0o7777, bit | 0o755);
      assertEquals(bed.strangers(false), []);
    });
  }
  await check("another hard link of a target goes on naming the old file", async (bed) => {
    await otherNameStays(bed);
    assertEquals((await bed.shimRun("--rollback")).code, 0);
    assertEquals(bed.verdict(), "old");
  });
  await lab.report.check("it is seen that a file is overwritten in place", async () => {
    await updatesAlone(scripted(lab, 'cp "$from" "$to"'));
    await assertRejects(() => otherNameStays(scripted(lab, 'cp "$from" "$to"')));
  });
}

/** A bed whose shim is a shell script that updates the naive way. */
function scripted(lab: Lab, update: string): Bed {
  const shim = join(lab.scratch, `naive-${crypto.randomUUID()}`);
  const each = NAMES.map((name) =>
    `from="${lab.scratch}/${name}-${NEW}" to="$2/${name}"; ${update}`
  );
  Deno.writeTextFileSync(shim, ["#!/bin/sh -e", ...each, ""].join("\n"), { mode: 0o755 });
  return lab.bed("new", shim);
}

async function linkStays(bed: Bed, make: (bed: Bed) => string): Promise<void> {
  elsewhere(bed);
  const to = make(bed);
  await updates(bed);
  assertEquals(Deno.readLinkSync(bed.path("tool")), to);
  assert(holds(join(elsewhere(bed), "tool-1.0"), bed.tools.get("tool", NEW)));
  assertEquals(names(elsewhere(bed)).filter((name) => name.includes("tool-1.0")), ["tool-1.0"]);
}

async function otherNameStays(bed: Bed): Promise<void> {
  const other = join(elsewhere(bed), "other name");
  Deno.linkSync(bed.path("tool"), other);
  await updates(bed);
  assert(holds(other, bed.tools.get("tool", OLD)), `${other} is not the old one any more`);
}

/** By digest: assertEquals shows a difference of 76 kB byte by byte, and has no memory for it. */
function holds(path: string, content: Uint8Array): boolean {
  return sha256(Deno.readFileSync(path)) === sha256(content);
}

/** A folder beside the install dir. */
function elsewhere(bed: Bed): string {
  const folder = join(bed.folder, "elsewhere");
  Deno.mkdirSync(folder, { recursive: true });
  return folder;
}

/** Moves the target elsewhere, as `real`, and puts a link in its place. */
function link(bed: Bed, to: string): string {
  const real = join(elsewhere(bed), "tool-1.0");
  Deno.writeFileSync(real, bed.tools.get("tool", OLD), { mode: 0o755 });
  Deno.removeSync(bed.path("tool"));
  Deno.symlinkSync(to, bed.path("tool"));
  return to;
}

async function updates(bed: Bed, ...args: string[]): Promise<void> {
  const { code, stderr } = await bed.shimRun(...args);
  assertEquals(code, 0, stderr);
  for (const name of NAMES) {
    assertEquals(Deno.readFileSync(bed.path(name)), bed.tools.get(name, NEW));
  }
  assertEquals([await bed.runs(), bed.strangers(false)], [true, []]);
}

async function onTmpfs(folder: string, work: () => Promise<void>): Promise<void> {
  await must("mount", "-t", "tmpfs", "-o", "size=16m,mode=755", "tmpfs", folder);
  try {
    await work();
  } finally {
    await must("umount", folder);
  }
}

async function longName(bed: Bed, target: string, expected: number): Promise<void> {
  const content = bed.tools.get("tool", NEW);
  await using server = serve(releaseRoutes([{ target, content }], { version: NEW }));
  const { code, stderr } = await bed.shimRun("--manifest", `${server.url}/release.json`);
  assertEquals(code, expected, stderr);
  if (code === 0) assertEquals(Deno.readFileSync(bed.path(target)), content);
}

function names(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}
