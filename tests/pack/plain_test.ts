/** A folder that nothing describes: what each file is taken for, and what the author is asked. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Build, elf, executableFor, macho, pe, sha256, tarGz, universal, zipped } from "./bed.ts";

const TRIPLES = [
  "aarch64-apple-darwin",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "x86_64-unknown-linux-gnu",
];

/** Four platforms as tar.gz and one as zip, of a tool with one executable. */
function usualBuild(version = "1.4.0"): Build {
  const build = new Build();
  for (const triple of TRIPLES) {
    const folder = `mytool-${version}-${triple}`;
    build.write(
      `${folder}.tar.gz`,
      tarGz({
        [`${folder}/README.md`]: "read me",
        [`${folder}/mytool`]: executableFor(triple),
        [`${folder}/completions/mytool.bash`]: "complete",
      }),
    );
  }
  build.write(
    `mytool-${version}-x86_64-pc-windows-msvc.zip`,
    zipped({ "mytool.exe": pe("x86_64"), "README.md": "read me" }),
  );
  return build;
}

Deno.test("the usual folder needs no option: name, version, executables and members are found", async () => {
  using build = usualBuild();
  const { code, stdout, stderr } = await build.pack("--url", "https://example.com/dl/");
  assertEquals([code, stderr], [0, ""]);
  const { schema, name, version, platforms } = build.manifest();
  assertEquals([schema, name, version], [1, "mytool", "1.4.0"]);
  assertEquals(Object.keys(platforms).sort(), [...TRIPLES, "x86_64-pc-windows-msvc"].sort());
  const [file] = platforms["x86_64-unknown-linux-gnu"].files;
  const archive = Deno.readFileSync(build.path("mytool-1.4.0-x86_64-unknown-linux-gnu.tar.gz"));
  const executable = executableFor("x86_64-unknown-linux-gnu");
  assertEquals(file, {
    target: "mytool",
    url: "https://example.com/dl/mytool-1.4.0-x86_64-unknown-linux-gnu.tar.gz",
    size: archive.length,
    sha256: sha256(archive),
    member: "mytool-1.4.0-x86_64-unknown-linux-gnu/mytool",
    executable: { size: executable.length, sha256: sha256(executable) },
  });
  assertEquals(platforms["x86_64-pc-windows-msvc"].files[0].target, "mytool.exe");
  // Every file is named with what it was taken for.
  for (const entry of Deno.readDirSync(build.folder)) {
    if (!entry.name.startsWith("release.json")) assertStringIncludes(stdout, entry.name);
  }
});

Deno.test("the same files give the same bytes, in whatever order they were made, also when packed again", async () => {
  using one = usualBuild();
  using other = usualBuild();
  for (const build of [one, other]) assertEquals((await build.pack()).code, 0);
  assertEquals((await other.pack()).code, 0);
  const text = (build: Build) => Deno.readTextFileSync(build.path("release.json"));
  assertEquals(text(one), text(other));
  const keys = [...text(one).matchAll(/^ {2}"(\w+)"/gm)].map(([, key]) => key);
  assertEquals(keys, keys.toSorted());
  assertEquals(one.manifest().published, undefined);
});

Deno.test("words of every fashion are understood, and what no shim is for is left out", async () => {
  const cases: Record<string, [Uint8Array, string[]]> = {
    "tool-linux-x64": [elf("x86_64"), ["x86_64-unknown-linux-gnu"]],
    "tool_1.2.3_linux_amd64": [elf("x86_64"), ["x86_64-unknown-linux-gnu"]],
    "tool-x86_64-linux": [elf("x86_64"), ["x86_64-unknown-linux-gnu"]],
    "tool-Linux-x86-64": [elf("x86_64"), ["x86_64-unknown-linux-gnu"]],
    "tool-linux64": [elf("x86_64"), ["x86_64-unknown-linux-gnu"]],
    "tool-linux-amd64-musl": [elf("x86_64"), ["x86_64-unknown-linux-musl"]],
    "tool-x86_64-unknown-linux-musl": [
      elf("x86_64", { libc: "musl" }),
      ["x86_64-unknown-linux-musl"],
    ],
    "tool-aarch64-linux": [elf("aarch64"), ["aarch64-unknown-linux-gnu"]],
    "tool-linux-arm64": [elf("aarch64"), ["aarch64-unknown-linux-gnu"]],
    "tool-macos-arm64": [macho("aarch64"), ["aarch64-apple-darwin"]],
    "tool-osx-x64": [macho("x86_64"), ["x86_64-apple-darwin"]],
    "tool-Darwin_x86_64": [macho("x86_64"), ["x86_64-apple-darwin"]],
    "tool_darwin_all": [universal(), ["aarch64-apple-darwin", "x86_64-apple-darwin"]],
    "tool-universal2-apple-darwin": [
      universal(),
      ["aarch64-apple-darwin", "x86_64-apple-darwin"],
    ],
    "tool-windows-amd64.exe": [pe("x86_64"), ["x86_64-pc-windows-msvc"]],
    "tool-win32-x64.exe": [pe("x86_64"), ["x86_64-pc-windows-msvc"]],
    "tool-win64.exe": [pe("x86_64"), ["x86_64-pc-windows-msvc"]],
    "tool-js-wasm": [elf("x86_64"), []],
    "tool-aarch64-linux-android": [elf("aarch64"), []],
    "tool-win-arm64.exe": [pe("aarch64"), ["aarch64-pc-windows-msvc"]],
    "tool-x86_64-pc-windows-gnu.exe": [pe("x86_64"), ["x86_64-pc-windows-msvc"]],
    // Half a platform, or none: the header says the rest.
    "tool-linux": [elf("aarch64"), ["aarch64-unknown-linux-gnu"]],
    "tool-macos": [universal(), ["aarch64-apple-darwin", "x86_64-apple-darwin"]],
    "tool.exe": [pe("x86_64"), ["x86_64-pc-windows-msvc"]],
    "tool": [elf("x86_64", { libc: "musl" }), ["x86_64-unknown-linux-musl"]],
  };
  for (const [name, [content, triples]] of Object.entries(cases)) {
    using build = new Build({
      [name]: content,
      "tool-linux-armv7": elf("i686"),
      "tool-freebsd-amd64": elf("x86_64"),
      "tool-linux-386": elf("i686"),
      "tool-linux-amd64v3": elf("x86_64"),
      "tool-1.2.3.deb": "!<arch>",
    });
    const { code, stderr } = await build.pack("--version", "1.2.3");
    assertEquals([name, code], [name, triples.length > 0 ? 0 : 2], stderr);
    if (triples.length === 0) continue;
    const { platforms } = build.manifest();
    assertEquals([name, ...Object.keys(platforms)], [name, ...triples]);
    const target = platforms[triples[0]!].files[0].target;
    assertEquals([name, target], [name, triples[0]!.includes("windows") ? "tool.exe" : "tool"]);
  }
});

Deno.test("raw executables beside each other are one set", async () => {
  using build = new Build({
    "uv-0.9.1-linux-x64": elf("x86_64"),
    "uvx-0.9.1-linux-x64": elf("x86_64", { body: "2" }),
    "uv-0.9.1-macos-arm64": macho("aarch64"),
    "uvx-0.9.1-macos-arm64": macho("aarch64", { body: "2" }),
  });
  assertEquals((await build.pack()).code, 0);
  const { name, platforms } = build.manifest();
  const targets = platforms["aarch64-apple-darwin"].files.map((file: { target: string }) =>
    file.target
  );
  assertEquals([name, targets], ["uv", ["uv", "uvx"]]);
});

Deno.test("of two archives with the same executable the one that unpacks faster is taken", async () => {
  using build = new Build({
    "tool-1.0.0-linux-x64.zip": zipped({ tool: elf("x86_64") }),
    "tool-1.0.0-linux-x64.tar.gz": tarGz({ tool: elf("x86_64") }),
    "tool-1.0.0-linux-x64": elf("x86_64"),
  });
  assertEquals((await build.pack()).code, 0);
  const [file] = build.manifest().platforms["x86_64-unknown-linux-gnu"].files;
  assertEquals(file.url, "tool-1.0.0-linux-x64.tar.gz");
});

Deno.test("a library beside the executable goes along and is not tried; a script beside it does not", async () => {
  using build = new Build({
    "tool-1.0.0-linux-x64.tar.gz": tarGz({
      "t/tool": elf("x86_64"),
      "t/libtool.so.1": elf("x86_64", { body: "library" }),
      "t/install.sh": "#!/bin/sh\n",
    }),
  });
  assertEquals((await build.pack()).code, 0);
  const files = build.manifest().platforms["x86_64-unknown-linux-gnu"].files;
  assertEquals(files.map(({ target, run }: { target: string; run?: boolean }) => [target, run]), [
    ["libtool.so.1", false],
    ["tool", undefined],
  ]);
});

Deno.test("a tool that is a script is found, and its platform asked for", async () => {
  using build = new Build({ "tool-1.0.0.tar.gz": tarGz({ "tool": "#!/bin/sh\necho 1\n" }) });
  const { code, stderr } = await build.pack();
  assertEquals(code, 2);
  assertStringIncludes(stderr, '--platform "tool-1.0.0.tar.gz=');
  const again = await build.pack("--platform", "tool-1.0.0.tar.gz=linux-x64,darwin-arm64");
  assertEquals([again.code, again.stderr], [0, ""]);
  assertEquals(Object.keys(build.manifest().platforms), [
    "aarch64-apple-darwin",
    "x86_64-unknown-linux-gnu",
  ]);
});

Deno.test("times come from the author, from SOURCE_DATE_EPOCH, or are not there", async () => {
  using build = usualBuild();
  const env = (name: string) => name === "SOURCE_DATE_EPOCH" ? "1790000000" : undefined;
  await build.run([build.folder, "--expires", "400d"], { env });
  assertEquals(build.manifest().published, "2026-09-21T14:13:20Z");
  assertEquals(build.manifest().expires, "2027-10-26T14:13:20Z");
  await build.pack("--published", "2026-11-01T12:00:00Z", "--expires", "1y");
  assertEquals(build.manifest().published, "2026-11-01T12:00:00Z");
  assertEquals(build.manifest().expires, "2027-11-01T12:00:00Z");
  const { stderr } = await build.pack("--expires", "soon");
  assertMatch(stderr, /--expires says "soon", which is no time\n {2}Write 400d, or/);
});

Deno.test("notes, homepage and share are written as they are given", async () => {
  using build = usualBuild();
  const facts = ["--notes", "Faster.", "--homepage", "https://example.com", "--rollout", "5%"];
  assertEquals((await build.pack(...facts)).code, 0);
  const { notes, homepage, rollout } = build.manifest();
  assertEquals([notes, homepage, rollout], ["Faster.", "https://example.com", { percent: 5 }]);
  assertEquals((await build.pack("--rollout", "500%")).code, 2);
});

Deno.test("a shim in the archive is not what the tool is called after, and its configuration is said", async () => {
  for (const shim of ["updater-shim", "mytool-updater"]) {
    using build = new Build({
      "mytool-1.4.0-linux-x64.tar.gz": tarGz({
        "t/mytool": elf("x86_64"),
        [`t/${shim}`]: elf("x86_64", { body: "shim" }),
        [`t/${shim}.json`]: "{}",
        "t/package.json": "{}",
      }),
    });
    const { code, stdout, stderr } = await build.pack();
    assertEquals([code, stderr], [0, ""]);
    assertEquals(build.manifest().name, "mytool");
    assertStringIncludes(
      stdout,
      `  ${shim}.json: in the archive, but not an executable; an installer has to put it there\n`,
    );
    assertEquals(stdout.includes("package.json"), false);
  }
});
