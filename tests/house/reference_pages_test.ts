/** COMMANDS.md and CONFIGURATION.md are held to the code: every option, event, field, and no other. */
import { assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { isCommand, OPTIONS } from "../../src/cli/options.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));
const read = (...path: string[]) => Deno.readTextFileSync(join(ROOT, ...path));

function section(page: string, heading: string): string {
  return page.split(`\n## ${heading}\n`)[1]!.split("\n## ")[0]!;
}

Deno.test("COMMANDS names every option and command, and no other", () => {
  const page = read(".github", "COMMANDS.md");
  const options = [...section(page, "Options").matchAll(/^\| `--([a-z-]+)/gm)].map(([, name]) =>
    name!
  );
  assertEquals(
    options.sort(),
    OPTIONS.filter((option) => !isCommand(option)).map(({ name }) => name).sort(),
  );
  const table = page.split("\n## ")[0]!;
  for (const { name } of OPTIONS.filter(isCommand)) {
    assertEquals(table.includes(`--${name}`), true, name);
  }
});

Deno.test("COMMANDS names every event", () => {
  const events = [...read("src", "base", "events.ts").matchAll(/event: "([a-z-]+)"/g)];
  const told = section(read(".github", "COMMANDS.md"), "Events");
  assertEquals(events.map(([, name]) => name!).filter((name) => !told.includes(`\`${name}\``)), []);
});

Deno.test("CONFIGURATION names every field of the file", () => {
  const source = read("src", "cli", "config_schema.ts").split("const FieldsSchema")[1]!.split(
    "\n});",
  )[0]!;
  const fields = [...source.matchAll(/^ {2}(\w+): /gm)].map(([, name]) => name!);
  const table = section(read(".github", "CONFIGURATION.md"), "The configuration");
  assertEquals([...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name!).sort(), fields.sort());
});
