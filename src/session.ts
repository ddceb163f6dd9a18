/** What every stage of one run shares. */
import type { Report } from "./base/events.ts";
import type { OpenedDir } from "./installation/install_dir.ts";

/** One run of the shim on one install dir. */
export interface Session extends OpenedDir {
  readonly report: Report;
  /** The lock is held, and files may be made. Missing: this run only looks. */
  readonly mayWrite?: boolean;
  /** The tool id that the tool had before; this run only looks, and the next update takes it over. */
  readonly renamed?: string | undefined;
  /** Ctrl-C and TERM. */
  readonly stop?: AbortSignal;
}
