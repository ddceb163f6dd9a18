/** No recipe can rot: each block of a page that people copy is run by a test, which it names. */
import { assertEquals, assertThrows } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { type Block, blocksOf, pages } from "../support/pages.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));

/** Nothing to run: output, and pictures made of letters. JSON is read by the test below. */
const NOT_COMMANDS = ["text", "json"];

/** Blocks that no test runs yet, as `page language: first line`. The list may only get shorter. */
const UNTESTED: readonly string[] = [];

const label = ({ page, language, text }: Block) => `${page} ${language}: ${text.split("\n")[0]}`;
const all = pages().flatMap((page) => blocksOf(page));

Deno.test("a block and who runs it are read from a page", () => {
  const page = [
    "<!-- run by tests/a_test.ts: does it -->",
    "```sh",
    "echo 1",
    "```",
    "- a list",
    "  ```",
    "  plain",
    "  ```",
    "",
  ].join("\n");
  assertEquals(blocksOf("PAGE.md", page), [
    {
      page: "PAGE.md",
      line: 2,
      language: "sh",
      text: "echo 1\n",
      by: { file: "tests/a_test.ts", name: "does it" },
    },
    { page: "PAGE.md", line: 6, language: "", text: "plain\n", by: undefined },
  ]);
  assertThrows(() => blocksOf("PAGE.md", "```sh\nendless\n"), Error, "has no end");
});

Deno.test("every block of commands or code on a page names the test that runs it, and there is that test", () => {
  for (const block of all.filter(({ language }) => !NOT_COMMANDS.includes(language))) {
    const { page, line, by } = block;
    if (!by) {
      assertEquals(
        UNTESTED.includes(label(block)),
        true,
        `${page}:${line} names no test. Write "<!-- run by FILE: TEST -->" above it, and run it ` +
          "there (blocksRunBy of tests/support/pages.ts); what is only to be looked at is ```text.",
      );
      continue;
    }
    const source = Deno.readTextFileSync(join(ROOT, by.file));
    assertEquals(names(source, by.name), true, `${page}:${line}: no "${by.name}" in ${by.file}`);
  }
});

Deno.test("every block that no test runs yet is still there", () => {
  const open = all.filter(({ by }) => !by).map(label);
  assertEquals(UNTESTED.filter((entry) => !open.includes(entry)), [], "take it off the list");
});

Deno.test("every JSON block on a page is JSON", () => {
  for (const { page, line, text } of all.filter(({ language }) => language === "json")) {
    try {
      JSON.parse(text);
    } catch (error) {
      throw new Error(`${page}:${line} is not JSON`, { cause: error });
    }
  }
});

/** The name of a test, in whole or made of a loop's variable and the rest; of a script, a function. */
function names(source: string, name: string): boolean {
  const [, rest = name] = /^\w+(: .+)$/.exec(name) ?? [];
  return source.includes(`"${name}"`) || source.includes(`}${rest}\``) ||
    source.includes(`\n${name}() {`);
}
