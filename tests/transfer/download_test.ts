/** Downloads from servers that do as they please: what arrives, what stays, when it ends. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { join, toFileUrl } from "@std/path";
import { denoSystem } from "../../src/system/deno_system.ts";
import { download } from "../../src/transfer/download.ts";
import { removeIfThere } from "../../src/files/durable_files.ts";
import { UpdateError } from "../../src/base/errors.ts";
import { DownloadBed, writingSystem } from "../support/download_bed.ts";
import { type Answer, fileAnswer, hostileServer } from "../support/hostile_server.ts";
import { closedPort, failure, fetchOptions, SECRET } from "../support/network.ts";

const BOTH = ["file.part", "file.part.json"];

Deno.test("a file arrives whole, with its progress told and only we can read it", async () => {
  using bed = new DownloadBed(3_000_000);
  await using server = hostileServer(fileAnswer(bed.content));
  await bed.download(server);
  assertEquals(bed.read(), bed.content);
  assertEquals(server.asked.length, 1);
  assertEquals(server.asked[0]!.headers.get("range"), null);
  assertEquals(bed.progress, bed.progress.toSorted((a, b) => a - b));
  assertEquals(bed.progress.at(-1), bed.content.length);
  assertEquals(bed.names(), BOTH);
  if (Deno.build.os !== "windows") {
    for (const path of [bed.partial, bed.sidecar]) {
      assertEquals(Deno.statSync(path).mode! & 0o777, 0o600);
    }
  }
});

Deno.test("all bytes are made durable before a download is done", async () => {
  using bed = new DownloadBed(3_000_000);
  const steps: string[] = [];
  const note = (step: string) => steps.at(-1) === step || steps.push(step);
  const system = writingSystem({
    write: (file, bytes) => (note("write"), file.writeSync(bytes)),
    sync: () => note("sync"),
  });
  await using server = hostileServer(fileAnswer(bed.content));
  await bed.download(server, {}, { system });
  assertEquals(steps, ["write", "sync"]);
});

Deno.test("what is noted for a later run has neither credentials nor query", async () => {
  using bed = new DownloadBed();
  await using server = hostileServer(fileAnswer(bed.content));
  await bed.download(server);
  const text = Deno.readTextFileSync(bed.sidecar);
  assertEquals(JSON.parse(text).url, `${server.url}/file`);
  assert(!text.includes(SECRET) && !text.includes("bob"), text);
});

Deno.test("a later run goes on where the last one stopped", async () => {
  const validators: [Record<string, string>, string][] = [
    [{ etag: '"strong"' }, '"strong"'],
    [{ "last-modified": "Wed, 21 Oct 2015 07:28:00 GMT" }, "Wed, 21 Oct 2015 07:28:00 GMT"],
    [
      { etag: 'W/"weak"', "last-modified": "Wed, 21 Oct 2015 07:28:00 GMT" },
      "Wed, 21 Oct 2015 07:28:00 GMT",
    ],
  ];
  for (const [headers, condition] of validators) {
    using bed = new DownloadBed();
    const cut = (index: number) => index === 0 ? 30_000 : Infinity;
    await using server = hostileServer(fileAnswer(bed.content, { cut, validators: headers }));
    const error = await failure("network", () => bed.download(server, { tries: 1 }));
    assertMatch(error.message, /^Cannot fetch http:\S+\/file: .+ \(tried once\)$/);
    assertMatch(error.hint!, /goes on where it stopped/);
    assertEquals(bed.read(), bed.content.subarray(0, 30_000));
    await bed.download(server, { tries: 1 });
    assertEquals(bed.read(), bed.content);
    assertEquals(server.asked[1]!.headers.get("range"), "bytes=30000-");
    assertEquals(server.asked[1]!.headers.get("if-range"), condition);
    assert(bed.progress[0]! > 30_000);
  }
});

Deno.test("without something to recognize the version by, a download starts over", async () => {
  for (const validators of [{}, { etag: 'W/"weak"' }]) {
    using bed = new DownloadBed();
    const cut = (index: number) => index === 0 ? 30_000 : Infinity;
    await using server = hostileServer(fileAnswer(bed.content, { cut, validators }));
    await bed.download(server);
    assertEquals(bed.read(), bed.content);
    assertEquals(server.asked.map(({ headers }) => headers.get("range")), [null, null]);
    assertEquals(bed.names(), ["file.part"]);
  }
});

Deno.test("a server that has another version by now, or knows no ranges, sends all of it", async () => {
  for (const faults of [{ validators: { etag: '"two"' } }, { ranges: false }]) {
    using bed = new DownloadBed();
    await startWith(bed, 30_000);
    await using server = hostileServer(fileAnswer(bed.content, faults));
    Deno.writeTextFileSync(bed.sidecar, sidecar(bed, server.url));
    await bed.download(server);
    assertEquals(bed.read(), bed.content);
    assertEquals(server.asked.length, 1);
    assertEquals(server.asked[0]!.headers.get("if-range"), '"one"');
  }
});

/** Leaves what an earlier run would have left. */
async function startWith(bed: DownloadBed, bytes: number | Uint8Array): Promise<void> {
  const kept = typeof bytes === "number" ? bed.content.subarray(0, bytes) : bytes;
  await Deno.writeFile(bed.partial, kept);
}

function sidecar(bed: DownloadBed, url: string, changed: Record<string, unknown> = {}): string {
  const { sha256 } = bed.file({ url });
  return JSON.stringify({ url: `${url}/file`, sha256, validator: '"one"', ...changed });
}

Deno.test("a note that is damaged or of another file makes the download start over", async () => {
  using bed = new DownloadBed();
  await using server = hostileServer(fileAnswer(bed.content));
  const good = sidecar(bed, server.url);
  const notes: (string | undefined)[] = [undefined, "", "{", good.slice(0, -1), "null", "[]", "1"]
    .concat([
      sidecar(bed, server.url, { url: `${server.url}/other` }),
      sidecar(bed, server.url, { sha256: "00" }),
      sidecar(bed, server.url, { validator: 1 }),
      sidecar(bed, server.url, { more: 1 }),
      `${good}${" ".repeat(70_000)}`,
    ]);
  for (const note of notes) {
    await startWith(bed, 30_000);
    removeIfThere(denoSystem.fs, bed.sidecar);
    if (note !== undefined) Deno.writeTextFileSync(bed.sidecar, note);
    const before = server.asked.length;
    await bed.download(server);
    assertEquals(bed.read(), bed.content);
    assertEquals(server.asked.slice(before).map(({ headers }) => headers.get("range")), [null]);
  }
  await startWith(bed, 30_000);
  Deno.writeTextFileSync(bed.sidecar, good);
  await bed.download(server);
  assertEquals(server.asked.at(-1)!.headers.get("range"), "bytes=30000-", "the good one is used");
});

Deno.test("a complete partial file is verified and nothing is asked for", async () => {
  using bed = new DownloadBed();
  await using server = hostileServer(fileAnswer(bed.content));
  await startWith(bed, bed.content);
  await bed.download(server);
  assertEquals(server.asked.length, 0);
  assertEquals(bed.read(), bed.content);
});

Deno.test("kept bytes that are wrong or too many are replaced by a fresh download", async () => {
  const kept = (bed: DownloadBed) => [
    bed.content.map((byte) => byte ^ 1),
    new Uint8Array(bed.content.length + 1),
    new Uint8Array(30_000),
  ];
  for (const index of [0, 1, 2]) {
    using bed = new DownloadBed();
    await using server = hostileServer(fileAnswer(bed.content));
    await startWith(bed, kept(bed)[index]!);
    Deno.writeTextFileSync(bed.sidecar, sidecar(bed, server.url));
    await bed.download(server);
    assertEquals(bed.read(), bed.content);
    assertEquals(server.asked.at(-1)!.headers.get("range"), null);
    assertEquals(server.asked.length, index === 2 ? 2 : 1);
  }
});

Deno.test("an answer with another range than the one asked for ends the asking for ranges", async () => {
  const ranges = ["bytes 0-99999/100000", "bytes 30001-99999/100000", "bytes 30000-99998/100000"]
    .concat(["bytes 30000-99999/100001", "bytes */100000", "items 30000-99999/100000", ""]);
  for (const range of ranges) {
    using bed = new DownloadBed();
    await using server = hostileServer(async (to) => {
      if (!to.headers.has("range")) return await fileAnswer(bed.content)(to);
      const body = bed.content.subarray(30_000);
      await to.reply(206, { "content-range": range || null, etag: '"one"' }, body);
    });
    await startWith(bed, 30_000);
    Deno.writeTextFileSync(bed.sidecar, sidecar(bed, server.url));
    await bed.download(server);
    assertEquals(bed.read(), bed.content);
    assertEquals(server.asked.length, 2);
  }
});

Deno.test("a server that cannot do ranges is not asked for them again", async () => {
  using bed = new DownloadBed();
  await using server = hostileServer(async (to) => {
    if (to.headers.has("range")) return await to.reply(206, {}, "something else");
    const cut = (index: number) => [20_000, 0, 30_000][index] ?? Infinity;
    await fileAnswer(bed.content, { cut })(to);
  });
  await bed.download(server);
  assertEquals(bed.read(), bed.content);
  const ranges = server.asked.map(({ headers }) => headers.has("range"));
  assertEquals(ranges, [false, true, false, false]);
});

Deno.test("a range that is not there any more (416) makes the download start over once", async () => {
  using bed = new DownloadBed();
  await using server = hostileServer((to) =>
    to.headers.has("range") ? to.reply(416) : fileAnswer(bed.content)(to)
  );
  await startWith(bed, 30_000);
  Deno.writeTextFileSync(bed.sidecar, sidecar(bed, server.url));
  await bed.download(server);
  assertEquals(bed.read(), bed.content);
  assertEquals(server.asked.length, 2);
  await using never = hostileServer(({ reply }) => reply(416));
  using other = new DownloadBed();
  const error = await failure("network", () => other.download(never));
  assertMatch(error.message, /HTTP 416 with the range "none" \(tried 3 times\)$/);
  assertEquals(other.names(), []);
});

Deno.test("a range that is refused, with whatever 4xx, is asked for once more without it", async () => {
  for (const status of [400, 401, 403, 404, 412, 417, 431, 451]) {
    using bed = new DownloadBed();
    await using server = hostileServer((to) =>
      to.headers.has("range") ? to.reply(status) : fileAnswer(bed.content)(to)
    );
    await startWith(bed, 30_000);
    Deno.writeTextFileSync(bed.sidecar, sidecar(bed, server.url));
    await bed.download(server);
    assertEquals(bed.read(), bed.content);
    assertEquals(server.asked.map(({ headers }) => headers.has("range")), [true, false]);
  }
});

Deno.test("a server that puts us off is asked for the range again, and then without it", async () => {
  for (const status of [408, 429]) {
    for (const times of [1, 9]) {
      using bed = new DownloadBed();
      let left = times;
      await using server = hostileServer((to) =>
        to.headers.has("range") && left-- > 0 ? to.reply(status) : fileAnswer(bed.content)(to)
      );
      await startWith(bed, 30_000);
      Deno.writeTextFileSync(bed.sidecar, sidecar(bed, server.url));
      await bed.download(server);
      assertEquals(bed.read(), bed.content);
      const ranges = server.asked.map(({ headers }) => headers.has("range"));
      assertEquals(ranges, times === 1 ? [true, true] : [true, true, false]);
    }
  }
});

Deno.test("a validator that no honest server gives is neither kept nor sent", async () => {
  const long = `"${"e".repeat(255)}"`;
  for (const [etag, kept] of [[long, false], [long.slice(0, 255) + '"', true]] as const) {
    using bed = new DownloadBed();
    await using server = hostileServer((to) =>
      fileAnswer(bed.content, { cut: () => 40_000, validators: { etag } })(to)
    );
    await failure("network", () => bed.download(server, { tries: 1 }));
    assertEquals(bed.names().includes("file.part.json"), kept);
  }
  using bed = new DownloadBed();
  await using server = hostileServer((to) => fileAnswer(bed.content)(to));
  await startWith(bed, 30_000);
  const old = JSON.parse(sidecar(bed, server.url));
  for (const validator of [long, "a\nb", "\u{fc}"]) {
    Deno.writeTextFileSync(bed.sidecar, JSON.stringify({ ...old, validator }));
    await bed.download(server);
    assertEquals(server.asked.at(-1)!.headers.has("range"), false);
    await startWith(bed, 30_000);
  }
});

Deno.test("the right range with other bytes is found out by the digest, and fetched whole once", async () => {
  using bed = new DownloadBed();
  let whole: Uint8Array = bed.content;
  await using server = hostileServer((to) => {
    const wrong = to.headers.has("range") ? bed.content.map((byte) => byte ^ 1) : whole;
    return fileAnswer(wrong, { cut: (index) => index === 0 ? 30_000 : Infinity })(to);
  });
  // Cut off and gone on with in one run; an earlier run has no part in it.
  await bed.download(server);
  assertEquals(bed.read(), bed.content);
  assertEquals(server.asked.map(({ headers }) => headers.has("range")), [false, true, false]);

  whole = bed.content.map((byte) => byte ^ 2);
  await startWith(bed, 30_000);
  Deno.writeTextFileSync(bed.sidecar, sidecar(bed, server.url));
  const error = await failure("verification", () => bed.download(server));
  assertMatch(
    error.message,
    /\/file is not what the manifest says: 100000 bytes with SHA-256 [0-9a-f]{64} instead of 100000 bytes with [0-9a-f]{64}$/,
  );
  assertEquals(server.asked.slice(3).map(({ headers }) => headers.has("range")), [true, false]);
  assertEquals(bed.names(), []);
});

Deno.test("wrong bytes of the right size are refused at once, and nothing is left", async () => {
  using bed = new DownloadBed();
  await using server = hostileServer(fileAnswer(bed.content.toReversed()));
  await failure("verification", () => bed.download(server));
  assertEquals(server.asked.length, 1);
  assertEquals(bed.names(), []);
});

Deno.test("a length that is not the manifest's is refused before a byte is written", async () => {
  for (const length of [0, 99_999, 100_001, 10 ** 15]) {
    using bed = new DownloadBed();
    const headers = { "content-length": String(length), etag: '"one"' };
    await using server = hostileServer(({ reply }) => reply(200, headers, bed.content));
    const error = await failure("verification", () => bed.download(server));
    assertEquals(
      error.message,
      `${server.url}/file is not what the manifest says: ${length} bytes instead of 100000 bytes`,
    );
    assertEquals(error.url, `${server.url}/file`);
    assertEquals(server.asked.length, 1);
    assertEquals(bed.names(), []);
    // What an earlier run brought is not proved wrong by a portal that answers for everybody.
    await startWith(bed, 30_000);
    await failure("verification", () => bed.download(server));
    assertEquals(bed.read(), bed.content.subarray(0, 30_000));
  }
});

Deno.test("a length need not be told", async () => {
  using bed = new DownloadBed();
  const headers = { "content-length": null };
  await using server = hostileServer(({ reply }) => reply(200, headers, bed.content));
  await bed.download(server);
  assertEquals(bed.read(), bed.content);
});

Deno.test("a body that never ends puts not one byte too many on the disk, and leaves none", async () => {
  const bodies: Record<string, Answer> = {
    "without a length": async ({ write }) => {
      await write("HTTP/1.1 200 OK\r\n\r\n");
      for (const part = new Uint8Array(65_536);;) await write(part);
    },
    "in chunks": async ({ write }) => {
      await write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      for (const part = `8000\r\n${"x".repeat(0x8000)}\r\n`;;) await write(part);
    },
  };
  for (const [name, answer] of Object.entries(bodies)) {
    using bed = new DownloadBed();
    let written = 0;
    const system = writingSystem({
      write(file, bytes) {
        const count = file.writeSync(bytes);
        if (bytes.length > 1000) written += count; // the note is smaller
        return count;
      },
    });
    await using server = hostileServer(answer);
    const error = await failure("verification", () => bed.download(server, {}, { system }));
    assertStringIncludes(error.message, "more instead of 100000 bytes", name);
    assert(written <= bed.content.length, `${written}`);
    assertEquals(server.asked.length, 1);
    assertEquals(bed.names(), []);
  }
});

Deno.test("one byte too many without a length is refused as well", async () => {
  using bed = new DownloadBed();
  const body = new Uint8Array([...bed.content, 0]);
  await using server = hostileServer(({ reply }) => reply(200, { "content-length": null }, body));
  await failure("verification", () => bed.download(server));
  assertEquals(bed.names(), []);
});

Deno.test("a body that is too short is a failure of the network after all tries", async () => {
  // With ranges each try gets the rest, which is nothing: that is no progress.
  for (const ranges of [true, false]) {
    using bed = new DownloadBed();
    const short = bed.content.subarray(0, 99_000);
    await using server = hostileServer(({ headers, reply }) =>
      ranges && headers.has("range")
        ? reply(416, { "content-range": "bytes */99000" })
        : reply(200, { "content-length": null, etag: '"one"' }, short)
    );
    const error = await failure("network", () => bed.download(server));
    assertMatch(error.message, /cut off after 99000 of 100000 bytes \(tried \d times\)$/);
    assert(server.asked.length <= 5, `${server.asked.length}`);
    assertEquals(bed.read(), short);
  }
});

Deno.test("a network that breaks off again and again is borne as long as it gets further", async () => {
  using bed = new DownloadBed();
  await using server = hostileServer(fileAnswer(bed.content, { cut: () => 5000 }));
  await bed.download(server, { tries: 2 });
  assertEquals(bed.read(), bed.content);
  assertEquals(server.asked.length, 20);
});

Deno.test("a byte at a time does not hold us for ever", async () => {
  using bed = new DownloadBed();
  await using server = hostileServer(fileAnswer(bed.content, { cut: () => 1 }));
  const error = await failure("network", () => bed.download(server, { maxTries: 7, tries: 2 }));
  assertMatch(error.message, /\(tried 7 times\)$/);
  assertEquals(server.asked.length, 7);
  assertEquals(bed.read(), bed.content.subarray(0, 7));

  // A good beginning counts for its own time only.
  for (const beginning of ["", "y".repeat(50_000)]) {
    await using slow = hostileServer(async ({ write }) => {
      await write(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${beginning}`);
      for (;;) await write("y").then(() => denoSystem.clock.delay(10));
    });
    const limits = { rateWindowMs: 100, tries: 2 };
    const dripping = await failure("network", () => bed.download(slow, limits));
    assertMatch(dripping.message, /slower than 1024 bytes a second \(tried \d times\)$/);
  }
});

Deno.test("a body that stalls is gone on with over another connection", async () => {
  using bed = new DownloadBed();
  await using server = hostileServer(async (to) => {
    const cut = (index: number) => index === 0 ? 30_000 : Infinity;
    await fileAnswer(bed.content, { cut })(to);
    if (to.index === 0) await to.untilClosed();
  });
  await bed.download(server);
  assertEquals(bed.read(), bed.content);
  assertEquals(server.asked.at(-1)!.headers.get("range"), "bytes=30000-");
});

Deno.test("the time for a file counts over all its connections", async () => {
  using bed = new DownloadBed();
  await using server = hostileServer(fileAnswer(bed.content, { cut: () => 10 }));
  const limits = { totalMs: 300, pauseMs: 10, maxTries: 10_000 };
  const error = await failure("network", () => bed.download(server, limits));
  assertStringIncludes(error.message, "Cannot fetch");
  assert(bed.read().length < bed.content.length);
});

Deno.test("an HTTP error leaves nothing, and a kept part as it is", async () => {
  for (const [status, requests] of [[404, 1], [403, 1], [500, 3]] as const) {
    using bed = new DownloadBed();
    await using server = hostileServer(({ reply }) => reply(status));
    const error = await failure("network", () => bed.download(server));
    assertStringIncludes(error.message, `Cannot fetch ${server.url}/file: HTTP ${status}`);
    assertEquals(server.asked.length, requests);
    assertEquals(bed.names(), []);
    await startWith(bed, 30_000);
    Deno.writeTextFileSync(bed.sidecar, sidecar(bed, server.url));
    await failure("network", () => bed.download(server));
    assertEquals(bed.read(), bed.content.subarray(0, 30_000));
    assertEquals(bed.names(), BOTH);
  }
});

Deno.test("a server that is down leaves a kept part as it is", async () => {
  using bed = new DownloadBed();
  await startWith(bed, 30_000);
  await failure("network", () => bed.download({ url: `http://127.0.0.1:${closedPort()}` }));
  assertEquals(bed.read(), bed.content.subarray(0, 30_000));
});

Deno.test("compressed data is refused before a byte is written", async () => {
  using bed = new DownloadBed();
  const headers = { "content-encoding": "gzip", "content-length": null };
  await using server = hostileServer(({ reply }) => reply(200, headers, bed.content));
  await failure("network", () => bed.download(server));
  assertEquals(bed.names(), []);
});

Deno.test("an interruption ends a download at once with its reason, and keeps what came", async () => {
  using bed = new DownloadBed();
  const stop = new AbortController();
  const reason = new UpdateError("interrupted", "Interrupted");
  await using server = hostileServer(async (to) => {
    const cut = (index: number) => index === 0 ? 30_000 : Infinity;
    await fileAnswer(bed.content, { cut })(to);
    await to.untilClosed();
  });
  const limits = { idleMs: 60_000 };
  const interrupted: unknown = await assertRejects(() =>
    bed.download(server, limits, {
      signal: stop.signal,
      progress: (received) => received >= 30_000 && stop.abort(reason),
    })
  );
  assertEquals(interrupted, reason);
  assertEquals(bed.read(), bed.content.subarray(0, 30_000));
  await bed.download(server, limits);
  assertEquals(bed.read(), bed.content);
});

Deno.test("an interruption after the last byte is none too late", async () => {
  using bed = new DownloadBed();
  const stop = new AbortController();
  await using server = hostileServer(fileAnswer(bed.content));
  const progress = (received: number) => received === bed.content.length && stop.abort("stop");
  const reason: unknown = await assertRejects(() =>
    bed.download(server, {}, { signal: stop.signal, progress }).catch((reason) => {
      throw new Error(reason);
    })
  );
  assertEquals((reason as Error).message, "stop");
  assertEquals(bed.read(), bed.content);
});

Deno.test("several files at once: one that fails ends the others by the signal", async () => {
  using first = new DownloadBed(), second = new DownloadBed();
  const stop = new AbortController();
  const started = Promise.withResolvers<void>();
  await using endless = hostileServer(async ({ write, untilClosed }) => {
    await write("HTTP/1.1 200 OK\r\n\r\nabc");
    started.resolve();
    await untilClosed();
  });
  await using broken = hostileServer(async ({ reply }) => {
    await started.promise;
    await reply(404);
  });
  const limits = { idleMs: 60_000, connectMs: 60_000 };
  const options = { signal: stop.signal };
  const results = await Promise.allSettled([
    first.download(endless, limits, options),
    second.download(broken, limits, options).catch((error) => {
      stop.abort(error);
      throw error;
    }),
  ]);
  const reasons = results.map((result) => (result as PromiseRejectedResult).reason as UpdateError);
  assertEquals(reasons[0], reasons[1]);
  assertMatch(reasons[0]!.message, /HTTP 404$/);
});

Deno.test("bytes that the runtime says are written but are not on the disk are noticed", async () => {
  using bed = new DownloadBed();
  await using server = hostileServer(fileAnswer(bed.content));
  let left = 90_000;
  // As seen with Deno 2.9.6: the last part is lost without an error.
  const system = writingSystem({
    write(file, bytes) {
      if (bytes.length < 1000) return file.writeSync(bytes); // the note
      if (left > 0) file.writeSync(bytes.subarray(0, left));
      left -= bytes.length;
      return bytes.length;
    },
  });
  const error = await failure("verification", () => bed.download(server, {}, { system }));
  assertMatch(error.message, /: 90000 bytes with SHA-256 [0-9a-f]{64} instead of 100000 bytes/);
  assertEquals(bed.names(), []);
});

Deno.test("a disk that gets full is told, and gets back what we took", async () => {
  using bed = new DownloadBed(2_000_000);
  await using server = hostileServer(fileAnswer(bed.content));
  let room = 1_000_000;
  const system = writingSystem({
    write(file, bytes) {
      if (bytes.length > room) {
        throw Object.assign(new Error("No space left on device (os error 28)"), { code: "ENOSPC" });
      }
      room -= bytes.length;
      return file.writeSync(bytes);
    },
  });
  const error = await failure("filesystem", () => bed.download(server, {}, { system }));
  assertStringIncludes(error.message, `Cannot write "${bed.partial}": No space left on device`);
  assertMatch(error.hint!, /free some space/);
  assertEquals(server.asked.length, 1);
  assertEquals(bed.names(), []);
});

Deno.test("a file may lie on a disk, by path or file URL", async () => {
  using bed = new DownloadBed(2_500_000);
  const path = join(bed.folder, "a source");
  Deno.writeFileSync(path, bed.content);
  const { sha256, size } = bed.file({ url: "" });
  const progress: number[] = [];
  const fetch = (url: string, wanted = { sha256, size }) =>
    download({ url, ...wanted }, bed.partial, {
      ...fetchOptions(),
      progress: (received) => progress.push(received),
    });
  await startWith(bed, 10);
  for (const url of [path, toFileUrl(path).href]) {
    await fetch(url);
    assertEquals(bed.read(), bed.content);
  }
  assertEquals(progress.at(-1), size);

  const longer = await failure("verification", () => fetch(path, { sha256, size: size + 1 }));
  assertMatch(longer.message, /: 2500000 bytes instead of 2500001 bytes with/);
  await failure("verification", () => fetch(path, { sha256: "0".repeat(64), size }));
  assertEquals(bed.names(), ["a source"]);
  const folder = await failure("verification", () => fetch(bed.folder));
  assertMatch(folder.message, /: no file instead of/);
  const missing = await failure("filesystem", () => fetch(join(bed.folder, "missing")));
  assertMatch(missing.message, /^Cannot read ".*missing": /);
  const urls = ["file:///%FF"].concat(Deno.build.os === "windows" ? [] : ["file://elsewhere/a"]);
  for (const url of urls) {
    const error = await failure("usage", () => fetch(url));
    assertEquals(error.message, `Not the URL of a file on this machine: ${url}`);
  }
});
