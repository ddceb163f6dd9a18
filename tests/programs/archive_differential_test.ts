/**
 * Whoever signed a release and whoever installs it must see the same file: an archive that we accept
 * means the same to every other reader that accepts it. A generator makes archives that no program
 * would make; the others are bsdtar, GNU tar, unzip, and the readers of Python and Go.
 */
import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { crc32, zstdCompressSync } from "node:zlib";
import * as fc from "fast-check";
import { extractMember } from "../../src/archive/archive.ts";
import { UpdateError } from "../../src/base/errors.ts";
import { denoSystem } from "../../src/system/deno_system.ts";
import {
  bytes,
  extraField,
  gzip,
  longName,
  paxRecord,
  type TarEntry,
  tarEntry,
  unicodePath,
  zip,
  type ZipEntry,
} from "../support/archive_corpus.ts";
import { PACKED } from "../support/packed_fixtures.ts";
import { type ReaderKind, Readers } from "./archive_readers.ts";

/** `deno task fuzz` sets more; 10,000 take half an hour, most of it other programs' starts. */
const RUNS = Math.min(10_000, Number(Deno.env.get("FUZZ_RUNS") ?? 150));
const TOOL = "content of the tool\n", EVIL = "something else entirely\n".repeat(30);

// tar

const name = fc.constantFrom("tool", "other", "./tool", "TOOL", "tool ", "t/tool", "tool/", "é");
const size = fc.constantFrom(
  ...["20", "0x14", "0b1", "1e1", "+20", "020", "20.0", " 20", "0", "720", "512", "", "-1"],
);
const record = fc.oneof(
  fc.tuple(fc.constant("path"), name),
  fc.tuple(fc.constant("size"), size),
  fc.tuple(
    fc.constantFrom("comment", "mtime", "linkpath", "hdrcharset", "uid", "GNU.sparse.major"),
    fc.constantFrom("1", "BINARY", "tool", ""),
  ),
);
/** Mostly as it is: an archive with one thing wrong says more than one with ten. */
const seldom = <T, N>(value: fc.Arbitrary<T>, usual: N, weight = 20) =>
  fc.oneof({ weight, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: value });
const field = <T>(value: fc.Arbitrary<T>) => seldom(value, undefined);
const tarParts = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      entry: entryOf(),
      broken: seldom(fc.array(brokenByte(), { minLength: 1, maxLength: 2 }), [], 3),
    }),
  },
  fc.record({ pax: fc.array(record, { maxLength: 3 }), global: fc.boolean() }),
  fc.record({ long: name, type: fc.constantFrom("L" as const, "K" as const) }),
  fc.record({ zeros: fc.constantFrom(1, 2, 3) }),
);

function entryOf() {
  return fc.record({
    name,
    content: fc.constantFrom(TOOL, EVIL, ""),
    type: field(fc.constantFrom(..."\x00012567gxLKSVMDNA")),
    size: field(fc.constantFrom(
      ...[
        "00000000024\0",
        "     24\0    ",
        "24",
        "00000000024x",
        "\x80\0\0\0\0\0\0\0\0\0\0\x14",
        "",
      ],
    )),
    prefix: seldom(fc.constantFrom("t", "tool", ""), undefined, 4),
    magic: field(fc.constantFrom("ustar  \0", "\0".repeat(8), "ustar\x0099", "ustar\0  ", "")),
    tail: field(fc.constantFrom("tar\0", "x")),
    checksum: field(fc.constantFrom("000001\0 ", "")),
    linkname: field(fc.constantFrom("tool", "/etc/passwd")),
  }, { requiredKeys: ["name", "content"] });
}

function brokenByte() {
  return fc.record({ at: fc.nat(511), value: fc.nat(255) });
}

/** With a right checksum, whatever else was changed. */
function brokenEntry(entry: TarEntry, broken: { at: number; value: number }[]): Uint8Array {
  const whole = tarEntry(entry);
  if (broken.length === 0) return whole;
  for (const { at, value } of broken) whole[at] = value;
  whole.fill(0x20, 148, 156);
  const sum = whole.subarray(0, 512).reduce((sum, byte) => sum + byte, 0);
  whole.set(bytes(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  return whole;
}

const anyTar = fc.record({
  before: fc.array(tarParts, { maxLength: 2 }),
  own: fc.array(tarParts, { maxLength: 1 }),
  after: fc.array(tarParts, { maxLength: 2 }),
  end: seldom(fc.constantFrom(10_240, 512, 0, 1000), 1024),
  withTool: fc.boolean(),
}).map(({ before, own, after, end, withTool }) => {
  const part = (made: (typeof before)[number]): Uint8Array => {
    if ("entry" in made) return brokenEntry(withoutUndefined(made.entry) as TarEntry, made.broken);
    if ("long" in made) return longName(made.long, made.type);
    if ("zeros" in made) return bytes(made.zeros * 512);
    const content = made.pax.map(([key, value]) => paxRecord(key!, value!)).join("");
    return tarEntry({ name: "pax", type: made.global ? "g" : "x", content });
  };
  const tool = withTool ? [tarEntry({ name: "tool", content: TOOL })] : [];
  return bytes(...before.map(part), ...own.map(part), ...tool, ...after.map(part), end);
});

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T;
}

// zip

const zipName = fc.constantFrom<string | Uint8Array>(
  ...["tool", "other", "Tool", "./tool", "tool/", "t\\tool", "tóol", "x\0"],
  Uint8Array.of(0x74, 0xa2, 0x6f, 0x6c),
  Uint8Array.of(0x82),
);
const extra = fc.constantFrom(
  bytes(),
  extraField(1, new Uint8Array(16)),
  extraField(0x5455, bytes(5)),
  unicodePath("other", "tool"),
  unicodePath("tool", "other"),
  unicodePath("tóol", "tool"),
  pathOver(Uint8Array.of(0x82), "tool"),
  pathOver(Uint8Array.of(0x82), "é"),
  bytes("UT", 1),
);
const zipFields = fc.record({
  name: field(zipName),
  flags: field(fc.constantFrom(0, 1, 8, 0x800, 0x808, 0x20, 0x41)),
  method: field(fc.constantFrom(0, 8, 9, 93)),
  crc: field(fc.constantFrom(0, 1, crc32(TOOL), crc32(EVIL))),
  size: field(fc.constantFrom(0, TOOL.length, EVIL.length, 2 ** 32 - 1)),
  packed: field(fc.constantFrom(0, 3, TOOL.length, 2 ** 32 - 1)),
  extra: field(extra),
  offset: field(fc.constantFrom(0, 1, 60)),
  attributes: field(fc.constantFrom(0, 0o120777 * 2 ** 16, 0x10)),
}).map(withoutUndefined);
const zipEntry = fc.record({
  name: fc.constantFrom("tool", "other", "tóol"),
  content: fc.constantFrom(TOOL, EVIL),
  stored: fc.boolean(),
  both: seldom(zipFields, {}, 2),
  local: seldom(zipFields, {}, 4),
  central: seldom(zipFields, {}, 4),
  comment: seldom(fc.constantFrom(bytes("note"), zip64Locator(), bytes("PK\x05\x06")), bytes()),
  disk: seldom(fc.constant(1), 0),
});
const evilZip = zip([{ name: "tool", content: EVIL }]);
const anyZip = fc.record({
  entries: fc.array(zipEntry, { minLength: 1, maxLength: 3 }),
  backwards: fc.boolean(),
  before: seldom<string | Uint8Array, string>(fc.constantFrom("#!/bin/sh\n", evilZip), ""),
  gap: seldom(fc.constant("x"), ""),
  beforeEnd: seldom<string | Uint8Array, string>(fc.constantFrom("x", zip64Locator()), ""),
  comment: seldom<string | Uint8Array, string>(
    fc.constantFrom("hi", evilZip, bytes(evilZip, "x"), "PK\x05\x06"),
    "",
    3,
  ),
  after: seldom<string | Uint8Array, string>(fc.constantFrom("x", evilZip), ""),
  count: field(fc.constantFrom(0, 1, 2)),
  disk: seldom(fc.constant(1), 0),
}).map(({ entries, ...options }) =>
  zip(entries as unknown as ZipEntry[], withoutUndefined(options) as Parameters<typeof zip>[1])
);

function pathOver(raw: Uint8Array, path: string): Uint8Array {
  const head = bytes(Uint8Array.of(1), 4, path);
  new DataView(head.buffer).setUint32(1, crc32(raw), true);
  return extraField(0x7075, head);
}

/** The end record of zip64 and where to find it, with the directory of another archive. */
function zip64Locator(): Uint8Array {
  const records = new DataView(new ArrayBuffer(76));
  records.setUint32(0, 0x06064b50, true);
  records.setBigUint64(4, 44n, true);
  records.setBigUint64(24, 1n, true);
  records.setBigUint64(32, 1n, true);
  records.setBigUint64(40, 50n, true);
  records.setUint32(56, 0x07064b50, true);
  records.setUint32(72, 1, true);
  return new Uint8Array(records.buffer);
}

// Packed files

const bitFlips = (original: Uint8Array) =>
  fc.array(fc.record({ at: fc.nat(original.length - 1), bit: fc.nat(7) }), { maxLength: 1 })
    .chain((flips) =>
      fc.constantFrom(bytes(), bytes(4), bytes("junk"), original).map((after) => {
        const copy = original.slice();
        for (const { at, bit } of flips) copy[at]! ^= 1 << bit;
        return bytes(copy, after);
      })
    );
const fixture = (name: string) =>
  Uint8Array.from(atob(PACKED[name]![1]), (character) => character.charCodeAt(0));

const CASES: readonly (readonly [ReaderKind, string, fc.Arbitrary<Uint8Array>])[] = [
  ["tar", "tar archives", anyTar],
  ["zip", "zip archives", anyZip],
  ["gz", "gzip files", bitFlips(gzip(TOOL, { flags: 8, fields: "tool\0" }))],
  [
    "xz",
    "xz files",
    fc.constantFrom("xz", "xz --x86", "xz in blocks", "xz of zeros")
      .chain((name) => bitFlips(fixture(name))),
  ],
  [
    "zst",
    "Zstandard files",
    fc.oneof(
      fc.constantFrom("zstd", "zstd -19", "zstd --no-check").chain((name) =>
        bitFlips(fixture(name))
      ),
      bitFlips(zstdCompressSync(TOOL)),
    ),
  ],
];

for (const [kind, what, archives] of CASES) {
  Deno.test(`${what} that we accept mean the same to every reader that accepts them`, async () => {
    await using readers = new Readers();
    const folder = Deno.makeTempDirSync({ prefix: "updater-shim-differential-" });
    const path = join(folder, `tool.${kind}`);
    let accepted = 0, agreed = 0;
    try {
      await fc.assert(
        fc.asyncProperty(archives, async (archive) => {
          Deno.writeFileSync(path, archive);
          const ours = await digestOf(path, kind, folder);
          if (ours === undefined) return;
          accepted++;
          for (const reader of readers.of(kind)) {
            const theirs = await reader.read(path, "tool");
            if (theirs === undefined) continue;
            agreed++;
            assertEquals(theirs, ours, `${reader.name} sees another file`);
          }
        }),
        { numRuns: RUNS },
      );
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
    // Else the generator would make nothing that says anything. It is left to chance how many are
    // accepted, about a tenth, so no share of them is asked for.
    assert(accepted > 0 && agreed >= accepted, `${accepted} accepted, ${agreed} agreed`);
    console.log(`${what}: ${accepted} of ${RUNS} accepted, ${agreed} agreements`);
  });
}

/** SHA-256 of what we unpack, or undefined where we refuse. */
async function digestOf(path: string, kind: ReaderKind, folder: string) {
  const output = join(folder, "output");
  {
    using out = Deno.openSync(output, { write: true, create: true, truncate: true });
    const options = { fs: denoSystem.fs, limit: 10_000_000 };
    try {
      await extractMember(path, kind, "tool", out, options);
    } catch (error) {
      if (error instanceof UpdateError && error.kind === "verification") return undefined;
      throw error;
    }
  }
  return createHash("sha256").update(Deno.readFileSync(output)).digest("hex");
}
