/** Whom root becomes, and with which arguments. That it is so: tests/program/folder_owner_test.ts. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { UpdateError } from "../../src/base/errors.ts";
import { workAsOwner } from "../../src/installation/folder_owner.ts";
import { denoSystem } from "../../src/system/deno_system.ts";
import type { FileInfo, FileSystem, OpenFile } from "../../src/system/file_system.ts";
import type { Account } from "../../src/system/processes.ts";
import type { System } from "../../src/system/system.ts";

const OWN_PID = 4321;
const PASSWD = `root:x:0:0:root:/root:/bin/bash
alice:x:1001:100:Alice,,,:/home/alice:/bin/sh
short:x:1003
`;

interface Call {
  readonly account: Account;
  readonly args: readonly string[];
}

/** Root's world, where folders have owners as they are named: `1002:50`. */
function worldWith(calls: Call[], passwd: string | undefined, uid = 0): System {
  const fs: FileSystem = {
    ...denoSystem.fs,
    realPathSync: (path) => path,
    lstatSync(path) {
      const [uid, gid] = path.split(":").map(Number);
      const info = denoSystem.fs.lstatSync(Deno.execPath());
      const known = Number.isInteger(gid);
      if (!known && !path.startsWith("/")) throw new Deno.errors.NotFound("no such folder");
      return { ...info, mode: 0o755, uid: known ? uid! : 0, gid: known ? gid! : 0 };
    },
    openExistingSync() {
      if (passwd === undefined) throw new Deno.errors.NotFound("no such file");
      return openText(passwd, fs.lstatSync("/etc/passwd"));
    },
  };
  const processes = {
    ...denoSystem.processes,
    pid: OWN_PID,
    runOurselvesAs(account: Account, args: readonly string[]) {
      calls.push({ account, args });
      return Promise.resolve({ code: 8, signal: null });
    },
  };
  return { ...denoSystem, user: { uid, gid: uid }, fs, processes };
}

function openText(text: string, info: FileInfo): OpenFile {
  const bytes = new TextEncoder().encode(text);
  let read = false;
  return {
    statSync: () => ({ ...info, size: bytes.length }),
    readSync(buffer: Uint8Array) {
      if (read) return null;
      buffer.set(bytes);
      read = true;
      return bytes.length;
    },
    close() {},
  } as unknown as OpenFile;
}

async function become(folder: string, passwd?: string, uid?: number) {
  const calls: Call[] = [];
  const code = await workAsOwner(worldWith(calls, passwd, uid), folder, [], false);
  return { code, account: calls[0]?.account };
}

Deno.test("root in a folder of another user becomes that user, nobody else becomes anybody", async () => {
  const { code, account } = await become("1001:50", PASSWD);
  assertEquals([code, account?.uid, account?.env.USER, account?.env.HOME], [
    8,
    1001,
    "alice",
    "/home/alice",
  ]);
  assertEquals((await become("0:50", PASSWD)).code, undefined);
  assertEquals((await become("1001:1001", PASSWD, 1002)).code, undefined);
  assertEquals((await become("nowhere", PASSWD)).code, undefined);
});

Deno.test("the group is the user's own, a folder's only for who is in no list, and never root's", async () => {
  const gidOf = async (folder: string, passwd?: string) =>
    (await become(folder, passwd)).account?.gid;
  // A setgid folder can have a group that its owner is not in.
  assertEquals(await gidOf("1001:42", PASSWD), 100);
  assertEquals(await gidOf("1002:50", PASSWD), 50);
  assertEquals(await gidOf("1002:0", PASSWD), 1002);
  assertEquals(await gidOf("1003:50", PASSWD), 50);
  assertEquals(await gidOf("1001:42", undefined), 42);
});

Deno.test("of the arguments all are passed on but the shim's own pid as the parent", async () => {
  const passedOn = async (args: string[]) => {
    const calls: Call[] = [];
    await workAsOwner(worldWith(calls, PASSWD), "1001:50", args, false);
    return calls[0]!.args;
  };
  for (const own of [["--parent-pid", `${OWN_PID}`], [`--parent-pid=${OWN_PID}`]]) {
    assertEquals(await passedOn(["--json", ...own, "--quiet"]), ["--json", "--quiet"]);
  }
  const others = ["--parent-pid", "77", "--json", "--relaunch", "--", "--parent-pid", `${OWN_PID}`];
  assertEquals(await passedOn(others), others);
});

Deno.test("that the shim cannot become the owner is said, with what to do", async () => {
  const system = worldWith([], PASSWD);
  const processes = {
    ...system.processes,
    runOurselvesAs: () => Promise.reject(new Deno.errors.PermissionDenied("Permission denied")),
  };
  const { message, exitCode, hint, path } = await assertRejects(
    () => workAsOwner({ ...system, processes }, "1001:50", [], false),
    UpdateError,
  );
  assertStringIncludes(message, "belongs to user 1001");
  assertEquals([exitCode, path, hint?.includes("user 1001")], [7, "1001:50", true]);
});
