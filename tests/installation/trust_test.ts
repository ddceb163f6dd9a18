/** Judged on real folders, for a user of any number: the judge is told who he is. */
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { UpdateError } from "../../src/base/errors.ts";
import type { World } from "../../src/files/trusted_file.ts";
import { requireTrustedFolder, resolveTrusted } from "../../src/installation/trust.ts";
import { denoSystem } from "../../src/system/deno_system.ts";

const root = Deno.build.os !== "windows" && Deno.uid() === 0;
const { fs } = denoSystem;
const USER: World = { fs, user: { uid: 1001, gid: 1001 } };
const ROOT: World = { fs, user: { uid: 0, gid: 0 } };

function makeFolder() {
  // Above it lies a sticky folder of root's that everybody can write to.
  const folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-" }));
  Deno.chmodSync(folder, 0o755);
  return { folder, [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }) };
}

function make(path: string, uid: number, gid: number, mode: number): string {
  Deno.mkdirSync(path);
  Deno.chownSync(path, uid, gid);
  Deno.chmodSync(path, mode);
  return path;
}

/** `alone`, `shared` or why not. */
function judge(world: World, folder: string): string {
  try {
    return requireTrustedFolder(world, folder).shared ? "shared" : "alone";
  } catch (error) {
    if (error instanceof UpdateError && error.exitCode === 7) return error.message;
    throw error;
  }
}

/** Owner, group, mode; as the install dir; above it; and the same two for root. */
const FOLDERS: [number, number, number, string, string, string, string][] = [
  [1001, 1001, 0o755, "alone", "alone", "another user", "another user"],
  [1001, 1001, 0o775, "alone", "alone", "another user", "another user"],
  [1001, 50, 0o2775, "shared", "shared", "another user", "another user"],
  [1001, 1001, 0o777, "every user", "every user", "another user", "another user"],
  [1001, 1001, 0o1777, "every user", "alone", "another user", "another user"],
  [0, 0, 0o755, "alone", "alone", "alone", "alone"],
  [0, 0, 0o775, "shared", "shared", "alone", "alone"],
  [0, 1001, 0o775, "alone", "alone", "shared", "shared"],
  [0, 50, 0o2775, "shared", "shared", "shared", "shared"],
  [0, 50, 0o3775, "alone", "alone", "alone", "alone"],
  [0, 0, 0o777, "every user", "every user", "every user", "every user"],
  [0, 0, 0o1777, "every user", "alone", "every user", "alone"],
  [1002, 1002, 0o755, "another user", "another user", "another user", "another user"],
  [1002, 1001, 0o770, "another user", "another user", "another user", "another user"],
  [1002, 1002, 0o1777, "another user", "another user", "another user", "another user"],
];

Deno.test({
  name: "a folder and those above it are judged by owner and mode, up to the root",
  ignore: !root,
  fn() {
    using place = makeFolder();
    for (const [index, [uid, gid, mode, ...expected]] of FOLDERS.entries()) {
      const path = make(join(place.folder, `${index}`), uid, gid, mode);
      const below = [
        make(join(path, "user"), 1001, 1001, 0o755),
        make(join(path, "root"), 0, 0, 0o755),
      ];
      const found = [judge(USER, path), judge(USER, below[0]!), judge(ROOT, path)]
        .concat(judge(ROOT, below[1]!));
      found.forEach((verdict, at) =>
        assertStringIncludes(verdict, expected[at]!, `${uid}:${gid} ${mode.toString(8)}, ${at}`)
      );
    }
  },
});

Deno.test({
  name: "a refused folder is named with owner and mode, and what to do",
  ignore: !root,
  fn() {
    using place = makeFolder();
    const above = make(join(place.folder, "above"), 1002, 1002, 0o755);
    const folder = make(join(above, "bin"), 1001, 1001, 0o755);
    const { message, path, hint } = assertThrows(
      () => requireTrustedFolder(USER, folder),
      UpdateError,
    );
    assertStringIncludes(message, `"${above}": it belongs to another user (owner 1002, group 1002`);
    assertEquals([path, hint?.includes(`chown 1001 "${above}"`)], [above, true]);
  },
});

Deno.test({
  name: "a link is followed only where nobody else says what it leads to",
  ignore: !root,
  fn() {
    using place = makeFolder();
    const bin = make(join(place.folder, "bin"), 1001, 1001, 0o755);
    const real = make(join(place.folder, "real"), 1001, 1001, 0o755);
    const foreign = make(join(place.folder, "foreign"), 1002, 1002, 0o755);
    Deno.writeTextFileSync(join(real, "tool"), "");
    const link = (name: string, to: string, uid = 1001) => {
      Deno.symlinkSync(to, join(bin, name));
      const args = ["-h", `${uid}:${uid}`, join(bin, name)];
      assertEquals(new Deno.Command("chown", { args }).outputSync().code, 0);
      return join(bin, name);
    };
    Deno.symlinkSync(join(real, "tool"), join(foreign, "current"));
    const target = join(real, "tool");
    for (const to of [target, "../real/tool", "../foreign/../real/tool", "a"]) {
      if (to === "a") link("a", "../real/./tool");
      assertEquals(resolveTrusted(USER, link(`good ${to.replaceAll("/", " ")}`, to)), target);
    }
    assertEquals(resolveTrusted(USER, target), target);
    assertEquals(resolveTrusted(USER, link("of root", target, 0)), target);
    const refused = {
      "it belongs to another user": [
        link("foreign", target, 1002),
        link("through a foreign folder", "../foreign/current"),
      ],
      "it leads in a circle": [link("circle", "circle")],
    };
    for (const [why, paths] of Object.entries(refused)) {
      for (const path of paths) assertThrows(() => resolveTrusted(USER, path), UpdateError, why);
    }
    assertEquals(resolveTrusted(USER, link("nowhere", "nothing")), join(bin, "nothing"));
    const lost = link("in no folder", "nothing/tool");
    assertEquals(resolveTrusted(USER, lost), join(bin, "nothing", "tool"));
  },
});

Deno.test("the folders of this test are ours", () => {
  using place = makeFolder();
  assertEquals(judge(denoSystem, place.folder), "alone");
  assertEquals(resolveTrusted(denoSystem, place.folder), place.folder);
});
