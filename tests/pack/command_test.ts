/** The command line: what goes with what, and what is said where it does not. */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { UpdateError } from "../../src/base/errors.ts";
import { parsePackCommand } from "../../src/pack/pack_command.ts";
import { VERSION } from "../../src/base/version.ts";
import { PACK_OPTIONS, packUsage } from "../../src/pack/pack_options.ts";
import { Build } from "./bed.ts";

Deno.test("every option is in the help, which fits into 80 columns of ASCII", () => {
  const help = packUsage();
  for (const { name } of PACK_OPTIONS) assertStringIncludes(help, `--${name}`);
  for (const line of help.split("\n")) assertEquals(/^[ -~]{0,80}$/.test(line), true, line);
});

Deno.test("--help beside anything is a question for help", () => {
  for (const args of [["--help"], ["-h"], ["dist", "--help"]]) {
    assertEquals(parsePackCommand(args), { kind: "help" });
  }
});

const WRONG: readonly (readonly [readonly string[], string])[] = [
  [["--merge", "a.json"], "--merge needs two manifests or more"],
  [[], "Which folder?"],
  [["--sign", "my.key"], "Which folder?"],
  [["dist", "--url"], "url"],
  [["dist", "--sig", "my.key"], 'did you mean "--sign"?'],
  [["dist", "--sing", "my.key"], 'did you mean "--sign"?'],
  [["--hlep"], 'did you mean "--help"?'],
  [["dist", "--password-file", "a", "--password-env", "B"], "exclude each other"],
  [["dist", "--public-key", "RWQ"], "--public-key goes with --lint only"],
];

for (const [args, says] of WRONG) {
  Deno.test(`refused: ${args.join(" ")}`, () => {
    const error = assertThrows(() => parsePackCommand(args), UpdateError, says);
    assertEquals(error.exitCode, 2);
    assertStringIncludes(error.hint!, "updater-shim-pack --help");
  });
}

Deno.test("the version of the program is asked for by itself; with a value it is the tool's", async () => {
  using build = new Build();
  for (const option of ["--version", "-V"]) {
    const { code, stdout } = await build.run([option]);
    assertEquals([code, stdout], [0, `updater-shim-pack ${VERSION}\n`]);
  }
  assertEquals(parsePackCommand(["dist", "--version", "1.0.0"]).kind, "pack");
});

Deno.test("what is no folder is refused, and nothing from outside steers the terminal", async () => {
  using build = new Build();
  const { code, stderr } = await build.run(["no\u001b[2Jfolder"]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, "is not a folder");
  assertEquals(stderr.includes("\u001b"), false);
});
