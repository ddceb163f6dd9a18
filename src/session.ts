/** What every stage of one run shares. */
import type { Report } from "./base/events.ts";
import type { RestartManager } from "./system/holders_windows.ts";
import type { InstallDir } from "./installation/install_dir.ts";
import type { System } from "./system/system.ts";

/** One run of the shim on one install dir. */
export interface Session {
  readonly system: System;
  readonly dir: InstallDir;
  readonly report: Report;
  /** Who holds a file (Windows). Missing: to be opened when it is needed. */
  readonly restartManager?: RestartManager | undefined;
}
