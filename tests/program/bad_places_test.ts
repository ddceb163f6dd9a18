/** Install dirs that cannot be written to, and servers that never get better: the tool stays. */
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { RELEASE, run, withTool } from "../support/installed_tool.ts";
import { releaseRoutes, type Routes, serve } from "../support/shim.ts";
import { tool } from "../support/world.ts";

const ignore = Deno.build.os !== "linux";
const NETWORK = 3, FILE_SYSTEM = 7;
const NOBODY = 65534;

Deno.test({
  name: "A folder that we may not write to is named, with what to do",
  ignore,
  async fn() {
    await withTool(async (folder, shim) => {
      await using server = serve(releaseRoutes(RELEASE));
      Deno.chmodSync(folder, 0o555);
      // Root may write everywhere.
      const user = Deno.uid() === 0
        ? ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"]
        : [];
      const manifest = `${server.url}/release.json`;
      const { code, stderr } = await run([
        ...user,
        ...[shim, "--install-dir", folder, "--manifest", manifest],
      ]);
      assertMatch(stderr, /Permission denied.*\n {2}Run as the user who installed the tool/);
      assertEquals(code, FILE_SYSTEM);
      assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["tool"]);
      assertEquals(Deno.readTextFileSync(join(folder, "tool")), tool("1.0.0"));
    });
  },
});

const NEVER_BETTER: [string, Routes[string], RegExp][] = [
  ["500 for ever", () => new Response("", { status: 500 }), /HTTP 500/],
  ["503 for ever", () => new Response("", { status: 503 }), /HTTP 503/],
  [
    "a body that is always cut off",
    () => new Response(new Blob([RELEASE[0]!.content.slice(0, 1000)]).stream()),
    /cut off after 1000 of \d+ bytes/,
  ],
];

Deno.test({
  name: "Servers that never get better are given up with what was wrong with them",
  ignore: Deno.build.os === "windows",
  async fn() {
    // At once: each is tried several times, with pauses.
    await Promise.all(
      NEVER_BETTER.map(([name, route, message]) =>
        withTool(async (folder, shim) => {
          await using server = serve({ ...releaseRoutes(RELEASE), "/files/tool": route });
          const manifest = `${server.url}/release.json`;
          const { code, stderr } = await run([
            shim,
            "--install-dir",
            folder,
            "--manifest",
            manifest,
          ]);
          assertMatch(stderr, message, name);
          assertMatch(stderr, /(updater-shim|\w+ could not be [a-z ]+): .+\n {2}\S/);
          assertEquals(code, NETWORK, name);
          assertEquals(server.requests.filter((path) => path === "/files/tool").length > 2, true);
          assertEquals(Deno.readTextFileSync(join(folder, "tool")), tool("1.0.0"));
          assertEquals((await run([join(folder, "tool")])).code, 0);
        })
      ),
    );
  },
});

Deno.test({
  name: "The pid of a process that never was is no reason to wait",
  ignore: Deno.build.os === "windows",
  async fn() {
    await withTool(async (folder, shim) => {
      await using server = serve(releaseRoutes(RELEASE));
      const manifest = `${server.url}/release.json`;
      const args = ["--install-dir", folder, "--manifest", manifest, "--parent-pid", "4194000"];
      assertEquals((await run([shim, ...args])).code, 0);
      assertEquals((await run([join(folder, "tool")])).stdout, "tool 2.0.0\n");
    });
  },
});

Deno.test({
  name: "A folder that was made for an installation which did not begin goes again",
  ignore: Deno.build.os === "windows",
  async fn() {
    await withTool(async (folder, shim) => {
      const made = join(folder, "made");
      const { code, stderr } = await run([shim, "--install-dir", made]);
      assertEquals(code, 2, stderr);
      assertEquals([...Deno.readDirSync(folder)].some(({ name }) => name === "made"), false);
      await using server = serve(releaseRoutes(RELEASE));
      const args = ["--install-dir", made, "--manifest", `${server.url}/release.json`];
      assertEquals((await run([shim, ...args])).code, 0);
      assertEquals((await run([join(made, "tool")])).stdout, "tool 2.0.0\n");
    });
  },
});
