/** A published release as every platform's shim will see it. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { serve } from "../support/shim.ts";
import { Build, elf, macho, pe, tarGz, zipped } from "./bed.ts";

const FILES = {
  "tool-1.0.0-linux-x64.tar.gz": tarGz({ "t/README": "read me", "t/tool": elf("x86_64") }),
  "tool-1.0.0-macos-arm64.tar.gz": tarGz({ "t/tool": macho("aarch64") }),
  "tool-1.0.0-windows-x64.zip": zipped({ "tool.exe": pe("x86_64") }),
};

/** A packed and signed release, served; `key` is its public key. */
async function publish() {
  const build = new Build(FILES);
  using keys = new Build();
  const { stdout } = await build.run(["--new-key", keys.path("my.key")]);
  const key = /"publicKeys": \["(.+)"\]/.exec(stdout)![1]!;
  const args = ["--expires", "1y", "--sign", keys.path("my.key")];
  assertEquals((await build.pack(...args)).code, 0);
  const names = [...Object.keys(FILES), "release.json", "release.json.minisig"];
  const server = serve(Object.fromEntries(
    names.map((name) => [
      `/${name}`,
      () => {
        try {
          return new Response(Deno.readFileSync(build.path(name)));
        } catch {
          return new Response(null, { status: 404 });
        }
      },
    ]),
  ));
  return {
    build,
    server,
    key,
    lint: (...more: string[]) => build.run(["--lint", `${server.url}/release.json`, ...more]),
    change(edit: (files: Record<string, unknown>) => void, triple: string) {
      const manifest = build.manifest();
      edit(manifest.platforms[triple].files[0]);
      build.write("release.json", JSON.stringify(manifest));
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      build[Symbol.dispose]();
    },
  };
}

Deno.test("a good release is found good, by its URL and by its path", async () => {
  await using it = await publish();
  const { code, stdout, stderr } = await it.lint("--public-key", it.key);
  assertEquals([code, stderr], [0, ""]);
  assertStringIncludes(stdout, "tool 1.0.0, signed by ");
  assertStringIncludes(stdout, "x86_64-pc-windows-msvc       tool.exe: right");
  assertStringIncludes(
    stdout,
    "Nothing for: aarch64-pc-windows-msvc, aarch64-unknown-linux-gnu, x86_64-apple-darwin",
  );
  assertStringIncludes(stdout, "can install this release");
  for (const path of [it.build.path("release.json"), "release.json"]) {
    const { code, stderr } = await it.build.run(["--lint", path]);
    assertEquals(code, 0, stderr);
  }
  const local = await it.build.run(["--lint", it.build.path("release.json")]);
  assertEquals(local.code, 0, local.stderr);
});

Deno.test("a signature that is missing, or of another key, is refused where a key is given", async () => {
  await using it = await publish();
  await using other = await publish();
  const wrong = await it.lint("--public-key", other.key);
  assertEquals(wrong.code, 4);
  assertStringIncludes(wrong.stderr, "not with a trusted one");
  Deno.removeSync(it.build.path("release.json.minisig"));
  const missing = await it.lint("--public-key", it.key);
  assertEquals(missing.code, 4);
  assertStringIncludes(missing.stderr, "is not signed");
});

const FAULTS: Record<string, [(file: Record<string, unknown>) => void, string]> = {
  "another size": [(file) => file["size"] = 5, "5"],
  "another digest": [(file) => file["sha256"] = "0".repeat(64), "is not what the manifest says"],
  "another executable": [
    (file) => file["executable"] = { size: 1000, sha256: "0".repeat(64) },
    "is not what the manifest says",
  ],
  "a member that is not there": [(file) => file["member"] = "t/tol", 'no member "t/tol"'],
  "a member that is a text": [
    (file) => Object.assign(file, { member: "t/README", executable: undefined }),
    "is no executable",
  ],
  "no member": [
    (file) => Object.assign(file, { member: undefined, executable: undefined }),
    "the manifest does not say which file in it",
  ],
  "a file that is not there": [(file) => file["url"] = "gone.tar.gz", "HTTP 404"],
  "a kind of archive that no shim knows": [
    (file) => file["url"] = "tool-1.0.0-linux-x64.rar",
    "is not an archive that can be unpacked",
  ],
};

for (const [name, [edit, says]] of Object.entries(FAULTS)) {
  Deno.test(`found: ${name}`, async () => {
    await using it = await publish();
    it.change(edit, "x86_64-unknown-linux-gnu");
    const files = { ...FILES };
    it.build.write("tool-1.0.0-linux-x64.rar", files["tool-1.0.0-linux-x64.tar.gz"]);
    const { code, stdout, stderr } = await it.lint();
    assertEquals(code !== 0 && code !== 1, true, `${code} ${stderr}`);
    assertStringIncludes(stderr, says);
    // The other platforms were looked at all the same.
    assertStringIncludes(stdout, "aarch64-apple-darwin         tool: right");
  });
}

Deno.test("found: files of one platform under the name of another", async () => {
  await using it = await publish();
  const manifest = it.build.manifest();
  manifest.platforms["x86_64-apple-darwin"] = manifest.platforms["aarch64-apple-darwin"];
  it.build.write("release.json", JSON.stringify(manifest));
  const { code, stderr } = await it.lint();
  assertEquals(code, 4);
  assertStringIncludes(stderr, "is an executable for aarch64 macOS, not for x86_64-apple-darwin");
});

Deno.test("found: a platform that no shim asks for, and none at all", async () => {
  await using it = await publish();
  const manifest = it.build.manifest();
  manifest.platforms["x86_64-linux-gnu"] = manifest.platforms["x86_64-unknown-linux-gnu"];
  it.build.write("release.json", JSON.stringify(manifest));
  const slip = await it.lint();
  assertEquals(slip.code, 0, slip.stderr);
  assertStringIncludes(
    slip.stdout,
    'No shim asks for "x86_64-linux-gnu". Is it x86_64-unknown-linux-gnu?',
  );
  manifest.platforms["universal2-apple-darwin"] = manifest.platforms["aarch64-apple-darwin"];
  it.build.write("release.json", JSON.stringify(manifest));
  const universal = await it.lint();
  assertEquals(universal.stdout.includes('asks for "universal2'), false, universal.stdout);
  assertEquals(/Nothing for: .*darwin/.test(universal.stdout), false, universal.stdout);
  it.build.write("release.json", JSON.stringify({ ...manifest, platforms: {} }));
  const none = await it.lint();
  assertEquals(none.code, 4);
  assertStringIncludes(none.stderr, "for no platform");
});

Deno.test("found: a manifest that is over, of another tool, or no manifest", async () => {
  await using it = await publish();
  const named = await it.lint("--name", "other");
  assertEquals(named.code, 4);
  const manifest = it.build.manifest();
  it.build.write("release.json", JSON.stringify({ ...manifest, expires: "2020-01-01T00:00:00Z" }));
  const over = await it.lint();
  assertEquals(over.code, 4);
  assertStringIncludes(over.stderr, "expired on 2020-01-01");
  it.build.write("release.json", JSON.stringify({ ...manifest, version: "v1.0" }));
  const odd = await it.lint();
  assertEquals(odd.code, 2);
  assertStringIncludes(odd.stderr, "a semver version");
});

Deno.test("what is advised is for who made the release, and not for its users", async () => {
  await using it = await publish();
  const triple = "x86_64-unknown-linux-gnu";
  const told = async (...args: string[]) => {
    const { stderr } = await it.lint(...args);
    assertEquals(/tool's authors|Nothing was|--allow-http|--auth-file/.test(stderr), false, stderr);
    return stderr;
  };
  it.change((file) => file["sha256"] = "0".repeat(64), triple);
  assertStringIncludes(await told(), "Upload the file that was packed, or pack again.");
  assertStringIncludes(await told("--public-key", it.key), "the .minisig of one run");
  it.change((file) => file["url"] = "gone.tar.gz", triple);
  assertStringIncludes(await told(), "upload the file there");
  it.change((file) => file["url"] = "ftp://example.com/x", triple);
  assertStringIncludes(await told(), "Pack again, and upload all that it writes.");
  Deno.removeSync(it.build.path("release.json.minisig"));
  assertStringIncludes(await told("--public-key", it.key), "Sign it with --sign");
  const http = await it.build.run(["--lint", "http://example.com/release.json"]);
  assertStringIncludes(http.stderr, "Use https, as users' shims do.");
});
