/** The listing shows what is there, and refuses what unpacking would refuse. */
import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { archiveKind, listMembers } from "../../src/archive/archive.ts";
import { UpdateError } from "../../src/base/errors.ts";
import { denoSystem } from "../../src/system/deno_system.ts";

const ignore = Deno.build.os === "windows";

async function archiveOf(name: string, program: string, args: string[]) {
  const root = Deno.makeTempDirSync({ prefix: "updater-shim-" });
  Deno.mkdirSync(join(root, "mytool-1.4.0"));
  Deno.writeTextFileSync(join(root, "mytool-1.4.0", "mytool"), "new", { mode: 0o755 });
  Deno.writeTextFileSync(join(root, "mytool-1.4.0", "README"), "read me", { mode: 0o644 });
  Deno.chmodSync(join(root, "mytool-1.4.0", "mytool"), 0o755);
  const { success } = await new Deno.Command(program, { args, cwd: root }).output();
  assertEquals(success, true);
  return { root, path: join(root, name), kind: archiveKind(name)! };
}

for (
  const [name, program, args] of [
    ["a.tar.gz", "tar", ["--sort=name", "-czf", "a.tar.gz", "mytool-1.4.0"]],
    ["a.zip", "zip", ["-q", "-r", "a.zip", "mytool-1.4.0"]],
  ] as const
) {
  Deno.test({
    name: `${name}: names, types and modes are listed`,
    ignore,
    async fn() {
      const { root, path, kind } = await archiveOf(name, program, [...args]);
      const entries = (await listMembers(path, kind, denoSystem.fs))
        .filter(({ type }) => type === "a regular file")
        .map(({ name, mode }) => [name, mode?.toString(8)]).sort();
      assertEquals(entries, [["mytool-1.4.0/README", "644"], ["mytool-1.4.0/mytool", "755"]]);
      Deno.removeSync(root, { recursive: true });
    },
  });

  Deno.test({
    name: `${name}: one that is cut off is refused`,
    ignore,
    async fn() {
      const { root, path, kind } = await archiveOf(name, program, [...args]);
      Deno.writeFileSync(path, Deno.readFileSync(path).slice(0, -30));
      const error = await assertRejects(() => listMembers(path, kind, denoSystem.fs), UpdateError);
      assertEquals(error.kind, "verification");
      Deno.removeSync(root, { recursive: true });
    },
  });
}
