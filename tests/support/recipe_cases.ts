/** What has to be so for a tool of each recipe. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Recipe, RecipeTool } from "./recipe.ts";

/** Linux: script(1) elsewhere takes other arguments. Windows has tests of its own, in tests/windows. */
const ignore = Deno.build.os !== "linux";
const isRoot = Deno.build.os === "linux" && Deno.uid() === 0;

/** Makes the tests of one recipe. */
export function testRecipe(name: string, recipe: Recipe): void {
  Deno.test({
    name:
      `${name}: self-update in a terminal; the prompt comes after the last line, && sees the new`,
    ignore,
    async fn() {
      await using tool = await RecipeTool.make(recipe);
      const { output } = await tool.inTerminal("./mytool self-update && ./mytool; echo PROMPT $?");
      const lines = output.trimEnd().split("\n").map((line) => line.trimEnd());
      assertEquals(lines.slice(-2), ["mytool 2.0.0", "PROMPT 0"], output);
      assertStringIncludes(output, "2.0.0");
    },
  });

  Deno.test({
    name: `${name}: the exit code is the shim's`,
    ignore,
    async fn() {
      await using tool = await RecipeTool.make(recipe, "missing");
      const { code, output } = await tool.inTerminal("./mytool self-update");
      assertEquals(code, 3, output);
      assertStringIncludes((await tool.inTerminal("./mytool")).output, "mytool 1.0.0");
    },
  });

  Deno.test({
    name: `${name}: what the user gives goes on to the shim, and the current folder with it`,
    ignore,
    async fn() {
      await using tool = await RecipeTool.make(recipe);
      const { output } = await tool.inTerminal(
        "mkdir sub && cd sub && ../mytool self-update --config ../updater-shim.json --check; " +
          "echo code $?; ../mytool self-update --help; ../mytool",
      );
      assertStringIncludes(output, "code 10", output);
      assertStringIncludes(output, "--rollback ", output);
      assert(output.trimEnd().endsWith("mytool 1.0.0"), output);
    },
  });

  Deno.test({
    name: `${name}: Ctrl-C in the download ends with 130, and nothing has changed`,
    ignore,
    async fn() {
      await using tool = await RecipeTool.make(recipe, "hangs");
      const asked = () => tool.requests.includes("/files/mytool");
      // The shim says "GO" nowhere: a second process of the terminal does, when the server was asked.
      const watch = `until [ -e asked ]; do sleep 0.05; done; echo GO`;
      const running = tool.inTerminal(
        `trap : INT; (trap '' INT; ${watch}) & ./mytool self-update; echo code $?; ./mytool`,
        { at: "GO", press: "\x03" },
      );
      while (!asked()) await new Promise((resolve) => setTimeout(resolve, 10));
      Deno.writeTextFileSync(`${tool.folder}/asked`, "");
      const { output } = await running;
      assertStringIncludes(output, "code 130", output);
      assertStringIncludes(output, "Nothing was changed");
      assert(output.trimEnd().endsWith("mytool 1.0.0"), output);
    },
  });

  Deno.test({
    name: `${name}: self-update works as the first process of a container`,
    ignore: !isRoot, // only root may make a PID namespace
    async fn() {
      await using tool = await RecipeTool.make(recipe);
      const { code, output } = await tool.inTerminal(
        "unshare --pid --fork --kill-child ./mytool self-update",
      );
      assertEquals(code, 0, output);
      assertStringIncludes((await tool.inTerminal("./mytool")).output, "mytool 2.0.0");
    },
  });
}
