/**
 * Whatever is wrong with the arguments, the configuration, the manifest, the network or the disk:
 * the right exit code, a sentence that names the thing, and the tool as it was.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import {
  manifestFor,
  releaseRoutes,
  type Routes,
  runShim,
  serve,
  type Served,
  type ShimRun,
} from "../support/shim.ts";
import { tool } from "../support/world.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const FRESH: Served = { target: "tool", content: bytes(tool("2.0.0")) };

/** An install dir with version 1.0.0 of the tool. */
class Tool implements AsyncDisposable {
  readonly folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-bad-" }));
  readonly path = join(this.folder, "tool");

  constructor() {
    Deno.writeTextFileSync(this.path, tool("1.0.0"), { mode: 0o755 });
  }

  /** Runs the shim, then makes sure that the tool was not touched and nothing lies about. */
  async run(...args: string[]): Promise<ShimRun> {
    const before = Deno.lstatSync(this.path);
    const run = await runShim(this.folder, ...args);
    const after = Deno.lstatSync(this.path);
    assertEquals([after.ino, after.mtime, after.size], [before.ino, before.mtime, before.size]);
    const { code } = await new Deno.Command(this.path, { args: ["--version"] }).output();
    assertEquals(code, 0, "the tool still runs");
    return run;
  }

  names(): string[] {
    return [...Deno.readDirSync(this.folder)].map(({ name }) => name)
      .filter((name) => name !== ".updater-shim").sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

function expectError(run: ShimRun, code: number, message: RegExp): void {
  assertMatch(run.stderr, message);
  assertEquals(run.code, code, run.stderr);
  // A sentence, then what to do next.
  assertMatch(run.stderr, /(updater-shim|\w+ could not be [a-z ]+): .+\n {2}\S/);
}

Deno.test("Bad arguments are usage errors that name what is wrong", async (t) => {
  await using it = new Tool();
  const cases: [string[], RegExp][] = [
    [[], /There is no release manifest to read in/],
    [["--repare"], /Unknown option "--repare"; did you mean "--repair"\?/],
    [["--Parent-pid=3"], /Unknown option "--Parent-pid"/],
    [["tool"], /Unexpected argument "tool"/],
    [["--parent-pid", "abc"], /--parent-pid needs the id of a process, not "abc"/],
    [["--parent-pid", "0"], /--parent-pid needs the id of a process, not "0"/],
    [["--parent-pid", "-5"], /--parent-pid needs the id of a process, not "-5"/],
    [["--parent-pid=1.5"], /--parent-pid needs the id of a process, not "1.5"/],
    [["--parent-pid=1e3"], /--parent-pid needs the id of a process/],
    [["--parent-pid"], /--parent-pid needs a value/],
    [["--wait-timeout", "soon"], /--wait-timeout needs a number of seconds/],
    [["--manifest="], /--manifest needs a value/],
    [["--manifest", "a", "--manifest", "b"], /--manifest is given more than once/],
    [["--repair", "--check"], /--repair and --check exclude each other/],
    [["--rollback", "--pin", "1.0.0"], /--pin does not go with --rollback/],
    [["--json=no"], /--json takes no value/],
    [["--", "x"], /-- ARGS go with --relaunch only/],
    [["--completions", "csh"], /no completions for "csh"/],
    [["--pin", "1.0.0"], /Cannot pin version 1.0.0/],
  ];
  for (const [args, message] of cases) {
    await t.step(args.join(" ") || "(none)", async () => {
      expectError(await it.run(...args), 2, message);
    });
  }
});

Deno.test("A configuration that cannot be used is named with its field", async (t) => {
  await using it = new Tool();
  const cases: [string, RegExp][] = [
    ["{", /not JSON/],
    ["[]", /expected an object/],
    ['{"manifst": "x"}', /"manifst" is not known; did you mean "manifest"\?/],
    ['{"manifest": 3}', /manifest: expected a string, found 3/],
    ['{"allowDowngrade": true}', /"allowDowngrade" exists on the command line only/],
    ['{"allow-http": true}', /"allow-http" exists on the command line only/],
    ['{"healthCheck": {"timeoutMs": -1}}', /healthCheck/],
    ['{"pinnedManifest": "https://x/y"}', /\{version\}/],
    [
      '{"manifest": "x", "publicKeys": ["nonsense"]}',
      /public key that begins with "nonsense" is not valid/,
    ],
  ];
  for (const [config, message] of cases) {
    await t.step(config, async () => {
      Deno.writeTextFileSync(join(it.folder, "updater-shim.json"), config);
      const run = await it.run();
      assertMatch(run.stderr, message);
      assertEquals(run.code, 2);
    });
  }
});

Deno.test("A manifest that is not valid is refused with the path of the field", async (t) => {
  await using it = new Tool();
  const good = () => manifestFor([FRESH]);
  const file = (change: Record<string, unknown>) => manifestFor([{ ...FRESH, entry: change }]);
  const without = (key: string) => {
    const { [key]: _, ...rest } = good();
    return rest;
  };
  const at = String.raw`platforms\["${Deno.build.target}"\]\.files\[0\]`;
  const cases: [string, unknown, RegExp, number?][] = [
    ["not JSON", "{", /it is not JSON/],
    ["schema 2", { ...good(), schema: 2 }, /schema 2 is not known to this updater-shim/],
    ["no name", without("name"), /name: expected this field, found nothing/],
    ["no platforms", without("platforms"), /platforms: expected this field/],
    ["other platform", { ...good(), platforms: {} }, /is not made for this platform/],
    ["version", { ...good(), version: "latest" }, /version: expected a semver version/],
    ["negative size", file({ size: -1 }), new RegExp(`${at}.size: expected at least 1, found -1`)],
    ["fraction", file({ size: 1.5 }), new RegExp(`${at}.size: expected a whole number`)],
    ["digest", file({ sha256: "abc" }), new RegExp(`${at}.sha256: expected 64 hex digits`)],
    ["path", file({ target: "../tool" }), new RegExp(`${at}.target: expected a plain file name`)],
    ["windows path", file({ target: "a\\b" }), new RegExp(`${at}.target`)],
    ["setuid", file({ mode: "4755" }), new RegExp(`${at}.mode`)],
    ["member", file({ member: "../x" }), new RegExp(`${at}.member`)],
    ["twice", manifestFor([FRESH, { ...FRESH, target: "TOOL" }]), /each target once/],
  ];
  for (const [name, manifest, message] of cases) {
    await t.step(name, async () => {
      const text = typeof manifest === "string" ? manifest : JSON.stringify(manifest);
      await using server = serve({ "/release.json": () => new Response(text) });
      expectError(await it.run("--manifest", `${server.url}/release.json`), 2, message);
      assertEquals(it.names(), ["tool"]);
    });
  }
  await t.step("of another tool", async () => {
    Deno.writeTextFileSync(join(it.folder, "updater-shim.json"), '{"name": "other"}');
    await using server = serve(releaseRoutes([FRESH]));
    const run = await it.run("--manifest", `${server.url}/release.json`);
    expectError(run, 4, /The release manifest is of "tool", not of "other"/);
  });
  await t.step("expired", async () => {
    Deno.removeSync(join(it.folder, "updater-shim.json"));
    await using server = serve(releaseRoutes([FRESH], { expires: "2020-01-01T00:00:00Z" }));
    const run = await it.run("--manifest", `${server.url}/release.json`);
    expectError(run, 4, /expired on 2020-01-01T00:00:00Z\n.*clock/s);
  });
});

Deno.test("A network that fails leaves the tool alone and says what failed", async (t) => {
  await using it = new Tool();
  const { content } = FRESH;
  const body = (bytes: Uint8Array, headers = {}) => () =>
    new Response(new Blob([bytes.slice()]).stream(), { headers });
  const cases: [string, Routes, number, RegExp][] = [
    ["404", { "/files/tool": () => new Response("", { status: 404 }) }, 3, /HTTP 404/],
    [
      "redirect loop",
      { "/files/tool": () => new Response(null, { status: 302, headers: { location: "tool" } }) },
      3,
      /redirects in a circle/,
    ],
    [
      "other length",
      { "/files/tool": () => new Response(content.slice(0, 5)) },
      4,
      /5 bytes instead of/,
    ],
    ["too long", { "/files/tool": body(new Uint8Array(5000)) }, 4, /more instead of \d+ bytes/],
    [
      "other bytes",
      { "/files/tool": body(content.map((byte) => byte ^ 1)) },
      4,
      /is not what the manifest says: \d+ bytes with SHA-256/,
    ],
    [
      "compressed",
      { "/files/tool": body(content, { "content-encoding": "gzip" }) },
      3,
      /content-encoding|gzip/,
    ],
    ["manifest 404", { "/release.json": () => new Response("", { status: 404 }) }, 3, /HTTP 404/],
    [
      "endless manifest",
      {
        "/release.json": () =>
          new Response(
            new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(65536).fill(32)) }),
          ),
      },
      4,
      /is larger than 1048576 bytes/,
    ],
  ];
  for (const [name, routes, code, message] of cases) {
    await t.step(name, async () => {
      await using server = serve({ ...releaseRoutes([FRESH]), ...routes });
      expectError(await it.run("--manifest", `${server.url}/release.json`), code, message);
      assertEquals(it.names(), ["tool"]);
      const partial = [...Deno.readDirSync(join(it.folder, ".updater-shim", "updater-shim"))]
        .filter(({ name }) => name === "journal");
      assertEquals(partial, []);
    });
  }
  await t.step("server down", async () => {
    expectError(
      await it.run("--manifest", "http://127.0.0.1:1/release.json"),
      3,
      /Cannot fetch http:\/\/127.0.0.1:1\/release.json: /,
    );
  });
  await t.step("not encrypted", async () => {
    expectError(await it.run("--manifest", "http://192.0.2.1/m.json"), 2, /http is not encrypted/);
    expectError(await it.run("--manifest", "ftp://127.0.0.1/m.json"), 2, /only https is supported/);
  });
});

Deno.test("A new executable that is not well is not installed", async (t) => {
  await using it = new Tool();
  const elf = Deno.readFileSync("/bin/true");
  const foreign = elf.slice();
  foreign[18] = 0xb7; // e_machine: AArch64
  const cases: [string, Uint8Array, RegExp][] = [
    ["exits 1", bytes("#!/bin/sh\necho broken >&2; exit 1\n"), /exited with code 1: broken/],
    ["hangs", bytes("#!/bin/sh\nsleep 60\n"), /was still running after 300 ms/],
    // Where it runs in a session of its own, the system's shell may be asked to read it.
    ["other processor", foreign, /made for another processor/],
    ["not a program", bytes("hello"), /neither an executable nor a script/],
  ];
  const config = { healthCheck: { args: ["--version"], timeoutMs: 300 } };
  Deno.writeTextFileSync(join(it.folder, "updater-shim.json"), JSON.stringify(config));
  for (const [name, content, message] of cases) {
    await t.step(name, async () => {
      await using server = serve(releaseRoutes([{ target: "tool", content }]));
      expectError(await it.run("--manifest", `${server.url}/release.json`), 8, message);
      assertEquals(it.names(), ["tool", "updater-shim.json"]);
    });
  }
});

Deno.test("A target that is no plain file of ours is refused", async (t) => {
  await using it = new Tool();
  const other = { ...FRESH, target: "other" };
  await using server = serve(releaseRoutes([other]));
  const path = join(it.folder, "other");
  const cases: [string, () => void, RegExp][] = [
    ["a folder", () => Deno.mkdirSync(path), /a folder of that name is in the way/],
    ["a dangling link", () => Deno.symlinkSync("nowhere", path), /a link that leads nowhere/],
    [
      "setuid",
      () => {
        Deno.writeTextFileSync(path, tool("1.0.0"));
        Deno.chmodSync(path, 0o4755);
      },
      /it is setuid or setgid/,
    ],
  ];
  for (const [name, make, message] of cases) {
    await t.step(name, async () => {
      make();
      expectError(await it.run("--manifest", `${server.url}/release.json`), 7, message);
      assertEquals(it.names(), ["other", "tool"]);
      Deno.removeSync(path);
    });
  }
});

Deno.test("A journal that cannot be read does not stop an update", async (t) => {
  await using it = new Tool();
  const state = join(it.folder, ".updater-shim", "updater-shim");
  Deno.mkdirSync(state, { mode: 0o700, recursive: true });
  await using server = serve(releaseRoutes([FRESH], { version: "1.0.0" }));
  const args = ["--manifest", `${server.url}/release.json`];
  const cases: [string, string][] = [
    ["garbage", "\u0000\u0001garbage"],
    ["cut off", '{"format":1,"transaction":"0123'],
    ["empty", ""],
    ["wrong checksum", `{"format":1}\n${"0".repeat(64)}\n`],
  ];
  for (const [name, journal] of cases) {
    await t.step(name, async () => {
      Deno.writeTextFileSync(join(state, "journal"), journal);
      const run = await it.run(...args);
      assertMatch(run.stderr, /Warning: The journal ".*" cannot be read/);
      assertEquals(run.code, 0);
    });
  }
  await t.step("of a newer shim", async () => {
    const line = '{"format":2}';
    const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes(line)));
    Deno.writeTextFileSync(join(state, "journal"), `${line}\n${sum.toHex()}\n`);
    expectError(await it.run(...args), 9, /written by a newer updater-shim \(format 2\)/);
    expectError(await it.run("--repair"), 9, /written by a newer updater-shim/);
    assertEquals(Deno.readTextFileSync(join(state, "journal")).slice(0, 12), line);
  });
});

Deno.test("A lock that is held is respected, and its holder named", async () => {
  await using it = new Tool();
  const answer = Promise.withResolvers<Response>();
  await using server = serve({
    ...releaseRoutes([FRESH]),
    // The first shim waits here, with the lock in its hand.
    "/release.json": () => answer.promise,
  });
  const first = new Deno.Command(await (await import("../support/shim.ts")).compiledShim(), {
    args: ["--install-dir", it.folder, "--manifest", `${server.url}/release.json`],
    stdout: "null",
    stderr: "null",
  }).spawn();
  while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  for (const args of [["--repair"], ["--rollback"], ["--manifest", "x"]]) {
    const run = await it.run(...args);
    expectError(run, 6, new RegExp(`is running \\(process ${first.pid}, since \\d{4}-`));
  }
  first.kill("SIGKILL");
  await first.status;
  const run = await it.run("--repair");
  assertEquals(run.code, 0, "the lock is free at once after a kill");
  // The server does not shut down before every request has its answer.
  answer.resolve(new Response());
});

Deno.test("An install dir that cannot be used is named", async (t) => {
  await using it = new Tool();
  await t.step("missing", async () => {
    const run = await runShim(join(it.folder, "nowhere"), "--repair");
    expectError(run, 7, /Cannot use the install dir ".*nowhere": there is no such folder/);
  });
  await t.step("a file", async () => {
    expectError(await runShim(it.path, "--repair"), 7, /it is not a folder/);
  });
  await t.step("writable by everybody", async () => {
    Deno.chmodSync(it.folder, 0o777);
    await using server = serve(releaseRoutes([FRESH]));
    const run = await it.run("--manifest", `${server.url}/release.json`);
    expectError(run, 7, /every user can write to it/);
    Deno.chmodSync(it.folder, 0o755);
  });
  await t.step("a state dir that somebody else prepared", async () => {
    const state = join(it.folder, ".updater-shim");
    Deno.mkdirSync(state);
    Deno.chmodSync(state, 0o777);
    expectError(await it.run("--manifest", "x"), 7, /every user can write to it/);
    Deno.removeSync(state);
    Deno.symlinkSync("/tmp", state);
    expectError(await it.run("--manifest", "x"), 7, /\.updater-shim/);
    Deno.removeSync(state);
  });
});
