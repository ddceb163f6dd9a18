/** A `System` over a simulated file system: no process, no network, no time but what is waited. */
import { posix } from "../../src/system/posix.ts";
import type { FileSystem } from "../../src/system/file_system.ts";
import type { Processes } from "../../src/system/processes.ts";
import type { System } from "../../src/system/system.ts";
import { windows } from "../../src/system/windows.ts";
import type { SimulatedFileSystem } from "./simulated_file_system.ts";
import { systemError } from "./system_errors.ts";

const HEADER = 64 + 56;

/** The bytes of an executable as far as `src/files/executable_format.ts` looks: an ELF that names its end. */
export function fakeExecutable(text: string): Uint8Array<ArrayBuffer> {
  const body = new TextEncoder().encode(text);
  const bytes = new Uint8Array(HEADER + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x7f454c46);
  view.setUint8(4, 2); // 64 bits
  view.setUint8(5, 1); // little endian
  view.setUint16(18, 62, true); // of the processor below
  view.setBigUint64(0x20, 64n, true); // one program header,
  view.setUint16(0x36, 56, true);
  view.setUint16(0x38, 1, true);
  view.setUint32(64, 1, true); // of a segment that is loaded: the whole file
  view.setBigUint64(64 + 0x20, BigInt(bytes.length), true);
  bytes.set(body, HEADER);
  return bytes;
}

/** The system of one run; `seen` is the file system that the program gets, if another one. */
export function simulatedSystem(fs: SimulatedFileSystem, seen: FileSystem = fs): System {
  let now = Date.UTC(2026, 0, 1);
  return {
    os: fs.os,
    target: "x86_64-unknown-linux-gnu",
    shimName: "updater-shim",
    execPath: "/opt/tool/updater-shim",
    cwd: "/",
    user: fs.os === "windows" ? undefined : { uid: 0, gid: 0 },
    fs: seen,
    platform: fs.os === "windows" ? windows : posix,
    processes: simulatedProcesses(fs),
    clock: {
      now: () => now,
      monotonic: () => now,
      delay(ms) {
        now += ms;
        return Promise.resolve();
      },
    },
    terminal: {
      out() {},
      err() {},
      isTerminal: false,
      columns: () => 80,
      isInteractive: false,
      isAttended: false,
      readInput: () => Promise.resolve(null),
      inputEnd: () => Promise.resolve(),
    },
    fetch: () => Promise.reject(new TypeError("there is no network here")),
    connection() {
      throw new Error("there is no network here");
    },
    randomBytes: (count) => unusedBytes(fs, count),
    onStopSignal() {},
  };
}

/** Every executable is well if it is whole, and says what it is. */
function simulatedProcesses(fs: SimulatedFileSystem): Processes {
  return {
    pid: 42,
    parentPid: () => 1,
    exists: () => false,
    run(path) {
      const inode = fs.existing(path, `run '${path}'`);
      const { bytes, mode } = fs.disk.inodes.get(inode)!.now;
      if (fs.os !== "windows" && (mode & 0o100) === 0) throw systemError("EACCES", `run '${path}'`);
      const text = new TextDecoder().decode(bytes.subarray(HEADER));
      const code = bytes.length > HEADER && bytes[0] === 0x7f ? 0 : 1;
      return Promise.resolve({ code, stdout: text, stderr: "", timedOut: false });
    },
    enter: () => ({ [Symbol.dispose]() {} }),
    spawn: () => Promise.resolve(),
    runOurselvesAs: () => Promise.reject(new Error("there is nobody else")),
    leaveBehind() {},
    confine() {},
    openLibrary() {
      throw new Error("there are no libraries here");
    },
  };
}

/**
 * The same disk gives the same bytes, so that a run can be repeated and equal states be told; and
 * they are in no name yet, as random ones would not be.
 */
function unusedBytes({ disk }: SimulatedFileSystem, count: number): Uint8Array<ArrayBuffer> {
  const names = [...disk.names.values()].flatMap((entries) => [...entries.keys()]).join("\n");
  for (let value = 1;; value++) {
    const bytes = new Uint8Array(count).fill(value);
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    if (!names.includes(hex)) return bytes;
  }
}
