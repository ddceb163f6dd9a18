import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { UpdateError } from "../../src/base/errors.ts";
import { checkIdentity, parseManifest, selectFiles } from "../../src/release/manifest.ts";

const TRIPLE = "x86_64-unknown-linux-gnu";
const HEX = "0123456789abcdef".repeat(4);
const WHERE = "https://user:secret@host.example/dir/release.json?token=secret";
const PLAIN = { target: "tool", url: "tool.bin", size: 3, sha256: HEX };
const PACKED = {
  ...PLAIN,
  target: "toolx",
  url: "toolx.tar.gz",
  sha256: HEX.replace("0", "f"),
  member: "tool-1.4.0/toolx",
  executable: { size: 9, sha256: HEX },
  mode: "700",
};

type Json = Record<string, unknown>;

/** A good manifest with one thing changed. */
function document(change: Json = {}, ...files: Json[]): Json {
  const platforms = { [TRIPLE]: { files: files.length > 0 ? files : [PLAIN, PACKED] } };
  return { schema: 1, name: "mytool", version: "1.4.0", platforms, ...change };
}

function without(json: Json, key: string): Json {
  return Object.fromEntries(Object.entries(json).filter(([name]) => name !== key));
}

function parse(json: unknown, where = WHERE) {
  return parseManifest(new TextEncoder().encode(JSON.stringify(json)), where);
}

function refusal(step: () => unknown, kind = "usage"): UpdateError {
  const error = assertThrows(step, UpdateError) as UpdateError;
  assertEquals(error.kind, kind);
  return error;
}

/** What stands behind "… is not valid: ". */
function complaint(json: unknown): string {
  const { message } = refusal(() => parse(json));
  return message.slice(message.indexOf("is not valid: ") + "is not valid: ".length);
}

Deno.test("A manifest is read with everything that it may say", () => {
  const manifest = parse(document({
    published: "2026-11-01T12:00:00Z",
    expires: "2027-11-01T12:00:00.123456Z",
  }));
  assertEquals(manifest, {
    schema: 1,
    name: "mytool",
    version: "1.4.0",
    published: "2026-11-01T12:00:00Z",
    expires: "2027-11-01T12:00:00.123456Z",
    platforms: {
      [TRIPLE]: {
        files: [{ ...PLAIN, mode: 0o755, run: true, patches: [] }, {
          ...PACKED,
          mode: 0o700,
          run: true,
          patches: [],
        }],
      },
    },
  });
});

Deno.test("Fields of a later manifest are let pass, digests may be in capitals", () => {
  const file = { ...PLAIN, sha256: HEX.toUpperCase(), sizeOnDisk: 4 };
  const [read] = parse(document({ channel: "beta" }, file)).platforms[TRIPLE]!.files;
  assertEquals(read, { ...PLAIN, mode: 0o755, run: true, patches: [] });
});

Deno.test("A byte order mark is no error, wrong bytes and wrong JSON are", () => {
  const good = new TextEncoder().encode("\ufeff" + JSON.stringify(document()));
  assertEquals(parseManifest(good, WHERE).name, "mytool");
  const say = (bytes: Uint8Array) => refusal(() => parseManifest(bytes, WHERE)).message;
  assertMatch(say(new Uint8Array([0x22, 0xff, 0x22])), /it is not UTF-8 text/);
  assertMatch(say(new TextEncoder().encode("{")), /it is not JSON \(.+\)/);
  assertMatch(say(new Uint8Array()), /it is not JSON/);
  assertMatch(say(new Uint8Array(1024 * 1024 + 1)), /it is larger than 1 MiB/);
  const deep = new TextEncoder().encode("[".repeat(500_000));
  assertMatch(say(deep), /is not valid/);
});

Deno.test("Errors name the manifest without its secrets, and say whom to tell", () => {
  const error = refusal(() => parse({}));
  assertEquals(error.url, "https://host.example/dir/release.json");
  assertMatch(
    error.message,
    /^The release manifest "https:\/\/host.example\/dir\/release.json" is/,
  );
  assertMatch(error.hint!, /authors/);
  assertEquals(refusal(() => parse({}, "/srv/m.json")).path, "/srv/m.json");
});

Deno.test("Another schema number is told apart from no number", () => {
  for (const schema of [2, 99]) {
    const error = refusal(() => parse({ schema, anything: true }));
    assertMatch(error.message, new RegExp(`schema ${schema} is not known to this updater-shim`));
    assertMatch(error.hint!, /made for a newer updater-shim/);
  }
  assertEquals(complaint(document({ schema: 0 })), "schema: expected the number 1, found 0");
  assertEquals(complaint(document({ schema: "1" })), 'schema: expected the number 1, found "1"');
  assertEquals(
    complaint(without(document(), "schema")),
    "schema: expected this field, found nothing",
  );
});

Deno.test("Each wrong field is named by its JSON path, what was expected and what was found", () => {
  const at = `platforms["${TRIPLE}"].files[1]`;
  const file = (change: Json) => document({}, PLAIN, { ...PACKED, ...change });
  const missing = (key: string) => document({}, PLAIN, without(PACKED, key));
  const cases: [unknown, string][] = [
    [null, "the document: expected an object, found null"],
    ["text", 'the document: expected an object, found "text"'],
    [without(document(), "name"), "name: expected this field, found nothing"],
    [without(document(), "version"), "version: expected this field, found nothing"],
    [without(document(), "platforms"), "platforms: expected this field, found nothing"],
    [document({ platforms: 3 }), "platforms: expected an object, found 3"],
    [document({ platforms: { x: 1 } }), "platforms.x: expected an object, found 1"],
    [document({ platforms: { x: {} } }), "platforms.x.files: expected this field, found nothing"],
    [document({ platforms: { x: { files: {} } } }), "platforms.x.files: expected a list, found {}"],
    [
      document({ platforms: { x: { files: [] } } }),
      "platforms.x.files: expected at least one file, found []",
    ],
    [missing("target"), `${at}.target: expected this field, found nothing`],
    [missing("url"), `${at}.url: expected this field, found nothing`],
    [missing("size"), `${at}.size: expected this field, found nothing`],
    [missing("sha256"), `${at}.sha256: expected this field, found nothing`],
    [file({ size: "9" }), `${at}.size: expected a number of bytes, found "9"`],
    [file({ size: 1.5 }), `${at}.size: expected a whole number, found 1.5`],
    [file({ size: 2 ** 53 }), `${at}.size: expected a whole number, found 9007199254740992`],
    [file({ size: -1 }), `${at}.size: expected at least 1, found -1`],
    [file({ size: 0 }), `${at}.size: expected at least 1, found 0`],
    [file({ size: 4 * 1024 ** 3 + 1 }), `${at}.size: expected at most 4 GiB, found 4294967297`],
    [file({ sha256: "abc" }), `${at}.sha256: expected 64 hex digits, found "abc"`],
    [file({ url: "" }), `${at}.url: expected a URL, found ""`],
    [file({ executable: 7 }), `${at}.executable: expected an object, found 7`],
    [
      file({ executable: { size: 1 } }),
      `${at}.executable.sha256: expected this field, found nothing`,
    ],
  ];
  for (const [json, message] of cases) assertEquals(complaint(json), message);
});

Deno.test("What is found is quoted, but not a megabyte of it", () => {
  const { message } = refusal(() => parse(document({ name: "x".repeat(500_000) })));
  assertMatch(message, /name: expected up to 100 letters.+found "x{79}\.\.\.$/);
});

/** Makes sure that all of `good` pass and all of `bad` are refused for this field. */
function check(field: string, make: (value: unknown) => Json, good: unknown[], bad: unknown[]) {
  for (const value of good) parse(make(value));
  for (const value of bad) {
    assertMatch(complaint(make(value)), new RegExp(`(^|\\.)${field}: expected`), String(value));
  }
}

Deno.test("Names, versions and times are what they should be", () => {
  const top = (key: string) => (value: unknown) => document({ [key]: value });
  check("name", top("name"), ["a", "my.tool_2-x"], ["", "-a", ".a", "a b", "a/b", "é", 3]);
  const versions = ["", "1", "v1.4.0", " 1.4.0", "1.4.0\n", "latest", "1.4.0-01", 1];
  check("version", top("version"), ["1.4.0", "1.4.0-rc.1+build.5"], versions);
  for (const key of ["published", "expires"]) {
    check(key, top(key), ["2024-02-29T23:59:59Z"], [
      "2026-11-01",
      "2026-11-01T12:00:00",
      "2026-11-01T12:00:00+02:00",
      "2026-11-01 12:00:00Z",
      "2026-02-30T00:00:00Z",
      "2025-02-29T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "2026-11-01T24:00:01Z",
      "never",
      1793534400,
    ]);
  }
});

Deno.test("A target is a plain file name on every system", () => {
  const make = (target: unknown) => document({}, { ...PLAIN, target });
  const good = [
    "tool",
    "tool.exe",
    "tool-1.4",
    "Tool_x",
    "con-fig",
    "nul2",
    "é",
    "a b",
    "x".repeat(200),
  ];
  check("target", make, good, [
    ...[
      "",
      ".",
      "..",
      "../tool",
      "a/b",
      "/etc/passwd",
      "a\\b",
      "C:tool",
      "tool:stream",
      "a*",
      "a?",
    ],
    ...["tool.", "tool ", ".hidden", ".updater-shim", "updater-shim.json", "Updater-Shim.JSON"],
    ...["con", "NUL", "aux.exe", "com1", "LPT9.txt", "COM\u00b2", "CONIN$", "nul .txt"],
    ...["tool.previous", "tool.previous.exe", "tool.PREVIOUS", "tool.staged", "tool.staged.exe"],
    ...["a\u0000b", "a\nb", "a\u007f", "a\u0085", "a\u202eexe", "a\u200b", "a\u2028", "\ud800"],
    ...["é".repeat(101), "x".repeat(201), 3, null],
  ]);
});

Deno.test("Each target is there once, whatever a file system takes for the same", () => {
  const pairs = [["tool", "tool"], ["tool", "TOOL"], ["é", "e\u0301"], ["É", "e\u0301"], [
    "ß",
    "SS",
  ]];
  for (const [first, second] of pairs) {
    const json = document({}, { ...PLAIN, target: first }, { ...PLAIN, target: second });
    assertMatch(complaint(json), /files: expected each target once/, `${first} ${second}`);
  }
});

Deno.test("One digest has one size", () => {
  const json = document({}, PLAIN, { ...PLAIN, target: "other", size: 4 });
  assertMatch(complaint(json), /files: expected one size for one sha256/);
});

Deno.test("A mode lets the owner execute, and nobody become another user", () => {
  const make = (mode: unknown) => document({}, { ...PLAIN, mode });
  const bad = [
    "4755",
    "2755",
    "1755",
    "644",
    "055",
    "777",
    "757",
    "75",
    "7555",
    "rwx",
    "0o755",
    "",
    755,
  ];
  check("mode", make, ["755", "0755", "700", "500", "555", "775"], bad);
});

Deno.test("A member is a clean relative path", () => {
  const make = (member: unknown) => document({}, { ...PLAIN, member });
  check("member", make, ["tool", "a/b/tool", "a b/tool..x"], [
    ...["", "/tool", "a//b", "a/", "./a", "a/..", "../a", "a\\b", "C:/a", "a\nb", "a\u202eb"],
    ...["x".repeat(1025), 3],
  ]);
  const { member: _, ...packed } = PACKED;
  assertMatch(complaint(document({}, packed)), /no "executable" without "member"/);
});

Deno.test("There are bounds to files and platforms", () => {
  const files = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ ...PLAIN, target: `tool${index}` }));
  parse(document({}, ...files(256)));
  assertMatch(complaint(document({}, ...files(257))), /files: expected at most 256 files/);
  const platforms = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, { files: [PLAIN] }]));
  parse(document({ platforms: platforms(64) }));
  const many = document({ platforms: platforms(65) });
  assertMatch(complaint(many), /^platforms: expected at most 64 platforms/);
});

Deno.test("A platform that is not there is named, with those that are", () => {
  const manifest = parse(document({ platforms: { b: { files: [PLAIN] }, a: { files: [PLAIN] } } }));
  for (const triple of ["riscv64gc-unknown-linux-gnu", "__proto__", "constructor"]) {
    const error = refusal(() => selectFiles(manifest, triple, WHERE));
    assertEquals(error.message, `mytool 1.4.0 is not made for this platform, ${triple}`);
    assertMatch(error.hint!, /The manifest has: a, b\./);
  }
});

Deno.test("musl serves for glibc and a universal entry for macOS, where there is no own one", () => {
  const entry = (target: string) => ({ files: [{ ...PLAIN, target }] });
  const cases: [string, string[], string | undefined][] = [
    ["x86_64-unknown-linux-gnu", ["x86_64-unknown-linux-musl"], "x86_64-unknown-linux-musl"],
    [
      "x86_64-unknown-linux-gnu",
      ["x86_64-unknown-linux-musl", "x86_64-unknown-linux-gnu"],
      "x86_64-unknown-linux-gnu",
    ],
    ["aarch64-unknown-linux-gnu", ["x86_64-unknown-linux-musl"], undefined],
    // What is linked against glibc does not run on a machine without it.
    ["x86_64-unknown-linux-musl", ["x86_64-unknown-linux-gnu"], undefined],
    ["x86_64-apple-darwin", ["universal2-apple-darwin"], "universal2-apple-darwin"],
    ["aarch64-apple-darwin", ["universal-apple-darwin"], "universal-apple-darwin"],
    [
      "aarch64-apple-darwin",
      ["universal-apple-darwin", "aarch64-apple-darwin"],
      "aarch64-apple-darwin",
    ],
    ["aarch64-apple-darwin", ["x86_64-apple-darwin"], undefined],
    ["x86_64-pc-windows-msvc", ["universal2-apple-darwin"], undefined],
  ];
  for (const [target, names, serving] of cases) {
    const platforms = Object.fromEntries(names.map((name) => [name, entry(name)]));
    const manifest = parse(document({ platforms }));
    if (serving === undefined) refusal(() => selectFiles(manifest, target, WHERE));
    else assertEquals(selectFiles(manifest, target, WHERE)[0]!.target, serving);
  }
});

Deno.test("A platform of any length is refused in a few words", () => {
  const error = refusal(() => parse(document({ platforms: { ["x".repeat(900_000)]: {} } })));
  assertEquals(error.message.length < 500, true, error.message.slice(0, 1000));
});

/** Where a file of the manifest at `location` is fetched from. */
function resolved(url: string, location: string): string {
  return selectFiles(parse(document({}, { ...PLAIN, url, member: "t" })), TRIPLE, location)[0]!.url;
}

Deno.test("A URL is resolved against where the manifest lies", () => {
  const windows = "C:\\my tools\\release.json", share = "\\\\server\\share\\release.json";
  const cases: [string, string, string][] = [
    ["t.gz", "https://host/a/m.json?x=1", "https://host/a/t.gz"],
    ["../t.gz", "https://host/a/m.json", "https://host/t.gz"],
    ["/t.gz?sig=1", "https://host/a/m.json", "https://host/t.gz?sig=1"],
    ["//cdn/t.gz", "https://host/a/m.json", "https://cdn/t.gz"],
    ["https://cdn/t.gz", "https://host/m.json", "https://cdn/t.gz"],
    ["t.gz", "/srv/my releases/m.json", "/srv/my releases/t.gz"],
    ["../v%201/t.gz", "/srv/releases/m.json", "/srv/v 1/t.gz"],
    ["/mnt/t.gz", "/srv/m.json", "/mnt/t.gz"],
    ["t.gz", "/srv/100%/a#b/m.json", "/srv/100%/a#b/t.gz"],
    ["https://cdn/t.gz", "/srv/m.json", "https://cdn/t.gz"],
    ["file:///mnt/t.gz", "/srv/m.json", "file:///mnt/t.gz"],
    ["t.gz", "file:///srv/m.json", "file:///srv/t.gz"],
    ["v1/t.gz", windows, "C:\\my tools\\v1\\t.gz"],
    ["v1\\t.gz", windows, "C:\\my tools\\v1\\t.gz"],
    ["D:\\x\\t.gz", windows, "D:\\x\\t.gz"],
    ["t.gz", share, "\\\\server\\share\\t.gz"],
    ["https://cdn/t.gz", windows, "https://cdn/t.gz"],
  ];
  for (const [url, location, expected] of cases) {
    assertEquals(resolved(url, location), expected, `${url} at ${location}`);
  }
});

Deno.test("A manifest from the network leads to no local file and to no other protocol", () => {
  const at = `platforms["${TRIPLE}"].files[0].url`;
  const remote = ["file:///etc/passwd", "file://server/share/x", "ftp://h/x", "data:,x", "C:\\x"];
  for (const url of remote) {
    const error = refusal(() => resolved(url, "https://host/m.json"));
    assertMatch(
      error.message,
      /expected an http\(s\) URL or one relative to the manifest, found "/,
    );
    assertEquals(error.message.includes(at), true);
  }
  for (const url of ["ftp://h/x", "data:,x", "javascript:x"]) {
    assertMatch(refusal(() => resolved(url, "/srv/m.json")).message, /an http\(s\) URL, a file or/);
  }
  for (const [url, where] of [["https://[", "/m.json"], ["http://a:b", "https://h/m"]] as const) {
    assertMatch(refusal(() => resolved(url, where)).message, /expected a valid URL/);
  }
  assertMatch(refusal(() => resolved("%ff", "/srv/m.json")).message, /expected a valid URL/);
  const secret = refusal(() => resolved("ftp://u:secret@h/x?token=secret", "https://h/m"));
  assertEquals(secret.message.includes("secret"), false);
});

Deno.test("A manifest of another tool is refused where a name is configured", () => {
  const manifest = parse(document());
  checkIdentity(manifest, { name: undefined, now: 0 });
  checkIdentity(manifest, { name: "mytool", now: 0 });
  const error = refusal(() => checkIdentity(manifest, { name: "MyTool", now: 0 }), "verification");
  assertEquals(error.message, 'The release manifest is of "mytool", not of "MyTool"');
});

Deno.test("A manifest past its date is refused with the date and the clock's time", () => {
  const manifest = parse(document({ expires: "2027-11-01T12:00:00Z" }));
  const date = Date.UTC(2027, 10, 1, 12);
  checkIdentity(manifest, { name: undefined, now: date - 1 });
  const error = refusal(
    () => checkIdentity(manifest, { name: undefined, now: date }),
    "verification",
  );
  assertMatch(error.message, /mytool 1.4.0 expired on 2027-11-01T12:00:00Z/);
  assertMatch(error.hint!, /clock says 2027-11-01T12:00:00.000Z/);
});

Deno.test("An archive without a member, and a kind that is not known, are refused by their names", () => {
  const select = (url: string, member?: string) =>
    refusal(() => {
      const file = { ...PLAIN, url, ...(member && { member }) };
      selectFiles(parse(document({}, file)), TRIPLE, "https://host/m.json");
    });
  for (const url of ["t.tar.gz", "T.ZIP?x=1", "a/t.tar.xz", "t.zst#a", "t.tgz"]) {
    assertMatch(
      select(url).message,
      /\.url: "t\.\w+(\.\w+)?" is an archive, and the manifest does/,
    );
    assertMatch(select(url).hint!, /needs "member" there/);
  }
  for (const url of ["t.tar.bz2", "t.7z", "t.rar", "t.deb"]) {
    assertMatch(select(url).message, /is not an archive that can be unpacked/);
    assertMatch(select(url, "t").hint!, /ends in \.tar\.gz, \.tgz, .* or \.zst/);
  }
  assertMatch(select("t", "t").message, /"t" is not an archive that can be unpacked/);
  assertMatch(select("t.exe", "t").message, /"t.exe" is not an archive/);
});
