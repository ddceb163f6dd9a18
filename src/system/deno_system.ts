/**
 * The real `System`: the only file in `src/` that calls `Deno`, with the parts that it consists of,
 * `deno_*.ts`. One line a method where that is possible; what a crash could separate does not belong
 * here.
 */
import { statfsSync } from "node:fs";
import process from "node:process";
import { basename } from "node:path";
import { fchmodSync, fchownSync, openExistingSync } from "./deno_files.ts";
import {
  confinedTo,
  type Helper,
  leaveBehind,
  runOurselvesAs,
  type Surroundings,
  unconfined,
} from "./deno_programs.ts";
import { ownPlatform } from "./own_platform.ts";
import type { Clock } from "./steps.ts";
import type { FileSystem, OpenFile } from "./file_system.ts";
import type { Processes } from "./processes.ts";
import type { StopSignal, System, Terminal } from "./system.ts";

const platform = ownPlatform(Deno.build.os);

const fs: FileSystem = {
  openSync: Deno.openSync,
  renameSync: Deno.renameSync,
  linkSync: Deno.linkSync,
  removeSync: Deno.removeSync,
  mkdirSync: Deno.mkdirSync,
  openExistingSync,
  fchmodSync,
  fchownSync,
  readLinkSync: Deno.readLinkSync,
  chmodSync: Deno.chmodSync,
  chownSync: Deno.chownSync,
  lstatSync: Deno.lstatSync,
  statSync: Deno.statSync,
  readDirSync: Deno.readDirSync,
  realPathSync: Deno.realPathSync,
  syncDirectory: Deno.build.os === "windows" ? () => {} : syncDirectory,
  tryLock,
  digestAside: (path) => help().digestAside(path),
  digestBehind: (path) => Deno.build.os === "windows" ? undefined : help().digestBehind(path),
  freeBytes(path) {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  },
  pause: (ms) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
};

function syncDirectory(path: string): void {
  using folder = Deno.openSync(path, { read: true });
  folder.syncSync();
}

/**
 * Older runtimes have only the lock that waits: there, one that is not ours within a quarter of a
 * second counts as held. The thread that still waits ends with the process.
 */
function tryLock(file: OpenFile): Promise<boolean> {
  const { tryLockSync, lock } = file as Partial<Pick<Deno.FsFile, "tryLockSync" | "lock">>;
  if (tryLockSync) return Promise.resolve(tryLockSync.call(file, true));
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(false), 250);
    lock!.call(file, true).then(() => {
      clearTimeout(timer);
      resolve(true);
    }, reject);
  });
}

let helper: Helper | undefined;
const help = () => helper ??= unconfined(surroundings());

function surroundings(): Surroundings {
  platform.keepStreams(processes);
  return {
    ownGroup: !platform.sharesConsole(processes),
    killer: Deno.build.os === "windows"
      ? null
      : ["/bin/kill", "/usr/bin/kill"].find(isFile) ?? null,
    terminals: [Deno.stdin.isTerminal(), Deno.stdout.isTerminal(), Deno.stderr.isTerminal()],
  };
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Stop signals so far. */
let stopSignals = 0;
/** Somebody who holds Ctrl-C down is not waited for. */
const MOST_RUNS = 3;
/** By then a Ctrl-C that ended the program has reached our listener, too (another thread of ours). */
const SIGNAL_MS = 50;

/** Where its name is no text, what is relative to it is not found, and says why. */
function workingFolder(): string {
  try {
    return Deno.cwd();
  } catch {
    Deno.chdir("/"); // A thread of the runtime does not begin in such a folder.
    return "/a working folder whose name cannot be read";
  }
}

/**
 * See `Processes.run`. Where the program shares our console, Ctrl-C ends it, too: how it ended is then
 * no verdict on it.
 */
async function run(...[path, args, timeoutMs, stop]: Parameters<Processes["run"]>) {
  for (let runs = 1;; runs++) {
    const before = stopSignals;
    const result = await help().run(path, args, timeoutMs, stop);
    if (result.code === 0 || Deno.build.os !== "windows" || runs === MOST_RUNS) return result;
    await clock.delay(SIGNAL_MS);
    if (stopSignals === before || stop?.aborted) return result;
  }
}

const processes: Processes = {
  pid: Deno.pid,
  parentPid: () => Deno.ppid,
  exists(pid) {
    try {
      process.kill(pid, 0);
      return true;
    } catch (error) {
      // EPERM: it exists, but belongs to somebody else.
      return (error as { code?: string }).code === "EPERM";
    }
  },
  run,
  enter(folder) {
    const before = workingFolder();
    Deno.chdir(folder);
    return {
      [Symbol.dispose]() {
        try {
          Deno.chdir(before);
        } catch {
          Deno.chdir("/"); // It is gone, or has no readable name.
        }
      },
    };
  },
  spawn: (...call) => help().spawn(...call),
  runOurselvesAs,
  leaveBehind(...call) {
    help();
    leaveBehind(...call);
  },
  confine(paths, readable) {
    // Else the permissions are those that somebody gave to `deno run`, and theirs to choose.
    if (!Deno.build.standalone) return;
    platform.openHolders(processes);
    helper = confinedTo(paths, readable, surroundings());
  },
  openLibrary<const S extends Deno.ForeignLibraryInterface>(name: string, symbols: S) {
    const library = libraries.get(symbols) ?? Deno.dlopen(name, symbols);
    libraries.set(symbols, library);
    return library as Deno.DynamicLibrary<S>;
  },
};

const libraries = new Map<
  Deno.ForeignLibraryInterface,
  Deno.DynamicLibrary<Deno.ForeignLibraryInterface>
>();

const clock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  delay(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => (clearTimeout(timer), reject(signal!.reason));
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", abort);
        resolve();
      }, ms);
      signal?.addEventListener("abort", abort, { once: true });
    });
  },
};

const terminal: Terminal = {
  out: (text) => write(Deno.stdout, text),
  err: (text) => write(Deno.stderr, text),
  isTerminal: Deno.stderr.isTerminal() && terminalKind() !== "dumb",
  columns() {
    try {
      // Some terminals say 0: they do not know.
      return Deno.consoleSize().columns || 80;
    } catch {
      return 80;
    }
  },
  isInteractive: Deno.stdin.isTerminal() && Deno.stderr.isTerminal(),
  isAttended: Deno.stdin.isTerminal(),
  readInput: (buffer) => Deno.stdin.read(buffer),
  async inputEnd() {
    const buffer = new Uint8Array(4096);
    try {
      while (await Deno.stdin.read(buffer) !== null);
    } catch {
      // EIO or EBADF: the other end is gone, which is what we wait for.
    }
  },
};

/** Screen readers and editors' consoles call themselves "dumb": they do not draw over a line. */
function terminalKind(): string | undefined {
  try {
    return Deno.env.get("TERM");
  } catch {
    return undefined; // `deno run` without that permission.
  }
}

function write(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  try {
    for (let rest = new TextEncoder().encode(text); rest.length > 0;) {
      rest = rest.subarray(stream.writeSync(rest));
    }
  } catch {
    // EPIPE, EIO: nobody reads any more. That must not stop a commit.
  }
}

function onStopSignal(listener: (signal: StopSignal) => void): void {
  const names: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK", "SIGHUP"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const name of names) {
    // Ctrl-Break is Windows' way to ask a process to end.
    const means = name === "SIGBREAK" ? "SIGTERM" : name as StopSignal;
    Deno.addSignalListener(name, () => {
      stopSignals++;
      listener(means);
    });
  }
}

/** The world as it is. */
export const denoSystem: System = {
  os: Deno.build.os === "windows" || Deno.build.os === "darwin" ? Deno.build.os : "linux",
  target: Deno.build.target,
  execPath: Deno.execPath(),
  // Under `deno run` the executable is Deno's own.
  shimName: Deno.build.standalone ? basename(Deno.execPath()) : "updater-shim",
  cwd: workingFolder(),
  user: Deno.build.os === "windows" ? undefined : { uid: Deno.uid()!, gid: Deno.gid()! },
  fs,
  platform,
  processes,
  clock,
  terminal,
  fetch: (url, init) => fetch(url, { redirect: "manual", ...init }),
  connection() {
    const client = Deno.createHttpClient({ http2: false });
    return {
      fetch: (url, init) => fetch(url, { redirect: "manual", ...init, client }),
      [Symbol.dispose]: () => client.close(),
    };
  },
  randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
  onStopSignal,
};
