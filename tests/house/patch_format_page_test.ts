/** `.github/PATCH-FORMAT.md` says what the code does. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import * as format from "../../src/patch/format.ts";
import { WORTHWHILE as MAKERS_SHARE } from "../../src/patch/make_patch.ts";
import { WORTHWHILE } from "../../src/release/patches.ts";
import { ManifestSchema } from "../../src/release/manifest_schema.ts";
import * as v from "valibot";
import { blocksOf } from "../support/pages.ts";
import { patched } from "../support/patches.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));
const PAGE = Deno.readTextFileSync(join(ROOT, ".github", "PATCH-FORMAT.md"));
/** Without the line ends, which are anywhere. */
const TEXT = PAGE.replaceAll(/\s+/g, " ");

/** The blocks of that language, in their order. */
const blocks = (language: string) =>
  blocksOf(".github/PATCH-FORMAT.md").filter((block) => block.language === language)
    .map(({ text }) => text);

Deno.test("the worked example of the patch format is decoded by the code", async () => {
  const [old, fresh, patch] = blocks("text").map((text) =>
    Uint8Array.from(text.trim().split(/\s+/), (byte) => parseInt(byte, 16))
  ) as [Uint8Array, Uint8Array, Uint8Array];
  assertEquals(await patched(old, patch, fresh.length), fresh);
});

Deno.test("the page of the patch format has the code's numbers and names", () => {
  const magic = new TextDecoder().decode(format.MAGIC);
  assertStringIncludes(PAGE, `\n## The format \`${format.PATCH_FORMAT}\`\n`);
  assertStringIncludes(PAGE, `\n### Header: ${format.HEADER_LENGTH} bytes\n`);
  assertStringIncludes(TEXT, `| 0 | ${format.MAGIC.length} | \`${magic}\``);
  assertStringIncludes(TEXT, `Each makes the next ${format.CHUNK} bytes`);
  assertStringIncludes(TEXT, `by more than ${format.maxStream(0)} bytes`);
  const rows = [...PAGE.matchAll(/^\| `(\w+)` +\|/gm)].map(([, name]) => name);
  assertEquals(rows, [...format.STREAMS], "in their order");
  assertEquals(MAKERS_SHARE, WORTHWHILE);
  assertStringIncludes(PAGE, `larger than ${WORTHWHILE * 100} % of it`);
});

Deno.test("the fields of a patch in the page are those of the manifest", () => {
  const file = JSON.parse(blocks("json")[0]!.replaceAll("…", "0".repeat(64)));
  const manifest = {
    schema: 1,
    name: "mytool",
    version: "1.5.0",
    platforms: { any: { files: [file] } },
  };
  const { platforms } = v.parse(ManifestSchema, manifest);
  const [patch] = platforms["any"]!.files[0]!.patches;
  assertEquals(patch, file.patches[0], "no field that the schema does not know");
  assertEquals(patch!.format, format.PATCH_FORMAT);
});

Deno.test("a header with another magic or version, or files that are too large, is refused", () => {
  const good = format.writeHeader({ oldSize: 4294967296, newSize: 1 });
  assertEquals(format.readHeader(good), { oldSize: 4294967296, newSize: 1 });
  for (const [at, byte] of [[0, 0x75], [7, 0x32], [8, 1], [15, 0xff], [20, 2]] as const) {
    const bad = good.slice();
    bad[at] = byte;
    let refused = false;
    try {
      format.readHeader(bad);
    } catch (error) {
      refused = error instanceof format.PatchError;
    }
    assertEquals(refused, true, `byte ${at}`);
  }
});
