/** xz and Zstandard: what the real programs make is read, and what is not exactly that is refused. */
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { bytes, tar } from "../support/archive_corpus.ts";
import { blockHeader, xzHead as stream, xzStored as stored } from "../support/xz_corpus.ts";
import { PACKED } from "../support/packed_fixtures.ts";
import { SAMPLES } from "../support/packed_samples.ts";
import { refusal, testAccepted, testRefusals, unpackBytes } from "../support/unpack.ts";

const kindOf = (name: string) => name.startsWith("xz") ? "xz" : "zst";
const packed = (name: string) => new Uint8Array(Buffer.from(PACKED[name]![1], "base64"));
const changed = (name: string, at: number, value: number) => {
  const copy = packed(name);
  copy[at < 0 ? copy.length + at : at] = value;
  return copy;
};

for (const [name, [sample]] of Object.entries(PACKED)) {
  const kind = kindOf(name);
  Deno.test(`.${kind}: ${name} is read`, async () => {
    const content = await unpackBytes({ kind, archive: packed(name) });
    assertEquals(Buffer.compare(content, SAMPLES[sample]()), 0);
  });

  Deno.test(`.${kind}: ${name}, cut off anywhere, is refused`, async () => {
    const whole = packed(name);
    const step = Math.max(1, Math.floor(whole.length / 40));
    for (let length = 0; length < whole.length; length += length < 30 ? 1 : step) {
      await refusal({ kind, archive: whole.subarray(0, length) });
    }
    for (let less = 1; less < Math.min(20, whole.length); less++) {
      await refusal({ kind, archive: whole.subarray(0, -less) });
    }
  });
}

const XZ = packed("xz"), ZST = packed("zstd");

testAccepted("tar.xz", { "a tar file in xz": [stored(tar({ name: "tool", content: "new" }))] });

testRefusals("xz", {
  "an empty file": ["it is not an xz file", bytes()],
  "what is no xz file": ["it is not an xz file", bytes("x".repeat(100))],
  "a second stream": [
    `${XZ.length} bytes follow the end of its compressed data`,
    bytes(XZ, XZ),
  ],
  "padding behind the stream": ["4 bytes follow the end of its compressed data", bytes(XZ, 4)],
  "garbage behind the stream": ["4 bytes follow the end of its compressed data", bytes(XZ, "junk")],
  "a changed stream header": ["it has a wrong checksum (xz header)", changed("xz", 7, 1)],
  "a changed block header": ["it has a wrong checksum (xz header)", changed("xz", 14, 1)],
  "a changed checksum of the data": [
    "it has a wrong checksum (xz)",
    changed("xz", 36, 1),
  ],
  "changed data": ["it has a wrong checksum (xz)", changed("xz", 27, 0x4e)],
  "a changed index": ["its index is not what it holds (xz)", changed("xz", 43, 9)],
  "a changed footer": ["it is damaged (xz)", changed("xz", -1, 9)],
  "a changed size of the index": ["it is damaged (xz)", changed("xz", -8, 9)],
  "changed data of LZMA": ["its compressed data are damaged (LZMA)", changed("xz -9e", 300, 0)],
  "a bomb": [
    '"tool" is larger than 1000 bytes',
    packed("xz of zeros"),
    { limit: 1000 },
  ],
  "an unknown kind of checksum": [
    "it has an unknown kind of checksum, number 2 (xz)",
    stream(2, blockHeader(Uint8Array.of(0, 0x21, 1, 0))),
  ],
  "a dictionary of 96 MiB": [
    "it needs a dictionary of 100663296 bytes, and 67108864 are supported (xz -9)",
    stream(1, blockHeader(Uint8Array.of(0, 0x21, 1, 29))),
  ],
  "the filter Delta": [
    "it uses a filter that is not supported (xz)",
    stream(1, blockHeader(Uint8Array.of(1, 3, 1, 0, 0x21, 1, 0))),
  ],
  "two filters for a processor": [
    "it uses a filter that is not supported (xz)",
    stream(1, blockHeader(Uint8Array.of(2, 4, 0, 4, 0, 0x21, 1, 0))),
  ],
  "a filter with an offset": [
    "it uses a filter that is not supported (xz)",
    stream(1, blockHeader(Uint8Array.of(1, 4, 4, 0, 0, 0, 1, 0x21, 1, 0))),
  ],
  "unknown flags of a block": [
    "its xz header has unknown flags",
    stream(1, blockHeader(Uint8Array.of(4, 0x21, 1, 0))),
  ],
  "a number that is longer than it has to be": [
    "it is damaged (xz)",
    stream(1, blockHeader(Uint8Array.of(0, 0xa1, 0, 1, 0))),
  ],
  "a first chunk that goes on with what was before": [
    "its compressed data are damaged (LZMA2)",
    stream(1, blockHeader(Uint8Array.of(0, 0x21, 1, 0)), Uint8Array.of(2, 0, 0, 65)),
  ],
  "an unknown chunk": [
    "its compressed data are damaged (LZMA2)",
    stream(1, blockHeader(Uint8Array.of(0, 0x21, 1, 0)), Uint8Array.of(3, 0, 0, 65)),
  ],
  "LZMA without properties behind data as they are": [
    "its compressed data are damaged (LZMA2)",
    stream(1, blockHeader(Uint8Array.of(0, 0x21, 1, 0)), Uint8Array.of(1, 0, 0, 65, 0x80, 0)),
  ],
});

testRefusals("zst", {
  "an empty file": ["it is not a Zstandard file", bytes()],
  "what is no Zstandard file": ["it is not a Zstandard file", bytes("x".repeat(100))],
  "a zlib stream under that name, as an old cargo-dist made": [
    "it is not a Zstandard file",
    bytes(Uint8Array.of(0x78, 0x9c, 0xcb, 0x4b, 0x2d, 0x07, 0x00, 0x02, 0x84, 0x01, 0x4b)),
  ],
  "a skippable frame in front": [
    "it is not a Zstandard file",
    bytes(Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0), ZST),
  ],
  "a second frame": [
    `${ZST.length} bytes follow the end of its compressed data`,
    bytes(ZST, ZST),
  ],
  "garbage behind the frame": [
    "4 bytes follow the end of its compressed data",
    bytes(ZST, "junk"),
  ],
  "a changed checksum": [
    "it cannot be read (Zstd decompress error: Restored data doesn't match checksum)",
    changed("zstd", -1, 0),
  ],
  "another content size": [
    "it cannot be read (Zstd decompress error: Data corruption detected)",
    Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x80, 0x58, 4, 0, 0, 0, 0x19, 0, 0, 110, 101, 119),
  ],
  "a window of 16 MiB": [
    "it needs a window of 16777216 bytes, and 8388608 are supported (zstd -19 or lower, without --long)",
    changed("zstd", 5, 14 << 3),
  ],
  "a dictionary": [
    "it needs a dictionary, which is not supported (Zstandard)",
    changed("zstd", 4, 5),
  ],
  "a reserved flag": ["its Zstandard header has unknown flags", changed("zstd", 4, 0x0c)],
  "a block of a reserved type": ["it is damaged (Zstandard)", changed("zstd", 6, 0x1f)],
  "a bomb": ['"tool" is larger than 1000 bytes', packed("zstd of zeros"), { limit: 1000 }],
});

Deno.test(".xz and .zst: no change of a bit gives other content, an error that is none of ours, or a hang", async () => {
  for (const name of ["xz -9e", "xz --x86", "xz in blocks", "zstd -19"]) {
    const whole = packed(name), right = Buffer.from(SAMPLES[PACKED[name]![0]]());
    for (let at = 0; at < whole.length; at += 61) {
      const copy = whole.slice();
      copy[at]! ^= 1 << at % 8;
      const job = { kind: kindOf(name), archive: copy, limit: 1 << 20 } as const;
      const found = await unpackBytes(job).catch(() => refusal(job));
      // Some bits of Zstandard's headers mean nothing.
      if (typeof found !== "string") assertEquals(right.equals(found), true, `${name} at ${at}`);
    }
  }
});
