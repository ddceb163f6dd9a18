/** What the release workflow publishes, as people unpack and check it. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { builtName, executableName, makeRelease, PROGRAMS, TARGETS } from "../../.ci/release.ts";
import { VERSION } from "../../src/base/version.ts";

Deno.test("a release is unpacked by tar and unzip, and checked by sha256sum", async () => {
  const folder = Deno.makeTempDirSync({ prefix: "updater-shim-" });
  const run = async (program: string, ...args: string[]) => {
    const { code, stderr } = await new Deno.Command(program, { args, cwd: folder }).output();
    assertEquals(code, 0, `${program}: ${new TextDecoder().decode(stderr)}`);
  };
  try {
    for (const program of Object.keys(PROGRAMS)) {
      for (const target of TARGETS) {
        Deno.writeTextFileSync(join(folder, builtName(target, program)), `for ${target}`);
      }
    }
    await makeRelease(folder);
    await run("sha256sum", "--check", "--strict", "SHA256SUMS");
    for (const target of TARGETS) {
      const name = `updater-shim-${VERSION}-${target}`;
      await (target.includes("windows")
        ? run("unzip", "-q", `${name}.zip`)
        : run("tar", "-xzf", `${name}.tar.gz`));
      const inside = join(folder, name);
      assertEquals(
        [...Deno.readDirSync(inside)].map(({ name }) => name).sort(),
        [
          "LICENSE",
          "README.md",
          executableName(target),
          "updater-shim.1",
        ].sort(),
      );
      const executable = join(inside, executableName(target));
      assertEquals(Deno.readTextFileSync(executable), `for ${target}`);
      assertEquals(Deno.statSync(executable).mode! & 0o777, 0o755);
      assertEquals(Deno.statSync(join(inside, "LICENSE")).mode! & 0o777, 0o644);
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
