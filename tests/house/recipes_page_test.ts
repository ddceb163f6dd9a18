/** The recipes that people copy are the files that the tests build and run. */
import { assertEquals } from "@std/assert";
import { RECIPES } from "../support/recipe.ts";

const PAGE = new URL("../../.github/RECIPES.md", import.meta.url);
/** A comment with the file's name, then the block. */
const BLOCK = /<!-- (\S+) -->\n\n```\w+\n([^]*?)```\n/g;

Deno.test("Each block of the recipes' page is a file that is tested, and each file is on the page", () => {
  const page = Deno.readTextFileSync(PAGE);
  const blocks = new Map([...page.matchAll(BLOCK)].map(([, name, code]) => [name!, code!]));
  assertEquals(page.match(/^```\w+$/gm)?.length, blocks.size, "a block without a file");
  assertEquals([...blocks.keys()].sort(), filesBelow(RECIPES));
  for (const [name, code] of blocks) {
    assertEquals(code, Deno.readTextFileSync(new URL(name, RECIPES)), name);
  }
});

Deno.test("the recipe of README.md is one of them", () => {
  const blocks = [
    ...Deno.readTextFileSync(new URL("../../README.md", import.meta.url)).matchAll(BLOCK),
  ]
    .filter(([, name]) => name!.includes("mytool"));
  assertEquals(blocks.length, 1);
  for (const [, name, code] of blocks) {
    assertEquals(code, Deno.readTextFileSync(new URL(name!, RECIPES)), name);
  }
});

function filesBelow(folder: URL, prefix = ""): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(new URL(`${name}/`, folder), `${prefix}${name}/`) : [prefix + name]
  ).sort();
}
