/**
 * Is this file a complete executable? A download or a copy that was cut short keeps its headers,
 * and those say how much of the file is loaded when it runs: ELF (gabi 4+, "Program Header", PT_LOAD),
 * PE ("PE Format", sections), Mach-O ("mach-o/loader.h", segments). What is not loaded counts for
 * nothing: packers leave section tables and signatures that point beyond the end, and those run.
 * Where the digest of a file is known, that alone is asked, and not this.
 */
import { lookAt } from "./durable_files.ts";
import { openPatiently } from "../system/patience.ts";
import type { FileSystem } from "../system/file_system.ts";

/**
 * `complete`: the headers are satisfied, or the format has none that could tell (a script, an
 * unknown format). `broken`: empty, or the headers point past the end. `not-a-file`: a folder, a
 * link, a device. `missing`: no such name.
 */
export type Completeness = "complete" | "broken" | "not-a-file" | "missing";

/** What a name holds. */
export interface Executable {
  readonly completeness: Completeness;
  /** `unknown` is neither of the three and no `#!` script. */
  readonly format: "elf" | "pe" | "mach-o" | "script" | "unknown";
  readonly size: number;
}

/** Enough for the headers of every real executable: beyond it nothing is concluded. */
const HEADER_LIMIT = 64 * 1024;

/** Reads the headers only. Throws the file system's errors but for a missing file. */
export function examine(fs: FileSystem, path: string): Executable {
  const info = lookAt(fs, path);
  if (!info) return { completeness: "missing", format: "unknown", size: 0 };
  if (!info.isFile) return { completeness: "not-a-file", format: "unknown", size: 0 };
  const { size } = info;
  if (size === 0) return { completeness: "broken", format: "unknown", size };
  const { format, length } = expectedLength(readHeader(fs, path));
  return { completeness: length > size ? "broken" : "complete", format, size };
}

/** The first 64 KiB of a file, or all of it. Throws the file system's errors. */
export function readHeader(fs: FileSystem, path: string): DataView {
  const file = openPatiently(fs, path, { read: true });
  try {
    const buffer = new Uint8Array(HEADER_LIMIT);
    let length = 0;
    while (length < buffer.length) {
      const count = file.readSync(buffer.subarray(length));
      if (count === null) break;
      length += count;
    }
    return new DataView(buffer.buffer, 0, length);
  } finally {
    file.close();
  }
}

/** The length that the headers ask for. A header that is itself cut off asks for infinity. */
export function expectedLength(
  header: DataView,
): { format: Executable["format"]; length: number } {
  const magic = header.byteLength >= 4 ? header.getUint32(0) : 0;
  const format = magic === 0x7f454c46
    ? "elf"
    : header.byteLength >= 2 && header.getUint16(0) === 0x4d5a
    ? "pe"
    : [0xcffaedfe, 0xcefaedfe, 0xcafebabe, 0xcafebabf].includes(magic)
    ? "mach-o"
    : header.byteLength >= 2 && header.getUint16(0) === 0x2321
    ? "script"
    : "unknown";
  if (format === "script" || format === "unknown") return { format, length: 0 };
  const measure = { elf: elfLength, pe: peLength, "mach-o": machoLength }[format];
  try {
    return { format, length: measure(header) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    // A header ran past what was read: a cut-off file if that was all of it, else no conclusion.
    return { format, length: header.byteLength < HEADER_LIMIT ? Infinity : 0 };
  }
}

function elfLength(view: DataView): number {
  const wide = view.getUint8(4) === 2;
  const little = view.getUint8(5) === 1;
  const word = (at: number) =>
    wide ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little);
  const at = wide
    ? { phoff: 0x20, counts: 0x36, offset: 0x08, filesz: 0x20 }
    : { phoff: 0x1c, counts: 0x2a, offset: 0x04, filesz: 0x10 };
  const PT_LOAD = 1;
  const phentsize = view.getUint16(at.counts, little);
  const phnum = view.getUint16(at.counts + 2, little);
  const phoff = word(at.phoff);
  let length = 0;
  for (let i = 0; i < phnum; i++) {
    const entry = phoff + i * phentsize;
    if (view.getUint32(entry, little) !== PT_LOAD) continue;
    length = Math.max(length, word(entry + at.offset) + word(entry + at.filesz));
  }
  return Math.max(length, phoff + phentsize * phnum);
}

function peLength(view: DataView): number {
  const pe = view.getUint32(0x3c, true);
  // A DOS program without a PE header: nothing to conclude.
  if (view.getUint32(pe) !== 0x50450000) return 0;
  const sections = view.getUint16(pe + 6, true);
  const optional = pe + 24;
  const optionalSize = view.getUint16(pe + 20, true);
  let length = 0;
  for (let i = 0; i < sections; i++) {
    const section = optional + optionalSize + i * 40;
    const rawSize = view.getUint32(section + 16, true);
    if (rawSize) length = Math.max(length, view.getUint32(section + 20, true) + rawSize);
  }
  return length;
}

function machoLength(view: DataView): number {
  const magic = view.getUint32(0);
  if (magic === 0xcafebabe || magic === 0xcafebabf) return fatLength(view, magic === 0xcafebabf);
  const wide = magic === 0xcffaedfe;
  const commands = view.getUint32(16, true);
  const LC_SEGMENT = 0x1, LC_SEGMENT_64 = 0x19;
  let length = 0;
  for (let i = 0, at = wide ? 32 : 28; i < commands; i++) {
    const command = view.getUint32(at, true);
    if (command === LC_SEGMENT_64) {
      const offset = Number(view.getBigUint64(at + 40, true));
      length = Math.max(length, offset + Number(view.getBigUint64(at + 48, true)));
    } else if (command === LC_SEGMENT) {
      length = Math.max(length, view.getUint32(at + 32, true) + view.getUint32(at + 36, true));
    }
    at += view.getUint32(at + 4, true);
  }
  return length;
}

function fatLength(view: DataView, wide: boolean): number {
  const count = view.getUint32(4);
  let length = 0;
  // Java class files begin with the same four bytes; their "count" is a version of 45 or more.
  if (!wide && count >= 45) return 0;
  for (let i = 0; i < count; i++) {
    const at = 8 + i * (wide ? 32 : 20);
    length = Math.max(
      length,
      wide
        ? Number(view.getBigUint64(at + 8)) + Number(view.getBigUint64(at + 16))
        : view.getUint32(at + 8) + view.getUint32(at + 12),
    );
  }
  return length;
}
