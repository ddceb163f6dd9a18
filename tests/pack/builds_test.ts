/** Folders that dist and GoReleaser leave: their own words are believed, and checked. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { Build, elf, encode, executableFor, macho, pe, sha256, tarGz, zipped } from "./bed.ts";
import { distManifest, goreleaserArtifacts } from "./layouts.ts";

function distBuild(): Build {
  const build = new Build({ "mytool-installer.sh": "#!/bin/sh\n", "source.tar.gz": "x" });
  const archives: Record<string, string> = {};
  for (const triple of ["x86_64-unknown-linux-musl", "aarch64-apple-darwin"]) {
    // dist's tar archives have a folder around all; `path` in its manifest leaves it out.
    const folder = `mytool-${triple}`;
    const name = `${folder}.tar.gz`;
    const files = {
      [`${folder}/README.md`]: "read me",
      [`${folder}/mytool`]: executableFor(triple),
      [`${folder}/helper.sh`]: "#!/bin/sh\n",
    };
    build.write(name, tarGz(files));
    archives[name] = triple;
  }
  const name = "mytool-x86_64-pc-windows-msvc.zip";
  build.write(name, zipped({ "mytool.exe": pe("x86_64"), "README.md": "read me" }));
  archives[name] = "x86_64-pc-windows-msvc";
  build.write("dist-manifest.json", distManifest("mytool", "1.4.0", ["mytool"], archives));
  return build;
}

Deno.test("dist: name, version, triples, executables and the place of the files come from its manifest", async () => {
  using build = distBuild();
  const { code, stdout, stderr } = await build.pack();
  assertEquals([code, stderr], [0, ""]);
  const { name, version, platforms } = build.manifest();
  assertEquals([name, version], ["mytool", "1.4.0"]);
  assertEquals(Object.keys(platforms), [
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
    "x86_64-unknown-linux-musl",
  ]);
  const [linux] = platforms["x86_64-unknown-linux-musl"].files;
  assertEquals(linux.member, "mytool-x86_64-unknown-linux-musl/mytool");
  assertEquals(
    linux.url,
    "https://github.com/me/mytool/releases/download/v1.4.0/mytool-x86_64-unknown-linux-musl.tar.gz",
  );
  assertEquals(platforms["x86_64-pc-windows-msvc"].files[0].member, "mytool.exe");
  assertStringIncludes(stdout, "dist (dist-manifest.json)");
  assertStringIncludes(stdout, "not used: dist: installer");
});

Deno.test("dist: of several tools one is asked for; another's files stay out", async () => {
  using build = distBuild();
  const manifest = build.manifest("dist-manifest.json");
  manifest.releases.push({ app_name: "other", app_version: "2.0.0", artifacts: [] });
  build.write("dist-manifest.json", JSON.stringify(manifest));
  const { code, stderr } = await build.pack();
  assertEquals(code, 2);
  assertStringIncludes(stderr, "several tools, or another: mytool, other");
  assertStringIncludes(stderr, "--name NAME");
  assertEquals((await build.pack("--name", "mytool")).code, 0);
});

Deno.test("dist: a file that is not what its manifest says is refused", async () => {
  using build = distBuild();
  const manifest = build.manifest("dist-manifest.json");
  const name = "mytool-aarch64-apple-darwin.tar.gz";
  manifest.artifacts[name].checksums = { sha256: "0".repeat(64) };
  build.write("dist-manifest.json", JSON.stringify(manifest));
  const { code, stderr } = await build.pack();
  assertEquals(code, 4);
  assertStringIncludes(stderr, `"${name}" is not what "dist-manifest.json" says`);
  build.write("dist-manifest.json", "{}");
  const broken = await build.pack();
  assertEquals(broken.code, 2);
  assertStringIncludes(broken.stderr, "is not what dist writes: releases: expected");
});

Deno.test("GoReleaser: archives, systems in Go's words, its checksums and its date", async () => {
  const archives = {
    "mytool_1.4.0_linux_amd64.tar.gz": tarGz({ "mytool": elf("x86_64"), "README.md": "x" }),
    "mytool_1.4.0_linux_arm64.tar.gz": tarGz({ "mytool": elf("aarch64"), "README.md": "x" }),
    "mytool_1.4.0_darwin_all.tar.gz": tarGz({ "mytool": macho("aarch64") }),
    "mytool_1.4.0_windows_amd64.zip": zipped({ "mytool.exe": pe("x86_64") }),
    "mytool_1.4.0_linux_386.tar.gz": tarGz({ "mytool": elf("i686") }),
  };
  using build = new Build({ ...archives, "mytool_1.4.0_linux_amd64.deb": "!<arch>" });
  build.write("mytool_linux_amd64_v1/mytool", elf("x86_64"));
  const sums = Object.entries(archives).map(([name, content]) => `${sha256(content)}  ${name}\n`);
  build.write("checksums.txt", sums.join(""));
  build.write("artifacts.json", goreleaserArtifacts("mytool", Object.keys(archives)));
  const metadata = {
    project_name: "mytool",
    tag: "v1.4.0",
    version: "1.4.0",
    date: "2026-11-01T12:00:00.123456789+02:00",
  };
  build.write("metadata.json", JSON.stringify(metadata));

  // A universal file that is none is seen by its header, whatever GoReleaser says.
  const wrong = await build.pack();
  assertEquals(wrong.code, 4);
  assertStringIncludes(wrong.stderr, '"mytool" in "mytool_1.4.0_darwin_all.tar.gz" is');
  const { code, stderr } = await build.pack("--exclude", "*darwin*");
  assertEquals([code, stderr], [0, ""]);
  const { name, version, published, platforms } = build.manifest();
  assertEquals([name, version, published], ["mytool", "1.4.0", "2026-11-01T10:00:00Z"]);
  assertEquals(Object.keys(platforms), [
    "aarch64-unknown-linux-gnu",
    "x86_64-pc-windows-msvc",
    "x86_64-unknown-linux-gnu",
  ]);

  build.write("checksums.txt", `${"0".repeat(64)}  mytool_1.4.0_linux_arm64.tar.gz\n`);
  const changed = await build.pack("--exclude", "*darwin*");
  assertEquals(changed.code, 4);
  assertStringIncludes(changed.stderr, 'is not what "checksums.txt" says');
});

Deno.test("GoReleaser: executables without archives lie in folders and are uploaded by other names", async () => {
  using build = new Build();
  build.write("mytool_linux_amd64_v1/mytool", elf("x86_64"));
  build.write("mytool_windows_amd64_v1/mytool.exe", pe("x86_64"));
  const entry = (name: string, path: string, goos: string, type = 4) => ({
    name,
    path,
    goos,
    goarch: "amd64",
    goamd64: "v1",
    internal_type: type,
    type: "Binary",
    extra: { Binary: "mytool" },
  });
  const artifacts = [
    entry("mytool", "dist/mytool_linux_amd64_v1/mytool", "linux"),
    entry("mytool.exe", "dist/mytool_windows_amd64_v1/mytool.exe", "windows"),
    entry("mytool_1.4.0_linux_amd64", "dist/mytool_linux_amd64_v1/mytool", "linux", 2),
    entry(
      "mytool_1.4.0_windows_amd64.exe",
      "dist/mytool_windows_amd64_v1/mytool.exe",
      "windows",
      2,
    ),
  ];
  build.write("artifacts.json", JSON.stringify(artifacts));
  build.write("metadata.json", JSON.stringify({ project_name: "mytool", version: "1.4.0" }));
  assertEquals((await build.pack("--url", "https://example.com")).code, 0);
  const { platforms } = build.manifest();
  const [linux] = platforms["x86_64-unknown-linux-gnu"].files;
  assertEquals([linux.target, linux.url], [
    "mytool",
    "https://example.com/mytool_1.4.0_linux_amd64",
  ]);
  assertEquals(platforms["x86_64-pc-windows-msvc"].files[0].target, "mytool.exe");
});

Deno.test("folders of separate machines are packed as one release", async () => {
  using linux = new Build({ "tool-1.0.0-linux-x64": elf("x86_64") });
  using macos = new Build({ "tool-1.0.0-macos-arm64": macho("aarch64") });
  const { code } = await linux.run([linux.folder, macos.folder, "--url", "https://example.com"]);
  assertEquals(code, 0);
  assertEquals(Object.keys(linux.manifest().platforms), [
    "aarch64-apple-darwin",
    "x86_64-unknown-linux-gnu",
  ]);
  using other = new Build({ "tool-1.1.0-win-x64.exe": pe("x86_64") });
  const mixed = await linux.run([linux.folder, other.folder]);
  assertEquals(mixed.code, 2);
  assertStringIncludes(mixed.stderr, "several versions: 1.0.0, 1.1.0");
});

Deno.test("manifests of separate machines are merged, in any order to the same bytes", async () => {
  using build = new Build();
  const parts = {
    linux: { "tool-1.0.0-linux-x64": elf("x86_64") },
    macos: { "tool-1.0.0-macos-arm64": macho("aarch64") },
    windows: { "tool-1.0.0-windows-x64.exe": pe("x86_64") },
  };
  for (const [name, files] of Object.entries(parts)) {
    using part = new Build(files);
    const times = ["--published", `2026-11-0${name.length}T12:00:00Z`, "--expires", "30d"];
    const output = ["--output", build.path(`${name}.json`), "--url", "https://example.com/"];
    assertEquals((await part.pack(...output, ...times)).code, 0);
  }
  await build.run(["--new-key", build.path("my.key")]);
  const texts = [];
  for (const order of [["linux", "macos", "windows"], ["windows", "linux", "macos"]]) {
    const manifests = order.map((name) => `${name}.json`);
    const { code, stderr } = await build.run([
      "--merge",
      ...manifests,
      "--sign",
      build.path("my.key"),
    ]);
    assertEquals([code, stderr], [0, ""]);
    texts.push(Deno.readTextFileSync(build.path("release.json")));
    texts.push(Deno.readTextFileSync(build.path("release.json.minisig")));
  }
  assertEquals(texts.slice(0, 2), texts.slice(2));
  const { platforms, published, expires } = build.manifest();
  assertEquals(Object.keys(platforms).length, 3);
  assertEquals([published, expires], ["2026-11-07T12:00:00Z", "2026-12-05T12:00:00Z"]);

  build.write(
    "other.json",
    Deno.readTextFileSync(build.path("linux.json")).replace(
      '"version": "1.0.0"',
      '"version": "1.0.1"',
    ),
  );
  const other = await build.run(["--merge", "macos.json", "other.json"]);
  assertEquals(other.code, 2);
  const changed = build.manifest("linux.json");
  changed.platforms["x86_64-unknown-linux-gnu"].files[0].size++;
  build.write("changed.json", JSON.stringify(changed));
  const both = await build.run(["--merge", "linux.json", "changed.json"]);
  assertEquals(both.code, 2);
  assertStringIncludes(both.stderr, '"changed.json" has other files for x86_64-unknown-linux-gnu');
  build.write("bad.json", encode("{"));
  assertEquals((await build.run(["--merge", "linux.json", "bad.json"])).code, 2);
});
