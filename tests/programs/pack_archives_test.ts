/** Releases as dist packs them by default, by the real tar, xz, zstd and zip. */
import { assertEquals } from "@std/assert";
import { Build, executableFor, sha256 } from "../pack/bed.ts";
import { distManifest } from "../pack/layouts.ts";

const TRIPLES = ["aarch64-apple-darwin", "x86_64-pc-windows-msvc", "x86_64-unknown-linux-gnu"];

async function command(folder: string, program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, cwd: folder }).output();
  assertEquals(success, true, new TextDecoder().decode(stderr));
}

for (const [ending, flag] of [["tar.xz", "--xz"], ["tar.zst", "--zstd"], ["tar.gz", "--gzip"]]) {
  Deno.test(`dist's archives as .${ending} and .zip are packed`, async () => {
    using build = new Build();
    const archives: Record<string, string> = {};
    for (const triple of TRIPLES) {
      const windows = triple.includes("windows");
      const folder = windows ? "." : `mytool-${triple}`;
      const name = `mytool-${triple}.${windows ? "zip" : ending}`;
      const own = windows ? "mytool.exe" : "mytool";
      build.write(`${folder}/README.md`, "# mytool\n");
      build.write(`${folder}/CHANGELOG.md`, "x\n".repeat(10_000));
      Deno.chmodSync(
        build.write(`${folder}/${own}`, executableFor(triple, "x".repeat(3e6))),
        0o755,
      );
      if (windows) await command(build.folder, "zip", "-q", name, "README.md", own);
      else await command(build.folder, "tar", flag!, "-cf", name, folder);
      archives[name] = triple;
    }
    build.write("dist-manifest.json", distManifest("mytool", "1.4.0", ["mytool"], archives));
    const { code, stderr } = await build.pack();
    assertEquals([code, stderr], [0, ""]);
    const { platforms } = build.manifest();
    assertEquals(Object.keys(platforms), TRIPLES);
    for (const triple of TRIPLES) {
      const [file] = platforms[triple].files;
      const windows = triple.includes("windows");
      assertEquals(file.member, windows ? "mytool.exe" : `mytool-${triple}/mytool`);
      assertEquals(file.executable.sha256, sha256(executableFor(triple, "x".repeat(3e6))));
    }
  });
}

Deno.test("a password typed at a terminal signs, and is not shown", async () => {
  using build = new Build({ "dist/tool-1.0.0-linux-x64": executableFor(TRIPLES[2]!) });
  // A real pseudo-terminal (util-linux); the limits of the key are the real ones: some seconds.
  const main = new URL("../../src/pack/main.ts", import.meta.url).pathname;
  build.write("password", "geheim\n");
  const made = await build.run([
    "--new-key",
    build.path("my.key"),
    "--password-file",
    build.path("password"),
  ]);
  assertEquals(made.code, 0, made.stderr);
  const line = `${Deno.execPath()} run -A ${main} ${build.path("dist")} --sign ${
    build.path("my.key")
  }`;
  const child = new Deno.Command("script", {
    args: ["-qec", line, "/dev/null"],
    stdin: "piped",
    stdout: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  const decoder = new TextDecoder();
  let shown = "";
  const writer = child.stdin.getWriter();
  for await (const bytes of child.stdout) {
    const before = shown;
    shown += decoder.decode(bytes, { stream: true });
    const asked = (text: string) => text.includes("Password of ");
    if (asked(shown) && !asked(before)) await writer.write(new TextEncoder().encode("geheim\r"));
    if (shown.includes("by key")) break;
  }
  await writer.close();
  await child.status;
  assertEquals(shown.includes("release.json.minisig, by key"), true, shown);
  assertEquals(shown.includes("geheim"), false, shown);
});
