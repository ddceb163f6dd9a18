/** The note of who holds the lock, where somebody exchanges the folder that it lies in. */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { openInstallDir } from "../../src/installation/install_dir.ts";
import { tryLock } from "../../src/installation/lock.ts";
import { denoSystem } from "../../src/system/deno_system.ts";
import type { System } from "../../src/system/system.ts";

const NOTE = "holder.json", PRECIOUS = '{"pid": 1}';

for (const when of ["when the lock is let go", "when it is taken"]) {
  Deno.test({
    name: `a file of that name in another folder stays as it is: exchanged ${when}`,
    ignore: Deno.build.os === "windows", // Links.
    async fn() {
      const folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-" }));
      try {
        const state = join(folder, ".updater-shim"), other = join(folder, "other");
        for (const path of [state, other]) Deno.mkdirSync(path, { mode: 0o700 });
        Deno.writeTextFileSync(join(other, NOTE), PRECIOUS, { mode: 0o644 });
        const exchange = () => {
          Deno.renameSync(state, join(folder, "moved"));
          Deno.symlinkSync("other", state);
        };
        const { fs } = denoSystem;
        const system: System = {
          ...denoSystem,
          fs: {
            ...fs,
            async tryLock(file) {
              const taken = await fs.tryLock(file);
              if (when === "when it is taken") exchange();
              return taken;
            },
          },
        };
        const lock = await tryLock(system, openInstallDir(system, folder), "test");
        if (when !== "when it is taken") exchange();
        lock!.release();
        assertEquals(Deno.readTextFileSync(join(other, NOTE)), PRECIOUS);
        assertEquals(Deno.statSync(join(other, NOTE)).mode! & 0o777, 0o644);
        assertEquals([...Deno.readDirSync(other)].map(({ name }) => name), [NOTE]);
      } finally {
        Deno.removeSync(folder, { recursive: true });
      }
    },
  });
}
