/** What CONTRIBUTING.md names is there, and its commands work. */
import { assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { blocksRunBy } from "../support/pages.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));
const PAGE = Deno.readTextFileSync(join(ROOT, ".github", "CONTRIBUTING.md"));

Deno.test("every file, folder and task that CONTRIBUTING.md names is there", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.json"))) as {
    tasks: Record<string, unknown>;
  };
  const named = [...PAGE.replaceAll(/^```[^]*?^```$/gm, "").matchAll(/`([^`]+)`/g)].map((
    [, text],
  ) => text!);
  const paths = named.filter((text) => /^(src|tests|\.ci|\.github)\/[\w./]*$/.test(text));
  assertEquals(paths.length > 15, true);
  for (const path of paths) Deno.statSync(join(ROOT, path));
  const commands = [...PAGE.matchAll(/\btask ([\w:]+)/g)].map(([, task]) => task!);
  assertEquals(commands.filter((task) => !(task in tasks)), []);
  // A task that nobody is told of would not be run.
  assertEquals(
    Object.keys(tasks).filter((task) =>
      /^(test|fuzz|bench)/.test(task) && !commands.includes(task)
    ),
    [],
  );
});

const COMMANDS = "the commands of CONTRIBUTING.md work as they stand there";
Deno.test({
  name: "the commands of CONTRIBUTING.md work as they stand there",
  ignore: Deno.build.os === "windows", // no `sh`
  async fn() {
    for (const { text } of blocksRunBy("tests/house/contributing_test.ts", COMMANDS)) {
      const { code, stdout, stderr } = await new Deno.Command("sh", {
        args: ["-ec", text],
        cwd: ROOT,
        env: { NO_COLOR: "1" },
        stdin: "null",
      }).output();
      const output = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
      assertEquals(code, 0, output);
      assertEquals(output.match(/^ok \| \d+ passed/gm)?.length, 2, output);
    }
  },
});
