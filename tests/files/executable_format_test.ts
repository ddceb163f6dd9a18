import { assertEquals } from "@std/assert";
import { examine } from "../../src/files/executable_format.ts";
import { makeWorld } from "../support/world.ts";

/** The smallest files that have the headers of their format and are complete. */
function elf(): Uint8Array {
  const bytes = new Uint8Array(0x40 + 0x38 + 16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x7f454c46);
  bytes.set([2, 1, 1], 4);
  view.setBigUint64(0x20, 0x40n, true); // program headers
  view.setUint16(0x36, 0x38, true);
  view.setUint16(0x38, 1, true);
  view.setUint32(0x40, 1, true); // a segment that is loaded
  view.setBigUint64(0x40 + 8, BigInt(0x40 + 0x38), true); // its offset
  view.setBigUint64(0x40 + 0x20, 16n, true); // and its size in the file
  return bytes;
}

/** A packed program: it runs, and its section table is said to be far beyond its end. */
function packed(): Uint8Array {
  const bytes = elf();
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0x28, 10_000_000n, true);
  view.setUint16(0x3a, 64, true);
  view.setUint16(0x3c, 30, true);
  return bytes;
}

function pe(): Uint8Array {
  const bytes = new Uint8Array(512 + 64);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x4d5a);
  view.setUint32(0x3c, 0x40, true);
  view.setUint32(0x40, 0x50450000);
  view.setUint16(0x46, 1, true); // one section
  view.setUint16(0x54, 240, true); // size of the optional header
  view.setUint16(0x58, 0x20b, true);
  view.setUint32(0x58 + 108, 16, true); // data directories
  view.setUint32(0x58 + 112 + 32, 576, true); // a signature that somebody has cut off: it runs
  view.setUint32(0x58 + 112 + 36, 40, true);
  view.setUint32(0x58 + 240 + 16, 64, true); // the section's raw size
  view.setUint32(0x58 + 240 + 20, 512, true); // and offset
  return bytes;
}

function macho(): Uint8Array {
  const bytes = new Uint8Array(32 + 72 + 16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0xcffaedfe);
  view.setUint32(16, 1, true);
  view.setUint32(32, 0x19, true);
  view.setUint32(36, 72, true);
  view.setBigUint64(32 + 40, 104n, true);
  view.setBigUint64(32 + 48, 16n, true);
  return bytes;
}

function fat(): Uint8Array {
  const bytes = new Uint8Array(8 + 20 + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0xcafebabe);
  view.setUint32(4, 1);
  view.setUint32(16, 28);
  view.setUint32(20, 12);
  return bytes;
}

const SAMPLES: [string, Uint8Array][] = [
  ["elf", elf()],
  ["packed elf", packed()],
  ["pe", pe()],
  ["mach-o", macho()],
  ["universal mach-o", fat()],
];

for (const [name, bytes] of SAMPLES) {
  Deno.test(`examine() calls a ${name} file complete only when no byte of it is missing`, async () => {
    await using world = makeWorld();
    const path = world.path("x");
    for (let length = 0; length <= bytes.length; length++) {
      world.write("x", bytes.subarray(0, length));
      // Four bytes of magic are needed to know the format at all; two for PE.
      const known = length >= (name.startsWith("pe") ? 2 : 4);
      if (length > 0 && !known) continue;
      const expected = length === bytes.length ? "complete" : "broken";
      assertEquals(examine(world.system.fs, path).completeness, expected, `${length} bytes`);
    }
    world.write("x", new Uint8Array([...bytes, ...new Uint8Array(1000)]));
    assertEquals(examine(world.system.fs, path).completeness, "complete", "a payload behind it");
  });
}

Deno.test("examine() finds a real executable cut off anywhere", async () => {
  await using world = makeWorld();
  const real = Deno.readFileSync(Deno.build.os === "windows" ? Deno.execPath() : "/bin/cat");
  const path = world.write("x", real);
  assertEquals(examine(world.system.fs, path).completeness, "complete");
  // Behind that there may be nothing that is loaded.
  for (const part of [0.01, 0.3, 0.5, 0.8]) {
    Deno.truncateSync(path, Math.floor(real.length * part));
    assertEquals(examine(world.system.fs, path).completeness, "broken", `${part}`);
    Deno.writeFileSync(path, real);
  }
});

Deno.test("examine() draws no conclusion from a format that it does not know", async () => {
  await using world = makeWorld();
  const look = (content: string) => examine(world.system.fs, world.write("x", content));
  assertEquals(look("#!/bin/sh\n").format, "script");
  assertEquals(look("#!/bin/sh\n").completeness, "complete");
  assertEquals(look("just text"), { completeness: "complete", format: "unknown", size: 9 });
  assertEquals(look("").completeness, "broken");
  assertEquals(look("MZ").completeness, "broken");
});

Deno.test("examine() tells a folder and a link from a file, and nothing from both", async () => {
  await using world = makeWorld();
  const { fs } = world.system;
  Deno.mkdirSync(world.path("folder"));
  assertEquals(examine(fs, world.path("folder")).completeness, "not-a-file");
  assertEquals(examine(fs, world.path("nothing")).completeness, "missing");
  if (Deno.build.os === "windows") return;
  Deno.symlinkSync("folder", world.path("link"));
  assertEquals(examine(fs, world.path("link")).completeness, "not-a-file");
});
