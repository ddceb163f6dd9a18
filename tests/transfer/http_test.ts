/** Requests against servers that do as they please: where we go, what we send, when we give up. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { join, toFileUrl } from "@std/path";
import { denoSystem } from "../../src/system/deno_system.ts";
import { UpdateError } from "../../src/base/errors.ts";
import { fetchDocument, isMissing } from "../../src/transfer/http.ts";
import { networkReason } from "../../src/transfer/request.ts";
import type { FetchOptions, Limits } from "../../src/transfer/retry.ts";
import { checkUrl, isUrl, redactUrl } from "../../src/base/url_policy.ts";
import { makeCertificates } from "../support/certificates.ts";
import { type Answer, type HostileServer, hostileServer } from "../support/hostile_server.ts";
import { closedPort, failure, fetchOptions, SECRET, withSecrets } from "../support/network.ts";

const LIMIT = 1000;

/** Fetches `path` of that server, with secrets in the URL. */
async function get(
  server: { readonly url: string },
  changed: Partial<Limits> = {},
  path = "/document",
): Promise<string> {
  const url = withSecrets(`${server.url}${path}`);
  const { bytes } = await fetchDocument(url, { ...fetchOptions(changed), limit: LIMIT });
  return new TextDecoder().decode(bytes);
}

/** Redirects everything there. */
function redirect(location: string | null, status = 302): Answer {
  return ({ reply }) => reply(status, { location });
}

Deno.test("https is fetched from, http only from this machine or where the user allowed it", () => {
  const allowed = ["https://host/a", "http://localhost/a", "http://127.0.0.1:8/a", "http://[::1]/a"]
    .concat(["http://127.9.9.9/", "http://LOCALHOST/", "http://127.1/", "http://2130706433/"]);
  for (const url of allowed) assertEquals(checkUrl(url, false).href, new URL(url).href);
  const refused = ["http://host/a", "http://127.0.0.1.evil.example/", "http://localhost.example/"]
    .concat(["http://[::2]/", "http://0.0.0.0/", "http://1.127.0.0.1.nip.io/"]);
  for (const url of refused) {
    assertEquals(checkUrl(url, true).href, new URL(url).href);
    const error: UpdateError = assertThrows(() => checkUrl(url, false), UpdateError);
    assertEquals(error.kind, "usage");
    assertMatch(error.message, /^Cannot fetch http:\/\/\S+: http is not encrypted$/);
    assertMatch(error.hint!, /--allow-http/);
  }
});

Deno.test("no other scheme is fetched from, with --allow-http neither", async () => {
  for (const url of ["ftp://host/a", "data://text/plain,a", "ws://localhost/", "blob://a/b"]) {
    const options = { ...fetchOptions(), allowHttp: true, limit: LIMIT };
    const error = await failure("usage", () => fetchDocument(url, options));
    assertMatch(error.message, /only https is supported, not "[a-z]+:"$/);
  }
  const broken = `https://bob:${SECRET}@ho st/?${SECRET}`;
  await assertRejects(
    () => fetchDocument(broken, { ...fetchOptions(), limit: LIMIT }),
    UpdateError,
    "Not a valid URL: https://ho st/",
  );
});

Deno.test("a URL is shown without credentials, query and fragment, and not at any length", () => {
  const table: [string, string][] = [
    ["https://u:p@h.example:8443/a/b?token=x#y", "https://h.example:8443/a/b"],
    ["HTTPS://H/%7Ea", "https://h/%7Ea"],
    ["https://u:p@h h/a?b", "https://h h/a"],
    ["https://u:p@[bad/a?b", "https://[bad/a"],
    ["/some/path?x", "/some/path?x"],
    ["C:\\x\\y", "C:\\x\\y"],
    ["https://h/\u001b[31m", "https://h/%1B[31m"],
  ];
  for (const [url, shown] of table) assertEquals(redactUrl(url), shown);
  assertEquals(redactUrl(`https://h/${"a".repeat(9000)}`).length, 2001);
  assert(isUrl("https://x") && isUrl("file:///x") && !isUrl("C:\\x") && !isUrl("x/y://z"));
});

Deno.test("a document is read from a path, a relative path or a file URL as from the network", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const path = join(folder, "a document.json");
    Deno.writeTextFileSync(path, "content");
    const system = { ...denoSystem, cwd: folder };
    const options = { ...fetchOptions(), system, limit: 7 };
    for (const location of [path, "a document.json", toFileUrl(path).href]) {
      const document = await fetchDocument(location, options);
      assertEquals(new TextDecoder().decode(document.bytes), "content");
      assertEquals(document.location, location);
    }
    const tooSmall = { ...options, limit: 6 };
    const large = await failure("verification", () => fetchDocument(path, tooSmall));
    assertStringIncludes(large.message, `"${path}" is larger than 6 bytes`);
    const missing = await failure("filesystem", () => fetchDocument("other", options));
    assertStringIncludes(missing.message, `There is no file "${join(folder, "other")}"`);
    assert(isMissing(missing));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test({
  name: "a FIFO or a folder in a document's place is refused, and not waited for",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = Deno.makeTempDirSync({ prefix: "updater-shim-" });
    const fifo = join(folder, "release.json");
    assertEquals(new Deno.Command("mkfifo", { args: [fifo] }).outputSync().code, 0);
    for (const path of [folder, fifo]) {
      const options = { ...fetchOptions(), limit: LIMIT };
      const error = await failure("filesystem", () => fetchDocument(path, options));
      assertStringIncludes(error.message, `Cannot read "${path}": it is no plain file`);
    }
    Deno.removeSync(folder, { recursive: true });
  },
});

Deno.test("a request asks for identity, names us, and has the credentials in a header only", async () => {
  await using server = hostileServer(({ reply }) => reply(200, {}, "hello"));
  const url = `${server.url.replace("://", "://b%C3%B6b:a%3Ab%zz@")}/a?q=1`;
  const { bytes, location } = await fetchDocument(url, { ...fetchOptions(), limit: LIMIT });
  assertEquals(new TextDecoder().decode(bytes), "hello");
  assertEquals(location, url);
  const { path, headers } = server.asked[0]!;
  assertEquals(path, "/a?q=1");
  assertEquals(headers.get("accept-encoding"), "identity");
  assertMatch(headers.get("user-agent")!, /^updater-shim\/\d+\.\d+\.\d+/);
  const basic = atob(headers.get("authorization")!.replace("Basic ", ""));
  assertEquals(
    new TextDecoder().decode(Uint8Array.from(basic, (char) => char.charCodeAt(0))),
    "böb:a%3Ab%zz", // not valid as a whole, so taken as it stands
  );
});

Deno.test("five redirects are followed, the sixth is not", async () => {
  let hops = 5;
  await using server = hostileServer(async ({ path, reply }) => {
    const at = Number(/^\/(\d+)/.exec(path)?.[1] ?? 0);
    if (at === hops) return await reply(200, {}, "there");
    await reply([301, 302, 303, 307, 308][at % 5]!, { location: `/${at + 1}` });
  });
  assertEquals(await get(server), "there");
  assertEquals(server.asked.length, 6);
  hops = 20;
  const error = await failure("network", () => get(server));
  assertEquals(error.message, `Cannot fetch ${server.url}/5: more than 5 redirects`);
  assertEquals(server.asked.length, 12, "and it is not tried again");
});

Deno.test("a redirect that leads nowhere good ends at once, with the reason", async () => {
  const cases: [string | null, RegExp][] = [
    ["?token=other", /it redirects in a circle$/],
    [null, /a redirect \(HTTP 302\) that does not say where to$/],
    ["http://[bad", /a redirect \(HTTP 302\) to something that is no URL$/],
    ["http://example.invalid/", /it redirects to where http is not encrypted$/],
    ["ftp://example.invalid/", /it redirects to where only https is supported, not "ftp:"$/],
    [`data:text/plain,${SECRET}`, /only https is supported, not "data:"$/],
    ["file:///etc/passwd", /only https is supported, not "file:"$/],
  ];
  for (const [location, message] of cases) {
    await using server = hostileServer(redirect(location));
    const error = await failure("network", () => get(server));
    assertMatch(error.message, message);
    assertEquals(error.url, `${server.url}/document`);
    assertEquals(server.asked.length, location?.startsWith("?") ? 2 : 1);
  }
});

Deno.test("credentials go to the server that they were given for, and to no other", async () => {
  const seen: (string | null)[] = [];
  await using other = hostileServer(async ({ headers, reply }) => {
    seen.push(headers.get("authorization"));
    await reply(302, { location: `${home.url}/home` });
  });
  await using home: HostileServer = hostileServer(async ({ path, headers, reply }) => {
    seen.push(headers.get("authorization"));
    if (path === "/home") return await reply(200, {}, "home");
    // Credentials that a server makes up are not sent either.
    await reply(302, { location: `${other.url.replace("://", "://eve:x@")}/away` });
  });
  assertEquals(await get(home), "home");
  const basic = `Basic ${btoa(`bob:${SECRET}`)}`;
  assertEquals(seen, [basic, null, basic]);
});

Deno.test("what another try may mend is tried again, what it cannot is not", async () => {
  for (const status of [408, 429, 500, 502, 503, 504]) {
    await using server = hostileServer(({ index, reply }) =>
      index < 2 ? reply(status) : reply(200, {}, "at last")
    );
    assertEquals(await get(server), "at last");
    const up = server.asked.length;
    assertEquals(up, 3);
    await using down = hostileServer(({ reply }) => reply(status));
    const error = await failure("network", () => get(down));
    assertEquals(
      error.message,
      `Cannot fetch ${down.url}/document: HTTP ${status} (tried 3 times)`,
    );
    assertEquals(down.asked.length, 3);
  }
  for (const status of [400, 401, 403, 404, 407, 410, 418, 501, 505]) {
    await using server = hostileServer(({ reply }) => reply(status));
    const error = await failure("network", () => get(server));
    assertEquals(error.message, `Cannot fetch ${server.url}/document: HTTP ${status}`);
    assertEquals(error.url, `${server.url}/document`);
    assertEquals(server.asked.length, 1);
    assertEquals(isMissing(error), status === 404 || status === 410);
  }
});

Deno.test("Retry-After is honoured, as seconds and as a date; who asks for too much is left alone", async () => {
  const pauseAfter = async (value: string, maxPauseMs: number) => {
    const pauses: number[] = [];
    const options = pausing(pauses, { maxPauseMs });
    await using server = hostileServer(({ index, reply }) =>
      index === 0 ? reply(503, { "retry-after": value }) : reply(200)
    );
    await fetchDocument(server.url, { ...options, limit: LIMIT });
    assertEquals(pauses.length, 1);
    return pauses[0]!;
  };
  assertEquals(await pauseAfter("7", 60_000), 7000);
  const date = await pauseAfter(new Date(denoSystem.clock.now() + 9000).toUTCString(), 60_000);
  assert(date > 7000 && date <= 9000, `${date}`);
  for (const [value, minutes] of [["3600", "60 minutes"], ["61", "2 minutes"]] as const) {
    const pauses: number[] = [];
    await using server = hostileServer(({ reply }) => reply(429, { "retry-after": value }));
    const options = pausing(pauses, { maxPauseMs: 60_000 });
    const fetching = () => fetchDocument(server.url, { ...options, limit: LIMIT });
    const error = await failure("network", fetching);
    assertStringIncludes(
      error.message,
      `HTTP 429, and the server asks to be left alone for ${minutes}`,
    );
    assertEquals([server.asked.length, pauses], [1, []]);
  }
  for (const nonsense of ["soon", "-5", "", "1e9", new Date(0).toUTCString()]) {
    assert(await pauseAfter(nonsense, 60_000) <= 1, nonsense);
  }
});

/** Options whose pauses are noted instead of waited for. */
function pausing(pauses: number[], changed: Partial<Limits>): FetchOptions {
  const clock = {
    ...denoSystem.clock,
    delay: (ms: number) => (pauses.push(ms), Promise.resolve()),
  };
  return { ...fetchOptions(changed), system: { ...denoSystem, clock } };
}

Deno.test("pauses double, are different for everyone, and never exceed their bound", async () => {
  const pauses: number[] = [];
  await using server = hostileServer(({ reply }) => reply(500));
  const options = pausing(pauses, { tries: 9, pauseMs: 100, maxPauseMs: 2000 });
  await failure("network", () => fetchDocument(server.url, { ...options, limit: LIMIT }));
  assertEquals(pauses.length, 8);
  const jitters = pauses.slice(0, 4).map((pause, index) => pause / 2 ** index);
  assert(new Set(jitters).size > 1, `${jitters}`);
  pauses.forEach((pause, index) => {
    const full = 100 * 2 ** index;
    assert(pause >= Math.min(full / 2, 2000) && pause <= Math.min(full, 2000), pauses.join());
  });
});

Deno.test("a server that is down is a network failure that names it", async () => {
  const port = closedPort();
  const error = await failure("network", () => get({ url: `http://127.0.0.1:${port}` }));
  assertMatch(
    error.message,
    new RegExp(
      `^Cannot fetch http://127.0.0.1:${port}/document: tcp connect error: [^:]*refused.* \\(tried 3 times\\)$`,
    ),
  );
});

Deno.test("the runtime's words are shown without its URLs", () => {
  const url = `https://bob:${SECRET}@host/a?token=${SECRET}`;
  const table: [string, string][] = [
    [`error sending request for url (${url}): client error (Connect): no (x)`, "no (x)"],
    [
      `error sending request for url (${url}): other`,
      "error sending request for url (https://host/a): other",
    ],
  ];
  for (const [text, shown] of table) {
    const error = new TypeError("fetch failed", { cause: new Error(text) });
    assertEquals(networkReason(error), shown);
  }
  assertEquals(networkReason("text"), "text");
});

Deno.test("an unknown host is a network failure that names it", async () => {
  const error = await failure("network", () => get({ url: "https://no-such-host.invalid" }));
  assertMatch(error.message, /^Cannot fetch https:\/\/no-such-host.invalid\/document: dns/);
});

Deno.test("an answer that never comes, or never ends, does not hold us", async () => {
  const cases: [string, Answer, RegExp][] = [
    ["nothing", ({ untilClosed }) => untilClosed(), /no answer within 0.3 s/],
    ["dripping headers", async ({ write }) => {
      await write("HTTP/1.1 200 OK\r\nX: ");
      for (;;) await write("y").then(() => denoSystem.clock.delay(20));
    }, /no answer within 0.3 s/],
    ["endless headers", async ({ write }) => {
      await write("HTTP/1.1 200 OK\r\n");
      for (;;) await write(`X: ${"y".repeat(10_000)}\r\n`);
    }, /head is too large/],
    ["endless provisional answers", async ({ write }) => {
      for (;;) await write("HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n");
    }, /no answer within 0.3 s/],
    ["no HTTP", ({ write }) => write("SSH-2.0-OpenSSH_9\r\n"), /invalid HTTP version/],
    [
      "two lengths",
      ({ write }) => write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
      /content-length/,
    ],
    ["closed at once", () => Promise.resolve(), /connection/i],
  ];
  for (const [name, answer, message] of cases) {
    await using server = hostileServer(answer);
    const error = await failure("network", () => get(server, { tries: 2 }));
    assertMatch(error.message, message, name);
    assertEquals(server.asked.length, 2, name);
  }
});

Deno.test("a body that stalls, drips or breaks off is tried again, and then given up", async () => {
  const cases: [string, Answer, RegExp][] = [
    ["stalls", async ({ write, untilClosed }) => {
      await write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
      await untilClosed();
    }, /no byte for 0.3 s/],
    ["drips", async ({ write }) => {
      await write("HTTP/1.1 200 OK\r\n\r\n");
      for (;;) await write("y").then(() => denoSystem.clock.delay(20));
    }, /slower than 1024 bytes a second/],
    ["breaks off", ({ reply }) => reply(200, { "content-length": "9" }, "abc"), /error reading/],
    [
      "breaks off in a chunk",
      ({ write }) => write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"),
      /error reading/,
    ],
    [
      "is no chunk",
      ({ write }) => write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"),
      /error reading/,
    ],
  ];
  for (const [name, answer, message] of cases) {
    await using server = hostileServer((to) =>
      to.index === 2 ? to.reply(200, {}, "whole") : answer(to)
    );
    const limits = { rateWindowMs: 200 };
    assertEquals(await get(server, limits), "whole", name);
    await using worse = hostileServer(answer);
    const error = await failure("network", () => get(worse, { ...limits, tries: 2 }));
    assertMatch(error.message, message, name);
    assertEquals(worse.asked.length, 2, name);
  }
});

Deno.test("an endless body ends where the limit is", async () => {
  const hungUp = Promise.withResolvers<unknown>();
  await using server = hostileServer(async ({ write }) => {
    await write("HTTP/1.1 200 OK\r\n\r\n");
    for (;;) {
      await write("y".repeat(100)).catch((error) => {
        hungUp.resolve(error);
        throw error;
      });
    }
  });
  const error = await failure("verification", () => get(server));
  await hungUp.promise; // while the server would send on for ever
  assertEquals(error.message, `${server.url}/document is larger than ${LIMIT} bytes`);
  assertEquals(server.asked.length, 1, "and it is not tried again");
});

Deno.test("a document may be as large as the limit, and empty", async () => {
  await using server = hostileServer(({ path, reply }) =>
    reply(200, {}, path.startsWith("/empty") ? "" : "x".repeat(LIMIT))
  );
  assertEquals((await get(server)).length, LIMIT);
  assertEquals(await get(server, {}, "/empty"), "");
});

Deno.test("an answer to another question is no document", async () => {
  for (const status of [201, 204, 206, 416]) {
    await using server = hostileServer(({ reply }) => reply(status));
    const error = await failure("network", () => get(server));
    assertMatch(error.message, new RegExp(`HTTP ${status}, which is no answer`));
  }
});

Deno.test("compressed data is refused, or bounded by what comes out of it", async () => {
  const bomb = await gzip(new Uint8Array(50_000_000));
  await using server = hostileServer(({ reply }) =>
    reply(200, { "content-encoding": "gzip" }, bomb)
  );
  const error = await failure("network", () => get(server));
  assertMatch(error.message, /it sends compressed data, which was not asked for$/);
  assertEquals(server.asked.length, 1);
});

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

Deno.test("all tries together have a time, and a pause that would exceed it is not waited for", async () => {
  await using silent = hostileServer(({ untilClosed }) => untilClosed());
  const error = await failure("network", () => get(silent, { totalMs: 200 }));
  assertStringIncludes(error.message, "it is not done within 0.2 s");
  assertEquals(silent.asked.length, 1);
  await using busy = hostileServer(({ reply }) => reply(503, { "retry-after": "60" }));
  const started = performance.now();
  const limits = { totalMs: 20_000, maxPauseMs: 60_000 };
  assertMatch((await failure("network", () => get(busy, limits))).message, /HTTP 503$/);
  assert(performance.now() - started < 10_000);
});

Deno.test("a document has a minute", async () => {
  await using busy = hostileServer(({ reply }) => reply(503, { "retry-after": "59" }));
  const pauses: number[] = [];
  const { system, signal } = pausing(pauses, {});
  const options = { system, signal, allowHttp: false, limits: { maxPauseMs: 600_000 } };
  await failure("network", () => fetchDocument(busy.url, { ...options, limit: LIMIT }));
  assertEquals(pauses.length, 4);
  await using busier = hostileServer(({ reply }) => reply(503, { "retry-after": "61" }));
  await failure("network", () => fetchDocument(busier.url, { ...options, limit: LIMIT }));
  assertEquals(pauses.length, 4);
});

Deno.test("an interruption ends everything at once, with its own reason", async () => {
  const cases: [string, Answer][] = [
    ["while connecting", ({ untilClosed }) => untilClosed()],
    ["in the body", async ({ write, untilClosed }) => {
      await write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
      await untilClosed();
    }],
    ["in a pause", ({ reply }) => reply(503)],
  ];
  const patient = { connectMs: 60_000, idleMs: 60_000, pauseMs: 60_000, maxPauseMs: 60_000 };
  for (const [name, answer] of cases) {
    const stop = new AbortController();
    const reason = new UpdateError("interrupted", name);
    await using server = hostileServer(async (to) => {
      setTimeout(() => stop.abort(reason), 50);
      await answer(to);
    });
    const options = { ...fetchOptions({ ...patient, totalMs: 120_000 }), signal: stop.signal };
    const error: unknown = await assertRejects(() =>
      fetchDocument(server.url, { ...options, limit: LIMIT })
    );
    assertEquals(error, reason);
    const again: unknown = await assertRejects(() =>
      fetchDocument(server.url, { ...options, limit: LIMIT })
    );
    assertEquals(again, reason);
    assertEquals(server.asked.length, 1, "an interrupted one asks for nothing");
  }
});

Deno.test("a certificate that cannot be trusted is not tried again; https never leads to http", async () => {
  const { ca, cert, key } = await makeCertificates();
  let asked = 0;
  await using plain = hostileServer(({ reply }) => reply(200, {}, "plain"));
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert, key, onListen() {} },
    (request) => {
      asked++;
      const { pathname } = new URL(request.url);
      if (pathname === "/down") return Response.redirect(`${plain.url}/?token=${SECRET}`);
      if (pathname === "/on") {
        return new Response(null, { status: 302, headers: { location: "/" } });
      }
      return new Response("encrypted");
    },
  );
  const url = `https://localhost:${server.addr.port}`;
  const connections: string[] = [];
  const trusting = (client: Deno.HttpClient): FetchOptions => ({
    ...fetchOptions({ connectMs: 5000 }),
    system: {
      ...denoSystem,
      fetch: (
        url,
        init,
      ) => (connections.push(url), denoSystem.fetch(url, { ...init, client } as RequestInit)),
    },
  });
  using nobody = Deno.createHttpClient({ caCerts: [] });
  const at = (path: string, client: Deno.HttpClient) =>
    fetchDocument(withSecrets(`${url}${path}`), { ...trusting(client), limit: LIMIT });
  const untrusted = await failure("network", () => at("/", nobody));
  assertMatch(untrusted.message, /^Cannot fetch https:\/\/localhost:\d+\/: .*certificate/);
  assertMatch(untrusted.hint!, /SSL_CERT_FILE/);
  assertEquals([connections.length, asked], [1, 0]);

  using client = Deno.createHttpClient({ caCerts: [ca] });
  assertEquals(new TextDecoder().decode((await at("/on", client)).bytes), "encrypted");
  const down = await failure("network", () => at("/down", client));
  assertEquals(
    down.message,
    `Cannot fetch ${url}/down: it redirects from https to http, ${plain.url}/`,
  );
  assertEquals(plain.asked.length, 0);
  const allowed = { ...trusting(client), allowHttp: true, limit: LIMIT };
  await failure("network", () => fetchDocument(`${url}/down`, allowed));
  assertEquals(plain.asked.length, 0, "with --allow-http neither");
});
