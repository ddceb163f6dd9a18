/** Which archives are accepted at all, and which of their entries is the member. */
import { withoutEnd } from "../base/text_end.ts";

/** An archive that is refused. The message says why and begins with "it" or a quoted name. */
export class ArchiveError extends Error {}

/** Takes the bytes of the member, in order. */
export type Sink = (bytes: Uint8Array) => void;

/** What an archive says of one entry. */
export interface ArchiveEntry {
  /** As this program reads it. */
  readonly name: string;
  /** Other names of the same entry, which some readers would take. */
  readonly shadows: readonly string[];
  /** Words such as `a symbolic link`; the member has to be `a regular file`. */
  readonly type: string;
  /** In bytes, unpacked. */
  readonly size: number;
  /** Unix permission bits; undefined where the archive does not say. */
  readonly mode?: number | undefined;
}

/** Is shown every entry of an archive. Both throw `ArchiveError`. */
export interface EntryVisitor {
  /** Whether the content of this entry is wanted. */
  admit(entry: ArchiveEntry): boolean;
  /** For a format of one file, whose name may be missing; its content is always handed over. */
  admitOnly(name: string | undefined): void;
}

/** The type that a member must have. */
export const REGULAR_FILE = "a regular file";
/** The type of what has others inside. */
export const FOLDER = "a folder";

const UNDECODABLE = /\ufffd/;
// deno-lint-ignore no-control-regex
const ASCII = /^[\u0000-\u007f]*$/;
/** As long as a path may be on Linux (PATH_MAX). */
const MAX_NAME_BYTES = 4096;
/** Nobody ships that many files beside an executable; listing more is an attack on the reader. */
const MAX_ENTRIES = 100_000;

/**
 * Sees every entry of one archive. Throws `ArchiveError` for an archive in which
 * - any name is unsafe (absolute, `..`, backslash, drive letter, control character),
 * - two entries have the member's name, also where case, Unicode form or trailing dots count not,
 * - the member is not a regular file, has two names, is too large or is missing.
 */
export class MemberPolicy implements EntryVisitor {
  /** Bytes of the member so far. */
  written = 0;
  #entries = 0;
  #found = false;

  constructor(readonly member: string, readonly limit: number) {}

  /** Whether this entry is the member. */
  admit({ name, shadows, type, size }: ArchiveEntry): boolean {
    if (++this.#entries > MAX_ENTRIES) {
      throw new ArchiveError(`it has more than ${MAX_ENTRIES} entries`);
    }
    [name, ...shadows].forEach(checkName);
    // Bytes that are no UTF-8 are letters of some old code page to others, and may be the member's.
    if (UNDECODABLE.test([name, ...shadows].join()) && !ASCII.test(this.member)) {
      throw new ArchiveError("it has a name in an unknown code");
    }
    const wanted = fold(this.member);
    if (fold(name) !== wanted) {
      const shadow = shadows.find((other) => fold(other) === wanted);
      if (shadow !== undefined) {
        throw new ArchiveError(`${quote(shadow)} is also called ${quote(name)} in it`);
      }
      if (type !== FOLDER && wanted.startsWith(`${fold(name)}/`)) {
        throw new ArchiveError(`${quote(name)} is ${type} in it, and the member lies beneath`);
      }
      if ([name, ...shadows].some((other) => fold(other).startsWith(`${wanted}/`))) {
        throw new ArchiveError(`${quote(name)} lies beneath the member in it`);
      }
      return false;
    }
    if (this.#found) throw new ArchiveError(`it has two members named like ${quote(this.member)}`);
    if (plain(name) !== plain(this.member)) {
      throw new ArchiveError(`it has ${quote(name)} instead of ${quote(this.member)}`);
    }
    if (type !== REGULAR_FILE) {
      throw new ArchiveError(`${quote(this.member)} is ${type} in it, not ${REGULAR_FILE}`);
    }
    this.#checkSize(size);
    this.#found = true;
    return true;
  }

  /** For a format of one file whose name may be missing. */
  admitOnly(name: string | undefined): void {
    const own = this.member.split("/").at(-1)!;
    if (name !== undefined && name !== own) {
      throw new ArchiveError(`it has ${quote(name)} instead of ${quote(own)}`);
    }
    this.#found = true;
  }

  /** Before each write: what an archive says of sizes is a claim. */
  count(bytes: number): void {
    this.written += bytes;
    this.#checkSize(this.written);
  }

  /** After the last entry. */
  finish(): void {
    if (!this.#found) throw new ArchiveError(`it has no member ${quote(this.member)}`);
  }

  #checkSize(size: number): void {
    if (size > this.limit) {
      throw new ArchiveError(`${quote(this.member)} is larger than ${this.limit} bytes`);
    }
  }
}

/** Collects what an archive has and wants nothing of it; refuses what `MemberPolicy` would. */
export class EntryList implements EntryVisitor {
  readonly entries: ArchiveEntry[] = [];

  admit(entry: ArchiveEntry): boolean {
    if (this.entries.length >= MAX_ENTRIES) {
      throw new ArchiveError(`it has more than ${MAX_ENTRIES} entries`);
    }
    [entry.name, ...entry.shadows].forEach(checkName);
    this.entries.push(entry);
    return false;
  }

  admitOnly(name: string | undefined): void {
    this.entries.push({ name: name ?? "", shadows: [], type: REGULAR_FILE, size: 0 });
  }
}

/** A name for messages, with what it must not do to a terminal escaped, and cut where it is long. */
export function quote(name: string): string {
  return JSON.stringify(name.length > SHOWN ? `${name.slice(0, SHOWN)}…` : name);
}

const SHOWN = 200;

/** Unsafe on one system is unsafe on all: an archive made to escape is not worth reading. */
function checkName(name: string): void {
  // In characters first: the count of bytes is never smaller.
  if (name.length > MAX_NAME_BYTES || new TextEncoder().encode(name).length > MAX_NAME_BYTES) {
    throw new ArchiveError(`it has an entry with a name of more than ${MAX_NAME_BYTES} bytes`);
  }
  const unsafe = name === "" || name.startsWith("/") || name.includes("\\") ||
    // deno-lint-ignore no-control-regex
    /^[A-Za-z]:|[\u0000-\u001f\u007f]/.test(name) || name.split("/").includes("..");
  if (unsafe) throw new ArchiveError(`it has an entry with an unsafe name, ${quote(name)}`);
}

/** The name without what every reader ignores: `./`, doubled and trailing slashes. */
function plain(name: string): string {
  return name.split("/").filter((part) => part !== "" && part !== ".").join("/");
}

/** Equal for names that some file system takes for the same (APFS, NTFS, both case-blind). */
function fold(name: string): string {
  return plain(name).split("/").map((part) => withoutEnd(part, ". ")).join("/")
    .normalize("NFKC").toLowerCase().toUpperCase();
}
