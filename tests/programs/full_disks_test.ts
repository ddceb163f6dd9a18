/** File systems of their own: mounting needs root or user namespaces, which a container may not have. */
import { assertEquals, assertMatch } from "@std/assert";
import { RELEASE, run, withTool } from "../support/installed_tool.ts";
import { releaseRoutes, serve } from "../support/shim.ts";

const FILE_SYSTEM = 7;

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
    assertMatch(stderr, /(updater-shim|\w+ could not be [a-z ]+): .+\n {2}\S/);
    assertEquals(code, FILE_SYSTEM, stderr);
    assertMatch(stdout, /^tool 1\.0\.0\n(\.updater-shim\n)?tool\n$/);
  });
}

Deno.test({
  name: "A disk without room for the update is found out before the first byte",
  fn: () =>
    onSmallDisk("", /Not enough space in ".*": the update needs [\d.]+ \wB, [\d.]+ \wB are free/),
});

Deno.test({
  name: "A disk that is full to the last byte: the tool runs, and nothing is left",
  fn: () =>
    onSmallDisk(
      `dd if=/dev/zero of="$1/fill" bs=1k 2>/dev/null || true`,
      /No space left on device|Not enough space/,
    ),
});

Deno.test({
  name: "A read-only file system is named as that",
  fn: () => onSmallDisk(`mount -o remount,ro "$1"`, /[Rr]ead-only file system/),
});

Deno.test({
  name: "A target that is a mount of its own is told as that, and not as one that is in use",
  fn: () =>
    onSmallDisk(
      `mount -o remount,size=4m "$1"; mount --bind "$1/../kept" "$1/tool"`,
      /Cannot replace ".*\/tool": .*busy.*\n {2}The file is a mount of its own \(a bind mount\)/,
    ),
});

Deno.test({
  name:
    "An uninstall succeeds where the folder that the shim made cannot be removed: a mount point",
  fn: () =>
    withTool(async (folder, shim) => {
      await using server = serve(releaseRoutes(RELEASE));
      const script = `set -e
        "$2" --quiet --install-dir "$1/made" --manifest "$3"
        mount --bind "$1/made" "$1/made"
        cd /
        "$2" --install-dir "$1/made" --uninstall --yes
        ls -A "$1/made"
        ! rmdir "$1/made" 2>/dev/null`;
      const inside = ["unshare", "--map-root-user", "--mount", "sh", "-c", script];
      const manifest = `${server.url}/release.json`;
      const { code, stdout, stderr } = await run([...inside, "sh", folder, shim, manifest]);
      assertEquals([code, stdout], [0, ""], stderr);
      assertMatch(stderr, /Removed:\n {2}.*\/made\/tool\n/);
    }),
});
