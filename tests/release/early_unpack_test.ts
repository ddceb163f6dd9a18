/** What is unpacked while the archive comes, and when that counts for nothing. */
import { assertEquals, assertObjectMatch } from "@std/assert";
import { join } from "@std/path";
import { zstdCompressSync } from "node:zlib";
import { Growth, unpackEarly } from "../../src/release/early_unpack.ts";
import type { ReleaseFile } from "../../src/release/manifest.ts";
import { denoSystem } from "../../src/system/deno_system.ts";
import { gzip, tar, zip } from "../support/archive_corpus.ts";
import { sha256 } from "../support/shim.ts";
import { xzStored } from "../support/xz_corpus.ts";

/** Not to be compressed: so that the first half of the archive is the first half of it. */
const CONTENT = crypto.getRandomValues(new Uint8Array(60_000));
const MANY = new Uint8Array(2_000_000);
for (let at = 0; at < MANY.length; at += CONTENT.length) {
  MANY.set(
    crypto.getRandomValues(new Uint8Array(CONTENT.length)).subarray(0, MANY.length - at),
    at,
  );
}

class Bed implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "updater-shim-early-" });
  readonly archive = join(this.folder, "archive");
  readonly staged = join(this.folder, "staged");
  readonly growing: Growth;
  readonly digest: { size: number; sha256: string };

  constructor(readonly kind: string, readonly bytes: Uint8Array, readonly content = CONTENT) {
    this.growing = new Growth(bytes.length);
    this.digest = { size: content.length, sha256: sha256(content) };
    Deno.writeFileSync(this.staged, new Uint8Array());
  }

  start(executable = this.digest) {
    const file = { url: `https://h/a.${this.kind}`, member: "tool", executable };
    const { archive, staged, growing } = this;
    return unpackEarly(denoSystem, file as unknown as ReleaseFile, {
      archive,
      staged,
      growing,
      stop: new AbortController().signal,
    });
  }

  /** The file has its first `length` bytes, of `bytes` or of others. */
  async come(length: number, bytes = this.bytes): Promise<void> {
    Deno.writeFileSync(this.archive, bytes.subarray(0, length));
    this.growing.reached(length);
    for (let turn = 0; turn < 60; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  }

  get written(): number {
    return Deno.statSync(this.staged).size;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

const TOOL = { name: "tool", content: CONTENT };
const KINDS: Record<string, Uint8Array> = {
  "tar": tar(TOOL),
  "tar.gz": gzip(tar(TOOL)),
  // The runtime ends larger ones with an empty second frame.
  "zst": zstdCompressSync(CONTENT.subarray(0, 16_000)),
  "gz": gzip(CONTENT),
  "zip": zip([TOOL]),
  "xz": xzStored(CONTENT.subarray(0, 16_000)),
};

for (const [kind, bytes] of Object.entries(KINDS)) {
  Deno.test(`.${kind}: what comes byte by byte is unpacked in the end`, async () => {
    const content = /^(xz|zst)$/.test(kind) ? CONTENT.subarray(0, 16_000) : CONTENT;
    using bed = new Bed(kind, bytes, content);
    const done = bed.start();
    for (let length = 1; length < bytes.length; length += 7001) await bed.come(length);
    await bed.come(bytes.length - 1);
    await bed.come(bytes.length);
    assertObjectMatch(await done ?? {}, { ...bed.digest });
    assertEquals(Deno.readFileSync(bed.staged), new Uint8Array(content));
  });
}

Deno.test("half of the member is on the disk when half of a .tar.gz has come", async () => {
  const bytes = gzip(tar({ name: "tool", content: MANY }));
  using bed = new Bed("tar.gz", bytes, MANY);
  const done = bed.start();
  await bed.come(bytes.length / 2 | 0);
  assertEquals(bed.written > MANY.length / 3, true, `${bed.written} bytes`);
  assertEquals(bed.written < MANY.length, true);
  await bed.come(bytes.length);
  assertObjectMatch(await done ?? {}, { ...bed.digest });
});

Deno.test("a download that began anew, or ended, counts for nothing", async () => {
  using bed = new Bed("tar.gz", KINDS["tar.gz"]!);
  const done = bed.start();
  await bed.come(30_000);
  await bed.come(10);
  assertEquals(await done, undefined);

  using other = new Bed("tar.gz", KINDS["tar.gz"]!);
  const ended = other.start();
  await other.come(30_000);
  other.growing.fail();
  assertEquals(await ended, undefined);
});

Deno.test("another executable than the manifest's, and a bad archive, count for nothing", async () => {
  for (const sha256 of ["0".repeat(64), "x"]) {
    using bed = new Bed("tar.gz", KINDS["tar.gz"]!);
    const done = bed.start({ ...bed.digest, sha256 });
    await bed.come(bed.bytes.length);
    assertEquals(await done, undefined);
  }
  using bad = new Bed("tar.gz", new Uint8Array(1000));
  const done = bad.start();
  await bad.come(1000);
  assertEquals(await done, undefined);
});

Deno.test("more than the executable's size is never written", async () => {
  using bed = new Bed("tar", tar({ name: "tool", content: MANY }));
  const done = bed.start();
  await bed.come(bed.bytes.length);
  assertEquals(await done, undefined);
  assertEquals(bed.written <= CONTENT.length, true);
});
