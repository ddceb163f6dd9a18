/** Properties that hold for any input, and what is needed to feed parsers without a disk. */
import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { UpdateError } from "../../src/base/errors.ts";
import type { FileInfo, FileSystem, OpenFile } from "../../src/system/file_system.ts";

/** `deno task fuzz` sets 100,000. */
const RUNS = Number(Deno.env.get("FUZZ_RUNS") ?? 300);
/** No input may cost so much; it is far more than any needs, so that a busy machine is no failure. */
const SLOW_MS = 2000;

/** One test: `holds` throws for no value. A failure prints the smallest value and its seed. */
export function property<T>(
  name: string,
  values: fc.Arbitrary<T>,
  holds: (value: T) => void | Promise<void>,
): void {
  Deno.test(`fuzz: ${name}`, async () => {
    await fc.assert(
      fc.asyncProperty(values, async (value) => {
        const start = performance.now();
        await holds(value);
        assert(performance.now() - start < SLOW_MS, "too slow");
      }),
      { numRuns: RUNS },
    );
  });
}

/** The result, or undefined after a refusal. Any other error is a bug, and fails. */
export async function resultOf<T>(
  run: () => T | Promise<T>,
  kind: "usage" | "verification",
): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof UpdateError)) throw error;
    assertEquals(error.kind, kind);
    // One line for people, whatever was quoted in it.
    assert(error.message.length > 0 && error.message.length < 6000, error.message);
    return undefined;
  }
}

/** A file system of one file, that can only be read. */
export function memoryFile(content: Uint8Array): FileSystem {
  const lstatSync = () => infoOf(content);
  const open = () => openBytes(content);
  return { openSync: open, openExistingSync: open, lstatSync } as unknown as FileSystem;
}

function infoOf({ length }: Uint8Array): FileInfo {
  const kind = { isFile: true, isDirectory: false, isSymlink: false };
  return {
    ...kind,
    size: length,
    mtime: null,
    ctime: null,
    mode: null,
    uid: null,
    gid: null,
    dev: 1,
    ino: 1,
  };
}

function openBytes(content: Uint8Array): OpenFile {
  let position = 0;
  return {
    statSync: () => infoOf(content),
    seekSync: (offset: number) => position = offset,
    readSync(buffer: Uint8Array) {
      const part = content.subarray(position, position + buffer.length);
      buffer.set(part);
      position += part.length;
      return part.length || null;
    },
    close() {},
  } as unknown as OpenFile;
}

/** The value with one change somewhere: an insertion, a removal, a replacement or a flipped bit. */
export function damaged(original: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.record({
    at: fc.nat(original.length),
    removed: fc.nat(16),
    added: fc.uint8Array({ maxLength: 16 }),
    flip: fc.option(fc.nat(7)),
  });
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) =>
    changes.reduce((bytes, { at, removed, added, flip }) => {
      const copy = bytes.slice();
      if (flip === null) {
        return new Uint8Array([...copy.slice(0, at), ...added, ...copy.slice(at + removed)]);
      }
      if (at < copy.length) copy[at]! ^= 1 << flip;
      return copy;
    }, original)
  );
}

/** A JSON value with any part of it exchanged for any other. */
export function changedJson(original: unknown): fc.Arbitrary<unknown> {
  const places = placesOf(original);
  return fc.record({ place: fc.constantFrom(...places), value: fc.jsonValue() })
    .map(({ place, value }) => exchanged(original, place, value));
}

type Place = readonly (string | number)[];

function placesOf(value: unknown, place: Place = []): Place[] {
  if (typeof value !== "object" || value === null) return [place];
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [place, ...keys.flatMap((key) => placesOf(Reflect.get(value, key), [...place, key]))];
}

function exchanged(value: unknown, [key, ...rest]: Place, now: unknown): unknown {
  if (key === undefined) return now;
  const copy = Array.isArray(value) ? [...value] : { ...value as object };
  Reflect.set(copy, key, exchanged(Reflect.get(copy, key), rest, now));
  return copy;
}

/** JSON as bytes. */
export function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
}
