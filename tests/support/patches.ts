/** What patch tests share: files in memory, and files that are like executables of two versions. */
import type { OpenFile } from "../../src/system/file_system.ts";
import { applyPatch } from "../../src/patch/apply_patch.ts";
import { encodePatch } from "../../src/patch/encode_patch.ts";
import { findBlocks } from "../../src/patch/find_blocks.ts";

/** A file in memory that can be read, and written at its end; `reads` counts what was read of it. */
export function memory(content: Uint8Array = new Uint8Array()) {
  let position = 0;
  const written: Uint8Array[] = [];
  const file = {
    written,
    reads: 0,
    bytes: () => joined(written),
    statSync: () => ({ size: content.length }),
    seekSync: (offset: number) => position = offset,
    readSync(buffer: Uint8Array) {
      const part = content.subarray(position, position + buffer.length);
      buffer.set(part);
      position += part.length;
      file.reads++;
      return part.length || null;
    },
    writeSync(bytes: Uint8Array) {
      written.push(bytes.slice());
      return bytes.length;
    },
    close() {},
  };
  return file as typeof file & OpenFile;
}

/** One array out of many. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The patch, as the maker would write it. */
export function patchBetween(old: Uint8Array, fresh: Uint8Array): Uint8Array<ArrayBuffer> {
  return joined([...encodePatch(old, fresh, findBlocks(old, fresh))]);
}

/** What the patch makes of the old file. */
export async function patched(
  old: Uint8Array,
  patch: Uint8Array,
  size: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const out = memory();
  await applyPatch({ patch: memory(patch), old: memory(old), out }, { size });
  return out.bytes();
}

/** The same numbers for the same seed. */
export function randomBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/**
 * Two versions of a program, as far as a patch sees them: functions that call each other, of which
 * a few are longer in the second, so that every later address is another.
 */
export function twoVersions(functions: number): { old: Uint8Array; fresh: Uint8Array } {
  const lengths = Array.from(randomBytes(functions, 7), (byte) => 32 + byte);
  const grown = lengths.map((length, index) => index % 50 === 25 ? length + 24 : length);
  return { old: program(lengths), fresh: program(grown) };
}

function program(lengths: readonly number[]): Uint8Array {
  const starts: number[] = [];
  let end = 0;
  for (const length of lengths) {
    starts.push(end);
    end += length;
  }
  const bytes = new Uint8Array(end);
  const view = new DataView(bytes.buffer);
  for (const [index, start] of starts.entries()) {
    bytes.set(randomBytes(lengths[index]!, index + 1), start);
    const callee = starts[(index * 7919 + 13) % starts.length]!;
    view.setInt32(start + 8, callee - start, true);
  }
  return bytes;
}
