import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { type Command, parseCommand } from "../../src/cli/cli.ts";
import { UpdateError } from "../../src/base/errors.ts";
import { isCommand, OPTIONS } from "../../src/cli/options.ts";
import { usage } from "../../src/cli/usage.ts";

/** What no option says otherwise. */
const DEFAULTS = {
  installDir: undefined,
  config: undefined,
  manifest: undefined,
  channel: undefined,
  publicKeys: [],
  authFile: undefined,
  authFd: undefined,
  pin: undefined,
  allowDowngrade: false,
  allowHttp: false,
  force: false,
  downloadOnly: false,
  dryRun: false,
  yes: false,
  maxAgeMs: undefined,
  parentPid: undefined,
  waitStdin: false,
  waitTimeoutMs: 60_000,
  relaunch: undefined,
  json: false,
  quiet: false,
  noProgress: false,
};

function expectCommand(args: string[], expected: Partial<Command> & { kind: string }): void {
  assertEquals<unknown>(parseCommand(args), { ...DEFAULTS, ...expected }, args.join(" "));
}

function refusal(...args: string[]): UpdateError {
  const error = assertThrows(() => parseCommand(args), UpdateError) as UpdateError;
  assertEquals(error.kind, "usage");
  assertMatch(error.hint ?? "", /updater-shim --help$/, "the hint ends with where to look");
  return error;
}

Deno.test("Without arguments it is an update with the defaults", () => {
  expectCommand([], { kind: "update" });
});

Deno.test("Each command is recognised", () => {
  for (const kind of ["repair", "check", "rollback", "uninstall", "status"] as const) {
    expectCommand([`--${kind}`], { kind });
  }
  expectCommand(["--from", "tool", "--target", "t"], { kind: "from", file: "tool", target: "t" });
  expectCommand(["--from=a b"], { kind: "from", file: "a b" });
  for (const shell of ["bash", "zsh", "fish", "powershell"] as const) {
    assertEquals(parseCommand(["--completions", shell]), { kind: "completions", shell });
  }
  assertEquals(parseCommand(["--version"]), { kind: "version", json: false });
  assertEquals(parseCommand(["-V", "--json"]), { kind: "version", json: true });
  assertEquals(parseCommand(["--man"]), { kind: "man" });
});

Deno.test("Who asks for help gets help, whatever else stands there", () => {
  for (const args of [["-h"], ["--help"], ["--repair", "--help"], ["-h", "--pin=x", "-V"]]) {
    assertEquals(parseCommand(args), { kind: "help" });
  }
});

Deno.test("Every option is read in both spellings", () => {
  const values: Record<string, [string, Partial<typeof DEFAULTS> | Record<string, unknown>]> = {
    "install-dir": ["/opt/my tool", { installDir: "/opt/my tool" }],
    config: ["my tool.json", { config: "my tool.json" }],
    manifest: ["https://host/m.json?a=b=c", { manifest: "https://host/m.json?a=b=c" }],
    "public-key": ["RWQf6LRCGA9i5+/3=", { publicKeys: ["RWQf6LRCGA9i5+/3="] }],
    channel: ["beta-1.x", { channel: "beta-1.x" }],
    "auth-file": ["my netrc", { authFile: "my netrc" }],
    "auth-fd": ["3", { authFd: 3 }],
    pin: ["1.4.0-rc.1", { pin: "1.4.0-rc.1" }],
    "parent-pid": ["4294967295", { parentPid: 4294967295 }],
    "wait-timeout": ["0.25", { waitTimeoutMs: 250 }],
  };
  for (const [name, [value, expected]] of Object.entries(values)) {
    expectCommand([`--${name}`, value], { kind: "update", ...expected });
    expectCommand([`--${name}=${value}`], { kind: "update", ...expected });
  }
});

Deno.test("Every switch is read", () => {
  expectCommand(
    [
      "--allow-downgrade",
      "--allow-http",
      "--force",
      "--dry-run",
      "--wait-stdin",
      "--relaunch",
      "--json",
      "--quiet",
      "--no-progress",
    ],
    {
      kind: "update",
      allowDowngrade: true,
      allowHttp: true,
      force: true,
      dryRun: true,
      waitStdin: true,
      relaunch: [],
      json: true,
      quiet: true,
      noProgress: true,
    },
  );
});

Deno.test("Values that a parser likes to guess at stay the text they are", () => {
  expectCommand(["--install-dir", "007"], { kind: "update", installDir: "007" });
  expectCommand(["--install-dir", "1e3"], { kind: "update", installDir: "1e3" });
  expectCommand(["--manifest", "true"], { kind: "update", manifest: "true" });
  expectCommand(["--manifest=false"], { kind: "update", manifest: "false" });
  expectCommand(["--manifest=-h"], { kind: "update", manifest: "-h" });
  expectCommand(["--manifest==x"], { kind: "update", manifest: "=x" });
  expectCommand(["--install-dir=a\nb"], { kind: "update", installDir: "a\nb" });
  expectCommand(["--install-dir", "__proto__"], { kind: "update", installDir: "__proto__" });
});

Deno.test("--public-key may be repeated, in order", () => {
  expectCommand(["--public-key", "A", "--public-key=B"], {
    kind: "update",
    publicKeys: ["A", "B"],
  });
});

Deno.test("A wrapper may always pass the folder and how to talk", () => {
  const always = ["--install-dir=/opt", "--json", "--quiet", "--no-progress"];
  for (const { name, value } of OPTIONS.filter(isCommand)) {
    const command = value ? `--${name}=zsh` : `--${name}`;
    assertEquals(parseCommand([command, ...always]).kind, name);
  }
});

Deno.test("A switch given twice is given", () => {
  expectCommand(["--json", "--json"], { kind: "update", json: true });
});

Deno.test("All after -- belongs to the tool that is started again", () => {
  expectCommand(["--relaunch", "--"], { kind: "update", relaunch: [] });
  expectCommand(["--relaunch", "--", "run", "--help", "--", "-x", "--json", ""], {
    kind: "update",
    relaunch: ["run", "--help", "--", "-x", "--json", ""],
  });
  assertMatch(refusal("--", "run").message, /-- ARGS go with --relaunch only/);
  assertMatch(refusal("--repair", "--").message, /-- ARGS go with --relaunch only/);
});

Deno.test("An unknown option is refused with the nearest one", () => {
  const cases: [string, string][] = [
    ["--repare", "--repair"],
    ["--parentpid=3", "--parent-pid"],
    ["--JSON", "--json"],
    ["--no-json", "--json"],
    ["--no-progres", "--no-progress"],
    ["--install_dir", "--install-dir"],
    ["--allow-downgrades", "--allow-downgrade"],
  ];
  // What is near to nothing was meant for nothing that there is.
  for (const far of ["-x", "-v", "--__proto__", "--silent", "--bogus", "--no-color"]) {
    assertEquals(refusal(far).message, `Unknown option "${far}"`);
  }
  for (const [given, meant] of cases) {
    const [flag] = given.split("=");
    assertEquals(refusal(given).message, `Unknown option "${flag}"; did you mean "${meant}"?`);
  }
  // Names of every JavaScript object, bundled letters, one dash too few or too many.
  const traps = [
    "--__proto__",
    "--constructor=1",
    "--toString",
    "-undefined",
    "-hV",
    "-x",
    "-json",
  ];
  for (const trap of [...traps, "---json", "--no-help", "--_", "--json.x"]) {
    assertMatch(
      refusal(trap).message,
      /^Unknown option "[^"]+"(; did you mean "--[a-z-]+"\?)?$/,
      trap,
    );
  }
});

Deno.test("A megabyte of option makes a short message", () => {
  for (const long of [`--${"x".repeat(1 << 20)}`, "x".repeat(1 << 20)]) {
    assert(refusal(long).message.length < 150);
  }
  assert(refusal("--parent-pid", "9".repeat(1 << 20)).message.length < 150);
});

Deno.test("Positional arguments are refused; the name of a command is recognised", () => {
  for (const arg of ["tool", "-", "", "1", "false", "=", "=x"]) {
    assertEquals(refusal(arg).message, `Unexpected argument "${arg}"`);
  }
  assertEquals(refusal("--json", "true").message, 'Unexpected argument "true"');
  assertEquals(
    refusal("repair").message,
    'Unexpected argument "repair"; did you mean "--repair"?',
  );
});

Deno.test("A missing or empty value is refused", () => {
  for (const { name, value } of OPTIONS.filter(({ value }) => value)) {
    const message = `--${name} needs a value: ${value}`;
    assertEquals(refusal(`--${name}`).message, message);
    assertEquals(refusal(`--${name}=`).message, message);
    assertEquals(refusal(`--${name}`, "").message, message);
    assertEquals(refusal(`--${name}`, "--json").message, `${message}, not "--json"`);
    assertEquals(refusal(`--${name}`, "-").message, `${message}, not "-"`);
    assertEquals(refusal(`--${name}`, "--").message, message);
  }
});

Deno.test("A switch takes no value, not even a true one", () => {
  for (const { name } of OPTIONS.filter(({ value }) => !value)) {
    for (const value of ["", "false", "true", "1"]) {
      assertEquals(refusal(`--${name}=${value}`).message, `--${name} takes no value`);
    }
  }
  assertEquals(refusal("-h=1").message, "--help takes no value");
});

Deno.test("An option that can have one value only is refused twice", () => {
  for (const { name, value, repeatable } of OPTIONS) {
    if (!value || repeatable) continue;
    const error = refusal(`--${name}=1`, `--${name}`, "1");
    assertEquals(error.message, `--${name} is given more than once`);
  }
});

Deno.test("Two commands exclude each other", () => {
  assertEquals(refusal("--check", "--repair").message, "--repair and --check exclude each other");
  assertMatch(refusal("--from=x", "--uninstall").message, /exclude each other/);
  assertMatch(refusal("--version", "--status").message, /exclude each other/);
});

Deno.test("An option that means nothing to a command is refused, with those that take it", () => {
  const cases: [string[], RegExp, RegExp][] = [
    [["--rollback", "--pin=1.0.0"], /--pin does not go with --rollback/, /an update, --check/],
    [["--repair", "--force"], /--force does not go with --repair/, /an update, --from\./],
    [["--check", "--dry-run"], /--dry-run does not go with --check/, /an update, --uninstall\./],
    [["--check", "--parent-pid=1"], /--parent-pid does not go with --check/, /--rollback/],
    [["--from=x", "--manifest=y"], /--manifest does not go with --from/, /--check/],
    [["--target=x"], /--target does not go with an update/, /--from/],
    [["--status", "--relaunch"], /--relaunch does not go with --status/, /--rollback/],
    [
      ["--completions=zsh", "--force"],
      /--force does not go with --completions/,
      /an update, --from\./,
    ],
  ];
  for (const [args, message, hint] of cases) {
    const error = refusal(...args);
    assertMatch(error.message, message);
    assertMatch(error.hint!, hint);
  }
});

Deno.test("--parent-pid takes the id of a process and nothing else", () => {
  expectCommand(["--parent-pid", "1"], { kind: "update", parentPid: 1 });
  const wrong = [
    "0",
    "-1",
    "1.5",
    "1e3",
    "0x10",
    "01",
    "+1",
    " 1",
    "1 ",
    "4294967296",
    "abc",
    "\u0661",
  ];
  for (const pid of wrong) {
    const message = `--parent-pid needs the id of a process, not "${pid}"`;
    assertEquals(refusal("--parent-pid", pid).message, message);
    assertEquals(refusal(`--parent-pid=${pid}`).message, message);
  }
});

Deno.test("--wait-timeout takes seconds from 0 to a week", () => {
  for (const [seconds, ms] of [["0", 0], ["0.001", 1], ["1.1", 1100], ["604800", 604_800_000]]) {
    expectCommand(["--wait-timeout", `${seconds}`], { kind: "update", waitTimeoutMs: Number(ms) });
  }
  for (const wrong of ["-1", "604801", "1e3", "Infinity", "NaN", ".5", "5.", "1,5", "60s", "0x1"]) {
    assertMatch(refusal("--wait-timeout", wrong).message, /--wait-timeout needs a number of sec/);
  }
});

Deno.test("--pin takes a version, --target a plain file name, --completions a known shell", () => {
  for (const pin of ["v1.4.0", "1.4", "latest", "1.4.0 ", "../1.0.0"]) {
    assertEquals(
      refusal(`--pin=${pin}`).message,
      `--pin needs a version such as 1.4.0, not "${pin}"`,
    );
  }
  for (const target of ["a/b", "..", "C:\\x", "nul", ".updater-shim", "a.previous"]) {
    assertMatch(refusal("--from=x", `--target=${target}`).message, /--target needs a plain file/);
  }
  assertEquals(
    refusal("--completions", "csh").message,
    'There are no completions for "csh", only for bash, zsh, fish, powershell',
  );
});

Deno.test("The help names every option, in ASCII, in 80 columns", () => {
  const text = usage("updater-shim");
  for (const { name, short, value } of OPTIONS) {
    const flag = `${short ? `-${short}, ` : ""}--${name}${value ? ` ${value}` : ""}`;
    assert(text.includes(`${flag} `), `${flag} is in the help`);
  }
  for (const line of text.split("\n")) {
    assertMatch(line, /^[ -~]{0,80}$/);
    assertEquals(line.trimEnd(), line);
  }
});

Deno.test("An age is a number with a unit", () => {
  const ages = { "90m": 5_400_000, "24h": 86_400_000, "7d": 604_800_000, "1m": 60_000 };
  for (const [age, maxAgeMs] of Object.entries(ages)) {
    expectCommand(["--check", "--max-age", age], { kind: "check", maxAgeMs });
  }
  for (const age of ["24", "0h", "h", "1.5h", "24 h", "24H", "-1h", "100000d", "1w"]) {
    assertMatch(
      refusal("--check", `--max-age=${age}`).message,
      /--max-age needs a time such as 24h/,
    );
  }
  assertMatch(refusal("--max-age=24h").message, /--max-age does not go with an update/);
});

Deno.test("Of what says where the manifest is, a channel excludes the others", () => {
  for (const other of ["--manifest=x", "--pin=1.0.0"]) {
    assertMatch(refusal("--channel=beta", other).message, /exclude each other/);
  }
  assertMatch(refusal("--channel=be ta").message, /--channel needs a name/);
  assertMatch(refusal("--auth-fd=x").message, /--auth-fd needs the number of an open file/);
  assertMatch(refusal("--auth-fd=3", "--auth-file=x").message, /exclude each other/);
});
