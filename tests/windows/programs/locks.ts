/**
 * Windows program: one case of the swap against a file that is held for ever, on the real file
 * system and with a clock of its own, so that nobody waits for a minute.
 *
 * Arguments: the case; the install dir, with `new.exe` beside the targets. Prints JSON: how it
 * ended, and for how long and how often it was tried.
 */
import { join } from "@std/path";
import { FaultyFileSystem } from "../../support/faulty_file_system.ts";
import { copyFile } from "../../../src/files/durable_files.ts";
import { denoSystem } from "../../../src/system/deno_system.ts";
import { UpdateError } from "../../../src/base/errors.ts";
import type { ShimEvent } from "../../../src/base/events.ts";
import { checkHealth } from "../../../src/transaction/health.ts";
import { openInstallDir, openStateDir } from "../../../src/installation/install_dir.ts";
import { openRestartManager } from "../../../src/system/windows_holders.ts";
import type { Processes } from "../../../src/system/processes.ts";
import type { System } from "../../../src/system/system.ts";
import { transact } from "../../support/transaction.ts";

const [what = "", folder = ""] = Deno.args;
const path = (name: string) => join(folder, name);
const pauses: number[] = [];
let now = 0;
let whilePausing = () => {};
const renames: string[] = [];

const fs = new FaultyFileSystem(denoSystem.fs, (step, path) => {
  if (step === "rename") renames.push(path.slice(folder.length + 1));
});
const system: System = {
  ...denoSystem,
  fs,
  clock: {
    now: () => now,
    monotonic: () => now,
    delay(ms) {
      pauses.push(ms);
      now += ms;
      whilePausing();
      return Promise.resolve();
    },
  },
};
const events: ShimEvent[] = [];
const session = {
  system,
  dir: openInstallDir(system, folder),
  report: (event: ShimEvent) => void events.push(event),
};

const replace = (from: string, to: string, spare: string) =>
  system.platform.replaceFile(
    system,
    from,
    to,
    spare,
    (notice) => session.report({ event: "warning", ...notice }),
  );

const CASES: Record<string, () => Promise<unknown>> = {
  /** One rename of one file over another. */
  replace: () => replace(path("new.exe"), path("tool.exe"), path("spare.exe")),
  /** The same, and whether the target is there at each pause. */
  async watched() {
    let missing = 0;
    whilePausing = () => void (exists("tool.exe") || missing++);
    await replace(path("new.exe"), path("tool.exe"), path("spare.exe")).finally(() =>
      events.push({ event: "warning", message: `missing at ${missing} pauses` })
    );
  },
  /** The same into a folder that is not there: no lock, so not tried again. */
  nowhere: () => replace(path("new.exe"), path("missing/tool.exe"), path("missing/spare.exe")),
  /** A health check of a file that somebody has for himself until it is tried a third time. */
  async health() {
    const letGo = holdAlone(path("tool.exe"));
    let tries = 0;
    const run: Processes["run"] = (...call) => {
      if (++tries === 3) letGo();
      return denoSystem.processes.run(...call);
    };
    const patient = { ...session, system: { ...system, processes: { ...system.processes, run } } };
    await checkHealth(patient, path("tool.exe"), { args: ["--version"], timeoutMs: 10_000 });
  },
  /** Who holds it, asked by a program that may open no library any more. */
  holders() {
    if (!openRestartManager(system.processes)) throw new Error("there is no Restart Manager");
    Deno.permissions.revokeSync({ name: "ffi" });
    const names = system.platform.holdersOf(system, path("tool.exe"));
    events.push({ event: "warning", message: `${names.length} holders` });
    return Promise.resolve();
  },
  /** A whole installation of three. */
  async install() {
    openStateDir(system, session.dir);
    const names = ["a.exe", "tool.exe", "z.exe"];
    const fill = (staged: string) => {
      fs.removeSync(staged);
      copyFile(fs, path("new.exe"), staged, 0o700);
    };
    await transact(session, names, fill, false);
  },
};

/** Opens a file so that nobody else can, and returns what closes it. */
function holdAlone(path: string): () => void {
  const { symbols } = Deno.dlopen("kernel32.dll", {
    CreateFileW: {
      parameters: ["buffer", "u32", "u32", "pointer", "u32", "u32", "pointer"],
      result: "usize",
    },
    CloseHandle: { parameters: ["usize"], result: "i32" },
  });
  const GENERIC_READ = 0x8000_0000, NOT_SHARED = 0, OPEN_EXISTING = 3;
  const name = Uint16Array.from({ length: path.length + 1 }, (_, at) => path.charCodeAt(at) || 0);
  const file = symbols.CreateFileW(name, GENERIC_READ, NOT_SHARED, null, OPEN_EXISTING, 0, null);
  return () => void symbols.CloseHandle(file);
}

function exists(name: string): boolean {
  try {
    Deno.lstatSync(path(name));
    return true;
  } catch {
    return false;
  }
}

let error: unknown = null;
try {
  await CASES[what]!();
} catch (thrown) {
  if (!(thrown instanceof Error)) throw thrown;
  const { kind, hint } = thrown instanceof UpdateError ? thrown : { kind: undefined, hint: "" };
  error = { kind, hint, message: thrown.message };
}
console.log(JSON.stringify({ error, seconds: now / 1000, pauses, renames, events }));
