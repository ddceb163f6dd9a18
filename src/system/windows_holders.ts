/** Windows: which programs have a file open or execute it, as the Restart Manager knows. */
import { basename } from "node:path";
import type { Processes } from "./processes.ts";
import type { Steps } from "./steps.ts";

/**
 * Full paths, as in `windows_process.ts`. https://learn.microsoft.com/windows/win32/rstmgr/
 */
const RSTRTMGR_DLL = "C:\\Windows\\System32\\rstrtmgr.dll";
const KERNEL32_DLL = "C:\\Windows\\System32\\kernel32.dll";

const RSTRTMGR = {
  RmStartSession: { parameters: ["buffer", "u32", "buffer"], result: "u32" },
  RmRegisterResources: {
    parameters: ["u32", "u32", "buffer", "u32", "pointer", "u32", "pointer"],
    result: "u32",
  },
  RmGetList: { parameters: ["u32", "buffer", "buffer", "buffer", "buffer"], result: "u32" },
  RmEndSession: { parameters: ["u32"], result: "u32" },
} as const satisfies Deno.ForeignLibraryInterface;
const KERNEL32 = {
  lstrcpyW: { parameters: ["buffer", "buffer"], result: "usize" },
} as const satisfies Deno.ForeignLibraryInterface;

const CCH_RM_SESSION_KEY = 32;
const ERROR_MORE_DATA = 234;
/** RM_PROCESS_INFO: process id, start time, name (256 UTF-16 units), and what we do not ask. */
const INFO = { size: 668, pid: 0, name: 12, nameEnd: 12 + 2 * 256 } as const;
/** More holders than anybody wants to read of. */
const MOST = 64;

type RestartManager =
  & Deno.DynamicLibrary<typeof RSTRTMGR>["symbols"]
  & Deno.DynamicLibrary<typeof KERNEL32>["symbols"];

/**
 * Opens what `holdersOf` needs; it stays open. Undefined where Windows comes without it. To be called
 * once before the permission to open libraries is given up, if `holdersOf` is to answer after that.
 */
export function openRestartManager(
  { openLibrary }: Pick<Processes, "openLibrary">,
): RestartManager | undefined {
  try {
    return {
      ...openLibrary(RSTRTMGR_DLL, RSTRTMGR).symbols,
      ...openLibrary(KERNEL32_DLL, KERNEL32).symbols,
    };
  } catch {
    return undefined;
  }
}

/** See `Platform.holdersOf`; empty also where Windows does not tell. */
export function holdersOf({ processes }: Steps, path: string): string[] {
  const manager = openRestartManager(processes);
  if (!manager) return [];
  const id = new Uint32Array(1);
  const key = new Uint16Array(CCH_RM_SESSION_KEY + 1);
  if (manager.RmStartSession(id, 0, key) !== 0) return [];
  try {
    return list(manager, id[0]!, path);
  } finally {
    manager.RmEndSession(id[0]!);
  }
}

function list(manager: RestartManager, session: number, path: string): string[] {
  // Only code that may open libraries can ask Deno for an address; this function returns it.
  const name = wide(path);
  const names = new BigUint64Array([BigInt(manager.lstrcpyW(name, wide(path)))]);
  if (manager.RmRegisterResources(session, 1, names, 0, null, 0, null) !== 0) return [];
  const infos = new Uint8Array(MOST * INFO.size);
  const needed = new Uint32Array(1), count = new Uint32Array([MOST]), reasons = new Uint32Array(1);
  const code = manager.RmGetList(session, needed, count, infos, reasons);
  if (code === ERROR_MORE_DATA) return [`${needed[0]} processes`];
  return code === 0 ? parseHolders(infos, count[0]!) : [];
}

/** Pure part of asking: an array of RM_PROCESS_INFO. */
export function parseHolders(infos: Uint8Array, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const info = infos.subarray(index * INFO.size, (index + 1) * INFO.size);
    const pid = new DataView(info.buffer, info.byteOffset).getUint32(INFO.pid, true);
    const text = new TextDecoder("utf-16le").decode(info.subarray(INFO.name, INFO.nameEnd));
    const name = text.slice(0, text.indexOf("\0"));
    return name === "" ? `process ${pid}` : `${name} (process ${pid})`;
  });
}

/** A sentence for those whom Windows does not tell. */
export function howToFindHolders(path: string): string {
  return `To see which programs those are, run resmon.exe and search for "${
    basename(path)
  }" under CPU, Associated Handles.`;
}

function wide(text: string): Uint16Array<ArrayBuffer> {
  return Uint16Array.from({ length: text.length + 1 }, (_, at) => text.charCodeAt(at) || 0);
}
