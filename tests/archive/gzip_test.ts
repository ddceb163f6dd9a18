import { assertEquals } from "@std/assert";
import { archiveKind } from "../../src/archive/kinds.ts";
import { bytes, gzip, tar } from "../support/archive_corpus.ts";
import { testAccepted, testRefusals } from "../support/unpack.ts";

const TAR = tar({ name: "tool", content: "new" });
const NAMED = 8;

Deno.test("an archive is known by its URL's ending", () => {
  const url = "https://example.com/v1/tool-1.4.0";
  assertEquals(archiveKind(`${url}.tar.gz`), "tar.gz");
  assertEquals(archiveKind(`${url}.TGZ?token=a.zip`), "tar.gz");
  assertEquals(archiveKind(`${url}.tar#x`), "tar");
  assertEquals(archiveKind(`${url}.zip`), "zip");
  assertEquals(archiveKind(`${url}.gz`), "gz");
  assertEquals(archiveKind(url), undefined);
  assertEquals(archiveKind(`${url}.tar.xz`), "tar.xz");
  assertEquals(archiveKind(`${url}.txz`), "tar.xz");
  assertEquals(archiveKind(`${url}.tar.zst?x`), "tar.zst");
  assertEquals(archiveKind(`${url}.xz`), "xz");
  assertEquals(archiveKind(`${url}.zst`), "zst");
  assertEquals(archiveKind(`${url}.tar.bz2`), undefined);
});

testAccepted("gz", {
  "a file without a name": [gzip("new")],
  "a file of the member's name": [gzip("new", { flags: NAMED, fields: "tool\0" })],
  "a member in a folder": [
    gzip("new", { flags: NAMED, fields: "tool\0" }),
    { member: "tool-1.4.0/tool" },
  ],
  "a header with every field": [
    gzip("new", { flags: 0x1f, fields: bytes(Uint8Array.of(3, 0), "abc", "tool\0", "hi\0", "xx") }),
  ],
});

testRefusals("gz", {
  "a file of another name": [
    'it has "other" instead of "tool"',
    gzip("new", { flags: NAMED, fields: "other\0" }),
  ],
  "a path in the header": [
    'it has "../tool" instead of "tool"',
    gzip("new", { flags: NAMED, fields: "../tool\0" }),
  ],
  "a header without end": [
    "its gzip header has no end",
    gzip("", { flags: NAMED, fields: "x".repeat(70_000) }),
  ],
  "a header with unknown flags": [
    "its gzip header has unknown flags",
    gzip("new", { flags: 0x20 }),
  ],
  "a file that is too large": ['"tool" is larger than 2 bytes', gzip("new"), { limit: 2 }],
  "a bomb": [
    '"tool" is larger than 1048576 bytes',
    gzip(new Uint8Array(64 * 1024 * 1024)),
  ],
  "a wrong checksum": ["it has a wrong checksum (gzip)", gzip("new", { crc: 1 })],
  "a wrong length": ["it has a wrong checksum (gzip)", gzip("new", { size: 1 })],
  "damaged data": [
    "it cannot be read (invalid distance too far back)",
    bytes(Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 2, 0x9a, 2, 0), 8),
  ],
  "a file that is cut off": ["it is cut off", gzip("new".repeat(99)).subarray(0, 22)],
  "a header that is cut off": ["it is cut off", gzip("new").subarray(0, 12)],
  "an empty file": ["it is not a gzip file", bytes()],
  "what is no gzip file": ["it is not a gzip file", bytes("x".repeat(100))],
});

testAccepted("tar.gz", { "a tar file in gzip": [gzip(TAR)] });

testRefusals("tar.gz", {
  "a second gzip member": [
    `${gzip(TAR).length} bytes follow the end of its compressed data`,
    bytes(gzip(TAR), gzip(TAR)),
  ],
  "garbage behind the end": [
    "4 bytes follow the end of its compressed data",
    bytes(gzip(TAR), "junk"),
  ],
  "zeros behind the end": [
    "512 bytes follow the end of its compressed data",
    bytes(gzip(TAR), 512),
  ],
  "a wrong checksum": ["it has a wrong checksum (gzip)", gzip(TAR, { crc: 1 })],
  "a bomb beside the member": [
    "it unpacks to more than 16777216 bytes",
    gzip(tar({ name: "zeros", content: new Uint8Array(20_000_000) }, { name: "tool" })),
  ],
  "a bomb behind the end mark": [
    "it unpacks to more than 16777216 bytes",
    gzip(bytes(TAR, 20_000_000)),
  ],
  "a tar file that is cut off": [
    "it is cut off",
    gzip(TAR.subarray(0, 514)),
  ],
});
