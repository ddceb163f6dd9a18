import { bytes, longName, pax, paxRecord, tar, tarEntry } from "../support/archive_corpus.ts";
import { testAccepted, testRefusals } from "../support/unpack.ts";

const TOOL = { name: "tool", content: "new" };
const OTHER = { name: "README.md", content: "x".repeat(700) };
const FOLDERS = "folder/".repeat(20);
const LONG = `${FOLDERS}tool`;
const GNU = "ustar  \0";
const EMPTY = tarEntry({ name: "x" });

testAccepted("tar", {
  "a member among others": [tar(OTHER, { name: "doc/", type: "5" }, TOOL, OTHER)],
  "the oldest form": [tar({ ...TOOL, magic: "", type: "\0" }, { name: "doc/", magic: "" })],
  "GNU's form": [tar({ ...TOOL, magic: GNU })],
  "a name with a prefix": [tar({ ...TOOL, prefix: "a/b" }), { member: "a/b/tool" }],
  "a name that begins with ./": [
    tar({ name: "./", type: "5" }, { name: "./tool", content: "new" }),
  ],
  "GNU's long name": [
    tar(longName(LONG), { name: LONG, content: "new", magic: GNU }),
    { member: LONG },
  ],
  "a long name of pax": [tar(pax({ path: LONG }), { ...TOOL, name: "short" }), { member: LONG }],
  "a name of pax that is not ASCII": [
    tar(pax({ path: "tóol" }), { ...TOOL, name: "t_ol" }),
    { member: "tóol" },
  ],
  "what .NET writes, everything twice": [tar(pax({ path: "tool", size: "3", mtime: "1.5" }), TOOL)],
  "a comment of git archive": [tar(pax({ comment: "0123" }, "g"), TOOL)],
  "a link beside the member": [
    tar({ name: "link", type: "2", linkname: "/etc/passwd" }, TOOL, {
      name: "hard",
      type: "1",
      linkname: "tool",
    }),
  ],
  "a link with a long destination": [
    tar(longName(LONG, "K"), { name: "link", type: "2", linkname: "x", magic: GNU }, TOOL),
  ],
  "padding to a record of 10 KiB": [bytes(tar(TOOL), 8192)],
  "names in upper and lower case, not the member's": [
    tar({ name: "LICENSE" }, { name: "license" }, TOOL),
  ],
});

testRefusals("tar", {
  "a path to the parent": [
    'it has an entry with an unsafe name, "../tool"',
    tar(TOOL, { name: "../tool" }),
  ],
  "a path through the parent": [
    'it has an entry with an unsafe name, "a/../../x"',
    tar(TOOL, { name: "a/../../x" }),
  ],
  "an absolute path": [
    'it has an entry with an unsafe name, "/etc/cron.d/x"',
    tar({ name: "/etc/cron.d/x" }, TOOL),
  ],
  "a backslash": ['it has an entry with an unsafe name, "a\\\\b"', tar({ name: "a\\b" }, TOOL)],
  "a drive letter": ['it has an entry with an unsafe name, "C:x"', tar({ name: "C:x" }, TOOL)],
  "an escape sequence in a name": [
    'it has an entry with an unsafe name, "\\u001b[2Jx"',
    tar({ name: "\x1b[2Jx" }, TOOL),
  ],
  "an empty name": ['it has an entry with an unsafe name, ""', tar({ name: "" }, TOOL)],
  "an unsafe name of pax": [
    'it has an entry with an unsafe name, "../é"',
    tar(pax({ path: "../é" }), { name: "x" }, TOOL),
  ],
  "an unsafe name under a long one": [
    'it has an entry with an unsafe name, "../x"',
    tar(longName(LONG), { name: "../x", magic: GNU }, TOOL),
  ],
  "a symbolic link under the member's name": [
    '"tool" is a symbolic link in it, not a regular file',
    tar({ name: "tool", type: "2", linkname: "/bin/sh" }),
  ],
  "a hard link under the member's name": [
    '"tool" is a hard link in it, not a regular file',
    tar(OTHER, { name: "tool", type: "1", linkname: "README.md" }),
  ],
  "a device under the member's name": [
    '"tool" is a device in it, not a regular file',
    tar({ name: "tool", type: "3" }),
  ],
  "a pipe under the member's name": [
    '"tool" is a pipe in it, not a regular file',
    tar({ name: "tool", type: "6" }),
  ],
  "a folder under the member's name": [
    '"tool" is a folder in it, not a regular file',
    tar({ name: "tool/", type: "5" }),
  ],
  "a link above the member": [
    '"bin" is a symbolic link in it, and the member lies beneath',
    tar({ name: "bin", type: "2", linkname: "/usr/bin" }, { ...TOOL, name: "bin/tool" }),
    { member: "bin/tool" },
  ],
  "a file beneath the member": [
    '"tool/x" lies beneath the member in it',
    tar(TOOL, { name: "tool/x" }),
  ],
  "the member twice": ['it has two members named like "tool"', tar(TOOL, TOOL)],
  "the member and ./ the member": [
    'it has two members named like "tool"',
    tar(TOOL, { ...TOOL, name: "./tool" }),
  ],
  "the member in upper case, too": [
    'it has two members named like "tool"',
    tar(TOOL, { name: "TOOL" }),
  ],
  "the member in another Unicode form, too": [
    'it has two members named like "tóol"',
    tar(pax({ path: "tóol" }), TOOL, pax({ path: "to\u0301ol" }), TOOL),
    { member: "tóol" },
  ],
  "the member with a dot that Windows drops, too": [
    'it has two members named like "tool"',
    tar(TOOL, { name: "tool." }),
  ],
  "only the member in upper case": ['it has "TOOL" instead of "tool"', tar({ name: "TOOL" })],
  "a missing member": ['it has no member "tool"', tar(OTHER)],
  "an empty archive": ['it has no member "tool"', tar()],
  "a second name by pax": [
    'it calls one entry "tool" and "other"',
    tar(pax({ path: "other" }), TOOL),
  ],
  "a second name by pax that is the member's": [
    'it calls one entry "other" and "tool"',
    tar(pax({ path: "tool" }), { ...TOOL, name: "other" }),
  ],
  "a long name over the member's own": [
    `"tool" is also called "${LONG}" in it`,
    tar(longName(LONG), { ...TOOL, magic: GNU }),
  ],
  "a second name by GNU": [
    'it calls one entry "other" and "tool"',
    tar(longName("tool"), { ...TOOL, name: "other", magic: GNU }),
  ],
  "a long name that only some readers see": [
    "it has several extended headers for one entry",
    tar(pax({ path: LONG }), longName("x", "K"), { ...TOOL, name: "short" }),
    { member: LONG },
  ],
  "a long name of GNU before one of pax": [
    "it has several extended headers for one entry",
    tar(longName(LONG), pax({ comment: "x" }), { ...TOOL, magic: GNU }),
    { member: LONG },
  ],
  "two extended headers of pax": [
    "it has several extended headers for one entry",
    tar(pax({ comment: "x" }), pax({ mtime: "1" }), TOOL),
  ],
  "a comment for all behind what is said of one": [
    "it has several extended headers for one entry",
    tar(pax({ mtime: "1" }), pax({ comment: "x" }, "g"), TOOL),
  ],
  "an extended header without an entry": [
    "it ends where an entry has to follow",
    tar(TOOL, pax({ mtime: "1" })),
  ],
  ...Object.fromEntries(
    ["0x3", "0b11", "0o3", "3.0", "3e0", "+3", " 3", "3 ", "03", "", "3\0"].map((size) => [
      `a size of pax that is written ${JSON.stringify(size)}`,
      [
        `it has a size that is no number, ${JSON.stringify(size)}`,
        tar(pax({ size }), TOOL),
      ] as const,
    ]),
  ),
  "a prefix in GNU's form": [
    "it has a header whose name readers put together differently",
    tar({ ...TOOL, magic: GNU, prefix: "a" }),
  ],
  "a prefix in the oldest form": [
    "it has a header whose name readers put together differently",
    tar({ ...TOOL, magic: "\0".repeat(8), prefix: "a" }),
  ],
  "a header of star, whose prefix is shorter": [
    "it has a header whose name readers put together differently",
    tar({ ...TOOL, prefix: "a", tail: "tar\0" }),
    { member: "a/tool" },
  ],
  "a name of more than 4,096 bytes": [
    "it has an entry with a name of more than 4096 bytes",
    tar(TOOL, longName("x".repeat(4097)), { name: "x", magic: GNU }),
  ],
  "a second size by pax": [
    'it gives "tool" two sizes, 3 and 1536',
    tar(pax({ size: "1536" }), TOOL, TOOL),
  ],
  "a size of zero by pax": ['it gives "tool" two sizes, 3 and 0', tar(pax({ size: "0" }), TOOL)],
  "a name for all entries": [
    "it says the path of more than one entry, or of one twice",
    tar(pax({ path: "tool" }, "g"), TOOL),
  ],
  "two long names for one entry": [
    "it says the path of more than one entry, or of one twice",
    tar(longName(LONG), longName(`${LONG}2`), TOOL),
  ],
  "one path twice in an extended header": [
    'it says "path" twice in one extended header',
    tar(
      tarEntry({ name: "x", type: "x", content: paxRecord("path", "é") + paxRecord("path", "è") }),
      TOOL,
    ),
  ],
  "an extended header with a wrong length": [
    "it has an extended header that cannot be read",
    tar(tarEntry({ name: "x", type: "x", content: "99 path=tool\n" }), TOOL),
  ],
  "an endless extended header": [
    "it has an extended header of 1048576 bytes",
    tar(tarEntry({ name: "x", type: "x", content: new Uint8Array(1024 * 1024) }), TOOL),
  ],
  "a sparse file of pax": [
    "it has a sparse file (GNU.sparse.major), which readers unpack differently",
    tar(pax({ "GNU.sparse.major": "1" }), TOOL),
  ],
  "a sparse file of GNU": ['it has an entry of the unknown type "S"', tar({ ...TOOL, type: "S" })],
  "a link with content": [
    '"link" is a symbolic link with content',
    tar({ name: "link", type: "2", content: tarEntry(TOOL) }),
  ],
  "a folder with content": [
    '"doc/" is a folder with content',
    tar({ name: "doc/", type: "5", content: tarEntry(TOOL) }),
  ],
  "a binary size": [
    "it has a header without a valid size",
    tar({ ...TOOL, size: "\x80\0\0\0\0\0\0\0\0\0\0\x03" }),
  ],
  "a size with something behind it": [
    "it has a header without a valid size",
    tar({ ...TOOL, size: "00000000003x" }),
  ],
  "an unknown kind of tar": [
    "it has a header of an unknown kind of tar",
    tar({ ...TOOL, magic: "ustar\x0099" }),
  ],
  "a wrong checksum": [
    "it has a header with a wrong checksum",
    tar({ ...TOOL, checksum: "000001\0 " }),
  ],
  "a member that is too large": [
    '"tool" is larger than 2 bytes',
    tar(TOOL),
    { limit: 2 },
  ],
  "a member that is cut off": [
    "it is cut off",
    tar(OTHER, TOOL).subarray(0, 2048 + 514),
  ],
  "an end mark that is missing": [
    "it is cut off",
    tar(TOOL).subarray(0, 1024),
  ],
  "an end mark that is cut off": [
    "it is cut off",
    tar(TOOL).subarray(0, 1536),
  ],
  "an end mark of one block": [
    "it goes on behind a block of zeros",
    bytes(tarEntry(TOOL), 512, tarEntry(OTHER), 1024),
  ],
  "a second archive behind the end": [
    "it goes on behind its end mark",
    bytes(tar(TOOL), tar(TOOL)),
  ],
  "a byte behind the end": ["it goes on behind its end mark", bytes(tar(TOOL), "x")],
  "what is no tar file": ["it has a header without a valid size", bytes("x".repeat(2048))],
  "an empty file": ["it is cut off", bytes()],
  "a list without end": [
    "it has more than 100000 entries",
    bytes(...Array.from({ length: 100_001 }, () => EMPTY), 1024),
  ],
});
