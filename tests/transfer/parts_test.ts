/** A slow connection is helped by three others, where the server can do that; else it goes on alone. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Limits } from "../../src/transfer/retry.ts";
import { DownloadBed } from "../support/download_bed.ts";
import { delay, dripping, partsOf, type Server } from "../support/dripping_server.ts";
import { hostileServer } from "../support/hostile_server.ts";

const SIZE = 13_000_000;
const PART = 512 * 1024;
/** Anything on loopback is slow by these. */
const SLOW: Partial<Limits> = { slowMs: 100, slowBytesPerSecond: 1e9, pauseMs: 1 };

Deno.test("a slow download goes on over four connections, each part once and in its place", async () => {
  using bed = new DownloadBed(SIZE);
  // The first one that is asked for comes last.
  const { answer, seen } = dripping(bed.content, {
    part: async ({ index }) => void await delay(index === 1 ? 150 : 5),
  });
  await using server = hostileServer(answer);
  await bed.download(server, SLOW);
  assertEquals(bed.read(), bed.content);
  assertEquals(bed.progress, bed.progress.toSorted((a, b) => a - b));
  const parts = partsOf(server);
  assert(parts.length > 4, `${parts.length}`);
  assertEquals(seen.most, 4);
  const starts = parts.map(({ headers }) => Number(/=(\d+)-/.exec(headers.get("range")!)![1]));
  const sorted = starts.toSorted((a, b) => a - b);
  assertEquals(sorted, sorted.map((_, at) => sorted[0]! + at * PART));
  assertEquals(new Set(parts.map(({ headers }) => headers.get("if-range"))), new Set(['"one"']));
});

Deno.test("a fast one, one that is about to end, and a small file stay with their connection", async () => {
  for (const [size, limits] of [[SIZE, { slowMs: 1 }], [300_000, SLOW]] as const) {
    using bed = new DownloadBed(size);
    await using server = hostileServer(async ({ reply }) =>
      await reply(200, { etag: '"one"', "accept-ranges": "bytes" }, bed.content)
    );
    await bed.download(server, limits);
    assertEquals(bed.read(), bed.content);
    assertEquals(server.asked.length, 1);
  }
});

for (
  const [what, headers] of Object.entries({
    "a weak entity tag": { etag: 'W/"one"' },
    "no ranges": { "accept-ranges": "none" },
  })
) {
  Deno.test(`a server with ${what} is never asked for parts`, async () => {
    using bed = new DownloadBed(SIZE / 4);
    await using server = hostileServer(dripping(bed.content, { headers }).answer);
    await bed.download(server, SLOW);
    assertEquals(bed.read(), bed.content);
    assertEquals(server.asked.length, 1);
  });
}

const WRONG: Record<string, NonNullable<Server["part"]>> = {
  "all of the file": async ({ reply }) => (await reply(200, { etag: '"two"' }, "x"), true),
  "nothing, and closes the connection,": () => Promise.resolve(true),
  "HTTP 416": async ({ reply }) => (await reply(416), true),
  "HTTP 429": async ({ reply }) => (await reply(429), true),
  "HTTP 429 for an hour": async ({ reply }) => (await reply(429, { "retry-after": "3600" }), true),
  "HTTP 403": async ({ reply }) => (await reply(403), true),
  "another part": async ({ reply }, start, end) => (await reply(
    206,
    { "content-range": `bytes ${start + 1}-${end + 1}/${SIZE}` },
    new Uint8Array(end - start + 1),
  ),
    true),
  "a part of another version": async ({ reply }, start, end) => (await reply(
    206,
    { etag: '"two"', "content-range": `bytes ${start}-${end}/${SIZE}` },
    new Uint8Array(end - start + 1),
  ),
    true),
  "a part that is too long": async ({ reply }, start, end) => (await reply(
    206,
    { "content-range": `bytes ${start}-${end}/${SIZE}` },
    new Uint8Array(end - start + 2),
  ),
    true),
};

for (const [what, part] of Object.entries(WRONG)) {
  Deno.test(`a server that answers ${what} is asked by one connection again, and for no more parts`, async () => {
    using bed = new DownloadBed(SIZE);
    await using server = hostileServer(dripping(bed.content, { part }).answer);
    await bed.download(server, SLOW);
    assertEquals(bed.read(), bed.content);
    assert(partsOf(server).length <= 4);
    assert(/^bytes=\d+-$/.test(server.asked.at(-1)!.headers.get("range")!));
  });
}

Deno.test("where parts are of other bytes under the same tag, one connection fetches all of it", async () => {
  using bed = new DownloadBed(SIZE);
  const { answer } = dripping(bed.content, {
    async part({ reply }, start, end) {
      const range = `bytes ${start}-${end}/${SIZE}`;
      const headers = { etag: '"one"', "content-range": range };
      await reply(206, headers, new Uint8Array(end - start + 1));
      return true;
    },
  });
  await using server = hostileServer(answer);
  await bed.download(server, SLOW);
  assertEquals(bed.read(), bed.content);
  assertEquals(server.asked.at(-1)!.headers.get("range"), null);
});

Deno.test("a part that is cut off is asked for again", async () => {
  using bed = new DownloadBed(SIZE);
  let cut = 0;
  const { answer } = dripping(bed.content, {
    async part({ reply }, start, end) {
      if (cut++ > 0) return false;
      const range = `bytes ${start}-${end}/${SIZE}`;
      const half = bed.content.subarray(start, start + 1000);
      await reply(206, { "content-range": range, "content-length": `${end - start + 1}` }, half);
      return true;
    },
  });
  await using server = hostileServer(answer);
  await bed.download(server, SLOW);
  assertEquals(bed.read(), bed.content);
});

Deno.test("whoever stops it keeps what came in its order, and a later run goes on from there", async () => {
  using bed = new DownloadBed(SIZE);
  const stop = new AbortController();
  const { answer } = dripping(bed.content, {
    async part({ index }, start) {
      if (start + PART < SIZE - PART) return false;
      await delay(50);
      stop.abort(new Error(`stopped by ${index}`));
      await delay(50);
      return false;
    },
  });
  await using server = hostileServer(answer);
  await assertRejects(
    () => bed.download(server, SLOW, { signal: stop.signal }),
    Error,
    "stopped by",
  );
  const kept = bed.read();
  assert(kept.length > 0 && kept.length < SIZE);
  assertEquals(kept, bed.content.subarray(0, kept.length));
  await using good = hostileServer(dripping(bed.content).answer);
  await bed.download({ url: good.url }, SLOW).catch(() => {});
  assertEquals(bed.read(), bed.content);
});
