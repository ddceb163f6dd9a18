/** A bundle for one system holds nothing of the other's platform, and refuses to run there. */
import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { BUNDLE_LIMIT, bundleInto, bundleTo } from "../../.ci/compile.ts";
import { ownPlatform } from "../../src/system/own_platform.ts";
import { posix } from "../../src/system/posix.ts";
import { windows } from "../../src/system/windows.ts";

const ROOT = dirname(dirname(dirname(fromFileUrl(import.meta.url))));
const OF_WINDOWS = /kernel32|rstrtmgr/i;
const OF_UNIX = /\/proc\/|O_NONBLOCK/;

Deno.test("under deno run each system has its own platform", () => {
  assertEquals(ownPlatform("windows"), windows);
  for (const os of ["linux", "darwin"]) assertEquals(ownPlatform(os), posix);
});

Deno.test("no system's shim has more of our code than it may have", async () => {
  for (const target of ["x86_64-unknown-linux-gnu", "x86_64-pc-windows-msvc"]) {
    const folder = Deno.makeTempDirSync({ prefix: "updater-shim-" });
    const files = await bundleInto(join(ROOT, "main.ts"), folder, target);
    const size = files.reduce((sum, file) => sum + Deno.statSync(file).size, 0);
    assert(size <= BUNDLE_LIMIT, `${size} bytes for ${target}`);
    Deno.removeSync(folder, { recursive: true });
  }
});

for (const entry of ["main.ts", "src/pack/main.ts"]) {
  Deno.test(`what is bundled of ${entry} is for the target alone`, async () => {
    const folder = Deno.makeTempDirSync({ prefix: "updater-shim-" });
    try {
      const bundle = async (target?: string) => {
        const path = join(folder, `${target}.js`);
        await bundleTo(join(ROOT, entry), path, target);
        return Deno.readTextFileSync(path);
      };
      const unix = await bundle("x86_64-unknown-linux-gnu");
      assertNotMatch(unix, OF_WINDOWS);
      assertMatch(unix, OF_UNIX);
      assertEquals(await bundle("aarch64-apple-darwin"), unix);
      const other = await bundle("x86_64-pc-windows-msvc");
      assertNotMatch(other, OF_UNIX);
      assertMatch(other, OF_WINDOWS);
      assertEquals(await bundle(), Deno.build.os === "windows" ? other : unix);

      const wrong = Deno.build.os === "windows" ? "aarch64-apple-darwin" : "x86_64-pc-windows-msvc";
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-config", join(folder, `${wrong}.js`), "--version"],
      }).output();
      assertEquals(code, 1);
      assertMatch(new TextDecoder().decode(stderr), /This program was bundled for/);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  });
}
