/** The simulator itself: it loses what a disk may lose, and nothing else. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Model, SimulatedDisk } from "../support/simulated_disk.ts";
import { SimulatedFileSystem } from "../support/simulated_file_system.ts";

function disk(model: Model = "subset", options: { os?: "windows"; executing?: Set<number> } = {}) {
  return new SimulatedFileSystem(new SimulatedDisk(model), options);
}

function write(fs: SimulatedFileSystem, path: string, text: string, sync: boolean): void {
  const file = fs.openSync(path, { write: true, create: true, truncate: true });
  file.writeSync(new TextEncoder().encode(text));
  if (sync) file.syncSync();
}

/** What the file may hold after a power cut; "-" where its name is lost. */
function survivors({ disk }: SimulatedFileSystem, ...paths: string[]): Set<string> {
  return new Set(
    [...disk.crashStates()].map((state) => {
      const fs = new SimulatedFileSystem(state);
      return paths.map((path) => read(fs, path)).join(" ");
    }),
  );
}

function read(fs: SimulatedFileSystem, path: string): string {
  const { inode } = fs.place(path, "");
  if (inode === undefined) return "-";
  return new TextDecoder().decode(fs.disk.inodes.get(inode)!.now.bytes).replaceAll("\0", "0");
}

Deno.test("A file that nobody synced may be lost, empty, cut off, full of zeros, or there", () => {
  const fs = disk();
  write(fs, "/a", "text", false);
  assertEquals(survivors(fs, "/a"), new Set(["-", "", "te", "0000", "text"]));
});

Deno.test("A synced file keeps its bytes, but not its name", () => {
  const fs = disk();
  write(fs, "/a", "text", true);
  assertEquals(survivors(fs, "/a"), new Set(["-", "text"]));
  fs.syncDirectory("/");
  assertEquals(survivors(fs, "/a"), new Set(["text"]));
});

Deno.test("A rename of a file that was not synced may leave an empty one in its place", () => {
  const fs = disk();
  write(fs, "/a", "old", true);
  write(fs, "/b", "new", false);
  fs.syncDirectory("/");
  fs.renameSync("/b", "/a");
  assert(survivors(fs, "/a").has(""));
});

Deno.test("A rename of a synced file leaves the old or the new one, and may be lost", () => {
  const fs = disk();
  write(fs, "/a", "old", true);
  write(fs, "/b", "new", true);
  fs.syncDirectory("/");
  fs.renameSync("/b", "/a");
  assertEquals(survivors(fs, "/a", "/b"), new Set(["old new", "new -"]));
  fs.syncDirectory("/");
  assertEquals(survivors(fs, "/a", "/b"), new Set(["new -"]));
});

Deno.test("Of two renames that were not synced the second may survive alone", () => {
  const fs = disk();
  for (const name of ["a", "b"]) write(fs, `/${name}`, name, true);
  fs.syncDirectory("/");
  fs.renameSync("/a", "/c");
  fs.renameSync("/b", "/d");
  assertEquals(survivors(fs, "/a", "/b", "/c", "/d").size, 4);
});

Deno.test("With a metadata journal a later change never survives an earlier one", () => {
  const fs = disk("ordered");
  for (const name of ["a", "b"]) write(fs, `/${name}`, name, true);
  fs.syncDirectory("/");
  fs.renameSync("/a", "/c");
  fs.renameSync("/b", "/d");
  const left = survivors(fs, "/a", "/b", "/c", "/d");
  assertEquals(left, new Set(["a b - -", "- b a -", "- - a b"]));
});

Deno.test("Of a rename between folders one half may be lost where that is asked for", () => {
  for (const [model, torn] of [["subset", false], ["split", true]] as const) {
    const fs = disk(model);
    fs.mkdirSync("/x");
    write(fs, "/a", "a", true);
    fs.syncDirectory("/");
    fs.renameSync("/a", "/x/b");
    const left = survivors(fs, "/a", "/x/b");
    assertEquals([left.has("a a"), left.has("- -")], [torn, torn], model);
  }
});

Deno.test("A folder that was not synced takes all that is in it along", () => {
  const fs = disk();
  fs.mkdirSync("/x");
  write(fs, "/x/a", "text", true);
  fs.syncDirectory("/x");
  const gone = [...fs.disk.crashStates()].some(({ names }) => names.get(1)!.size === 0);
  assertEquals(gone, true);
});

Deno.test("A synced file that is written again may be the old one or any part of the new", () => {
  const fs = disk();
  write(fs, "/a", "old", true);
  fs.syncDirectory("/");
  fs.openSync("/a", { write: true }).writeSync(new TextEncoder().encode("new!"));
  assertEquals(survivors(fs, "/a"), new Set(["old", "", "ne", "0000", "new!"]));
});

Deno.test("A mode that was not synced may be lost", () => {
  const fs = disk();
  write(fs, "/a", "text", true);
  fs.syncDirectory("/");
  fs.chmodSync("/a", 0o700);
  const modes = [...fs.disk.crashStates()].map((left) =>
    new SimulatedFileSystem(left).statSync("/a").mode! & 0o777
  );
  assertEquals(new Set(modes), new Set([0o666, 0o700]));
});

Deno.test("A killed program's changes are visible, and still not durable", () => {
  const fs = disk();
  write(fs, "/a", "text", true);
  const killed = new SimulatedFileSystem(fs.disk.clone());
  assertEquals(read(killed, "/a"), "text");
  assertEquals(survivors(killed, "/a"), new Set(["-", "text"]));
  killed.removeSync("/a");
  assertEquals(read(fs, "/a"), "text");
});

Deno.test("Errors are Deno's, with their codes", () => {
  const fs = disk();
  write(fs, "/a", "text", true);
  fs.mkdirSync("/x");
  write(fs, "/x/b", "text", true);
  const code = (step: () => void, kind: new () => Error) => {
    return (assertThrows(step, kind) as Error & { code: string }).code;
  };
  const { NotFound, AlreadyExists, NotADirectory, IsADirectory } = Deno.errors;
  assertEquals(code(() => fs.lstatSync("/none"), NotFound), "ENOENT");
  assertEquals(code(() => fs.renameSync("/none", "/b"), NotFound), "ENOENT");
  assertEquals(code(() => fs.linkSync("/a", "/x"), AlreadyExists), "EEXIST");
  assertEquals(code(() => fs.mkdirSync("/x"), AlreadyExists), "EEXIST");
  assertEquals(code(() => fs.lstatSync("/a/b"), NotADirectory), "ENOTDIR");
  assertEquals(code(() => fs.renameSync("/a", "/x"), IsADirectory), "EISDIR");
  assertEquals(code(() => fs.removeSync("/x"), Error), "ENOTEMPTY");
  const again = { write: true, createNew: true };
  assertEquals(code(() => fs.openSync("/a", again), AlreadyExists), "EEXIST");
});

Deno.test("A rename between two names of one file does nothing", () => {
  const fs = disk();
  write(fs, "/a", "text", true);
  fs.linkSync("/a", "/b");
  fs.renameSync("/b", "/a");
  assertEquals([read(fs, "/a"), read(fs, "/b")], ["text", "text"]);
});

Deno.test("Windows lets an executing image be renamed and linked, not replaced or removed", () => {
  const executing = new Set<number>();
  const fs = disk("ordered", { os: "windows", executing });
  write(fs, "/a.exe", "old", true);
  write(fs, "/b.exe", "new", true);
  executing.add(fs.existing("/a.exe", ""));
  const refused = { name: "PermissionDenied", code: "EPERM" };
  for (
    const step of [() => fs.renameSync("/b.exe", "/a.exe"), () => fs.removeSync("/a.exe")]
  ) {
    const { name, code, message } = assertThrows(step) as Error & { code: string };
    assertEquals({ name, code }, refused);
    assert(message.includes("(os error 5)"), message);
  }
  assertThrows(() => fs.openSync("/a.exe", { write: true }), Error, "(os error 32)");
  fs.linkSync("/a.exe", "/a.exe.previous");
  assertThrows(() => fs.removeSync("/a.exe.previous"), Deno.errors.PermissionDenied);
  fs.renameSync("/a.exe", "/aside");
  fs.renameSync("/b.exe", "/a.exe");
  assertEquals([read(fs, "/a.exe"), read(fs, "/aside")], ["new", "old"]);
  executing.clear();
  fs.removeSync("/aside");
});

Deno.test("The lock is one program's", async () => {
  const fs = disk();
  const open = () => fs.openSync("/lock", { write: true, create: true });
  assertEquals(await fs.tryLock(open()), true);
  assertEquals(await fs.tryLock(open()), false);
});
