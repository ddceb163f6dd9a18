/** Who holds a file, with a Restart Manager that answers: Wine's never does. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { holdersOf, howToFindHolders } from "../../src/system/windows_holders.ts";
import type { System } from "../../src/system/system.ts";

const PATH = "C:\\tool\\ü 日本.exe";
const ADDRESS = 0x7ff0_1234_5678n;
const ERROR_MORE_DATA = 234;

/** A Windows whose Restart Manager answers so; `asked` gets the paths. */
function systemWith(holders: readonly [pid: number, name: string][], code = 0) {
  const asked: string[] = [], open = new Set<number>();
  let buffer = new Uint16Array();
  const symbols = {
    RmStartSession(id: Uint32Array, _flags: number, key: Uint16Array) {
      assertEquals(key.length, 33);
      open.add(id[0] = 7);
      return 0;
    },
    lstrcpyW(to: Uint16Array<ArrayBuffer>, from: Uint16Array) {
      to.set(from);
      buffer = to;
      return ADDRESS;
    },
    RmRegisterResources(id: number, count: number, names: BigUint64Array) {
      assertEquals([id, count, names[0]], [7, 1, ADDRESS]);
      asked.push(String.fromCharCode(...buffer));
      return 0;
    },
    RmGetList(_id: number, needed: Uint32Array, count: Uint32Array, infos: Uint8Array) {
      needed[0] = holders.length;
      for (const [index, [pid, name]] of holders.slice(0, count[0]).entries()) {
        const view = new DataView(infos.buffer, index * 668);
        view.setUint32(0, pid, true);
        [...name].forEach((letter, at) => view.setUint16(12 + 2 * at, letter.charCodeAt(0), true));
      }
      count[0] = holders.length;
      return code;
    },
    RmEndSession(id: number) {
      open.delete(id);
      return 0;
    },
  };
  const openLibrary = () => ({ symbols, close() {} });
  const system = { processes: { openLibrary } } as unknown as System;
  return { system, asked, open };
}

Deno.test("Holders are named with their process ids", () => {
  const { system, asked, open } = systemWith([[1234, "uv.exe"], [8, ""]]);
  assertEquals(holdersOf(system, PATH), ["uv.exe (process 1234)", "process 8"]);
  assertEquals(asked, [`${PATH}\0`]);
  assertEquals(open.size, 0, "the session was ended");
});

Deno.test("Nobody holds it: no names", () => {
  assertEquals(holdersOf(systemWith([]).system, PATH), []);
});

Deno.test("More holders than anybody wants to read of are counted", () => {
  const many = Array.from({ length: 70 }, (_, index): [number, string] => [4 * index, "x.exe"]);
  const { system, open } = systemWith(many, ERROR_MORE_DATA);
  assertEquals(holdersOf(system, PATH), ["70 processes"]);
  assertEquals(open.size, 0);
});

Deno.test("A Restart Manager that fails or is missing stops nothing; the hint says what to do", () => {
  assertEquals(holdersOf(systemWith([[4, "x.exe"]], 5).system, PATH), []);
  const openLibrary = () => {
    throw new Error("there is no such library");
  };
  const system = { processes: { openLibrary } } as unknown as System;
  assertEquals(holdersOf(system, PATH), []);
  assertStringIncludes(howToFindHolders("/tool/uv.exe"), 'search for "uv.exe"');
});
