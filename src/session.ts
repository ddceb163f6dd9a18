/** What every stage of one run shares. */
import type { Report } from "./base/events.ts";
import type { InstallDir } from "./installation/install_dir.ts";
import type { System } from "./system/system.ts";

/** One run of the shim on one install dir. */
export interface Session {
  readonly system: System;
  readonly dir: InstallDir;
  readonly report: Report;
  /** The lock is held, and files may be made. Missing: this run only looks. */
  readonly mayWrite?: boolean;
}
