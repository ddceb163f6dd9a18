import { assert, assertEquals, assertMatch } from "@std/assert";
import type { ShimEvent } from "../../src/base/events.ts";
import { barLine } from "../../src/output/progress.ts";
import { createReporter, describe, type ReporterOptions } from "../../src/output/reporter.ts";
import { visible, visibleJson } from "../../src/output/text.ts";

/** A terminal that keeps what it was told, and a clock that is moved by hand. */
class Desk {
  out = "";
  err = "";
  now = 0;
  readonly report: (event: ShimEvent) => void;

  constructor(options: ReporterOptions & { terminal?: boolean; columns?: number } = {}) {
    this.report = createReporter({
      terminal: {
        out: (text) => this.out += text,
        err: (text) => this.err += text,
        isTerminal: options.terminal ?? false,
        columns: () => options.columns ?? 80,
        isInteractive: false,
        isAttended: false,
        readInput: () => Promise.resolve(null),
        inputEnd: () => Promise.resolve(),
      },
      clock: {
        now: () => this.now,
        monotonic: () => this.now,
        delay: () => Promise.resolve(),
      },
    }, options);
  }

  /** Progress of a file, `ms` later. */
  download(ms: number, received: number, total = 1000, file = "tool"): string {
    this.now += ms;
    const before = this.err.length;
    this.report({ event: "download", file, received, total });
    return this.err.slice(before);
  }
}

const ERROR: ShimEvent = {
  event: "error",
  code: 3,
  message: "Cannot reach https://host/",
  url: "https://host/",
  hint: "Check the network.",
};
const UPDATED: ShimEvent = { event: "updated", from: "1.0.0", to: "1.1.0" };

Deno.test("An error is one sentence and what to do next, on the standard error", () => {
  const desk = new Desk();
  desk.report(ERROR);
  assertEquals(desk.err, "updater-shim: Cannot reach https://host/\n  Check the network.\n");
  assertEquals(desk.out, "");
});

Deno.test("With --json each event is one line on the standard output, people still get text", () => {
  const desk = new Desk({ json: true });
  desk.report(UPDATED);
  desk.report(ERROR);
  assertEquals(desk.out.split("\n").slice(0, -1).map((line) => JSON.parse(line)), [UPDATED, ERROR]);
  assertMatch(desk.err, /^Updated 1\.0\.0 -> 1\.1\.0\nupdater-shim: Cannot/);
});

Deno.test("With --quiet people see warnings and errors only, programs still see all", () => {
  for (const json of [false, true]) {
    const desk = new Desk({ quiet: true, json, terminal: true });
    desk.report(UPDATED);
    desk.download(0, 500);
    assertEquals(desk.err, "");
    desk.report({ event: "warning", message: "A", hint: "B" });
    desk.report(ERROR);
    assertMatch(desk.err, /^Warning: A\n {2}B\nupdater-shim: Cannot/);
    assertEquals(desk.out.split("\n").length - 1, json ? 4 : 0);
  }
});

Deno.test("Every event that matters to people has a sentence", () => {
  const cases: [ShimEvent, string | undefined][] = [
    [
      { event: "recovered", outcome: "finished", files: [] },
      "Finished an update that had been interrupted.\n",
    ],
    [{ event: "repaired", path: "/a", from: "/a.previous" }, "Restored /a from /a.previous\n"],
    [{ event: "nothing-to-repair" }, "Nothing to repair.\n"],
    [{ event: "waiting", pid: 7 }, "Waiting for process 7 to exit\n"],
    [{ event: "waiting", pid: 0 }, "Waiting for the tool to exit\n"],
    [
      { event: "manifest", name: "t", version: "1.0.0", url: "https://h/", signedBy: null },
      "Found t 1.0.0 (no public key is configured: not signed)\n",
    ],
    [
      { event: "manifest", name: "t", version: "1.0.0", url: "https://h/", signedBy: "AB" },
      "Found t 1.0.0, signed by key AB\n",
    ],
    [{ event: "up-to-date", version: "1.0.0" }, "1.0.0 is installed: up to date\n"],
    [
      { event: "available", from: null, to: "1.0.0", checked: "2026-11-01T12:00:00Z", fresh: true },
      "1.0.0 is available\n",
    ],
    [
      { event: "verified", file: "tool", size: 31_457_280, sha256: "ab" },
      "Verified tool (31.5 MB)\n",
    ],
    [{ event: "updated", from: null, to: "1.0.0" }, "Installed 1.0.0\n"],
    [{ event: "rolled-back", from: null, to: "1.0.0" }, "Went back: unknown version -> 1.0.0\n"],
    [
      { event: "would-update", from: "1.0.0", to: "2.0.0", files: ["/a", "/b"] },
      "Would update 1.0.0 -> 2.0.0:\n  /a\n  /b\n",
    ],
    [{ event: "uninstalled", files: ["/a"] }, "Removed:\n  /a\n"],
    [
      { event: "uninstalled", files: ["/a"], afterExit: "/b" },
      "Removed:\n  /a\n  /b (as soon as nothing executes it, for 20 s at most)\n",
    ],
    [{ event: "relaunched", path: "/a", args: ["x"] }, "Started /a\n"],
    [{ event: "swapped", path: "/a" }, undefined],
  ];
  for (const [event, text] of cases) assertEquals(describe(event), text);
});

/** Erases the screen, sets the title, starts a line, hides, turns around. */
const NASTY =
  "a\x1b[2J\x9b1m\x1b]0;t\x07\r\nb\u202eexe\u200b\u2028\u0085\ufeff\u061c\u{e0001}\ud800z";

Deno.test("Nothing from outside steers the terminal or begins a line", () => {
  const events: ShimEvent[] = [
    { event: "error", code: 3, message: NASTY, hint: NASTY, path: NASTY },
    { event: "warning", message: NASTY, hint: NASTY },
    { event: "manifest", name: NASTY, version: NASTY, url: NASTY, signedBy: NASTY },
    { event: "would-update", from: NASTY, to: NASTY, files: [NASTY] },
    { event: "repaired", path: NASTY, from: NASTY },
    { event: "health-check", path: NASTY, output: NASTY },
  ];
  for (const event of events) {
    const desk = new Desk({ json: true });
    desk.report(event);
    const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
    const lines = desk.err.split("\n");
    for (const line of [...lines, desk.out.trimEnd()]) assert(!unsafe.test(line), line);
    assertEquals(lines.length - 1 <= 2, true, "as many lines as sentences");
    // A program gets the very string back.
    assertEquals(JSON.parse(desk.out), event);
  }
});

Deno.test("What is escaped can be read, what is harmless stays", () => {
  assertEquals(visible("a\x1b[31mb\nc"), "a\\u{1b}[31mb\\u{a}c");
  assertEquals(visible("\u{e0001}"), "\\u{e0001}");
  assertEquals(visible("\ud800"), "\ufffd");
  assertEquals(visible("grüße, 名前 😀 \\ \"'"), "grüße, 名前 😀 \\ \"'");
  assertEquals(visibleJson({ a: "\u{e0001}\u2028é" }), '{"a":"\\udb40\\udc01\\u2028é"}');
});

Deno.test("Without a terminal there is a line at most every tenth and every five seconds", () => {
  const desk = new Desk();
  assertEquals(desk.download(0, 1), "");
  assertEquals(desk.download(1000, 150), "Downloading: 10 % of 1 kB\n");
  assertEquals(desk.download(1000, 450), "", "another tenth, but too soon");
  assertEquals(desk.download(4000, 460), "Downloading: 40 % of 1 kB\n");
  assertEquals(desk.download(9000, 470), "", "long after, but the same tenth");
  assertEquals(desk.download(1, 1000), "Downloading: 100 % of 1 kB\n", "the end is always told");
});

Deno.test("Where a bar is not wanted there are lines", () => {
  for (const options of [{ noProgress: true }, { json: true }]) {
    const desk = new Desk({ ...options, terminal: true });
    assertEquals(desk.download(0, 500), "Downloading: 50 % of 1 kB\n");
  }
});

Deno.test("On a terminal one line is drawn over and over, until it ends", () => {
  const desk = new Desk({ terminal: true });
  assertMatch(desk.download(0, 100), /^\r\[#{4}\.{36}\] {2}10 % {2}100 B of 1 kB$/);
  assertEquals(desk.download(10, 110), "", "not more often than the eye sees");
  assertMatch(
    desk.download(990, 300),
    /^\r\[#+\.+\] {2}30 % {2}300 B of 1 kB {2}200 B\/s {2}4s left *$/,
  );
  const end = desk.download(1000, 1000);
  assertMatch(end, /^\r\[#{40}\] 100 % {2}1 kB of 1 kB {2}450 B\/s *\n$/);
});

Deno.test("Several files are one line, and other text does not forget any of them", () => {
  const desk = new Desk({ terminal: true });
  desk.download(0, 1000, 1000, "a");
  assertMatch(desk.download(100, 500, 1000, "b"), / 75 % {2}1\.5 kB of 2 kB/);
  const before = desk.err.length;
  desk.report({ event: "verified", file: "a", size: 1000, sha256: "ab" });
  // The bar makes room: what stands there is overwritten by blanks first.
  assertMatch(desk.err.slice(before), /^\r +\rVerified a \(1 kB\)\n$/);
  assertMatch(desk.download(1, 600, 1000, "b"), /^\r.* 80 % {2}1\.6 kB of 2 kB/);
});

Deno.test("What an earlier run had kept is no part of the rate", () => {
  const desk = new Desk({ terminal: true });
  desk.download(0, 900_000, 1_000_000);
  assertMatch(desk.download(1000, 901_000, 1_000_000), / 1 kB\/s {2}1m 39s left/);
  desk.download(100, 500_000, 1_000_000, "second");
  assertMatch(desk.download(900, 501_000, 1_000_000, "second"), / 1 kB\/s {2}9m 58s left/);
});

Deno.test("The rate is that of the last seconds", () => {
  const desk = new Desk({ terminal: true });
  for (let second = 0; second <= 10; second++) desk.download(1000, second * 10_000, 1_000_000);
  let last = "";
  for (let second = 1; second <= 10; second++) {
    last = desk.download(1000, 100_000 + second * 1000, 1_000_000);
  }
  assertMatch(last, / 1 kB\/s /);
});

Deno.test("The bar fits every width, in ASCII, and never fills the last column", () => {
  const state = { received: 13_200_000, total: 31_500_000, rate: 5_100_000 };
  for (let columns = 1; columns <= 200; columns++) {
    const line = barLine(state, columns);
    assert(line.length < columns || line === "", `${columns}: ${line}`);
    assertMatch(line, /^[ -~]*$/);
  }
  const wide = barLine(state, 120);
  assertMatch(wide, /^\[#{16}\.{24}\] {2}41 % {2}13\.2 MB of 31\.5 MB {2}5\.1 MB\/s {2}4s left$/);
});

Deno.test("Where patches are fetched, it says in the place of how much, if there is room", () => {
  const state = { received: 1_000_000, total: 4_200_000, rate: 0, insteadOf: 95_600_000 };
  for (let columns = 1; columns <= 200; columns++) {
    assert(barLine(state, columns).length < columns || columns === 1);
  }
  assertMatch(barLine(state, 80), /1 MB of 4\.2 MB instead of 95\.6 MB$/);
  assertEquals(barLine({ ...state, insteadOf: state.total }, 80).includes("instead"), false);
  const desk = new Desk();
  desk.report({
    ...{ event: "download", file: "tool", received: 4_200_000, total: 4_200_000 },
    insteadOf: 95_600_000,
  });
  assertEquals(desk.err, "Downloading: 100 % of 4.2 MB instead of 95.6 MB\n");
});

Deno.test("A patch that was refused is for the log only", () => {
  assertEquals(describe({ event: "patch-refused", file: "tool", reason: "why" }), undefined);
});

Deno.test("A bar that gets shorter leaves nothing of the longer one", () => {
  const desk = new Desk({ terminal: true });
  const first = desk.download(0, 123_456, 999_999);
  desk.download(1000, 345_678, 999_999);
  const long = desk.err.slice(first.length).length;
  assert(desk.download(60_000, 345_678, 999_999).length >= long);
});

Deno.test("A program gets no more than ten progress lines a second, and always the last", () => {
  const desk = new Desk({ json: true });
  for (let received = 1; received <= 1000; received++) desk.download(1, received);
  const lines = desk.out.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert(lines.length <= 12, `${lines.length} lines`);
  assertEquals(lines.at(-1), { event: "download", file: "tool", received: 1000, total: 1000 });
  assertEquals(lines[0].received, 1);
});
