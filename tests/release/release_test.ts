/** What the release workflow publishes is what the shim itself understands. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { executableName, makeRelease, TARGETS } from "../../.ci/release.ts";
import { parseManifest, selectFiles } from "../../src/release/manifest.ts";
import { VERSION } from "../../src/base/version.ts";
import { sha256 } from "../support/shim.ts";

const BASE = `https://example.com/releases/download/v${VERSION}/`;

Deno.test({
  name: "a release has five archives, a manifest that the shim reads, and checksums that agree",
  ignore: Deno.build.os !== "linux", // it is made on Linux, with GNU tar
  async fn() {
    const folder = Deno.makeTempDirSync();
    try {
      for (const target of TARGETS) Deno.writeTextFileSync(built(folder, target), `for ${target}`);
      await makeRelease(folder, BASE);

      const manifest = parseManifest(read(folder, "release.json"), `${BASE}release.json`);
      assertEquals([manifest.name, manifest.version], ["updater-shim", VERSION]);
      for (const target of TARGETS) {
        const [file, ...others] = selectFiles(manifest, target, `${BASE}release.json`);
        assertEquals(others, []);
        const archive = file!.url.slice(BASE.length);
        assertEquals(file!.sha256, sha256(read(folder, archive)));
        assertEquals(file!.target, executableName(target));
        const content = await memberOf(folder, archive, file!.member!);
        assertEquals(new TextDecoder().decode(content), `for ${target}`);
        assertEquals(file!.executable, { size: content.length, sha256: sha256(content) });
      }
      await command("sha256sum", ["--check", "--strict", "SHA256SUMS"], folder);
      assertEquals([...Deno.readDirSync(folder)].length, TARGETS.length + 2);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});

function built(folder: string, target: string): string {
  return join(folder, `updater-shim-${target}${target.includes("windows") ? ".exe" : ""}`);
}

function read(folder: string, name: string): Uint8Array {
  return Deno.readFileSync(join(folder, name));
}

async function memberOf(folder: string, archive: string, member: string): Promise<Uint8Array> {
  return archive.endsWith(".zip")
    ? await command("unzip", ["-p", archive, member], folder)
    : await command("tar", ["-xzOf", archive, member], folder);
}

async function command(program: string, args: string[], cwd: string): Promise<Uint8Array> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args, cwd }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return stdout;
}
