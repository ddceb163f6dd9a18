/**
 * The one error that callers catch, and the one table from a kind of failure to an exit code.
 * The codes are the contract with main tools; scripts depend on them.
 */

/** Exit code by kind of failure (README, "Exit codes"). */
export const EXIT_CODES = {
  bug: 1,
  usage: 2,
  network: 3,
  verification: 4,
  parent: 5,
  locked: 6,
  filesystem: 7,
  health: 8,
  repair: 9,
  interrupted: 130,
  terminated: 143,
} as const;

/** A kind of failure that the user can do something about, except `bug`, which is ours. */
export type ErrorKind = keyof typeof EXIT_CODES;

/** What a failure is about, and what to do next. */
export interface ErrorDetails {
  /** Absolute path of the file concerned. */
  readonly path?: string;
  /** URL concerned, already without credentials and query. */
  readonly url?: string;
  /** One sentence: what the user can do next. */
  readonly hint?: string;
  /** The error underneath. */
  readonly cause?: unknown;
}

/**
 * A failure with a sentence for people. `message` says what happened, to which file or URL;
 * `hint` says what to do next.
 */
export class UpdateError extends Error {
  /** Decides the exit code. */
  readonly kind: ErrorKind;
  /** File concerned, if any. */
  readonly path: string | undefined;
  /** URL concerned, if any. */
  readonly url: string | undefined;
  /** What to do next, if there is something to do. */
  readonly hint: string | undefined;

  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "UpdateError";
    this.kind = kind;
    this.path = details.path;
    this.url = details.url;
    this.hint = details.hint;
  }

  /** The process exit code that the contract gives this kind of failure. */
  get exitCode(): number {
    return EXIT_CODES[this.kind];
  }
}

/** The text of anything thrown, for use inside a sentence. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's own code of an error (`"ENOSPC"`, `"EACCES"`), where the runtime gives one. */
export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}
