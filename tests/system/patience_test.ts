/** What is tried again on Windows, and for how long. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { isTransient, openPatiently, patiently } from "../../src/system/patience.ts";
import type { FileSystem } from "../../src/system/file_system.ts";
import { systemError } from "../support/system_errors.ts";

Deno.test("Only four errors of Windows pass by themselves, in any language, and none of Unix", () => {
  const said = (number: number) => new Error(`Zugriff verweigert (os error ${number}): rename 'a'`);
  for (const number of [5, 32, 33, 1224]) assert(isTransient(said(number)), String(number));
  for (const number of [2, 3, 17, 80, 112, 145, 183, 50, 1225]) {
    assert(!isTransient(said(number)), String(number));
  }
  // On Unix 5 is a disk that fails, 32 a pipe that nobody reads.
  assert(!isTransient(systemError("EIO", "read")));
  assert(!isTransient(Object.assign(said(32), { code: "EPIPE" })));
  assert(!isTransient("(os error five)"));
});

Deno.test("A file of ours that is held is waited for, five seconds at most", () => {
  const pauses: number[] = [];
  const fs = { pause: (ms: number) => void pauses.push(ms) } as FileSystem;
  let tries = 0;
  const step = () => {
    if (++tries < 4) throw systemError("EBUSY", "rename", "windows");
    return "done";
  };
  assertEquals([patiently(fs, step), pauses], ["done", [10, 20, 40]]);
  pauses.length = 0;
  assertThrows(() =>
    patiently(fs, () => {
      throw systemError("EBUSY", "rename", "windows");
    }), Error);
  const waited = pauses.reduce((sum, pause) => sum + pause, 0);
  assert(waited >= 5000 && waited <= 6000, `${waited} ms`);
});

Deno.test("Who may not open a file is told at once; who must wait for it waits", () => {
  const opened = (code: string) => {
    let pauses = 0;
    const fs = {
      pause: () => void pauses++,
      openSync() {
        throw systemError(code, "open 'x'", "windows");
      },
    } as unknown as FileSystem;
    assertThrows(() => openPatiently(fs, "x", { read: true }));
    return pauses;
  };
  assertEquals(opened("EPERM"), 0);
  assertEquals(opened("ENOENT"), 0);
  assert(opened("EBUSY") > 5);
});
