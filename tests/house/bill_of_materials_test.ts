/** The list of what is in an executable has what is in its bundle, and nothing else. */
import { assertEquals, assertMatch } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { billOfMaterials, type Component } from "../../.ci/bill_of_materials.ts";
import { PROGRAMS } from "../../.ci/release.ts";
import { runProgram } from "../../.ci/run_program.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));

for (const [program, entry] of Object.entries(PROGRAMS)) {
  Deno.test(`${program}: the bill of materials names the packages of the bundle, with their digests`, async () => {
    const text = await billOfMaterials(entry, program);
    const { bomFormat, metadata, components } = JSON.parse(text) as {
      bomFormat: string;
      metadata: { component: { name: string } };
      components: Component[];
    };
    assertEquals([bomFormat, metadata.component.name], ["CycloneDX", program]);
    const libraries = components.filter(({ type }) => type === "library");
    const named = libraries.map(({ name, version }) => `${name}@${version}`);
    assertEquals(named.sort(), (await packagesOfBundle(entry)).sort());
    for (const { purl, hashes, licenses } of libraries) {
      assertMatch(purl, /^pkg:(npm|jsr)\/(%40[\w-]+\/)?[\w-]+@\d+\.\d+\.\d+$/);
      if (purl.startsWith("pkg:npm/")) assertMatch(hashes![0]!.content, /^[0-9a-f]{128}$/);
      assertMatch(licenses[0]!.license.id, /^(MIT|Apache-2\.0|BSD-\d-Clause|0BSD|ISC)$/);
    }
    assertEquals(components.filter(({ type }) => type === "platform").map(({ name }) => name), [
      "deno",
    ]);
  });
}

/** From what the bundler writes above each file that it takes something from. */
async function packagesOfBundle(entry: string): Promise<string[]> {
  const text = await runProgram(Deno.execPath(), ["bundle", "--quiet", join(ROOT, entry)], {
    cwd: ROOT,
  });
  const names = [...text.matchAll(/^ *\/\/ (\S+)$/gm)].flatMap(([, path]) => {
    const npm = /\/npm\/[^/]+\/((?:@[^/]+\/)?[^/]+)\/(\d[^/]*)\//.exec(path!);
    const jsr = /jsr\.io\/(@std\/[\w-]+)\/([\d.]+)\//.exec(path!);
    return (npm ?? jsr)?.slice(1, 3).join("@") ?? [];
  });
  return [...new Set(names)];
}
