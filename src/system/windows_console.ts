/** Windows: our console and our streams, as far as programs that we start get them. */
import type { Processes } from "./processes.ts";

/** The full path, as in `windows_process.ts`. */
const LIBRARY = "C:\\Windows\\System32\\kernel32.dll";
const KERNEL32 = {
  GetConsoleCP: { parameters: [], result: "u32" },
  GetStdHandle: { parameters: ["u32"], result: "pointer" },
  SetHandleInformation: { parameters: ["pointer", "u32", "u32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** STD_INPUT_HANDLE, STD_OUTPUT_HANDLE and STD_ERROR_HANDLE. */
const STREAMS = [-10, -11, -12];
const HANDLE_FLAG_INHERIT = 1;

/**
 * Programs that we start get the streams that they are given, and no others beside them: without this
 * each of them would also keep our own pipes open, and who reads those would wait for its end. Deno
 * does it in its own program, but not in a compiled one (`disable_stdio_inheritance`).
 */
export function keepStreams({ openLibrary }: Pick<Processes, "openLibrary">): void {
  try {
    const { symbols } = openLibrary(LIBRARY, KERNEL32);
    for (const stream of STREAMS) {
      const handle = symbols.GetStdHandle(stream >>> 0);
      if (handle !== null) symbols.SetHandleInformation(handle, HANDLE_FLAG_INHERIT, 0);
    }
  } catch {
    // Only a pipe that ends later than it could.
  }
}

/** Also a console without a window (CREATE_NO_WINDOW). Only before `confine`. */
export function hasConsole({ openLibrary }: Pick<Processes, "openLibrary">): boolean {
  try {
    // https://learn.microsoft.com/windows/console/getconsolecp: 0 where there is none.
    return openLibrary(LIBRARY, KERNEL32).symbols.GetConsoleCP() !== 0;
  } catch {
    return false;
  }
}
