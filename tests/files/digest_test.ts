import { assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { denoSystem } from "../../src/system/deno_system.ts";
import {
  digestFile,
  digestFileAside,
  digestFileInBackground,
  sameContent,
} from "../../src/files/digest.ts";

const { fs } = denoSystem;
/** Not a multiple of the buffer. */
const SIZE = 3 * 1024 * 1024 + 17;

Deno.test("Three ways to read a file come to one digest, the one that WebCrypto has", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const path = join(folder, "a name with % and 'quotes'");
    const content = new Uint8Array(SIZE).map((_, index) => index * 7);
    Deno.writeFileSync(path, content);
    const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", content)).toHex();
    const expected = { size: SIZE, sha256 };
    assertEquals(digestFile(fs, path), expected);
    assertEquals(await digestFileInBackground(fs, path), expected);
    assertEquals(await fs.digestAside(path), expected);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("What the other thread cannot read is read again, and the error is the system's", async () => {
  const path = join(Deno.makeTempDirSync(), "missing");
  assertEquals(await fs.digestAside(path), undefined);
  const error = await digestFileAside(fs, path).catch((error) => error);
  assertEquals(error instanceof Deno.errors.NotFound, true, String(error));
  assertThrows(() => digestFile(fs, path), Deno.errors.NotFound);
  Deno.removeSync(join(path, ".."));
});

Deno.test("Two contents are the same if size and digest are, in either case of letters", () => {
  const digest = { size: 3, sha256: "ab".repeat(32) };
  assertEquals(sameContent(digest, { size: 3, sha256: "AB".repeat(32) }), true);
  assertEquals(sameContent(digest, { size: 4, sha256: "ab".repeat(32) }), false);
  assertEquals(sameContent(digest, { size: 3, sha256: `${"ab".repeat(31)}aa` }), false);
  assertEquals(sameContent(digest, { size: 3, sha256: "ab" }), false);
});
