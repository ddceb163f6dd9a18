/**
 * What every transfer is bounded by, and the repetition of those that fail for now.
 * `@std/async/retry` knows neither `Retry-After` nor that a download which got further starts
 * counting anew, so the loop is here.
 */
import { UpdateError } from "../base/errors.ts";
import type { System } from "../system/system.ts";
import { redactUrl } from "../base/url_policy.ts";

/** Bounds of one transfer; tests pass smaller ones. */
export interface Limits {
  /** Until the headers are there. */
  readonly connectMs: number;
  /** Without a single byte. */
  readonly idleMs: number;
  /** All of it, retries and pauses included. */
  readonly totalMs: number;
  /** A connection that is slower than this, so long after its start, gives way to several. */
  readonly slowBytesPerSecond: number;
  readonly slowMs: number;
  /** Averaged over `rateWindowMs`; a server that drips must not hold us for days. */
  readonly minBytesPerSecond: number;
  readonly rateWindowMs: number;
  /** Tries in a row without progress. */
  readonly tries: number;
  /** Tries in all: one byte each time is progress too. */
  readonly maxTries: number;
  /** First pause between tries; doubles, with jitter, to at most `maxPauseMs`. */
  readonly pauseMs: number;
  /** A server that asks for more (`Retry-After`) is left alone. */
  readonly maxPauseMs: number;
}

/** Patient enough for bad networks, bounded for hostile ones. */
export const DEFAULT_LIMITS: Limits = {
  connectMs: 30_000,
  idleMs: 30_000,
  totalMs: 2 * 3600_000,
  slowBytesPerSecond: 1024 * 1024,
  slowMs: 5_000,
  minBytesPerSecond: 1024,
  rateWindowMs: 60_000,
  tries: 5,
  maxTries: 100,
  pauseMs: 500,
  maxPauseMs: 60_000,
};

/** What a server is to be told as `Authorization`, or undefined. */
export type Authorize = (server: URL) => string | undefined;

/** What every transfer needs. */
export interface FetchOptions {
  readonly system: System;
  readonly allowHttp: boolean;
  /** What to send as `Authorization` to that server; undefined: nothing. */
  readonly authorize?: Authorize | undefined;
  /** Its reason is thrown as it is. */
  readonly signal: AbortSignal;
  /** Default: `DEFAULT_LIMITS`. */
  readonly limits?: Partial<Limits>;
}

/** How servers may be asked, whatever is fetched. */
export type Access = Pick<FetchOptions, "allowHttp" | "authorize" | "limits">;

/** The same with every bound known; `signal` is aborted when the time is up, too. */
export interface Transfer {
  readonly system: System;
  readonly allowHttp: boolean;
  readonly authorize: Authorize | undefined;
  readonly signal: AbortSignal;
  readonly limits: Limits;
  /** Default: the system's. */
  readonly fetch?: System["fetch"];
  /** What it is about, fit to be shown. */
  readonly shown: string;
  /** When the time is up, by `clock.monotonic()`. */
  readonly endsAt: number;
}

/** A failure that another try may not meet. */
export class PassingError extends Error {
  /** `afterMs`: the server asked us to wait so long. */
  constructor(message: string, readonly afterMs = 0, options?: ErrorOptions) {
    super(message, options);
    this.name = "PassingError";
  }
}

/** Gives a transfer its time. Throws `network` when it is up. */
export async function withDeadline<T>(
  location: string,
  { system, allowHttp, authorize, signal, limits: changed }: FetchOptions,
  work: (transfer: Transfer) => Promise<T>,
): Promise<T> {
  const limits = { ...DEFAULT_LIMITS, ...changed };
  const shown = redactUrl(location);
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(givenUp(shown, `it is not done within ${limits.totalMs / 1000} s`)),
    limits.totalMs,
  );
  try {
    return await work({
      system,
      allowHttp,
      authorize,
      limits,
      shown,
      signal: AbortSignal.any([signal, late.signal]),
      endsAt: system.clock.monotonic() + limits.totalMs,
    });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Repeats a step while its failures can pass. After one that made progress (`progressed` says so)
 * counting starts anew. Throws `network` with the last reason, or what cannot pass.
 */
export async function withRetries<T>(
  { system: { clock, randomBytes }, signal, limits, shown, endsAt }: Transfer,
  step: () => Promise<T>,
  progressed: () => boolean = () => false,
): Promise<T> {
  for (let total = 1, tries = 1;; total++, tries++) {
    try {
      return await step();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof PassingError)) throw error;
      if (progressed()) tries = 1;
      // Sooner than it asks for is no use, and a whole hour no wait of which nothing is seen.
      if (error.afterMs > limits.maxPauseMs) throw putOff(shown, error);
      if (tries >= limits.tries || total >= limits.maxTries) {
        throw givenUp(shown, `${error.message} (tried ${times(total)})`, error);
      }
      const jitter = 0.5 + randomBytes(1)[0]! / 510;
      const backoff = limits.pauseMs * 2 ** (tries - 1) * jitter;
      const pause = Math.min(Math.max(backoff, error.afterMs), limits.maxPauseMs);
      if (clock.monotonic() + pause >= endsAt) throw givenUp(shown, error.message, error);
      await clock.delay(pause, signal);
    }
  }
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

function putOff(url: string, error: PassingError): UpdateError {
  const minutes = Math.ceil(error.afterMs / 60_000);
  return new UpdateError(
    "network",
    `Cannot fetch ${url}: ${error.message}, and the server asks to be left alone for ${
      minutes === 1 ? "a minute" : `${minutes} minutes`
    }`,
    {
      url,
      hint:
        "Nothing was changed. Run again after that: a download that had begun goes on where it stopped.",
      cause: error,
    },
  );
}

function givenUp(url: string, why: string, cause?: unknown): UpdateError {
  return new UpdateError("network", `Cannot fetch ${url}: ${why}`, {
    url,
    hint:
      "Nothing was changed. Check the network (behind a proxy: HTTPS_PROXY, which sudo may drop) and run again: a download that had begun goes on where it stopped.",
    cause,
  });
}
