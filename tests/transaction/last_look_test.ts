/**
 * The last look before the commit: a staged file that nobody can have changed is not read again, and one
 * that was changed between its digest and that look is refused, however it was done.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { UpdateError } from "../../src/base/errors.ts";
import { digestFile } from "../../src/files/digest.ts";
import { denoSystem } from "../../src/system/deno_system.ts";
import type { FileSystem } from "../../src/system/file_system.ts";
import type { Processes } from "../../src/system/processes.ts";
import { transact } from "../support/transaction.ts";
import { makeUsedWorld, tool } from "../support/world.ts";

const ignore = Deno.build.os === "windows"; // There all of it is read, always.
const CHECK = { args: ["--version"], timeoutMs: 10_000 };
const FRESH = tool("2.0.0"), EVIL = tool("6.6.6");
/** Long after nobody would have seen a change by the file's times. */
const LONG_AGO = new Date("2026-01-01T00:00:00Z");

interface Case {
  /** When the staged file was written last, as it says. */
  readonly written?: Date;
  /** The digest is not of this very file. */
  readonly unread?: boolean;
  /** Between the digest and the look. */
  readonly meanwhile?: (staged: string) => void | Promise<void>;
}

/** Updates a tool; how often the staged file was read after it was tried. */
async function update({ written = LONG_AGO, unread, meanwhile }: Case) {
  let tried = false, reads = 0;
  const isStaged = (path: string) => path.includes("/staged/");
  const processes: Processes = {
    ...denoSystem.processes,
    async run(path, ...rest) {
      const result = await denoSystem.processes.run(path, ...rest);
      if (isStaged(path)) {
        await meanwhile?.(path);
        tried = true;
      }
      return result;
    },
  };
  const fs: FileSystem = {
    ...denoSystem.fs,
    openSync(path, options) {
      if (tried && isStaged(path)) reads++;
      return denoSystem.fs.openSync(path, options);
    },
  };
  await using world = makeUsedWorld({ processes, fs });
  world.write("uv", tool("1.0.0"));
  const outcome = await transact(world, ["uv"], (staged) => {
    Deno.writeTextFileSync(staged, FRESH);
    Deno.utimeSync(staged, written, written);
    const digest = digestFile(denoSystem.fs, staged);
    return unread ? digest : { ...digest, info: Deno.lstatSync(staged) };
  }, CHECK).catch((error) => error as Error);
  return { outcome, reads, installed: world.read("uv"), names: world.names() };
}

Deno.test({
  name: "a staged file that has its inode, size and times still is not read again",
  ignore,
  async fn() {
    const { outcome, reads, installed } = await update({});
    assertEquals([outcome, reads, installed], [undefined, 0, FRESH]);
  },
});

for (
  const [what, how] of [
    ["was written an instant ago", { written: new Date(Date.now() + 60_000) }],
    ["is a copy of what was read", { unread: true }],
    ["got another time only", { meanwhile: (staged) => Deno.utimeSync(staged, 1, 1) }],
  ] satisfies [string, Case][]
) {
  Deno.test({
    name: `a staged file that ${what} is read to its end`,
    ignore,
    async fn() {
      const { outcome, reads, installed } = await update(how);
      assertEquals([outcome, reads, installed], [undefined, 1, FRESH]);
    },
  });
}

function writeInto(staged: string): void {
  Deno.writeTextFileSync(staged, EVIL);
}

function putInPlace(staged: string): void {
  Deno.writeTextFileSync(`${staged}.evil`, EVIL, { mode: 0o755 });
  Deno.utimeSync(`${staged}.evil`, LONG_AGO, LONG_AGO);
  Deno.renameSync(`${staged}.evil`, staged);
}

/** The time that nobody can set shows it, once a second is over. */
async function writeAndSetTheTimeBack(staged: string): Promise<void> {
  await denoSystem.clock.delay(1100);
  writeInto(staged);
  Deno.utimeSync(staged, LONG_AGO, LONG_AGO);
}

function writeAndSetTheTimeBackAtOnce(staged: string): void {
  writeInto(staged);
  Deno.utimeSync(staged, LONG_AGO, LONG_AGO);
}

for (
  const [what, how] of [
    ["written to, its size as before", { meanwhile: writeInto }],
    ["replaced by another of its size and time", { meanwhile: putInPlace }],
    ["written to, its time set back", { meanwhile: writeAndSetTheTimeBack }],
    ["written to while it is not known", { unread: true, meanwhile: writeAndSetTheTimeBackAtOnce }],
  ] satisfies [string, Case][]
) {
  Deno.test({
    name: `a staged file that is ${what}, is refused`,
    ignore,
    async fn() {
      assertEquals(EVIL.length, FRESH.length);
      const { outcome, installed, names } = await update(how);
      const error = await assertRejects(() => Promise.reject(outcome), UpdateError);
      assertEquals(error.kind, "verification");
      assertEquals([installed, names], [tool("1.0.0"), ["uv"]]);
    },
  });
}
