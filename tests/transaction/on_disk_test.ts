/**
 * The same fixture on the real file system of this machine as on the simulated one (`simulation/`) and
 * on Windows' (`windows/sweep/`): what holds there holds here.
 */
import { assert, assertEquals } from "@std/assert";
import { UpdateError } from "../../src/base/errors.ts";
import { FaultAt, FaultyFileSystem } from "../support/faulty_file_system.ts";
import * as installations from "../support/installation.ts";
import { OnDisk } from "../support/on_disk.ts";

const NAMES = ["a", "b"];
const OLD = ["old", "old"], NEW = ["new", "new"];
/** Its executables have modes. */
const ignore = Deno.build.os === "windows";

Deno.test({
  name: "An update of a real disk leaves the new set and nothing else",
  ignore,
  async fn() {
    using it = new OnDisk(NAMES);
    assertEquals(installations.versionsOf(it), OLD);
    await installations.update(it);
    installations.finish(it);
    assertEquals([installations.versionsOf(it), installations.strangersOf(it)], [NEW, []]);
    await installations.repair(it);
    assertEquals([installations.versionsOf(it), installations.strangersOf(it)], [NEW, []]);
  },
});

Deno.test({
  name: "Every step on a real disk fails, and the next start leaves one version and nothing else",
  ignore,
  async fn() {
    let failed = 0;
    for (let n = 1, reached = true; reached; n++) {
      const fault = new FaultAt(n, "EIO");
      using it = new OnDisk(NAMES, (fs) => new FaultyFileSystem(fs, fault.fault));
      const told = await tellsOf(it);
      if (told === OLD) failed++;
      assertEquals(installations.versionsOf(it), told, `after step ${n} failed`);
      await installations.repair(it);
      const end = [installations.versionsOf(it), installations.strangersOf(it)];
      assertEquals(end, [told, []], `after step ${n} failed, and a repair`);
      reached = fault.reached;
    }
    assert(failed > 20, `only ${failed} updates failed`);
  },
});

async function tellsOf(it: OnDisk): Promise<string[]> {
  try {
    await installations.update(it);
    return NEW;
  } catch (error) {
    if (!(error instanceof UpdateError) || error.kind === "bug") throw error;
    return OLD;
  }
}
