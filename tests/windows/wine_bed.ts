/**
 * Real Windows programs on Linux: what `bed.sh` gives, as functions.
 *
 * What is real: the programs, and Windows' rules on executing images, share modes, locks, handles,
 * console events and names, as Wine 10 has them. What is not: see .github/WINDOWS.md, and
 * `bed_test.ts` for the rules that the other tests build on.
 */
import { fromFileUrl, join } from "@std/path";
import type { CachedProgram, Machine, WindowsProcess } from "./machine.ts";
import { processOf } from "./machine.ts";
import { killInnermost } from "./wine_process_tree.ts";

const SCRIPT = fromFileUrl(new URL("./bed.sh", import.meta.url));
const CACHE = Deno.env.get("UPDATER_SHIM_WINE_BED") ??
  join(
    Deno.env.get("XDG_CACHE_HOME") ?? join(Deno.env.get("HOME") ?? "/root", ".cache"),
    "updater-shim/wine-bed",
  );

/** Makes the bed if it is not there: two minutes the first time, then no time at all. */
async function ensureBed(): Promise<void> {
  const { success } = await new Deno.Command("bash", { args: [SCRIPT, "up"], stdout: "inherit" })
    .output();
  if (!success) throw new Error(`Cannot make the Windows test bed: see above and ${SCRIPT}`);
}

/** The Linux path of a program of the cache, for copying it into an install dir. */
function cachedProgram(name: CachedProgram): string {
  const path = join(CACHE, "programs", name);
  // On a bare machine the first test that asks for one waits until the bed is made.
  if (!isFile(path)) {
    const { success } = new Deno.Command("bash", {
      args: [SCRIPT, "up"],
      stdout: "inherit",
      stderr: "inherit",
    }).outputSync();
    if (!success) throw new Error("the Windows test bed could not be made");
  }
  return path;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** What a Windows program calls the file that we call `path` (absolute). */
function windowsPath(path: string): string {
  const shared = "/dev/shm/";
  const name = path.startsWith(shared) ? `E:/${path.slice(shared.length)}` : `D:${path}`;
  return name.replaceAll("/", "\\");
}

/** The machine on which `deno task test:windows` runs on Linux. */
export const wine: Machine = {
  cachedProgram,
  windowsPath,
  temporary: join(CACHE, "root/prefix/drive_c/users/root/AppData/Local/Temp"),
  async spawn(dir, program, args, options): Promise<WindowsProcess> {
    await ensureBed();
    const child = new Deno.Command("bash", {
      args: [SCRIPT, "run", dir, "--", program, ...args],
      clearEnv: true,
      env: {
        PATH: Deno.env.get("PATH") ?? "",
        HOME: Deno.env.get("HOME") ?? "",
        UPDATER_SHIM_WINE_BED: CACHE,
        UPDATER_SHIM_WINE_TIMEOUT: String(options.timeoutSeconds ?? 120),
        NO_COLOR: "1",
        ...options.env,
      },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return processOf(program, child, () => killInnermost(child.pid, child.status));
  },
};
