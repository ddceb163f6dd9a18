import { assertEquals, assertMatch } from "@std/assert";
import { recover } from "../../src/transaction/recover.ts";
import { makeWorld, tool, type World } from "../support/world.ts";

const real = Deno.readFileSync("/bin/cat");
const cutOff = real.subarray(0, real.length / 2);

async function repair(world: World) {
  return await recover(world);
}

Deno.test("A missing executable is restored from `.previous` and from `.previous.exe`", async () => {
  await using world = makeWorld();
  world.write("uv.previous", tool("1"));
  world.write("uvx.exe.previous.exe", real);
  const { mended, unrepaired } = await repair(world);
  assertEquals(mended, [world.path("uv"), world.path("uvx.exe")]);
  assertEquals(unrepaired, []);
  assertEquals(world.names(), ["uv", "uvx.exe"]);
  assertEquals(world.read("uv"), tool("1"));
});

Deno.test("An executable that was cut off is replaced, and kept in the state dir", async () => {
  await using world = makeWorld();
  world.write("uv", cutOff);
  world.write("uv.previous", real);
  assertEquals((await repair(world)).mended, [world.path("uv")]);
  assertEquals(world.names(), ["uv"]);
  assertEquals(Deno.readFileSync(world.path("uv")), real);
  assertEquals(Deno.readFileSync(`${world.dir.broken}/uv`), cutOff);
});

Deno.test("An empty executable is replaced", async () => {
  await using world = makeWorld();
  world.write("uv", "");
  world.write("uv.previous.exe", real);
  assertEquals((await repair(world)).mended, [world.path("uv")]);
});

Deno.test("Rust's with_extension name is understood: uv.previous.exe belongs to uv.exe", async () => {
  await using world = makeWorld();
  const pe = new Uint8Array(0x40 + 24 + 240);
  new DataView(pe.buffer).setUint16(0, 0x4d5a);
  new DataView(pe.buffer).setUint32(0x3c, 0x40, true);
  new DataView(pe.buffer).setUint32(0x40, 0x50450000);
  world.write("uv.previous.exe", pe);
  assertEquals((await repair(world)).mended, [world.path("uv.exe")]);
});

Deno.test("A complete executable and its `.previous` are both left alone, and said so", async () => {
  await using world = makeWorld();
  world.write("uv", tool("2"));
  world.write("uv.previous", tool("1"));
  const { mended, left } = await repair(world);
  assertEquals(mended, []);
  assertEquals(left.map(({ previous }) => previous), [world.path("uv.previous")]);
  assertMatch(left[0]!.why, /is complete/);
  assertEquals([world.read("uv"), world.read("uv.previous")], [tool("2"), tool("1")]);
});

Deno.test("A folder, a link and a text of that name are left alone", async () => {
  await using world = makeWorld();
  Deno.mkdirSync(world.path("a.previous"));
  Deno.symlinkSync("/bin/cat", world.path("b.previous"));
  world.write("notes.txt.previous", "my notes", 0o644);
  const { mended, unrepaired, left } = await repair(world);
  assertEquals([mended, unrepaired, left.length], [[], [], 3]);
  assertEquals(world.names(), ["a.previous", "b.previous", "notes.txt.previous"]);
});

Deno.test("A `.previous` that is cut off itself restores nothing, and is named", async () => {
  await using world = makeWorld();
  world.write("uv.previous", cutOff);
  const { mended, unrepaired } = await repair(world);
  assertEquals(mended, []);
  assertEquals(unrepaired.map(({ path }) => path), [world.path("uv")]);
  assertEquals(world.names(), ["uv.previous"]);
});

Deno.test("A second repair finds nothing to do and changes nothing", async () => {
  await using world = makeWorld();
  world.write("uv.previous", tool("1"));
  await repair(world);
  const before = Deno.statSync(world.path("uv"));
  const again = await repair(world);
  assertEquals([again.mended, again.unrepaired, again.removed], [[], [], []]);
  const after = Deno.statSync(world.path("uv"));
  assertEquals([after.ino, after.ctime], [before.ino, before.ctime]);
});
