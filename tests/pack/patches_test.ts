/** Patches from older releases: made once for each pair, applied by the shim's own code. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { applyPatch } from "../../src/patch/apply_patch.ts";
import { serve } from "../support/shim.ts";
import { Build, elf, encode, macho, sha256, tarGz, universal } from "./bed.ts";

/** A megabyte that compresses badly, with a version in it. */
function body(version: string): string {
  let seed = 7;
  const next = () => (seed = (seed * 48271) % 2147483647) % 94 + 33;
  const noise = Array.from({ length: 300_000 }, () => String.fromCharCode(next())).join("");
  return `${noise}${version}${noise}`;
}

function release(version: string): Build {
  const linux = elf("x86_64", { body: body(version) });
  const macos = macho("aarch64", { body: body(version) });
  return new Build({
    [`tool-${version}-linux-x64.tar.gz`]: tarGz({ "t/README": "read me", "t/tool": linux }),
    [`tool-${version}-macos-arm64.tar.gz`]: tarGz({ "t/tool": macos }),
  });
}

/** What a patch of the manifest makes of an old executable. */
async function apply(build: Build, url: string, old: Uint8Array, size: number) {
  const [path, made] = [build.write("old", old), build.path("made")];
  {
    using patch = Deno.openSync(build.path(url), { read: true });
    using source = Deno.openSync(path, { read: true });
    using out = Deno.openSync(made, { write: true, create: true, truncate: true });
    await applyPatch({ patch, old: source, out }, { size });
  }
  const content = Deno.readFileSync(made);
  for (const file of [path, made]) Deno.removeSync(file);
  return sha256(content);
}

Deno.test("a folder of the older release gives a small patch for each executable, and each one works", async () => {
  using old = release("1.0.0");
  using build = release("1.1.0");
  const { code, stdout, stderr } = await build.pack("--previous", old.folder);
  assertEquals([code, stderr], [0, ""]);
  for (
    const [triple, content] of [
      ["x86_64-unknown-linux-gnu", elf("x86_64", { body: body("1.0.0") })],
      ["aarch64-apple-darwin", macho("aarch64", { body: body("1.0.0") })],
    ] as const
  ) {
    const [file] = build.manifest().platforms[triple].files;
    const [patch] = file.patches;
    assertEquals(file.patches.length, 1);
    assertEquals(patch.from, { size: content.length, sha256: sha256(content) });
    assertMatch(patch.url, /^tool-[0-9a-f]{8}-[0-9a-f]{8}\.patch$/);
    const bytes = Deno.readFileSync(build.path(patch.url));
    assertEquals([bytes.length, sha256(bytes)], [patch.size, patch.sha256]);
    assertEquals(bytes.length < file.size / 20, true, `${bytes.length} of ${file.size}`);
    assertEquals(
      await apply(build, patch.url, content, file.executable.size),
      file.executable.sha256,
    );
    assertStringIncludes(stdout, patch.url);
  }
  // Packed again, patches there or not: the same bytes.
  const first = Deno.readTextFileSync(build.path("release.json"));
  await build.pack("--previous", old.folder);
  assertEquals(Deno.readTextFileSync(build.path("release.json")), first);
});

Deno.test("a published release is fetched for it, several releases give several patches", async () => {
  using older = release("1.0.0");
  using old = release("1.1.0");
  using build = release("1.2.0");
  assertEquals((await old.pack()).code, 0);
  await using server = serve(Object.fromEntries(
    [...Deno.readDirSync(old.folder)].map(({ name }) => [
      `/${name}`,
      () => new Response(Deno.readFileSync(old.path(name))),
    ]),
  ));
  const previous = ["--previous", `${server.url}/release.json`, "--previous", older.folder];
  const { code, stderr } = await build.pack(...previous, "--url", "https://example.com/1.2.0/");
  assertEquals([code, stderr], [0, ""]);
  const [file] = build.manifest().platforms["x86_64-unknown-linux-gnu"].files;
  assertEquals(file.patches.length, 2);
  assertMatch(file.patches[0].url, /^https:\/\/example\.com\/1\.2\.0\/tool-/);
  // The lint reads them too.
  const manifest = Deno.readTextFileSync(build.path("release.json"));
  build.write("release.json", manifest.replaceAll("https://example.com/1.2.0/", ""));
  const lint = await build.run(["--lint", build.path("release.json")]);
  assertEquals(lint.code, 0, lint.stderr);
  assertStringIncludes(lint.stdout, "tool: right, 2 patches");
  const name = file.patches[0].url.split("/").at(-1);
  build.write(name, new Uint8Array(file.patches[0].size));
  assertEquals((await build.run(["--lint", build.path("release.json")])).code, 4);
});

Deno.test("one executable for two platforms is patched once", async () => {
  using old = new Build({ "tool-1.0.0-macos-universal": universal(body("1.0.0")) });
  using build = new Build({ "tool-1.1.0-macos-universal": universal(body("1.1.0")) });
  assertEquals((await build.pack("--previous", old.folder)).code, 0);
  const { platforms } = build.manifest();
  const [one, other] = ["aarch64-apple-darwin", "x86_64-apple-darwin"]
    .map((triple) => platforms[triple].files[0].patches);
  assertEquals(one.length, 1);
  assertEquals(one, other);
});

Deno.test("a patch that is not worth it, or changes nothing, is left out and said", async () => {
  using old = new Build({ "tool-1.0.0-linux-x64": elf("x86_64", { body: "entirely" }) });
  // Without its repetition: the one would find it and the other would not.
  const archive = tarGz({ "tool": elf("x86_64", { body: body("1").slice(0, 300_000) }) });
  using build = new Build({ "tool-1.1.0-linux-x64.tar.gz": archive });
  const { code, stdout } = await build.pack("--previous", old.folder);
  assertEquals(code, 0);
  assertMatch(stdout, /no patch tool-.*\.patch: it would be larger than 60 %/);
  assertEquals(build.manifest().platforms["x86_64-unknown-linux-gnu"].files[0].patches, undefined);
  using same = new Build({ "tool-1.1.1-linux-x64.tar.gz": archive });
  assertEquals((await same.pack("--previous", build.folder)).code, 0);
  assertEquals(same.manifest().platforms["x86_64-unknown-linux-gnu"].files[0].patches, undefined);
});

Deno.test("where there was no release before, none is made and it is said", async () => {
  using build = release("1.0.0");
  await using server = serve({});
  const { code, stdout } = await build.pack("--previous", `${server.url}/release.json`);
  assertEquals(code, 0);
  assertStringIncludes(stdout, `no patches from ${server.url}/release.json: there is nothing`);
});

Deno.test("an older release that cannot be read is refused", async () => {
  using build = release("1.1.0");
  using odd = new Build({ "tool-1.0.0-linux-x64.zip": encode("no zip") });
  for (const previous of [odd.folder, build.path("nothing.json")]) {
    const { code, stderr } = await build.pack("--previous", previous);
    assertEquals(code !== 0 && code !== 1, true, stderr);
    assertStringIncludes(stderr, `--previous ${previous} cannot be read`);
  }
});
