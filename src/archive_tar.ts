/** tar, ustar and what GNU and pax add to it (POSIX.1-2017, pax, "ustar Interchange Format"). */
import { ArchiveError, checkName, sameName, type Sink } from "./archive.ts";
import type { ByteSource } from "./byte_source.ts";

const BLOCK = 512;
const MAX_ENTRIES = 100_000;
const MAX_PAX = 64 * 1024;

interface Header {
  readonly name: string;
  readonly size: number;
  readonly type: string;
}

/** Hands over the one regular file of that name; reads the archive to its end to be sure. */
export async function readTarMember(
  source: ByteSource,
  member: string,
  sink: Sink,
): Promise<void> {
  let found = false;
  for (let entries = 0;; entries++) {
    if (entries > MAX_ENTRIES) throw new ArchiveError(`it has more than ${MAX_ENTRIES} members`);
    const block = await source.exactly(BLOCK);
    if (!block) throw new ArchiveError("it ends without an end mark");
    if (block.every((byte) => byte === 0)) break;
    const header = parseHeader(block);
    if (header.type === "x" || header.type === "g") {
      await checkPax(source, header);
      continue;
    }
    if (header.type === "L" || header.type === "K") {
      throw new ArchiveError("it gives a member a second, longer name (GNU long name)");
    }
    checkName(header.name);
    if (!sameName(header.name, member)) {
      await skip(source, header.size);
      continue;
    }
    if (found || header.name.replace(/^(\.\/)+/, "") !== member) {
      throw new ArchiveError(`it has two members named like "${member}"`);
    }
    if (header.type !== "0") throw new ArchiveError(`"${member}" is not a regular file in it`);
    found = true;
    await copy(source, header.size, sink);
  }
  await onlyZeros(source);
  if (!found) throw new ArchiveError(`it has no member "${member}"`);
}

function parseHeader(block: Uint8Array): Header {
  const text = (from: number, length: number) => {
    const field = block.subarray(from, from + length);
    const end = field.indexOf(0);
    return new TextDecoder("utf-8", { fatal: true })
      .decode(end < 0 ? field : field.subarray(0, end));
  };
  const octal = (from: number, length: number) => {
    const digits = text(from, length).trim();
    // GNU's base-256 sizes begin at 8 GiB: more than any executable may have.
    if (!/^[0-7]{1,12}$/.test(digits)) throw new ArchiveError("a header in it has no valid number");
    return parseInt(digits, 8);
  };
  const sum = block.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : byte), 0);
  if (octal(148, 8) !== sum) throw new ArchiveError("a header in it has a wrong checksum");
  const ustar = text(257, 5) === "ustar";
  // GNU puts times where POSIX has the prefix.
  const prefix = ustar && block[262] === 0 && block[263] === 0x30 ? text(345, 155) : "";
  const type = block[156] === 0 || block[156] === 0x37 ? "0" : String.fromCharCode(block[156]!);
  const name = prefix ? `${prefix}/${text(0, 100)}` : text(0, 100);
  // Links, devices and folders have no data, whatever their size field says.
  const size = /[1-6]/.test(type) ? 0 : octal(124, 12);
  return { name, size, type };
}

/** Times and owners may be said anew; a name, a size or a link may not. */
async function checkPax(source: ByteSource, { size, type }: Header): Promise<void> {
  if (size > MAX_PAX) throw new ArchiveError("it has an extended header that is too large");
  const bytes = await source.exactly(size) ?? new Uint8Array();
  await skip(source, -size & (BLOCK - 1), false);
  // Lengths count bytes: one character a byte keeps them.
  const text = new TextDecoder("latin1").decode(bytes);
  for (let at = 0; at < text.length;) {
    const record = /^(\d{1,6}) ([^=\n]+)=/.exec(text.slice(at));
    const length = Number(record?.[1]);
    if (!record || length <= record[0].length || text[at + length - 1] !== "\n") {
      throw new ArchiveError("it has an extended header that cannot be read");
    }
    const key = record[2]!;
    if (["path", "size", "linkpath"].includes(key) || key.startsWith("GNU.sparse")) {
      throw new ArchiveError(
        `it says a member's ${key} twice (pax ${type === "g" ? "global " : ""}header)`,
      );
    }
    at += length;
  }
}

async function copy(source: ByteSource, size: number, sink: Sink): Promise<void> {
  for (let left = size; left > 0;) {
    const part = await source.some(left);
    if (!part) throw new ArchiveError("it ends in the middle of the member");
    sink(part);
    left -= part.length;
  }
  await skip(source, -size & (BLOCK - 1), false);
}

async function skip(source: ByteSource, size: number, padded = true): Promise<void> {
  const total = padded ? size + (-size & (BLOCK - 1)) : size;
  for (let left = total; left > 0;) {
    const part = await source.some(left);
    if (!part) throw new ArchiveError("it ends in the middle of a member");
    left -= part.length;
  }
}

/** The end mark is two blocks of zeros, and tar pads with more; anything else was hidden there. */
async function onlyZeros(source: ByteSource): Promise<void> {
  let length = 0;
  for (let part = await source.some(BLOCK); part; part = await source.some(BLOCK)) {
    if (part.some((byte) => byte !== 0)) throw new ArchiveError("something follows its end mark");
    length += part.length;
  }
  if (length < BLOCK) throw new ArchiveError("its end mark is cut off");
}
