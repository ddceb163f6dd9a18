import { crc32, deflateRawSync } from "node:zlib";
import {
  bytes,
  descriptor,
  extraField,
  unicodePath,
  zip,
  type ZipEntry,
} from "../support/archive_corpus.ts";
import { testAccepted, testRefusals } from "../support/unpack.ts";

const TOOL: ZipEntry = { name: "tool", content: "new" };
const OTHER: ZipEntry = { name: "README.md", content: "read me" };
const EVIL: ZipEntry = { name: "tool", content: "evil" };
const LATER = { flags: 8 };
const UNKNOWN = { crc: 0, packed: 0, size: 0 };
const PACKED = deflateRawSync("new");

function mode(octal: number): Partial<ZipEntry> {
  return { central: { attributes: octal * 2 ** 16 } };
}

testAccepted("zip", {
  "a member among others": [zip([OTHER, { name: "doc/" }, TOOL])],
  "a stored member": [zip([{ ...TOOL, stored: true }])],
  "a directory in another order than the entries": [zip([OTHER, TOOL], { backwards: true })],
  "sizes behind the data": [
    zip([{ ...TOOL, both: LATER, local: UNKNOWN, descriptor: descriptor("new") }, OTHER]),
  ],
  "sizes behind the data, without a signature": [
    zip([
      { ...TOOL, both: LATER, local: UNKNOWN, descriptor: descriptor("new", { signed: false }) },
      OTHER,
    ]),
  ],
  "sizes before and behind the data": [
    zip([{ ...TOOL, both: LATER, descriptor: descriptor("new") }]),
  ],
  "a comment": [zip([TOOL], { comment: "made by hand" })],
  "Info-ZIP's Unicode path": [
    zip([{ ...TOOL, name: "tóol", both: { extra: unicodePath("tóol", "tóol") } }]),
    { member: "tóol" },
  ],
  "a Unicode path over a name in an old code page": [
    zip([{ name: "x", both: oldName() }, TOOL]),
  ],
  "a link beside the member": [zip([{ name: "link", content: "/etc", ...mode(0o120777) }, TOOL])],
  "an entry without a mode": [zip([{ ...TOOL, central: { attributes: 0 } }])],
});

/** `é` in code page 437, and what it means. */
function oldName() {
  return { name: Uint8Array.of(0x82), extra: pathOver(0x82, "é") };
}

/** A Unicode path for the name of that one byte. */
function pathOver(byte: number, path: string): Uint8Array {
  const head = bytes(Uint8Array.of(1), 4, path);
  new DataView(head.buffer).setUint32(1, crc32(Uint8Array.of(byte)), true);
  return extraField(0x7075, head);
}

testRefusals("zip", {
  "a path to the parent": [
    'it has an entry with an unsafe name, "../x"',
    zip([{ name: "../x" }, TOOL]),
  ],
  "an absolute path": ['it has an entry with an unsafe name, "/x"', zip([{ name: "/x" }, TOOL])],
  "a backslash": [
    'it has an entry with an unsafe name, "a\\\\..\\\\x"',
    zip([{ name: "a\\..\\x" }, TOOL]),
  ],
  "a drive letter": ['it has an entry with an unsafe name, "c:x"', zip([{ name: "c:x" }, TOOL])],
  "a NUL in a name": [
    'it has an entry with an unsafe name, "tool\\u0000.txt"',
    zip([{ name: "tool\0.txt" }]),
  ],
  "an empty name": ['it has an entry with an unsafe name, ""', zip([{ name: "" }, TOOL])],
  "a link under the member's name": [
    '"tool" is a symbolic link in it, not a regular file',
    zip([{ name: "tool", content: "/bin/sh", ...mode(0o120777) }]),
  ],
  "a device under the member's name": [
    '"tool" is a device in it, not a regular file',
    zip([{ name: "tool", ...mode(0o020666) }]),
  ],
  "a folder under the member's name": [
    '"tool" is a folder in it, not a regular file',
    zip([{ name: "tool/" }]),
  ],
  "a folder by its attributes": [
    '"tool" is a folder in it, not a regular file',
    zip([{ name: "tool", central: { attributes: 0x10 } }]),
  ],
  "the member twice": ['it has two members named like "tool"', zip([TOOL, TOOL])],
  "the member in upper case, too": [
    'it has two members named like "tool"',
    zip([TOOL, { ...EVIL, name: "Tool" }]),
  ],
  "only the member in upper case": ['it has "TOOL" instead of "tool"', zip([{ name: "TOOL" }])],
  "a missing member": ['it has no member "tool"', zip([OTHER])],
  "another Unicode path": [
    'it calls one entry "other" and "tool"',
    zip([{ ...EVIL, name: "other", both: { extra: unicodePath("other", "tool") } }]),
  ],
  "a Unicode path with a wrong checksum": [
    'it calls one entry "tóol" and "tool"',
    zip([{ ...EVIL, name: "tóol", both: { extra: unicodePath("x", "tool") } }]),
  ],
  "a Unicode path only in front of the entry": [
    'the directory and the entry "tóol" have different Unicode names',
    zip([{ ...TOOL, name: "tóol", local: { extra: unicodePath("tóol", "évil") } }]),
    { member: "tóol" },
  ],
  "another name in the local header": [
    'the directory and the entry "tool" have different names',
    zip([{ ...TOOL, local: { name: "evil" } }]),
  ],
  "another size in the local header": [
    'the directory and the entry "tool" have different sizes',
    zip([{ ...TOOL, local: { size: 4 } }]),
  ],
  "another packed size in the local header": [
    'the directory and the entry "tool" have different sizes',
    zip([{ ...TOOL, local: { packed: 4 } }]),
  ],
  "another checksum in the local header": [
    'the directory and the entry "tool" have different checksums',
    zip([{ ...TOOL, local: { crc: 1 } }]),
  ],
  "another method in the local header": [
    'the directory and the entry "tool" have different methods',
    zip([{ ...TOOL, local: { method: 0 } }]),
  ],
  "other flags in the local header": [
    'the directory and the entry "tool" have different flags',
    zip([{ ...TOOL, local: { flags: 0x800 } }]),
  ],
  "a wrong data descriptor": [
    'the directory and the data descriptor of "tool" differ',
    zip([{ ...TOOL, both: LATER, local: UNKNOWN, descriptor: descriptor("new", { crc: 1 }) }]),
  ],
  "a data descriptor with another packed size": [
    'the directory and the data descriptor of "tool" differ',
    zip([{ ...TOOL, both: LATER, local: UNKNOWN, descriptor: descriptor("new", { packed: 1 }) }]),
  ],
  "a data descriptor that is missing": [
    'the directory and the data descriptor of "tool" differ',
    zip([{ ...TOOL, both: LATER, local: UNKNOWN }, OTHER]),
  ],
  "another entry that is not as the directory says": [
    'the directory and the entry "README.md" have different names',
    zip([TOOL, { ...OTHER, local: { name: "README.rm" } }]),
  ],
  "an encrypted member": ['"tool" is encrypted', zip([{ ...TOOL, both: { flags: 1 } }])],
  "a strongly encrypted member": [
    '"tool" is encrypted',

    zip([{ ...TOOL, both: { flags: 0x41 } }]),
  ],
  "a masked header": ['"tool" is encrypted', zip([{ ...TOOL, both: { flags: 0x2000 } }])],
  "patch data": ['"tool" is a patch', zip([{ ...TOOL, both: { flags: 0x20 } }])],
  "an unknown method": [
    '"tool" is packed with the unknown method 93',
    zip([{ ...TOOL, both: { method: 93 } }]),
  ],
  "an archive on several disks": [
    "it is a part of an archive in several files",
    zip([TOOL], { disk: 1 }),
  ],
  "a zip64 field": [
    '"tool" is in the zip64 format, which is not supported',
    zip([{ ...TOOL, both: { extra: extraField(1, new Uint8Array(16)) } }]),
  ],
  "a zip64 field only in the local header": [
    '"tool" is in the zip64 format, which is not supported',
    zip([{ ...TOOL, local: { extra: extraField(1, new Uint8Array(16)) } }]),
  ],
  "a zip64 field with another size": [
    '"tool" is larger than 1048576 bytes',
    zip([{ ...TOOL, central: { size: 2 ** 32 - 1, extra: extraField(1, zip64Size(2 ** 40)) } }]),
  ],
  "zip64 end records": [
    "its directory does not end at its end record (or is zip64)",
    zip([TOOL], { beforeEnd: zip64End(1, zip([TOOL]).length - 22) }),
  ],
  "two entries of the same bytes": [
    'there is a gap or an overlap before "2"',
    zip([TOOL, { name: "2", central: { offset: 0 } }]),
  ],
  "entries that overlap": [
    'there is a gap or an overlap before "tool"',
    zip([{ ...OTHER, both: { packed: 20 }, data: new Uint8Array(3) }, TOOL]),
  ],
  "bytes between the entries": [
    'there is a gap or an overlap before "tool"',
    zip([OTHER, TOOL], { gap: "x" }),
  ],
  "an entry that the directory does not have": [
    "there are bytes before its directory that are no entry",
    zip([TOOL], { gap: zip([EVIL]).subarray(0, 38) }),
  ],
  "bytes in front": [
    'there is a gap or an overlap before "tool"',
    zip([TOOL], { before: "#!/bin/sh\n" }),
  ],
  "bytes behind the end": [
    "it is no zip file, is cut off, or has bytes behind its end",
    zip([TOOL], { after: "junk" }),
  ],
  "a second archive behind the end": [
    "it has more than one directory",
    bytes(zip([TOOL]), zip([EVIL], { at: zip([TOOL]).length })),
  ],
  "a second archive in the comment": [
    "it has more than one directory",
    zip([TOOL], { comment: zip([EVIL], { at: zip([TOOL]).length }) }),
  ],
  "a second end record in the comment, that does not end there": [
    "it has more than one directory",
    zip([TOOL], { comment: bytes(zip([EVIL], { at: zip([TOOL]).length }), "x") }),
  ],
  "the beginning of an end record in the comment": [
    "it has more than one directory",
    zip([TOOL], { comment: "PK\x05\x06" }),
  ],
  "a second end record in front of the end": [
    "it has more than one directory",
    zip([{ name: "inner", stored: true, content: zip([EVIL]) }, TOOL]),
  ],
  "the place of another directory in an entry's comment": [
    "it has more than one directory",
    zip([{ ...TOOL, comment: zip64End(1, 50) }]),
  ],
  "an entry on another disk": [
    "it is a part of an archive in several files",
    zip([{ ...TOOL, disk: 1 }]),
  ],
  "a Unicode path that gives a name of ASCII to another": [
    'it calls one entry "\ufffd" and "tool"',
    zip([{ ...EVIL, both: { name: Uint8Array.of(0x82), extra: pathOver(0x82, "tool") } }]),
  ],
  "a name that is the member's in an old code page": [
    "it has a name in an unknown code",
    zip([{ ...EVIL, both: { name: Uint8Array.of(0x74, 0xa2, 0x6f, 0x6c) } }]),
    { member: "tóol" },
  ],
  "a name of more than 4,096 bytes": [
    "it has an entry with a name of more than 4096 bytes",
    zip([TOOL, { name: "é".repeat(2049) }]),
  ],
  "bytes between directory and end": [
    "its directory does not end at its end record (or is zip64)",
    zip([TOOL], { beforeEnd: "x" }),
  ],
  "a directory with an entry more than its end says": [
    "its end counts 1 entries, its directory has 2",
    zip([TOOL, OTHER], { count: 1 }),
  ],
  "a directory with an entry fewer than its end says": [
    "its end counts 2 entries, its directory has 1",
    zip([TOOL], { count: 2 }),
  ],
  "a directory of another size": [
    "its directory does not end at its end record (or is zip64)",
    zip([TOOL], { directorySize: 51 }),
  ],
  "a directory with something in it": [
    "its directory cannot be read",
    zip([TOOL], { inDirectory: "junk" }),
  ],
  "a directory that is cut off in a name": [
    "its directory cannot be read",
    zip([{ ...TOOL, central: { offset: 0 } }], { cutDirectory: 2 }),
  ],
  "an extra field that is cut off": [
    "an entry has an extra field that is cut off",
    zip([{ ...TOOL, both: { extra: bytes("UT", 1) } }]),
  ],
  "an offset to something else": [
    "an entry has no header in front",
    zip([{ ...TOOL, signature: 0x02014b50 }]),
  ],
  "a directory before the data": [
    'there is a gap or an overlap before "tool"',
    zip([{ ...TOOL, central: { offset: 60 } }]),
  ],
  "data that run into the directory": [
    '"tool" runs into the directory',
    zip([{ ...TOOL, both: { packed: 20 } }]),
  ],
  "a wrong checksum": [
    "the member has a wrong checksum (CRC-32)",
    zip([{ ...TOOL, both: { crc: 1 } }]),
  ],
  "a member longer than it says": [
    "the member is not as long as it says",
    zip([{ ...TOOL, both: { size: 2 } }]),
  ],
  "a member shorter than it says": [
    "the member is not as long as it says",
    zip([{ ...TOOL, both: { size: 4 } }]),
  ],
  "a bomb that says it is small": [
    "the member is not as long as it says",
    zip([{ ...TOOL, content: new Uint8Array(30_000_000), both: { size: 3 } }]),
  ],
  "a bomb": [
    '"tool" is larger than 1048576 bytes',
    zip([{ ...TOOL, content: new Uint8Array(30_000_000) }]),
  ],
  "bytes behind the end of the packed data": [
    "5 bytes follow the end of its compressed data",
    zip([{ ...TOOL, data: bytes(PACKED, "hello") }]),
  ],
  "packed data that are cut off": [
    "it is cut off",
    zip([{ ...TOOL, data: PACKED.subarray(0, -2) }]),
  ],
  "damaged packed data": [
    "it cannot be read (invalid stored block lengths)",
    zip([{ ...TOOL, data: new Uint8Array(20) }]),
  ],
  "a stored member of two sizes": [
    '"tool" is not packed and has two sizes',
    zip([{ ...TOOL, stored: true, both: { size: 4 } }]),
  ],
  "an archive that is cut off": [
    "it is no zip file, is cut off, or has bytes behind its end",
    zip([TOOL]).subarray(0, -1),
  ],
  "an empty file": [
    "it is no zip file, is cut off, or has bytes behind its end",
    bytes(),
  ],
});

function zip64Size(size: number): Uint8Array {
  const field = new DataView(new ArrayBuffer(8));
  field.setBigUint64(0, BigInt(size), true);
  return new Uint8Array(field.buffer);
}

/** Both records, for a directory of `count` entries that ends at `at`. */
function zip64End(count: number, at: number): Uint8Array {
  const records = new DataView(new ArrayBuffer(76));
  records.setUint32(0, 0x06064b50, true);
  records.setBigUint64(4, 44n, true);
  records.setBigUint64(24, BigInt(count), true);
  records.setBigUint64(32, BigInt(count), true);
  records.setBigUint64(40, 50n, true);
  records.setBigUint64(48, BigInt(at - 50), true);
  records.setUint32(56, 0x07064b50, true);
  records.setBigUint64(64, BigInt(at), true);
  records.setUint32(72, 1, true);
  return new Uint8Array(records.buffer);
}
