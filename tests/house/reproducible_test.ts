/** One source gives one executable, wherever and whenever it is compiled. */
import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { sourceTime } from "../../.ci/source_time.ts";
import { compileIn, copySources } from "../support/other_sources.ts";
import { sha256 } from "../support/shim.ts";

const EPOCH = "1700000000";

Deno.test("two compiles in two folders, seconds apart, have the same bytes; another source time gives others", async () => {
  const parent = Deno.makeTempDirSync({ prefix: "updater-shim-" });
  try {
    const [one, two] = [join(parent, "one"), join(parent, "a folder with another name")];
    const shim = await digestIn(one, "shim", EPOCH);
    assertEquals(shim, await digestIn(two, "shim", EPOCH));
    assertNotEquals(shim, await digestIn(one, "shim", String(Number(EPOCH) + 1)));
    assertEquals(await digestIn(one, "pack", EPOCH), await digestIn(two, "pack", EPOCH));
  } finally {
    Deno.removeSync(parent, { recursive: true });
  }
});

Deno.test("the source's time is SOURCE_DATE_EPOCH, else the commit's, else a fixed one", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "updater-shim-" });
  try {
    assertEquals((await sourceTime(EPOCH)).getTime(), Number(EPOCH) * 1000);
    assertEquals((await sourceTime("", folder)).toISOString(), "1980-01-01T00:00:00.000Z");
    for (const wrong of ["yesterday", "-1", "1e9", "123456789012"]) {
      await assertRejects(() => sourceTime(wrong), Error, "must be a number of seconds");
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

/** The digest of the executable that a copy of these sources compiles to. */
async function digestIn(folder: string, program: string, epoch: string): Promise<string> {
  copySources(folder);
  const output = await compileIn(folder, program, { SOURCE_DATE_EPOCH: epoch });
  return sha256(Deno.readFileSync(output));
}
