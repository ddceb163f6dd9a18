/**
 * The pages of the project, and the blocks in them that people copy. Above each stands who runs it:
 *
 *     <!-- run by tests/programs/recipes_test.ts: the name of a test -->
 *
 * A reader does not see that line, and it moves with the block. A whole program is a file of
 * `tests/recipes/` instead, and stands below `<!-- its name there -->`.
 */
import { dirname, fromFileUrl, join } from "@std/path";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));

/** A fenced block. */
export interface Block {
  /** Path of the page below the root. */
  readonly page: string;
  /** Line of the fence, from 1. */
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** The file that runs it and the name in it; undefined where nobody is named. */
  readonly by: { readonly file: string; readonly name: string } | undefined;
}

/** Every page for people, by its path below the root. */
export function pages(): string[] {
  const markdown = (folder: string) =>
    [...Deno.readDirSync(join(ROOT, folder))].map(({ name }) => join(folder, name))
      .filter((path) => path.endsWith(".md"));
  return [...markdown(""), ...markdown(".github")].sort();
}

/** All blocks of a page. */
export function blocksOf(page: string, text = Deno.readTextFileSync(join(ROOT, page))): Block[] {
  const blocks: Block[] = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const [, indent, language] = /^( *)```(\w*)$/.exec(lines[at]!) ?? [];
    if (language === undefined) continue;
    const end = lines.indexOf(`${indent}\`\`\``, at + 1);
    if (end < 0) throw new Error(`${page}:${at + 1}: the block has no end`);
    const above = lines.slice(0, at).findLast((line) => line.trim() !== "") ?? "";
    const [, file, name] = /^ *<!-- run by (\S+?): (.+) -->$/.exec(above) ?? recipe(above) ?? [];
    blocks.push({
      page,
      line: at + 1,
      language,
      text: lines.slice(at + 1, end).map((line) => line.slice(indent!.length)).join("\n") + "\n",
      by: file && name ? { file, name } : undefined,
    });
    at = end;
  }
  return blocks;
}

/** That it is the very file, and runs, is seen by the tests of the recipes. */
function recipe(line: string): [string, string, string] | undefined {
  const [, file] = /^<!-- ([\w./-]+) -->$/.exec(line) ?? [];
  if (!file) return undefined;
  Deno.statSync(join(ROOT, "tests", "recipes", file));
  const test =
    "Each block of the recipes' page is a file that is tested, and each file is on the page";
  return [line, "tests/house/recipes_page_test.ts", test];
}

/** The blocks that name this test: what it has to run. Throws where there is none. */
export function blocksRunBy(file: string, name: string): Block[] {
  const found = pages().flatMap((page) => blocksOf(page))
    .filter(({ by }) => by?.file === file && by.name === name);
  if (found.length === 0) throw new Error(`no page has a block that "${name}" of ${file} runs`);
  return found;
}
