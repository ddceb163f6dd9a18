/** What the release workflow publishes is what the shim itself understands. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { builtName, executableName, makeRelease, PROGRAMS, TARGETS } from "../../.ci/release.ts";
import { extractMember } from "../../src/archive/archive.ts";
import { archiveKind } from "../../src/archive/kinds.ts";
import { parseManifest, selectFiles } from "../../src/release/manifest.ts";
import { denoSystem } from "../../src/system/deno_system.ts";
import { VERSION } from "../../src/base/version.ts";
import { sha256 } from "../support/shim.ts";

const BASE = `https://example.com/releases/download/v${VERSION}/`;

Deno.test("a release has an archive for each system, a manifest that the shim reads, and checksums that agree", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    build(folder);
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
    const sums = new TextDecoder().decode(read(folder, "SHA256SUMS")).trimEnd().split("\n");
    for (const line of sums) {
      const [digest, name] = line.split("  ");
      assertEquals(digest, sha256(read(folder, name!)));
    }
    // For each program the archives and the list of what is in it; the manifest.
    assertEquals(sums.length, 2 * (TARGETS.length + 1) + 1);
    assertEquals([...Deno.readDirSync(folder)].length, sums.length + 1);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("a release made twice has the same bytes", async () => {
  const folders = [Deno.makeTempDirSync(), Deno.makeTempDirSync()] as const;
  try {
    for (const folder of folders) {
      build(folder);
      await makeRelease(folder, BASE);
      // The smallest unit of time in a tar header; a zip file counts in two seconds.
      await new Promise((resolve) => setTimeout(resolve, 2100));
    }
    for (const { name } of Deno.readDirSync(folders[0])) {
      assertEquals(sha256(read(folders[0], name)), sha256(read(folders[1], name)), name);
    }
  } finally {
    for (const folder of folders) Deno.removeSync(folder, { recursive: true });
  }
});

/** What the compiler leaves; the content names the system. */
function build(folder: string): void {
  for (const program of Object.keys(PROGRAMS)) {
    for (const target of TARGETS) {
      Deno.writeTextFileSync(join(folder, builtName(target, program)), `for ${target}`);
    }
  }
}

function read(folder: string, name: string): Uint8Array {
  return Deno.readFileSync(join(folder, name));
}

async function memberOf(folder: string, archive: string, member: string): Promise<Uint8Array> {
  const output = join(folder, "member");
  try {
    using out = Deno.openSync(output, { write: true, create: true });
    const options = { fs: denoSystem.fs, limit: 1000 };
    await extractMember(join(folder, archive), archiveKind(archive)!, member, out, options);
    return Deno.readFileSync(output);
  } finally {
    Deno.removeSync(output);
  }
}
