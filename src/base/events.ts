/**
 * What the shim tells: one type for people's text, the `--json` lines, the log and
 * `last-run.json`. Main tools depend on the names and fields.
 */

/** Something that happened. Paths are absolute, URLs without credentials and query. */
export type ShimEvent =
  | { event: "recovered"; outcome: "finished" | "rolled-back" | "cleaned"; files: string[] }
  | { event: "repaired"; path: string; from: string }
  | { event: "nothing-to-repair" }
  /** `tool`: it is that tool's shim, which works in the same folder. */
  | { event: "waiting"; pid: number; tool?: string }
  | {
    event: "manifest";
    name: string;
    version: string;
    url: string;
    signedBy: string | null;
    /** What is new: a URL or one line. */
    notes?: string;
    homepage?: string;
  }
  /**
   * `declined`: a newer one that the user went back from, and that is not offered again. `older`: what
   * the release has.
   */
  | { event: "up-to-date"; version: string; declined?: string; older?: string }
  | {
    event: "available";
    from: string | null;
    to: string;
    notes?: string;
    homepage?: string;
    /** When the server was asked (ISO 8601). */
    checked: string;
    /** False: an answer that was kept from then (`--max-age`). */
    fresh: boolean;
  }
  /** There is a newer version, which is not offered to this installation yet. */
  | { event: "held-back"; version: string | null; to: string; percent: number }
  /** `--download-only` has all that an update to this version needs. */
  | { event: "downloaded"; from: string | null; to: string }
  | {
    event: "download";
    file: string;
    received: number;
    total: number;
    /** What is fetched is a patch; without it these were the bytes to fetch. */
    insteadOf?: number;
  }
  /** The full file is fetched: a patch did not fit, or was not as it should be. For the log. */
  | { event: "patch-refused"; file: string; reason: string }
  | { event: "verified"; file: string; size: number; sha256: string }
  /** An executable is being run, and for longer than a second. On a terminal only. */
  | { event: "trying"; path: string }
  | { event: "health-check"; path: string; output: string }
  | { event: "committing"; files: string[] }
  | { event: "swapped"; path: string }
  | { event: "updated"; from: string | null; to: string; notes?: string }
  | { event: "rolled-back"; from: string | null; to: string | null }
  | { event: "would-update"; from: string | null; to: string; files: string[] }
  | { event: "would-uninstall"; files: string[] }
  /** `afterExit` (Windows): the shim, which goes as soon as nobody executes it any more. */
  | { event: "uninstalled"; files: string[]; afterExit?: string }
  | { event: "relaunched"; path: string; args: string[] }
  | { event: "warning"; message: string; path?: string; url?: string; hint?: string }
  | {
    event: "error";
    code: number;
    message: string;
    path?: string;
    url?: string;
    hint?: string;
  };

/** Where events go. Never throws: a full disk or a closed terminal must not stop an update. */
export type Report = (event: ShimEvent) => void;
