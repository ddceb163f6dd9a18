/**
 * Random access to the old executable. A patch reads it in hundreds of thousands of short pieces
 * that lie near each other: pages make that some twenty times faster than one read for each.
 */
import { PatchError } from "./format.ts";
import type { OpenFile } from "../system/file_system.ts";

const PAGE = 8 * 1024;
/** 24 MiB in all. With 16 MiB a fifth more is read of Rust executables, whose functions move far. */
const PAGES = 3072;
/** Longer pieces go past the cache: they would only push out what is needed again. */
const LONG = 8 * PAGE;
/** Below this a loop is faster than `set` with its two views. */
const SHORT = 48;

/** The open old file, `size` bytes of it. Bytes outside of those are an error. */
export class OldFile {
  readonly #file: OpenFile;
  readonly #size: number;
  readonly #cache: Uint8Array;
  /** Which page a slot holds; -1: none. */
  readonly #held: Int32Array;

  constructor(file: OpenFile, size: number) {
    this.#file = file;
    this.#size = size;
    const slots = Math.max(1, Math.min(PAGES, Math.ceil(size / PAGE)));
    this.#cache = new Uint8Array(slots * PAGE);
    this.#held = new Int32Array(slots).fill(-1);
  }

  /** Copies `length` bytes at `from` into `into` at `at`. Throws `PatchError`, or what reading throws. */
  copy(from: number, length: number, into: Uint8Array, at: number): void {
    if (from < 0 || from + length > this.#size) {
      throw new PatchError("it reads outside of the old file");
    }
    if (length > LONG) return readAt(this.#file, from, into.subarray(at, at + length));
    for (let left = length; left > 0;) {
      const start = this.#page(Math.floor(from / PAGE)) + from % PAGE;
      const count = Math.min(left, PAGE - from % PAGE);
      if (count < SHORT) {
        for (let i = 0; i < count; i++) into[at + i] = this.#cache[start + i]!;
      } else {
        into.set(this.#cache.subarray(start, start + count), at);
      }
      from += count;
      at += count;
      left -= count;
    }
  }

  /** Where in the cache that page begins. */
  #page(page: number): number {
    const slot = page % this.#held.length;
    const start = slot * PAGE;
    if (this.#held[slot] !== page) {
      // Not held while it is being read: that may fail half way.
      this.#held[slot] = -1;
      const length = Math.min(PAGE, this.#size - page * PAGE);
      readAt(this.#file, page * PAGE, this.#cache.subarray(start, start + length));
      this.#held[slot] = page;
    }
    return start;
  }
}

/** Fills `into` from `position` on. Throws `PatchError` where the file ends before. */
export function readAt(file: OpenFile, position: number, into: Uint8Array): void {
  file.seekSync(position, 0);
  for (let at = 0; at < into.length;) {
    const count = file.readSync(into.subarray(at));
    if (count === null) throw new PatchError("it is cut off");
    at += count;
  }
}
