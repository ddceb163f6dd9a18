/** The maker of releases is a program of its own. */
import { assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));

/** Every module of this project that a program consists of, by its path below the root. */
async function modulesOf(entry: string): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
    cwd: ROOT,
  }).output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    modules: { specifier: string; kind?: string }[];
  };
  const root = `file://${ROOT}/`;
  return modules.map(({ specifier }) => specifier).filter((name) => name.startsWith(root))
    .map((name) => name.slice(root.length));
}

Deno.test("nothing of the maker of releases is in the shim, and no test code in either", async () => {
  const [shim, pack] = [await modulesOf("main.ts"), await modulesOf("src/pack/main.ts")];
  assertEquals(shim.filter((path) => path.startsWith("src/pack/")), []);
  // The same question finds what is there.
  assertEquals(pack.includes("src/pack/pack_release.ts"), true);
  assertEquals(shim.includes("src/run.ts"), true);
  for (const path of [...shim, ...pack]) assertEquals(/^(tests|\.ci)\//.test(path), false, path);
});

Deno.test("the maker reads archives, manifests and signatures with the shim's own code", async () => {
  const pack = await modulesOf("src/pack/main.ts");
  const shared = ["archive/archive.ts", "release/manifest.ts", "release/minisign.ts"];
  for (const path of shared) assertEquals(pack.includes(join("src", path)), true, path);
});
