/** Archives as the compiled shim meets them: what it unpacks, and what it refuses before it does. */
import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { zstdCompressSync } from "node:zlib";
import {
  bytes,
  extraField,
  gzip,
  pax,
  tar,
  type TarEntry,
  tarEntry,
  unicodePath,
  zip,
} from "../support/archive_corpus.ts";
import { compiledShim, manifestFor, serve, sha256 } from "../support/shim.ts";
import { eventsOf, ToolFolder } from "../support/tool_folder.ts";
import { tool } from "../support/world.ts";
import { xzStored } from "../support/xz_corpus.ts";

const ignore = Deno.build.os === "windows";
const NEW = { name: "t/tool", content: tool("2.0.0") };
const EVIL = { name: "t/tool", content: tool("6.6.6") };
const TAR = tar({ name: "t/", type: "5" }, { name: "t/README", content: "read me" }, NEW);
const GNU = "ustar  \0";

/** Runs an update to a release whose one file is this archive. */
async function update(
  it: ToolFolder,
  name: string,
  archive: Uint8Array,
  change: Record<string, unknown> = {},
  ...args: string[]
) {
  const entry = { url: name, size: archive.length, sha256: sha256(archive), member: "t/tool" };
  const content = new Uint8Array(1);
  const manifest = manifestFor([{ target: "tool", content, entry: { ...entry, ...change } }]);
  await using server = serve({
    "/release.json": () => Response.json(manifest),
    [`/${name}`]: () => new Response(archive.slice()),
  });
  const run = await it.run("--manifest", `${server.url}/release.json`, ...args);
  return { ...run, requests: [...server.requests] };
}

const KINDS: Record<string, Uint8Array> = {
  "t.tar": TAR,
  "t.tar.gz": gzip(TAR),
  "t.tgz": gzip(TAR),
  "t.tar.xz": xzStored(TAR),
  "t.txz": xzStored(TAR),
  "t.tar.zst": zstdCompressSync(TAR),
  "t.zip": zip([{ name: "t/README", content: "read me" }, NEW]),
  "t.gz": gzip(NEW.content),
  "t.xz": xzStored(bytes(NEW.content)),
  "t.zst": zstdCompressSync(NEW.content),
};

for (const [name, archive] of Object.entries(KINDS)) {
  Deno.test({
    name: `${name} is unpacked and installed`,
    ignore,
    async fn() {
      await using it = new ToolFolder();
      const run = await update(it, name, archive);
      assertEquals([run.code, await it.says()], [0, "tool 2.0.0"], run.stderr);
    },
  });
}

/** 4 MB that take seconds: a million blocks of one byte that is repeated (RFC 8878), then the tool. */
function bomb(): Uint8Array {
  const count = 1_000_000, block = 128, size = count * block;
  const header = tarEntry({ name: "t/big", size: `${size.toString(8).padStart(11, "0")}\0` });
  const end = bytes(tarEntry(NEW), 1024);
  const raw = ({ length }: Uint8Array, last: 0 | 1) => [length << 3 & 0xff | last, length >> 5, 0];
  const zeros = new Uint8Array(4 * count).map((_, at) =>
    [block << 3 & 0xff | 2, block >> 5, 0, 0][at % 4]!
  );
  const frame = [0x28, 0xb5, 0x2f, 0xfd, 0, 0x58, ...raw(header, 0)];
  return bytes(Uint8Array.from(frame), header, zeros, Uint8Array.from(raw(end, 1)), end);
}

Deno.test({
  name: "SIGINT ends the unpacking of what little is made much of",
  ignore,
  async fn() {
    await using it = new ToolFolder();
    const archive = bomb();
    const entry = { url: "t.tar.zst", size: archive.length, sha256: sha256(archive) };
    const executable = { size: bytes(NEW.content).length, sha256: sha256(bytes(NEW.content)) };
    const change = { ...entry, member: "t/tool", executable };
    const content = new Uint8Array(1);
    await using server = serve({
      "/release.json": () =>
        Response.json(manifestFor([{ target: "tool", content, entry: change }])),
      "/t.tar.zst": () => new Response(archive.slice()),
    });
    const shim = new Deno.Command(await compiledShim(), {
      args: ["--json", "--install-dir", it.folder, "--manifest", `${server.url}/release.json`],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    let text = "", sent = false;
    for await (const part of shim.stdout.pipeThrough(new TextDecoderStream())) {
      text += part;
      if (sent || !text.includes(`"received":${archive.length}`)) continue;
      sent = true;
      // All is there, and the unpacking takes seconds from here.
      setTimeout(() => shim.kill("SIGINT"), 500);
    }
    assertEquals((await shim.status).code, 130, text);
    assertMatch(text, /"code":130,"message":"The update was interrupted"/);
    assertNotMatch(text, /"verified"/);
  },
});

const ENTRY: TarEntry = NEW;
const TWO_MEANINGS: Record<string, readonly [name: string, archive: Uint8Array, says: RegExp]> = {
  ...Object.fromEntries(
    ["0x600", "0b11", "5.0", "1e3", "+5"].map((size) => [
      `a size of pax that is written ${size}`,
      ["t.tar", tar(pax({ size }), ENTRY, EVIL), /a size that is no number/] as const,
    ]),
  ),
  "a second end record in a zip comment": [
    "t.zip",
    zip([NEW], { comment: bytes(zip([EVIL], { at: zip([NEW]).length }), "x") }),
    /more than one directory/,
  ],
  "a prefix in GNU's form of tar": [
    "t.tar",
    tar({ ...NEW, name: "tool", prefix: "t", magic: GNU }),
    /whose name readers put together differently/,
  ],
  "a prefix in the oldest form of tar": [
    "t.tar",
    tar({ ...NEW, name: "tool", prefix: "t", magic: "\0".repeat(8) }),
    /whose name readers put together differently/,
  ],
  "star's form of tar": [
    "t.tar",
    tar({ ...NEW, name: "tool", prefix: "t", tail: "tar\0" }),
    /whose name readers put together differently/,
  ],
  "a Unicode path that renames a member of a zip": [
    "t.zip",
    zip([{ ...EVIL, name: "t/other", both: { extra: unicodePath("t/other", "t/tool") } }]),
    /calls one entry "t\/other" and "t\/tool"/,
  ],
  "an entry of a zip on another disk": [
    "t.zip",
    zip([{ ...NEW, disk: 1 }]),
    /part of an archive in several files/,
  ],
  "a zip64 field": [
    "t.zip",
    zip([{ ...NEW, both: { extra: extraField(1, new Uint8Array(16)) } }]),
    /zip64/,
  ],
  "a second stream of xz": [
    "t.tar.xz",
    bytes(xzStored(TAR), xzStored(tar(EVIL))),
    /follow the end/,
  ],
  "a second frame of Zstandard": [
    "t.tar.zst",
    bytes(zstdCompressSync(TAR), zstdCompressSync(tar(EVIL))),
    /follow the end/,
  ],
};

for (const [name, [url, archive, says]] of Object.entries(TWO_MEANINGS)) {
  Deno.test({
    name: `${name} is refused, and the tool is as it was`,
    ignore,
    async fn() {
      await using it = new ToolFolder();
      const run = await update(it, url, archive);
      assertMatch(run.stderr, says);
      assertEquals([run.code, await it.says()], [4, "tool 1.0.0"], run.stderr);
    },
  });
}

Deno.test({
  name: "20 names of 60,000 dots are refused at once",
  ignore,
  async fn() {
    await using it = new ToolFolder();
    const path = `${".".repeat(60_000)}é`;
    const dots = Array.from({ length: 20 }, () => [pax({ path }), ENTRY]).flat();
    const run = await update(it, "t.tar.gz", gzip(tar(...dots)));
    assertMatch(run.stderr, /a name of more than 4096 bytes/);
    assertEquals([run.code, await it.says()], [4, "tool 1.0.0"], run.stderr);
    assertEquals(run.stderr.length < 2000, true);
  },
});

Deno.test({
  name:
    "an unknown kind of archive, and an archive without a member, are refused before a download",
  ignore,
  async fn() {
    for (const [name, member] of [["t.tar.bz2", "t/tool"], ["t.rar"], ["t.tar.gz"], ["t.xz"]]) {
      await using it = new ToolFolder();
      for (const args of [[], ["--check"], ["--dry-run"]]) {
        const run = await update(it, name!, new Uint8Array(9), { member }, ...args);
        assertMatch(run.stderr, /is an archive, and the manifest does|is not an archive that can/);
        assertMatch(run.stderr, /The manifest needs /);
        assertEquals([run.code, run.requests], [2, ["/release.json"]], run.stderr);
      }
    }
  },
});

Deno.test({
  name: "whatever a manifest or an archive says, it is shown in a few lines",
  ignore,
  async fn() {
    const long = "x".repeat(900_000), some = "y".repeat(4000);
    const file = (change: Record<string, unknown>) =>
      manifestFor([{ target: "tool", content: new Uint8Array(1), entry: change }]);
    const manifests: Record<string, unknown>[] = [
      { ...file({}), platforms: { [long]: { files: [] } } },
      { ...file({}), version: `1.0.0-${long}` },
      { ...file({}), name: long },
      { ...file({}), notes: long },
      { ...file({}), [long]: 1, schema: 2 },
      file({ target: long }),
      file({ url: long }),
      file({ url: `https://${long}/tool` }),
      file({ url: `${some}.tar.gz` }),
      file({ member: long }),
      file({ mode: long }),
      file({ [long]: 1, sha256: some }),
    ];
    for (const manifest of manifests) {
      await using it = new ToolFolder();
      await using server = serve({ "/release.json": () => Response.json(manifest) });
      const run = await it.run("--manifest", `${server.url}/release.json`, "--json");
      assertEquals(run.code, 2, run.stderr.slice(0, 500));
      const { length } = run.stdout + run.stderr;
      assertEquals(length < 6000, true, `${length}: ${JSON.stringify(manifest).slice(0, 300)}`);
      assertEquals(eventsOf(run).at(-1)!["event"], "error");
    }
    await using it = new ToolFolder();
    const members = tar({ name: "x", type: "2", linkname: some }, pax({ path: `${some}é` }), ENTRY);
    const run = await update(it, "t.tar", members, { member: `${"z/".repeat(500)}tool` }, "--json");
    assertEquals([run.code, (run.stdout + run.stderr).length < 6000], [4, true], run.stdout);
  },
});
