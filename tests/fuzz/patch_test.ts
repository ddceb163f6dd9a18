/**
 * Damaged patches: an error or a file, never a crash, a hang, or memory beyond the bound. The bound is
 * seen where memory is taken: nothing is written or unpacked beyond what the manifest promises.
 */
import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { applyPatch } from "../../src/patch/apply_patch.ts";
import {
  HEADER_LENGTH,
  maxStream,
  PatchError,
  readChunkHeader,
  readHeader,
  STREAMS,
} from "../../src/patch/format.ts";
import { damaged, property } from "../support/fuzz.ts";
import { joined, memory, patchBetween, randomBytes, twoVersions } from "../support/patches.ts";

const { old, fresh } = twoVersions(600);
const compressed = patchBetween(old, fresh);
// Small streams are not compressed: damage reaches blocks, gaps and words as they are.
const plain = patchBetween(randomBytes(900), shuffled(randomBytes(900)));

function shuffled(bytes: Uint8Array): Uint8Array {
  const parts = [bytes.subarray(500), randomBytes(40, 3), bytes.subarray(100, 600)];
  const whole = joined(parts);
  for (let at = 7; at < whole.length; at += 60) whole[at]! ^= 1;
  return whole;
}

/** What an old and a new size of that patch are. */
const patches = [
  { original: compressed, old, size: fresh.length },
  { original: plain, old: randomBytes(900), size: readHeader(plain).newSize },
];

/** So many a case: the ordinary run sees some thousands. */
const EACH = 8;

for (const { original, old, size } of patches) {
  const several = fc.array(damaged(original), { minLength: EACH, maxLength: EACH });
  property(`damaged patches of ${original.length} bytes`, several, async (all) => {
    for (const patch of all) await holds(patch, old, size);
  });
}

/** An error, or a file of the right size, whose digest decides then. */
async function holds(patch: Uint8Array, old: Uint8Array, size: number) {
  const out = memory();
  try {
    await applyPatch({ patch: memory(patch), old: memory(old), out }, { size });
    assertEquals(out.bytes().length, size);
  } catch (error) {
    assert(error instanceof PatchError, String(error));
    assert(out.bytes().length <= size);
  }
}

property("bytes that are no patch", fc.uint8Array({ maxLength: 600 }), async (bytes) => {
  const headed = joined([compressed.subarray(0, HEADER_LENGTH), bytes]);
  for (const patch of [bytes, headed]) {
    const out = memory();
    const files = { patch: memory(patch), old: memory(old), out };
    const error = await applyPatch(files, { size: fresh.length }).catch((error) => error);
    assert(error instanceof PatchError, String(error));
  }
});

property(
  "the head of a chunk",
  fc.tuple(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 1, max: 4 * 1024 * 1024 })),
  ([bytes, length]) => {
    try {
      const { streams, headerLength } = readChunkHeader(bytes, length);
      assertEquals(streams.length, STREAMS.length);
      assert(headerLength <= bytes.length);
      for (const { raw, stored } of streams) assert(stored <= raw && raw <= maxStream(length));
    } catch (error) {
      assert(error instanceof PatchError, String(error));
    }
  },
);

const shortFile = fc.uint8Array({ maxLength: 400 });
const pieces = fc.array(fc.tuple(fc.nat(400), fc.nat(200), shortFile), { maxLength: 6 });

property(
  "a patch makes the new file of any two",
  fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 400 }), pieces, fc.boolean()),
  async ([base, parts, related]) => {
    const before = joined([base, randomBytes(300, base.length)]);
    const after = joined(
      parts.flatMap(([from, length, added]) =>
        related ? [before.subarray(from, from + length), added] : [added]
      ),
    );
    const out = memory();
    const patch = memory(patchBetween(before, after));
    await applyPatch({ patch, old: memory(before), out }, { size: after.length });
    assertEquals(out.bytes(), after);
  },
);
