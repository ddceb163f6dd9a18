/** One source gives one executable, wherever and whenever it is compiled. */
import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { sourceTime } from "../../.ci/source_time.ts";
import { sha256 } from "../support/shim.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));
const SOURCES = ["deno.json", "deno.lock", "main.ts", "src", ".ci", "tests/support/lint_plugin.ts"];
const EPOCH = "1700000000";

Deno.test("two compiles in two folders, seconds apart, have the same bytes; another source time gives others", async () => {
  const parent = Deno.makeTempDirSync({ prefix: "updater-shim-" });
  try {
    const [one, two] = [join(parent, "one"), join(parent, "a folder with another name")];
    const shim = await compileIn(one, "shim", EPOCH);
    assertEquals(shim, await compileIn(two, "shim", EPOCH));
    assertNotEquals(shim, await compileIn(one, "shim", String(Number(EPOCH) + 1)));
    assertEquals(await compileIn(one, "pack", EPOCH), await compileIn(two, "pack", EPOCH));
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
async function compileIn(folder: string, program: string, epoch: string): Promise<string> {
  for (const path of SOURCES) copy(join(ROOT, path), join(folder, path));
  const output = join(folder, "dist", "updater-shim");
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ".ci/compile.ts", "--program", program, "--output", output],
    cwd: folder,
    env: { SOURCE_DATE_EPOCH: epoch },
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return sha256(Deno.readFileSync(output));
}

function copy(from: string, to: string): void {
  Deno.mkdirSync(dirname(to), { recursive: true });
  if (Deno.statSync(from).isFile) return Deno.copyFileSync(from, to);
  for (const { name } of Deno.readDirSync(from)) copy(join(from, name), join(to, name));
}
