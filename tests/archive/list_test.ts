/** The listing shows what is there, and refuses what unpacking would refuse. */
import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { listMembers } from "../../src/archive/archive.ts";
import { archiveKind } from "../../src/archive/kinds.ts";
import { UpdateError } from "../../src/base/errors.ts";
import { denoSystem } from "../../src/system/deno_system.ts";
import { gzip, tar, zip } from "../support/archive_corpus.ts";
import { unpack } from "../support/unpack.ts";

const README = { name: "tool-1.4.0/README", content: "read me\n", mode: "0000644\0" };
const TOOL = { name: "tool-1.4.0/tool", content: "new" };
const FOLDER = { name: "tool-1.4.0/", type: "5" };
const attributes = (mode: number) => ({ central: { attributes: (0o100000 | mode) << 16 >>> 0 } });
const ARCHIVES = {
  "a.tar": tar(FOLDER, README, TOOL),
  "a.tar.gz": gzip(tar(FOLDER, README, TOOL)),
  "a.zip": zip([{ ...README, ...attributes(0o644) }, { ...TOOL, ...attributes(0o755) }]),
};

async function list(name: string, archive: Uint8Array) {
  const folder = Deno.makeTempDirSync({ prefix: "updater-shim-" });
  try {
    Deno.writeFileSync(join(folder, name), archive);
    return await listMembers(join(folder, name), archiveKind(name)!, denoSystem.fs);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

for (const [name, archive] of Object.entries(ARCHIVES)) {
  Deno.test(`${name}: names, types and modes are listed`, async () => {
    const entries = (await list(name, archive))
      .filter(({ type }) => type === "a regular file")
      .map(({ name, mode }) => [name, mode?.toString(8)]);
    assertEquals(entries, [["tool-1.4.0/README", "644"], ["tool-1.4.0/tool", "755"]]);
  });

  Deno.test(`${name}: one that is cut off is refused`, async () => {
    const error = await assertRejects(() => list(name, archive.slice(0, -1030)), UpdateError);
    assertEquals(error.kind, "verification");
  });
}

Deno.test("an unsafe name is refused, whatever the member would be", async () => {
  const escaping = tar({ name: "../tool", content: "new" });
  const error = await assertRejects(() => list("a.tar", escaping), UpdateError);
  assertEquals(error.message.includes("unsafe name"), true, error.message);
});

Deno.test("a large member right behind a small entry is unpacked, as releases with a README have it", async () => {
  const content = "0123456789abcdef".repeat(300_000);
  const archive = tar({ name: "README", content: "hi\n" }, { name: "tool", content });
  assertEquals(await unpack({ kind: "tar", archive, limit: content.length }), content);
});
