/** What appears in the folder, or is asked of the shim, while an update runs. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { compiledShim } from "../support/shim.ts";
import { served, SharedFolder } from "../support/shared_folder.ts";
import { tool } from "../support/world.ts";

const ignore = Deno.build.os === "windows"; // The tools are shell scripts.
const FILESYSTEM = 7, HEALTH = 8, TERMINATED = 143;

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore, fn });
}

async function withAlpha(): Promise<SharedFolder> {
  const it = new SharedFolder();
  await it.publish("alpha", "1.0.0", [served("alpha", "1.0.0")]);
  assertEquals((await it.run("alpha")).code, 0);
  return it;
}

/** While the release's alpha is downloaded, somebody puts a file of his own into the folder. */
async function publishWithGuest(it: SharedFolder, alpha: string, guest: string): Promise<void> {
  const content = new TextEncoder().encode(alpha);
  await it.publish("alpha", "2.0.0", [{ target: "alpha", content }, served("alphay", "2.0.0")], {
    "/files/alpha": () => {
      it.write(guest, tool("somebody's own"));
      return new Response(content.slice());
    },
  });
}

test("an alpha.previous that appears during the download never becomes the tool", async () => {
  await using it = await withAlpha();
  // It runs where it is staged, and not in its place.
  await publishWithGuest(
    it,
    '#!/bin/sh\ncase "$0" in */staged/*) echo alpha 2.0.0 ;; *) exit 1 ;; esac\n',
    "alpha.previous",
  );
  const { code, stderr } = await it.run("alpha");
  assertEquals([code, it.read("alpha")], [HEALTH, tool("alpha 1.0.0")], stderr);
  assertEquals(it.read("alpha.previous"), tool("somebody's own"));
});

test("nor does it become the rollback copy", async () => {
  await using it = await withAlpha();
  await publishWithGuest(it, tool("alpha 2.0.0"), "alpha.previous");
  const { code, stderr } = await it.run("alpha");
  assertEquals([code, it.read("alpha.previous")], [0, tool("somebody's own")], stderr);
  assertEquals((await it.run("alpha", "--rollback")).code, 0);
  assertEquals(it.read("alpha"), tool("alpha 1.0.0"));
  assertEquals(it.read("alpha.previous"), tool("somebody's own"));
});

test("a target that another installer makes during the download is neither replaced nor removed", async () => {
  await using it = await withAlpha();
  await publishWithGuest(it, tool("alpha 2.0.0"), "alphay");
  const { code, stderr } = await it.run("alpha");
  assertEquals([code, it.read("alpha")], [FILESYSTEM, tool("alpha 1.0.0")], stderr);
  assertEquals(it.read("alphay"), tool("somebody's own"));
  assertStringIncludes(stderr, "was made by something else while the update ran");
});

test("a target that somebody replaces during the download is not replaced", async () => {
  await using it = await withAlpha();
  await publishWithGuest(it, tool("alpha 2.0.0"), "alpha");
  const { code, stderr } = await it.run("alpha");
  assertEquals([code, it.read("alpha")], [FILESYSTEM, tool("somebody's own")], stderr);
  assertStringIncludes(stderr, "was changed by something else while the update ran");
});

test("SIGTERM during a health check ends the update at once, and nothing is changed", async () => {
  await using it = await withAlpha();
  const mark = join(it.root, "mark");
  const content = new TextEncoder().encode(`#!/bin/sh\n: >"${mark}"\nexec sleep 60\n`);
  await it.publish("alpha", "2.0.0", [{ target: "alpha", content }]);
  const config = JSON.parse(it.read("alpha.json"));
  it.write("alpha.json", JSON.stringify({ ...config, healthCheck: { timeoutMs: 60_000 } }), 0o600);
  const shim = new Deno.Command(await compiledShim(), {
    args: ["--config", it.path("alpha.json")],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  while (!exists(mark)) await new Promise((resolve) => setTimeout(resolve, 10));
  const asked = performance.now();
  shim.kill("SIGTERM");
  const { code } = await shim.status;
  assertEquals([code, it.read("alpha")], [TERMINATED, tool("alpha 1.0.0")]);
  assert(performance.now() - asked < 10_000, "it was waited for");
});

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
