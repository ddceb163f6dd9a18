/** The digest of a file that is still written to, by the thread that is confined. */
import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { fromFileUrl, join } from "@std/path";

const PROBE = fromFileUrl(new URL("../support/behind_probe.ts", import.meta.url));
const SIZE = 5 * 1024 * 1024 + 17;

Deno.test({
  name: "what another thread reads behind the writing is what is on the disk at the end",
  ignore: Deno.build.os === "windows", // There nobody reads what is written to.
  async fn() {
    const folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-" }));
    try {
      Deno.writeTextFileSync(join(folder, "secret"), "not for that thread");
      const args = ["run", "-A", "--quiet", "--unstable-worker-options", PROBE, folder];
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
      const content = new Uint8Array(SIZE).map((_, index) => (index >> 10) * 7);
      const digest = { size: SIZE, sha256: createHash("sha256").update(content).digest("hex") };
      const decoder = new TextDecoder();
      assertEquals(JSON.parse(decoder.decode(stdout)), {
        "in pieces": digest,
        "gone on with": digest,
        "begun anew": digest,
        "removed and made anew": digest,
        "that is not there": null,
        "elsewhere": null,
      }, decoder.decode(stderr));
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});
