import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { join, resolve } from "@std/path";
import { type Command, type CommonOptions, parseCommand } from "../../src/cli/cli.ts";
import { loadConfig, resolveOptions } from "../../src/cli/config.ts";
import { denoSystem } from "../../src/system/deno_system.ts";
import { UpdateError } from "../../src/base/errors.ts";

const DEFAULTS = {
  publicKeys: [],
  healthCheck: { args: ["--version"], timeoutMs: 10_000 },
};

/** Reads a configuration of that content from a real folder. */
function load(content: string | Uint8Array | undefined) {
  const path = Deno.makeTempDirSync({ prefix: "updater-shim-config-" });
  try {
    const file = join(path, "updater-shim.json");
    if (typeof content === "string") Deno.writeTextFileSync(file, content);
    else if (content) Deno.writeFileSync(file, content);
    return loadConfig(denoSystem, { config: file });
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
}

function complaint(content: string | Uint8Array): string {
  const error = assertThrows(() => load(content), UpdateError) as UpdateError;
  assertEquals(error.kind, "usage");
  assertMatch(error.path!, /updater-shim\.json$/);
  assertEquals(error.message.includes(error.path!), true, "the message names the file");
  return error.message.slice(error.message.indexOf("is not valid: ") + "is not valid: ".length);
}

Deno.test("Without a file, and with an empty object, there are the defaults", () => {
  assertEquals<unknown>(load(undefined), DEFAULTS);
  assertEquals<unknown>(load("{}"), DEFAULTS);
});

Deno.test("Everything that the file may say is read, also behind a byte order mark", () => {
  const config = {
    name: "mytool",
    manifest: "https://host/m.json",
    pinnedManifest: "https://host/{version}/m.json",
    publicKeys: ["A", "B"],
    healthCheck: { args: ["check", "--fast", ""], timeoutMs: 600_000 },
  };
  const read = { ...config, manifest: [config.manifest] };
  assertEquals<unknown>(load(JSON.stringify(config)), read);
  assertEquals<unknown>(load("\ufeff" + JSON.stringify(config)), read);
  const more = {
    manifest: ["https://a/m.json", "m.json"],
    channels: { beta: ["https://a/beta.json"], "1.x": ["https://a/1.json", "https://b/1.json"] },
    channel: "beta",
    authFile: "credentials",
  };
  assertEquals<unknown>(load(JSON.stringify(more)), { ...DEFAULTS, ...more });
});

Deno.test("The health check can be off, or changed in part", () => {
  assertEquals(load('{"healthCheck": false}').healthCheck, false);
  assertEquals(load('{"healthCheck": {}}').healthCheck, DEFAULTS.healthCheck);
  assertEquals(load('{"healthCheck": {"args": []}}').healthCheck, { args: [], timeoutMs: 10_000 });
  const slow = load('{"healthCheck": {"timeoutMs": 60000}}').healthCheck;
  assertEquals(slow, { args: ["--version"], timeoutMs: 60_000 });
});

Deno.test("Each wrong field is named with what was expected and what was found", () => {
  const cases: [string, string][] = [
    ["[]", "the document: expected an object, found []"],
    ["null", "the document: expected an object, found null"],
    ['"x"', 'the document: expected an object, found "x"'],
    ['{"name": 3}', "name: expected a string, found 3"],
    ['{"name": " "}', 'name: expected a string that is not empty, found ""'],
    ['{"manifest": []}', "manifest: expected at least one address, found []"],
    ['{"manifest": ["a", 3]}', "manifest[1]: expected a string, found 3"],
    ['{"manifest": {}}', "manifest: expected a string, found {}"],
    ['{"channels": []}', "channels: expected an object of channels, found []"],
    ['{"channels": {"beta": 1}}', "channels.beta: expected a string, found 1"],
    [
      '{"channels": {"be ta": "x"}}',
      'channels["be ta"]: expected a name of up to 64 letters, digits and . _ -, found "be ta"',
    ],
    [
      '{"channel": "../x"}',
      'channel: expected a name of up to 64 letters, digits and . _ -, found "../x"',
    ],
    ['{"authFile": 3}', "authFile: expected a string, found 3"],
    ['{"manifest": ""}', 'manifest: expected a string that is not empty, found ""'],
    [
      '{"pinnedManifest": "https://h/m"}',
      'pinnedManifest: expected an address with {version} in it, found "https://h/m"',
    ],
    ['{"publicKeys": "A"}', 'publicKeys: expected a list of minisign public keys, found "A"'],
    ['{"publicKeys": ["A", 1]}', "publicKeys[1]: expected a string, found 1"],
    [
      '{"healthCheck": true}',
      "healthCheck: expected false, or an object with args and timeoutMs, found true",
    ],
    [
      '{"healthCheck": []}',
      "healthCheck: expected false, or an object with args and timeoutMs, found []",
    ],
    [
      '{"healthCheck": {"args": "-v"}}',
      'healthCheck.args: expected a list of arguments, found "-v"',
    ],
    ['{"healthCheck": {"args": [1]}}', "healthCheck.args[0]: expected a string, found 1"],
    [
      '{"healthCheck": {"args": ["a\\u0000"]}}',
      'healthCheck.args[0]: expected a string without NUL, found "a\\u0000"',
    ],
    ['{"healthCheck": {"timeoutMs": 0}}', "healthCheck.timeoutMs: expected at least 1, found 0"],
    [
      '{"healthCheck": {"timeoutMs": 0.5}}',
      "healthCheck.timeoutMs: expected a whole number, found 0.5",
    ],
    [
      '{"healthCheck": {"timeoutMs": 600001}}',
      "healthCheck.timeoutMs: expected at most ten minutes (600000), found 600001",
    ],
  ];
  for (const [content, message] of cases) assertEquals(complaint(content), message);
});

Deno.test("An unknown field is refused with the nearest one", () => {
  const cases: [string, string][] = [
    ['{"manifst": "x"}', '"manifst" is not known; did you mean "manifest"?'],
    ['{"publickey": []}', '"publickey" is not known; did you mean "publicKeys"?'],
    ['{"__proto__": {}}', '"__proto__" is not known'],
    [
      '{"healthCheck": {"timeout": 5}}',
      '"timeout" is not known in "healthCheck"; did you mean "timeoutMs"?',
    ],
  ];
  for (const [content, message] of cases) assertEquals(complaint(content), message);
});

Deno.test("What only a person may decide is not taken from a file", () => {
  for (const key of ["allowDowngrade", "allowHttp", "allow-downgrade", "allow_http", "AllowHttp"]) {
    for (const value of [true, false]) {
      const message = complaint(JSON.stringify({ [key]: value }));
      assertEquals(message, `"${key}" exists on the command line only`);
    }
  }
});

Deno.test("What is no JSON, no UTF-8 or too long is refused", () => {
  assertMatch(complaint("{"), /^it is not JSON \(.+\)$/);
  assertMatch(complaint(""), /^it is not JSON/);
  assertMatch(complaint("{} // comment"), /^it is not JSON/);
  assertEquals(
    complaint(new Uint8Array([0x7b, 0xff, 0x7d])),
    "it is not UTF-8 text: save it as UTF-8",
  );
  assertEquals(complaint(" ".repeat(64 * 1024 + 1)), "it is larger than 65536 bytes");
  assertMatch(complaint("[".repeat(60_000)), /./);
  const atLimit = "{}" + " ".repeat(64 * 1024 - 2);
  assertEquals<unknown>(load(atLimit), DEFAULTS);
});

Deno.test("A folder of that name is a fault of the file system, not of the configuration", () => {
  const path = Deno.makeTempDirSync({ prefix: "updater-shim-config-" });
  try {
    const config = join(path, "updater-shim.json");
    Deno.mkdirSync(config);
    const error = assertThrows(
      () => loadConfig(denoSystem, { config }),
      UpdateError,
    ) as UpdateError;
    assertEquals([error.kind, error.path], ["filesystem", config]);
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
});

const DIR = {
  path: resolve("/opt/mytool"),
  config: resolve("/opt/mytool/updater-shim.json"),
};
const SYSTEM = { cwd: resolve("/home/me") };

/** What comes of these arguments with that configuration. */
function options(config: Record<string, unknown>, ...args: string[]) {
  const command: Command = parseCommand(args);
  return resolveOptions(
    command as CommonOptions,
    load(JSON.stringify(config)),
    DIR,
    SYSTEM,
  );
}

function refusal(config: Record<string, unknown>, ...args: string[]): UpdateError {
  const error = assertThrows(() => options(config, ...args), UpdateError) as UpdateError;
  assertEquals(error.kind, "usage");
  return error;
}

Deno.test("The command line beats the file", () => {
  const config = { name: "mytool", manifest: "https://file/m.json", publicKeys: ["F"] };
  const fromFile = options(config);
  assertEquals([fromFile.manifests, fromFile.publicKeys], [["https://file/m.json"], ["F"]]);
  const given = options(config, "--manifest=https://line/m.json", "--public-key=L", "--allow-http");
  assertEquals(given, {
    manifests: ["https://line/m.json"],
    name: "mytool",
    publicKeys: ["L"],
    auth: undefined,
    healthCheck: DEFAULTS.healthCheck,
    pin: undefined,
    allowDowngrade: false,
    allowHttp: true,
    force: false,
    ignoreRollout: false,
    maxAgeMs: undefined,
    downloadOnly: false,
    dryRun: false,
  });
});

Deno.test("A path in the file belongs to the install dir, one on the command line to the user", () => {
  assertEquals(options({ manifest: "m.json" }).manifests[0], join(DIR.path, "m.json"));
  assertEquals(options({}, "--manifest=m.json").manifests[0], join(SYSTEM.cwd, "m.json"));
  assertEquals(options({}, "--manifest=../m.json").manifests[0], resolve("/home/m.json"));
  assertEquals(options({ manifest: "file:///srv/m.json" }).manifests[0], "file:///srv/m.json");
});

Deno.test("A channel is the one that is asked for, else the configured one", () => {
  const channels = { beta: "https://h/beta.json", "1.x": ["https://a/1.json", "1.json"] };
  const config = { manifest: "https://h/m.json", channels };
  assertEquals(options(config).manifests, ["https://h/m.json"]);
  assertEquals(options(config, "--channel=beta").manifests, ["https://h/beta.json"]);
  const usual = { ...config, channel: "1.x" };
  assertEquals(options(usual).manifests, ["https://a/1.json", join(DIR.path, "1.json")]);
  assertEquals(options(usual, "--channel=beta").manifests, ["https://h/beta.json"]);
  assertEquals(options(usual, "--manifest=https://x/m").manifests, ["https://x/m"]);
  const unknown = refusal(config, "--channel=constructor");
  assertEquals(unknown.message, 'There is no channel "constructor"');
  assertMatch(unknown.hint!, /updater-shim\.json" has: 1\.x, beta\.$/);
  assertMatch(refusal({}, "--channel=beta").hint!, /Put \{"channels": \{"beta": /);
});

Deno.test("Credentials are those of the command line, else of the configured file", () => {
  const config = { manifest: "https://h/m.json", authFile: "netrc" };
  assertEquals(options(config).auth, join(DIR.path, "netrc"));
  assertEquals(options(config, "--auth-file=netrc").auth, resolve("/home/me/netrc"));
  assertEquals(options(config, "--auth-fd=0").auth, 0);
});

Deno.test("A pinned version is looked for where old manifests are", () => {
  const config = {
    manifest: "https://h/latest.json",
    pinnedManifest: "https://h/{version}/m-{version}.json",
  };
  const pinned = options(config, "--pin=1.4.0-rc.1+b.5");
  assertEquals(pinned.manifests[0], "https://h/1.4.0-rc.1%2Bb.5/m-1.4.0-rc.1%2Bb.5.json");
  assertEquals(pinned.pin, "1.4.0-rc.1+b.5");
  assertEquals(options(config).manifests[0], "https://h/latest.json");
  const local = options({ pinnedManifest: "v{version}.json" }, "--pin=1.0.0+b");
  assertEquals(local.manifests[0], join(DIR.path, "v1.0.0+b.json"));
});

Deno.test("A pin with --manifest is kept for the comparison with that manifest", () => {
  const { manifests: [manifest], pin } = options({}, "--pin=1.0.0", "--manifest=https://h/m.json");
  assertEquals([manifest, pin], ["https://h/m.json", "1.0.0"]);
});

Deno.test("Without a manifest to read the message says what to configure, and where", () => {
  const none = refusal({});
  assertMatch(none.message, /no release manifest to read in ".*mytool"/);
  assertMatch(none.hint!, /"manifest": .*mytool.updater-shim\.json.*--manifest/);
  const pin = refusal({ manifest: "https://h/latest.json" }, "--pin=1.0.0");
  assertMatch(pin.message, /Cannot pin version 1\.0\.0/);
  assertMatch(pin.hint!, /"pinnedManifest": ".*\{version\}.*--manifest/);
});

Deno.test("The usual mistakes of Windows are named with what to do", () => {
  const utf16 = (bytes: number[], text: string) =>
    new Uint8Array([...bytes, ...[...text].flatMap((letter) => [letter.charCodeAt(0), 0])]);
  assertEquals(complaint(utf16([0xff, 0xfe], "{}")), "it is UTF-16 text: save it as UTF-8");
  assertEquals(complaint(utf16([], "{}")), "it is UTF-16 text: save it as UTF-8");
  assertMatch(complaint('{"manifest": "C:\\Updates\\x.json"}'), /^it is not JSON .*paths with \//);
  assertMatch(complaint('{"manifest": "..\\rel.json"}'), /^"\.\.\\rel\.json" .*paths with \//);
});
