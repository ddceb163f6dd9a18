/** Tools of the recipes in languages that a machine with only Deno and npm need not have. */
import { join } from "@std/path";
import { type Recipe, runIn } from "../support/recipe.ts";
import { testRecipe } from "../support/recipe_cases.ts";

/** A script is the executable. */
function script(source: string): Recipe {
  return {
    sources: [source],
    make: async (folder) => await Deno.rename(join(folder, source), join(folder, "mytool")),
  };
}

testRecipe("Python", script("mytool.py"));
testRecipe("Bash", script("mytool.sh"));
testRecipe("Ruby", script("mytool.rb"));
testRecipe("Perl", script("mytool.pl"));

const GO: Recipe = {
  sources: ["go/main.go", "go/update_unix.go", "go/update_windows.go"],
  async make(folder) {
    Deno.writeTextFileSync(join(folder, "go.mod"), "module mytool\n\ngo 1.19\n");
    await runIn(folder, "go", "build", "-o", "mytool", ".");
  },
};
testRecipe("Go", GO);

Deno.test("Go: the half for Windows compiles", async () => {
  await using folder = temporaryFolder();
  for (const source of GO.sources) {
    const name = source.split("/").at(-1)!;
    Deno.copyFileSync(new URL(`../recipes/${source}`, import.meta.url), join(folder.path, name));
  }
  Deno.writeTextFileSync(join(folder.path, "go.mod"), "module mytool\n\ngo 1.19\n");
  const compile = "GOOS=windows CGO_ENABLED=0 go vet . && GOOS=windows go build -o mytool.exe .";
  await runIn(folder.path, "sh", "-c", compile);
});

testRecipe("Rust", {
  sources: ["mytool.rs"],
  make: async (folder) => await runIn(folder, "rustc", "--edition", "2021", "-O", "mytool.rs"),
});

testRecipe("C", {
  sources: ["mytool.c"],
  make: async (folder) =>
    await runIn(folder, "gcc", "-Wall", "-Wextra", "-Werror", "-o", "mytool", "mytool.c"),
});

function temporaryFolder() {
  const path = Deno.makeTempDirSync({ prefix: "updater-shim-recipe-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
