/** The last step of an uninstall, and who else executes the shim: what Wine cannot show of Windows. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { System } from "../../src/system/system.ts";
import { windows } from "../../src/system/windows.ts";

/** What cmd.exe is started with. */
function startedWith(removal: Parameters<typeof windows.removeAfterExit>[1]) {
  const calls: [string, string, Record<string, string>][] = [];
  const processes = {
    leaveBehind: (...call: [string, string, Record<string, string>]) => {
      calls.push(call);
    },
  };
  windows.removeAfterExit({ processes } as unknown as System, removal);
  return calls[0]!;
}

Deno.test("Paths reach cmd.exe in variables only, and those that are too long for it with the prefix", () => {
  const long = `C:\\${"x".repeat(250)}`;
  const [program, line, env] = startedWith({
    file: `${long}\\updater-shim.exe`,
    trees: ["C:\\a & b\\.updater-shim"],
    folders: ["C:\\a & b", "C:\\c"],
  });
  assertEquals(program, "C:\\Windows\\System32\\cmd.exe");
  assertEquals(env, {
    SHIM_FIRST: `\\\\?\\${long}\\updater-shim.exe`,
    SHIM_TREE0: "C:\\a & b\\.updater-shim",
    SHIM_FOLDER0: "C:\\a & b",
    SHIM_FOLDER1: "C:\\c",
  });
  for (const path of Object.values(env)) assert(!line.includes(path));
  assertStringIncludes(line, 'rmdir /s /q "!SHIM_TREE0!" & rmdir "!SHIM_FOLDER0!"');
  assertStringIncludes(line, "del /f /q /a", "hidden files, too");
});

Deno.test("A read-only file that somebody executes is told from one that nobody does", async () => {
  const refusals = new Map([["running", "os error 32"], ["foreign", "os error 5"]]);
  let now = 0;
  const ask = async (name: string, isReadOnly: boolean) => {
    let mode = isReadOnly ? 0o444 : 0o666;
    const fs = {
      lstatSync: () => ({ mode }),
      chmodSync: (_path: string, fresh: number) => void (mode = fresh),
      openSync() {
        // NTFS looks at the attribute first.
        if (mode === 0o444) throw new Error("(os error 5)");
        const refusal = refusals.get(name);
        if (refusal) throw new Error(`(${refusal})`);
        return { close() {} };
      },
    };
    const clock = {
      monotonic: () => now,
      delay: (ms: number) => Promise.resolve(void (now += ms)),
    };
    const randomBytes = () => new Uint8Array(1);
    const system = { fs, clock, randomBytes } as unknown as System;
    const isInUse = await windows.isInUse(system, name);
    assertEquals(mode, isReadOnly ? 0o444 : 0o666, "it is as it was");
    return isInUse;
  };
  for (const isReadOnly of [false, true]) {
    assertEquals(await ask("running", isReadOnly), true);
    assertEquals(await ask("idle", isReadOnly), false);
    assertEquals(await ask("foreign", isReadOnly), false, "that is no sign of it");
  }
});
