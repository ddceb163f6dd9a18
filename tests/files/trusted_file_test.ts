import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import * as v from "valibot";
import { UpdateError } from "../../src/base/errors.ts";
import {
  openTrusted,
  readKept,
  readTrusted,
  whyDistrusted,
  type World,
} from "../../src/files/trusted_file.ts";
import { denoSystem } from "../../src/system/deno_system.ts";
import type { FileInfo } from "../../src/system/file_system.ts";

const unix = Deno.build.os !== "windows";
const root = unix && Deno.uid() === 0;
const LIMIT = 1024;

function fileOf(uid: number, gid: number, mode: number): FileInfo {
  return { ...fileIn(), uid, gid, mode };
}

function fileIn(): FileInfo {
  return Deno.statSync(Deno.execPath());
}

function makeFolder() {
  const folder = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "updater-shim-" }));
  return {
    folder,
    path: join(folder, "file"),
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  };
}

function refused(world: World, path: string): UpdateError {
  return assertThrows(() => readTrusted(world, path, "the file", LIMIT), UpdateError);
}

Deno.test("who may own and write what is believed", () => {
  const user = { uid: 1001, gid: 1001 }, staff = { uid: 1001, gid: 50 };
  const superuser = { uid: 0, gid: 0 };
  const other = "it belongs to another user", group = "its group can write to it";
  const everybody = "every user can write to it";
  const cases: [typeof user, [uid: number, gid: number, mode: number], string | undefined][] = [
    [user, [1001, 1001, 0o644], undefined],
    [user, [1001, 1001, 0o664], undefined],
    [user, [1001, 50, 0o664], group],
    [user, [1001, 50, 0o644], undefined],
    [user, [1001, 1001, 0o666], everybody],
    [user, [1001, 1001, 0o1777], everybody],
    [user, [0, 0, 0o755], undefined],
    [user, [0, 1001, 0o664], undefined],
    [user, [0, 0, 0o775], group],
    [user, [0, 50, 0o775], group],
    [user, [1002, 1002, 0o644], other],
    [user, [1002, 1001, 0o600], other],
    // The number of a group says nothing about a user who is in another one.
    [staff, [1001, 1001, 0o664], group],
    [staff, [1001, 50, 0o664], group],
    [superuser, [0, 0, 0o775], undefined],
    [superuser, [0, 50, 0o775], group],
    [superuser, [1001, 1001, 0o600], other],
  ];
  for (const [who, file, why] of cases) {
    assertEquals(whyDistrusted(who, fileOf(...file)), why, `${JSON.stringify(who)} ${file}`);
  }
  assertEquals(whyDistrusted(undefined, fileOf(1002, 1002, 0o666)), undefined);
});

/** What stands where a file of ours belongs, and what is said to it. */
const SPECIAL: Record<string, [make: (path: string) => Disposable | void, why: string]> = {
  "a FIFO": [makeFifo, "a FIFO, a socket or a device"],
  "a socket": [
    (path) => {
      const listener = Deno.listen({ transport: "unix", path });
      return { [Symbol.dispose]: () => listener.close() };
    },
    "a FIFO, a socket or a device",
  ],
  "a folder": [(path) => Deno.mkdirSync(path), "it is a folder"],
  "a link to a file of ours": [
    (path) => (Deno.writeTextFileSync(`${path}.real`, "{}"), Deno.symlinkSync("file.real", path)),
    "it is a link",
  ],
  "a link that leads nowhere": [(path) => Deno.symlinkSync("nowhere", path), "it is a link"],
  "a link to a device": [(path) => Deno.symlinkSync("/dev/zero", path), "it is a link"],
};

function makeFifo(path: string): void {
  assertEquals(new Deno.Command("mkfifo", { args: [path] }).outputSync().code, 0);
}

for (const [what, [make, why]] of Object.entries(SPECIAL)) {
  Deno.test({
    name: `${what} where a file of ours belongs is refused and not waited for`,
    ignore: !unix,
    fn() {
      using place = makeFolder();
      using _made = make(place.path) ?? { [Symbol.dispose]() {} };
      const { message, exitCode, path, hint } = refused(denoSystem, place.path);
      assertStringIncludes(message, why);
      assertStringIncludes(message, `owner ${Deno.uid()}, group `);
      assertEquals([exitCode, path, typeof hint], [7, place.path, "string"]);
      assertThrows(
        () => openTrusted(denoSystem, place.path, "the log", "append"),
        UpdateError,
        why,
      );
    },
  });
}

Deno.test({
  name: "the file of another user, or one that others can write to, is not read",
  ignore: !root,
  fn() {
    using place = makeFolder();
    Deno.writeTextFileSync(place.path, "secret");
    Deno.chmodSync(place.path, 0o666);
    assertStringIncludes(refused(denoSystem, place.path).message, "every user can write to it");
    Deno.chmodSync(place.path, 0o644);
    Deno.chownSync(place.path, 1002, 1002);
    const { message } = refused(denoSystem, place.path);
    assertStringIncludes(message, "another user (owner 1002, group 1002, mode 0644)");
  },
});

Deno.test("a file that is ours is read whole, up to a bound", () => {
  using place = makeFolder();
  assertEquals(readTrusted(denoSystem, place.path, "the file", LIMIT), undefined);
  Deno.writeTextFileSync(place.path, "x".repeat(LIMIT), { mode: 0o600 });
  assertEquals(readTrusted(denoSystem, place.path, "the file", LIMIT)?.length, LIMIT);
  assertThrows(() => readTrusted(denoSystem, place.path, "the file", LIMIT - 1), RangeError);
});

Deno.test("what is open can be written, given a mode, and added to", () => {
  using place = makeFolder();
  const text = (part: string) => new TextEncoder().encode(part);
  Deno.writeTextFileSync(place.path, "one", { mode: 0o600 });
  const { fs } = denoSystem;
  const written = openTrusted(denoSystem, place.path, "the file", "write")!;
  written.seekSync(1, 0);
  written.writeSync(text("NE!"));
  written.seekSync(0, 0);
  const buffer = new Uint8Array(10);
  assertEquals([written.readSync(buffer), written.readSync(buffer)], [4, null]);
  fs.fchmodSync(written, 0o700);
  if (unix) fs.fchownSync(written, Deno.uid()!, Deno.gid()!);
  written.truncateSync(2);
  written.close();
  const added = openTrusted(denoSystem, place.path, "the log", "append")!;
  Deno.writeTextFileSync(place.path, "+", { append: true });
  added.writeSync(text("two"));
  added.syncSync();
  const { size, ino, dev, uid, mtime } = added.statSync();
  added.close();
  assertEquals(Deno.readTextFileSync(place.path), "oN+two");
  const named = fs.lstatSync(place.path);
  // Other code opens the same file by Deno, and compares.
  assertEquals([size, ino, dev, uid, mtime], [6, named.ino, named.dev, named.uid, named.mtime]);
  if (unix) assertEquals(named.mode! & 0o777, 0o700);
});

/** As by somebody who exchanges two names between the look and the opening. */
function exchanging(times: number, put: () => void): World {
  let left = times;
  return {
    user: denoSystem.user,
    fs: {
      ...denoSystem.fs,
      openExistingSync(path, access) {
        if (left-- > 0) put();
        return denoSystem.fs.openExistingSync(path, access);
      },
    },
  };
}

Deno.test("a file that is replaced while it is opened is read again, for ever exchanged refused", () => {
  using place = makeFolder();
  let count = 0;
  const put = () => {
    Deno.writeTextFileSync(`${place.path}.new`, `${++count}`, { mode: 0o600 });
    Deno.renameSync(`${place.path}.new`, place.path);
  };
  put();
  if (!unix) return; // Nothing is judged there.
  const bytes = readTrusted(exchanging(3, put), place.path, "the file", LIMIT);
  assertEquals(new TextDecoder().decode(bytes), "4");
  const error = refused(exchanging(Infinity, put), place.path);
  assertStringIncludes(error.message, "somebody exchanges it all the time");
});

Deno.test({
  name: "a link or a FIFO that takes a file's place while it is opened is refused",
  ignore: !unix,
  fn() {
    using place = makeFolder();
    const victim = join(place.folder, "victim");
    for (const make of [(path: string) => Deno.symlinkSync(victim, path), makeFifo]) {
      Deno.writeTextFileSync(place.path, "ours", { mode: 0o600 });
      Deno.writeTextFileSync(victim, "victim", { mode: 0o600 });
      const put = () => (Deno.removeSync(place.path), make(place.path));
      assertEquals(refused(exchanging(1, put), place.path).exitCode, 7);
      Deno.removeSync(place.path);
    }
  },
});

Deno.test("a kept file is none, damaged, newer or valid", () => {
  using place = makeFolder();
  const schema = v.strictObject({ format: v.literal(2), name: v.string() });
  const read = (text?: string) => {
    if (text !== undefined) Deno.writeTextFileSync(place.path, text, { mode: 0o600 });
    return readKept(denoSystem, place.path, { what: "the receipt", limit: 100, format: 2, schema });
  };
  assertEquals(read(), { state: "none" });
  assertEquals(read('{"format": 2, "name": "x"}'), {
    state: "valid",
    value: { format: 2, name: "x" },
  });
  assertEquals(read('{"format": 3, "else": []}'), { state: "newer", format: 3 });
  const damaged = ["", "{", "null", "[]", '{"format": 2}', '{"format": 1, "name": "x"}']
    .concat(`"${"x".repeat(100)}"`, "\0\0\0\0");
  for (const text of damaged) assertEquals(read(text).state, "damaged", text);
  const answer = read('{"format": 2, "name": 5}');
  assertStringIncludes(answer.state === "damaged" ? answer.why : answer.state, "name: expected");
});
