/** With the permissions that `.ci/compile.ts` gives to the shim for Windows. */
import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { bundleTo, permissions } from "../../.ci/compile.ts";
import { cachedProgram, DENO, runWindows, windowsPath } from "./bed.ts";
import { TARGET } from "./bundle.ts";

Deno.test("on Windows, too, the named programs can be run, and no other, and no library", async () => {
  const folder = Deno.realPathSync(Deno.makeTempDirSync());
  try {
    const entry = fromFileUrl(new URL("../support/confined_probe.ts", import.meta.url));
    await bundleTo(entry, join(folder, "probe.js"), TARGET);
    const [named, other] = ["named.exe", "other.exe"].map((name) => {
      Deno.copyFileSync(cachedProgram("esbuild-0.28.1.exe"), join(folder, name));
      return windowsPath(join(folder, name));
    });
    const flags = [...permissions(TARGET), "--unstable-worker-options"];
    const program = ["run", "--no-prompt", "--no-config", ...flags, "probe.js"];
    const args = [...program, named!, other!, "--version"];
    const { code, stdout, stderr } = await runWindows(folder, DENO, args);
    assertEquals(code, 0, stderr);
    assertEquals(JSON.parse(stdout), {
      run: { code: 0, stdout: "0.28.1\n", stderr: "", timedOut: false },
      runOther: "Requires run access",
      size: Deno.statSync(join(folder, "named.exe")).size,
      sizeOfOther: null,
      direct: "Requires run access",
      library: "Requires ffi access",
    });
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
