/**
 * The shim's own update: 92 MB of it are the runtime, which stays. Two shims that differ by a word,
 * each really compiled; the patch by the compiled maker; and the old one updates itself by it.
 */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { VERSION } from "../../src/base/version.ts";
import { compileIn, copySources } from "../support/other_sources.ts";
import { compiledPack, compiledShim, serve, sha256 } from "../support/shim.ts";

/** The maker knows other systems' executables too, but compiled is this one's. */
const ignore = Deno.build.os !== "linux" || Deno.build.arch !== "x86_64";
const NEXT = "0.99.0";
/** The word, where it stands in the bundle, and the time of the source. */
const MOST = 1000;

Deno.test({
  name: "A shim of which one word changed updates itself by a patch of less than a kilobyte",
  ignore,
  async fn() {
    const scratch = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-own-" }));
    try {
      const [old, dist] = [join(scratch, "old"), join(scratch, "dist")];
      for (const folder of [old, dist]) Deno.mkdirSync(folder);
      Deno.copyFileSync(await compiledShim(), join(old, `updater-shim-${VERSION}-linux-x64`));
      const next = await compileNext(join(scratch, "sources"));
      Deno.renameSync(next, join(dist, `updater-shim-${NEXT}-linux-x64`));
      await run(scratch, await compiledPack(), "dist", "--previous", "old");
      await updatesItself(dist, join(scratch, "installed"));
    } finally {
      Deno.removeSync(scratch, { recursive: true });
    }
  },
});

/** These sources with another version in them. */
async function compileNext(folder: string): Promise<string> {
  copySources(folder);
  const file = join(folder, "src", "base", "version.ts");
  const source = Deno.readTextFileSync(file);
  assert(source.includes(`"${VERSION}"`));
  Deno.writeTextFileSync(file, source.replace(`"${VERSION}"`, `"${NEXT}"`));
  return await compileIn(folder, "shim");
}

async function updatesItself(dist: string, folder: string): Promise<void> {
  const [file] = JSON.parse(Deno.readTextFileSync(join(dist, "release.json")))
    .platforms[Deno.build.target].files;
  const [patch] = file.patches;
  assert(patch.size < MOST, `${patch.size} bytes`);
  let sent = 0;
  await using server = serve(Object.fromEntries(
    [...Deno.readDirSync(dist)].map(({ name }) => [`/${name}`, () => {
      const bytes = Deno.readFileSync(join(dist, name));
      sent += bytes.length;
      return new Response(bytes);
    }]),
  ));
  Deno.mkdirSync(folder);
  const shim = join(folder, "updater-shim");
  Deno.copyFileSync(await compiledShim(), shim);
  const manifest = `${server.url}/release.json`;
  Deno.writeTextFileSync(
    join(folder, "updater-shim.json"),
    JSON.stringify({ name: "updater-shim", manifest }),
  );
  await run(folder, shim);
  assertEquals(sha256(Deno.readFileSync(shim)), file.sha256);
  assertEquals((await run(folder, shim, "--version")).trim(), `updater-shim ${NEXT}`);
  assertEquals(server.requests, ["/release.json", `/${patch.url}`]);
  const { size } = Deno.statSync(join(dist, "release.json"));
  assertEquals(sent, size + patch.size);
}

async function run(cwd: string, program: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd,
    stdin: "null",
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
