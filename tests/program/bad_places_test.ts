/** Install dirs that cannot be written to, and servers that never get better: the tool stays. */
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { compiledShim, releaseRoutes, type Routes, serve, type Served } from "../support/shim.ts";
import { tool } from "../support/world.ts";

const ignore = Deno.build.os !== "linux";
const NETWORK = 3, FILE_SYSTEM = 7;
const NOBODY = 65534;
const content = new TextEncoder().encode(tool("2.0.0") + `# ${"x".repeat(300_000)}\n`);
const RELEASE: Served[] = [{ target: "tool", content }];

/** An install dir with version 1.0.0, and a copy of the shim that every user may run. */
async function withTool(
  test: (folder: string, shim: string) => Promise<void>,
): Promise<void> {
  const root = Deno.makeTempDirSync({ prefix: "updater-shim-places-" });
  try {
    Deno.chmodSync(root, 0o755);
    const shim = join(root, "updater-shim"), folder = join(root, "installed");
    Deno.copyFileSync(await compiledShim(), shim);
    Deno.mkdirSync(folder);
    Deno.writeTextFileSync(join(folder, "tool"), tool("1.0.0"), { mode: 0o755 });
    await test(folder, shim);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}

/** Runs a command to its end. */
async function run(command: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const [program, ...args] = command;
  const { code, stdout, stderr } = await new Deno.Command(program!, { args, stdin: "null" })
    .output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** In a mount namespace of its own: a tmpfs of 128 KiB with the tool, changed by `prepare`. */
async function onSmallDisk(prepare: string, message: RegExp): Promise<void> {
  await withTool(async (folder, shim) => {
    await using server = serve(releaseRoutes(RELEASE));
    const script = `set -e
      cp "$1/tool" "$1/../kept"
      mount -t tmpfs -o size=128k,mode=755 tmpfs "$1"
      cp "$1/../kept" "$1/tool"
      ${prepare}
      code=0; "$2" --install-dir "$1" --manifest "$3" || code=$?
      cmp "$1/../kept" "$1/tool"
      "$1/tool" --version
      ls -A "$1" | grep -v "^fill$"
      exit $code`;
    const manifest = `${server.url}/release.json`;
    const inside = ["unshare", "--map-root-user", "--mount", "sh", "-c", script];
    const { code, stdout, stderr } = await run([...inside, "sh", folder, shim, manifest]);
    assertMatch(stderr, message);
    assertMatch(stderr, /updater-shim: .+\n {2}\S/);
    assertEquals(code, FILE_SYSTEM, stderr);
    assertMatch(stdout, /^tool 1\.0\.0\n(\.updater-shim\n)?tool\n$/);
  });
}

Deno.test({
  name: "A disk without room for the update is found out before the first byte",
  ignore,
  fn: () => onSmallDisk("", /Not enough space in ".*": the update needs \d+ bytes, \d+ are free/),
});

Deno.test({
  name: "A disk that is full to the last byte: the tool runs, and nothing is left",
  ignore,
  fn: () =>
    onSmallDisk(
      `dd if=/dev/zero of="$1/fill" bs=1k 2>/dev/null || true`,
      /No space left on device|Not enough space/,
    ),
});

Deno.test({
  name: "A read-only file system is named as that",
  ignore,
  fn: () => onSmallDisk(`mount -o remount,ro "$1"`, /[Rr]ead-only file system/),
});

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
    () => new Response(new Blob([content.slice(0, 1000)]).stream()),
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
          assertMatch(stderr, /updater-shim: .+\n {2}\S/);
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
