import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { join } from "@std/path";
import { extractMember } from "../../src/archive/archive.ts";
import type { ArchiveKind } from "../../src/archive/kinds.ts";
import { denoSystem } from "../../src/system/deno_system.ts";
import type { FileSystem, OpenFile } from "../../src/system/file_system.ts";
import { bytes, gzip, tar, zip } from "../support/archive_corpus.ts";

const MIB = 1024 * 1024;
/** The runtime collects garbage outside of its heap every 64 MiB: the member must be much larger. */
const LARGE = 192 * MIB;

function archiveOf(kind: ArchiveKind, size: number): Uint8Array {
  const member = { name: "tool", content: new Uint8Array(size) };
  if (kind === "zip") return zip([member]);
  if (kind === "tar") return tar(member);
  return gzip(kind === "gz" ? member.content : tar(member));
}

/** Stands in for the output; nothing that is written is kept. */
function sinkFile(writeSync: (part: Uint8Array) => number): OpenFile {
  return { writeSync } as OpenFile;
}

async function withArchive(content: Uint8Array, use: (path: string) => Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "updater-shim-" });
  try {
    await Deno.writeFile(join(folder, "archive"), content);
    await use(join(folder, "archive"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const kind of ["tar.gz", "tar", "zip", "gz"] as const) {
  Deno.test(`.${kind}: memory does not grow with the member, and timers go on`, async () => {
    await withArchive(archiveOf(kind, LARGE), async (archive) => {
      const start = Deno.memoryUsage();
      let written = 0, peak = 0, ticks = 0;
      const out = sinkFile((part) => {
        const { heapUsed, external } = Deno.memoryUsage();
        peak = Math.max(peak, heapUsed + external - start.heapUsed - start.external);
        written += part.length;
        return part.length;
      });
      const timer = setInterval(() => ticks++, 1);
      try {
        const options = { fs: denoSystem.fs, limit: LARGE };
        assertEquals(await extractMember(archive, kind, "tool", out, options), LARGE);
      } finally {
        clearInterval(timer);
      }
      assertEquals(written, LARGE);
      assertEquals(peak < LARGE / 2, true, `${peak} bytes at the peak`);
      assertEquals(ticks > 5, true, `${ticks} timer events`);
    });
  });

  Deno.test(`.${kind}: errors of the disk are not taken for a bad archive`, async () => {
    await withArchive(archiveOf(kind, 8 * MIB), async (archive) => {
      const full = new Error("no space left on device");
      let room = 2 * MIB;
      const small = sinkFile((part) => {
        if ((room -= part.length) < 0) throw full;
        return part.length;
      });
      const options = { fs: denoSystem.fs, limit: LARGE };
      const thrown = await assertRejects(() =>
        extractMember(archive, kind, "tool", small, options)
      );
      assertStrictEquals(thrown, full);

      const broken = new Error("input/output error");
      const fs: FileSystem = { ...denoSystem.fs, openSync: (path) => failingReads(path, broken) };
      const out = sinkFile((part) => part.length);
      const error = await assertRejects(() =>
        extractMember(archive, kind, "tool", out, { ...options, fs })
      );
      assertStrictEquals(error, broken);
    });
  });
}

Deno.test("whoever stops an unpacking gets the reason, and not the rest", async () => {
  for (const kind of ["tar.gz", "tar", "zip", "gz"] as const) {
    await withArchive(archiveOf(kind, 8 * MIB), async (archive) => {
      const stop = new AbortController(), reason = new Error("interrupted");
      let written = 0;
      const out = sinkFile((part) => {
        if ((written += part.length) > MIB) stop.abort(reason);
        return part.length;
      });
      const options = { fs: denoSystem.fs, limit: LARGE, signal: stop.signal };
      const thrown = await assertRejects(() => extractMember(archive, kind, "tool", out, options));
      assertStrictEquals(thrown, reason);
      assert(written < 2 * MIB, `${kind}: ${written} bytes`);
    });
  }
});

/** The third read fails. */
function failingReads(path: string, error: Error): OpenFile {
  const file = Deno.openSync(path);
  let reads = 0;
  return {
    statSync: () => file.statSync(),
    seekSync: (offset: number, whence: Deno.SeekMode) => file.seekSync(offset, whence),
    readSync: (buffer: Uint8Array) => {
      if (++reads === 3) throw error;
      return file.readSync(buffer);
    },
    close: () => file.close(),
  } as OpenFile;
}

Deno.test("short reads and short writes lose nothing", async () => {
  const content = crypto.getRandomValues(new Uint8Array(50_000));
  const member = { name: "tool", content };
  const archives = { tar: tar(member), zip: zip([member]), gz: gzip(content) } as const;
  for (const [kind, archive] of Object.entries(archives)) {
    await withArchive(archive, async (path) => {
      const fs: FileSystem = { ...denoSystem.fs, openSync: shortReads };
      const parts: Uint8Array[] = [];
      const out = sinkFile((part) => {
        parts.push(part.slice(0, 777));
        return Math.min(part.length, 777);
      });
      await extractMember(path, kind as ArchiveKind, "tool", out, { fs, limit: 50_000 });
      assertEquals(bytes(...parts), content);
    });
  }
});

function shortReads(path: string): OpenFile {
  const file = Deno.openSync(path);
  return {
    statSync: () => file.statSync(),
    seekSync: (offset: number, whence: Deno.SeekMode) => file.seekSync(offset, whence),
    readSync: (buffer: Uint8Array) => file.readSync(buffer.subarray(0, 999)),
    close: () => file.close(),
  } as OpenFile;
}
