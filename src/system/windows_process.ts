/** Windows: a handle belongs to one process for ever, whatever becomes of its pid. */
import { reason, UpdateError } from "../base/errors.ts";
import type { WatchedProcess } from "./platform.ts";
import type { Steps } from "./steps.ts";

const SYNCHRONIZE = 0x00100000;
const PROCESS_QUERY_LIMITED_INFORMATION = 0x1000;
const WAIT_OBJECT_0 = 0;
const ERROR_INVALID_PARAMETER = 87;

/**
 * The full path, because the program's permission names it (.ci/compile.ts): Deno takes a bare name
 * for a file in the current folder as soon as the permission names any file.
 */
const LIBRARY = "C:\\Windows\\System32\\kernel32.dll";

/** https://learn.microsoft.com/windows/win32/api/processthreadsapi/ and .../synchapi/ */
const KERNEL32 = {
  OpenProcess: { parameters: ["u32", "i32", "u32"], result: "pointer" },
  GetProcessTimes: {
    parameters: ["pointer", "buffer", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  GetCurrentProcess: { parameters: [], result: "pointer" },
  WaitForSingleObject: { parameters: ["pointer", "u32"], result: "u32" },
  CloseHandle: { parameters: ["pointer"], result: "i32" },
  GetLastError: { parameters: [], result: "u32" },
} as const satisfies Deno.ForeignLibraryInterface;

type Kernel32 = Deno.DynamicLibrary<typeof KERNEL32>["symbols"];

/** A clock may have been set a little between the two times that are compared. */
const SLACK_MS = 2000;
/** Between 1601, where a FILETIME begins, and 1970. */
const UNIX_EPOCH_MS = 11_644_473_600_000n;

/** See `Platform.watchProcess`. */
// deno-lint-ignore require-await -- an error is a rejection.
export async function watchProcess(
  system: Steps,
  pid: number,
  startedBy?: number,
): Promise<WatchedProcess | undefined> {
  if (!isPossible(pid)) return undefined;
  const { symbols } = openKernel(system);
  const handle = symbols.OpenProcess(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, 0, pid);
  if (handle === null) return watchForeign(symbols, pid);
  const close = () => void symbols.CloseHandle(handle);
  // Not whether it can be opened: that goes on while anybody has a handle of it.
  const hasExited = () => symbols.WaitForSingleObject(handle, 0) === WAIT_OBJECT_0;
  const latest = startedBy === undefined
    ? startTime(symbols, symbols.GetCurrentProcess())
    : (BigInt(startedBy + SLACK_MS) + UNIX_EPOCH_MS) * 10_000n;
  const started = startTime(symbols, handle);
  const younger = latest !== undefined && started !== undefined && started > latest;
  if (younger || hasExited()) {
    close();
    return undefined;
  }
  return { hasExited: () => Promise.resolve(hasExited()), close };
}

function openKernel({ processes }: Steps) {
  try {
    return processes.openLibrary(LIBRARY, KERNEL32);
  } catch (error) {
    throw new UpdateError("filesystem", `Cannot open "${LIBRARY}": ${reason(error)}`, {
      path: LIBRARY,
      hint: "The end of a process is told by a Windows in C:\\Windows only: use --wait-stdin.",
      cause: error,
    });
  }
}

/**
 * All pids are multiples of four, and Windows ignores the last two bits of what it is asked for: it
 * would open another process.
 */
function isPossible(pid: number): boolean {
  return pid > 0 && pid % 4 === 0 && pid <= 0xffff_ffff;
}

/**
 * It exists, but we may not open it (it runs elevated). That its pid is gone is all that can be told,
 * and if that is used again at once, not even that: then the time runs out, and nothing is changed.
 */
function watchForeign(symbols: Kernel32, pid: number): WatchedProcess | undefined {
  const isGone = () => {
    const handle = symbols.OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid);
    if (handle !== null) symbols.CloseHandle(handle);
    return handle === null && symbols.GetLastError() === ERROR_INVALID_PARAMETER;
  };
  if (isGone()) return undefined;
  return { hasExited: () => Promise.resolve(isGone()), close() {} };
}

/** FILETIME: 100 ns since 1601. */
function startTime(symbols: Kernel32, process: Deno.PointerValue): bigint | undefined {
  const times = new BigUint64Array(4);
  const [created, exited, kernel, user] = [0, 1, 2, 3].map((index) =>
    times.subarray(index, index + 1)
  ) as [
    BigUint64Array<ArrayBuffer>,
    BigUint64Array<ArrayBuffer>,
    BigUint64Array<ArrayBuffer>,
    BigUint64Array<ArrayBuffer>,
  ];
  return symbols.GetProcessTimes(process, created, exited, kernel, user) ? times[0] : undefined;
}
