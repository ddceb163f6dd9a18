import { assert, assertEquals, assertRejects } from "@std/assert";
import { applyPatch } from "../../src/patch/apply_patch.ts";
import { CHUNK, HEADER_LENGTH, MAGIC, PatchError } from "../../src/patch/format.ts";
import {
  joined,
  memory,
  patchBetween,
  patched,
  randomBytes,
  twoVersions,
} from "../support/patches.ts";

const { old, fresh } = twoVersions(3000);
const patch = patchBetween(old, fresh);

/** That applying fails, with which words, and that not a byte too many was written. */
async function assertRefused(
  damaged: Uint8Array,
  words: string,
  { from = old, size = fresh.length } = {},
) {
  const out = memory();
  await assertRejects(
    () => applyPatch({ patch: memory(damaged), old: memory(from), out }, { size }),
    PatchError,
    words,
  );
  assert(out.bytes().length <= size);
}

/** A patch of one chunk, by hand: its streams as they are, not compressed. */
function handMade(
  sizes: { oldSize: number; newSize: number },
  streams: readonly (readonly number[])[],
  tail: readonly number[] = [],
): Uint8Array {
  const header = new Uint8Array(HEADER_LENGTH);
  header.set(MAGIC);
  const view = new DataView(header.buffer);
  view.setBigUint64(8, BigInt(sizes.oldSize), true);
  view.setBigUint64(16, BigInt(sizes.newSize), true);
  const lengths = streams.flatMap(({ length }) => length === 0 ? [0] : [length, length]);
  return joined([header, Uint8Array.from([...lengths, ...streams.flat(), ...tail])]);
}

Deno.test("a patch makes the new file, and is far smaller", async () => {
  assertEquals(await patched(old, patch, fresh.length), fresh);
  assert(patch.length < fresh.length / 20, `${patch.length} of ${fresh.length}`);
});

Deno.test("the same files give the same patch", () => {
  assertEquals(patchBetween(old, fresh), patch);
});

Deno.test("one changed word in a file of many chunks is a patch of some hundred bytes", async () => {
  const before = randomBytes(2 * CHUNK + 1234), after = before.slice();
  after.set(new TextEncoder().encode("word"), CHUNK + 77);
  const small = patchBetween(before, after);
  assertEquals(await patched(before, small, after.length), after);
  assert(small.length < 200, `${small.length} bytes`);
});

for (
  const [name, before, after] of [
    ["from nothing", new Uint8Array(), randomBytes(100)],
    ["to one byte", randomBytes(5000), Uint8Array.of(7)],
    ["to its own beginning", old, old.subarray(0, 1001)],
    ["to something else", randomBytes(20_000, 1), randomBytes(20_000, 2)],
    ["to zeros", randomBytes(20_000), new Uint8Array(20_001)],
    [
      "across the edge of a chunk",
      randomBytes(CHUNK + 2),
      edited(randomBytes(CHUNK + 2), CHUNK - 2),
    ],
    ["with an insertion in the first chunk", randomBytes(CHUNK), inserted(randomBytes(CHUNK), 99)],
  ] as const
) {
  Deno.test(`a patch ${name}`, async () => {
    assertEquals(await patched(before, patchBetween(before, after), after.length), after);
  });
}

function edited(bytes: Uint8Array, at: number): Uint8Array {
  bytes.set([1, 2, 3, 4], at);
  return bytes;
}

function inserted(bytes: Uint8Array, at: number): Uint8Array {
  return joined([bytes.subarray(0, at), randomBytes(500, 9), bytes.subarray(at)]);
}

Deno.test("a word is added across its bytes, and what it does not say is copied", async () => {
  const before = Uint8Array.of(0, 0xff, 0xff, 0, 0, 9);
  const byHand = handMade({ oldSize: 6, newSize: 6 }, [[], [1], [1, 0, 0, 0], []]);
  assertEquals(await patched(before, byHand, 6), Uint8Array.of(0, 0, 0, 1, 0, 9));
});

Deno.test("an edit at the end of the file changes nothing behind it", async () => {
  const byHand = handMade({ oldSize: 2, newSize: 2 }, [[], [1], [1, 1, 1, 1], []]);
  assertEquals(await patched(Uint8Array.of(5, 6), byHand, 2), Uint8Array.of(5, 7));
});

const SIZES = { oldSize: 6, newSize: 6 };
for (
  const [what, byHand, words] of [
    ["copies from behind the old file", handMade(SIZES, [[2, 6, 0], [], [], []]), "outside"],
    ["copies from before the old file", handMade(SIZES, [[1, 6, 0], [], [], []]), "outside"],
    ["goes on behind the old file", handMade(SIZES, [[4, 3, 1], [], [], [1]]), "outside"],
    ["makes more than its chunk", handMade(SIZES, [[0, 7, 0], [], [], []]), "a block is too long"],
    ["uses more literals than it has", handMade(SIZES, [[0, 0, 6], [], [], [1]]), "too long"],
    ["has a literal too many", handMade(SIZES, [[0, 5, 1], [], [], [1, 2]]), "not all literals"],
    [
      "edits behind its chunk",
      handMade(SIZES, [[], [6], [1, 0, 0, 0], []]),
      "outside of its chunk",
    ],
    ["has half a word", handMade(SIZES, [[], [0], [1, 0], []]), "a word is cut off"],
    ["has a word without a place", handMade(SIZES, [[], [], [1, 0, 0, 0], []]), "cut off"],
    ["has a place without a word", handMade(SIZES, [[], [0], [], []]), "an edit has no word"],
    ["has a block of two numbers", handMade(SIZES, [[0, 6], [], [], []]), "a number is cut off"],
    ["has an endless number", handMade(SIZES, [[...Array(9).fill(255)], [], [], []]), "too long"],
    [
      "has a stream without end",
      handMade(SIZES, [[...Array(80).fill(0)], [], [], []]),
      "impossible",
    ],
    ["has something behind its end", handMade(SIZES, [[], [], [], []], [0]), "follows its end"],
  ] as const
) {
  Deno.test(`a patch that ${what} is refused`, () =>
    assertRefused(byHand, words, { from: new Uint8Array(6), size: 6 }));
}

Deno.test("a patch for another old file is refused before anything is written", async () => {
  await assertRefused(patch, "another old file", { from: old.subarray(1) });
});

Deno.test("a patch that would make a file of another size is refused", async () => {
  await assertRefused(patch, "another file", { size: fresh.length - 1 });
});

Deno.test("a patch of another format, or of another tool's, is refused", async () => {
  const other = patch.slice();
  other[7] = "2".charCodeAt(0);
  await assertRefused(other, 'does not begin with "USPATCH1"');
  await assertRefused(new TextEncoder().encode("BSDIFF40".padEnd(500)), "does not begin");
  await assertRefused(new Uint8Array(), "cut off");
});

Deno.test("a patch that is cut off anywhere is refused", async () => {
  for (let length = 0; length < patch.length; length += 1 + Math.floor(length / 40)) {
    await assertRefused(patch.subarray(0, length), "");
  }
});

Deno.test("a patch between files that only have the right sizes makes a file, never the new one", async () => {
  const made = await patched(randomBytes(old.length), patch, fresh.length);
  assertEquals(made.length, fresh.length);
  assert(made.some((byte, at) => byte !== fresh[at]));
});

Deno.test("a signal ends the work between two chunks", async () => {
  const before = randomBytes(2 * CHUNK), after = edited(before.slice(), 5);
  const stop = new AbortController();
  const out = memory();
  const written: number[] = [];
  const files = { patch: memory(patchBetween(before, after)), old: memory(before), out };
  const progress = (bytes: number) => {
    written.push(bytes);
    stop.abort(new Error("enough"));
  };
  await assertRejects(
    () => applyPatch(files, { size: after.length, signal: stop.signal, progress }),
    Error,
    "enough",
  );
  assertEquals(written, [CHUNK]);
});

Deno.test("many short pieces that lie near each other are few reads", async () => {
  // Every second 64 bytes are moved: some 16,000 blocks.
  const before = randomBytes(1024 * 1024), pieces: Uint8Array[] = [];
  for (let at = 0; at < before.length; at += 128) {
    pieces.push(before.subarray(at + 64, at + 128), before.subarray(at, at + 64));
  }
  const after = joined(pieces);
  const file = memory(before);
  const out = memory();
  const swapped = memory(patchBetween(before, after));
  await applyPatch({ patch: swapped, old: file, out }, { size: after.length });
  assertEquals(out.bytes(), after);
  assert(file.reads <= 130, `${file.reads} reads`);
});
