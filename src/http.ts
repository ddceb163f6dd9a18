/**
 * Requests: https, redirects by hand, bounded in time and size, repeated where that can help.
 * The runtime's own redirects go from https to http without a word, twenty of them.
 */
import { fromFileUrl, resolve } from "@std/path";
import { readIfThere } from "./durable_files.ts";
import { reason, UpdateError } from "./errors.ts";
import { onFile } from "./fs_errors.ts";
import type { System } from "./system.ts";
import { checkUrl, isUrl, redactUrl } from "./url_policy.ts";
import { VERSION } from "./version.ts";

/** Bounds of one transfer; tests pass smaller ones. */
export interface Limits {
  /** Until the headers are there. */
  readonly connectMs: number;
  /** Without a single byte. */
  readonly idleMs: number;
  /** All of it, retries included. */
  readonly totalMs: number;
  /** Averaged over `rateWindowMs`; a server that drips must not hold us for days. */
  readonly minBytesPerSecond: number;
  readonly rateWindowMs: number;
  /** Tries in a row without progress. */
  readonly tries: number;
  /** First pause between tries; doubles, with jitter, to at most `maxPauseMs`. */
  readonly pauseMs: number;
  readonly maxPauseMs: number;
}

/** Patient enough for bad networks, bounded for hostile ones. */
export const DEFAULT_LIMITS: Limits = {
  connectMs: 30_000,
  idleMs: 30_000,
  totalMs: 2 * 3600_000,
  minBytesPerSecond: 1024,
  rateWindowMs: 60_000,
  tries: 5,
  pauseMs: 500,
  maxPauseMs: 60_000,
};

/** What every transfer needs. */
export interface FetchOptions {
  readonly system: System;
  readonly allowHttp: boolean;
  readonly signal: AbortSignal;
  readonly limits?: Partial<Limits>;
}

const MAX_REDIRECTS = 5;

/** A failure that another try may not meet. `afterMs`: the server asked us to wait. */
export class PassingError extends Error {
  constructor(message: string, readonly afterMs = 0, options?: ErrorOptions) {
    super(message, options);
  }
}

/**
 * A small document, by URL or path. Throws `network`, `usage` (URL not allowed) or `filesystem`.
 * `location` is what was asked for, not where a redirect led: relative URLs belong to the name
 * that the user configured.
 */
export async function fetchDocument(
  location: string,
  options: FetchOptions & { readonly limit: number },
): Promise<{ bytes: Uint8Array; location: string }> {
  const { system, limit } = options;
  if (!isUrl(location) || /^file:/i.test(location)) {
    const path = isUrl(location) ? fromFileUrl(location) : resolve(system.cwd, location);
    return { bytes: readLocal(system, path, limit), location };
  }
  const limits = { ...DEFAULT_LIMITS, totalMs: 60_000, ...options.limits };
  const bytes = await withRetries(location, limits, options, async (signal) => {
    const response = await request(location, {}, { ...options, signal, limits });
    return await readAll(location, response, limit, limits, options, signal);
  });
  return { bytes, location };
}

function readLocal({ fs }: System, path: string, limit: number): Uint8Array {
  const bytes = onFile("read", path, () => {
    try {
      return readIfThere(fs, path, limit);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw tooLarge(path, limit);
    }
  });
  if (bytes) return bytes;
  throw new UpdateError("filesystem", `There is no file "${path}"`, {
    path,
    hint: "Check the path of the manifest (and of its .minisig).",
  });
}

function tooLarge(what: string, limit: number): UpdateError {
  return new UpdateError("verification", `${what} is larger than ${limit} bytes`, {
    hint: "That cannot be right. Check the address, or tell the tool's authors.",
  });
}

async function readAll(
  location: string,
  response: Response,
  limit: number,
  limits: Limits,
  { system }: FetchOptions,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  await readBody(response, limits, system, signal, (part) => {
    length += part.length;
    if (length > limit) throw tooLarge(redactUrl(location), limit);
    parts.push(part.slice());
  });
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** One GET with its redirects; the body is unread. Throws `network`, or `PassingError`. */
export async function request(
  location: string,
  headers: Record<string, string>,
  { system, allowHttp, signal, limits }: FetchOptions & { readonly limits: Limits },
): Promise<Response> {
  let url = checkUrl(location, allowHttp);
  const origin = url.origin;
  const credentials = takeCredentials(url);
  for (let hops = 0;; hops++) {
    const response = await get(
      system,
      url,
      {
        "accept-encoding": "identity",
        "user-agent": `updater-shim/${VERSION}`,
        ...headers,
        // Never to another host than the one they were configured for.
        ...(credentials && url.origin === origin && { authorization: credentials }),
      },
      limits,
      signal,
    );
    if (![301, 302, 303, 307, 308].includes(response.status)) return checkResponse(url, response);
    await response.body?.cancel();
    const next = response.headers.get("location");
    if (!next) throw failed(url, `redirects (HTTP ${response.status}) without saying where to`);
    if (hops === MAX_REDIRECTS) throw failed(url, `redirects more than ${MAX_REDIRECTS} times`);
    const from = url;
    url = checkUrl(new URL(next, url).href, allowHttp);
    if (from.protocol === "https:" && url.protocol !== "https:") {
      throw failed(from, `redirects from https to http (${redactUrl(url.href)})`);
    }
    takeCredentials(url);
  }
}

function takeCredentials(url: URL): string | undefined {
  const { username, password } = url;
  url.username = url.password = "";
  if (!username && !password) return undefined;
  const bytes = new TextEncoder().encode(
    `${decodeURIComponent(username)}:${decodeURIComponent(password)}`,
  );
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

async function get(
  system: System,
  url: URL,
  headers: Record<string, string>,
  { connectMs }: Limits,
  signal: AbortSignal,
): Promise<Response> {
  const slow = new AbortController();
  const timer = setTimeout(() => slow.abort(), connectMs);
  try {
    return await system.fetch(url.href, {
      headers,
      redirect: "manual",
      signal: AbortSignal.any([signal, slow.signal]),
    });
  } catch (error) {
    signal.throwIfAborted();
    if (slow.signal.aborted) throw new PassingError(`no answer within ${connectMs / 1000} s`);
    // rustls words them so; trying again would not change a certificate.
    if (/certificate|UnknownIssuer|tls handshake/i.test(deepReason(error))) {
      throw failed(url, `cannot be trusted: ${deepReason(error)}`, error);
    }
    throw new PassingError(deepReason(error), 0, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** The runtime's own sentence repeats the URL, query and all: only the causes are shown. */
function deepReason(error: unknown): string {
  const texts: string[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) texts.push(cause.message);
  const last = texts.at(-1) ?? reason(error);
  return last.replace(/https?:\/\/\S+/gi, (url) => redactUrl(url.replace(/[).,:]+$/, "")));
}

async function checkResponse(url: URL, response: Response): Promise<Response> {
  const { status, headers } = response;
  const encoding = headers.get("content-encoding");
  if (response.ok && encoding && encoding.toLowerCase() !== "identity") {
    await response.body?.cancel();
    throw failed(url, `sends content-encoding "${encoding}", which was not asked for`);
  }
  // 416 belongs to a range that is no longer there: the caller knows what to do.
  if (response.ok || status === 416) return response;
  await response.body?.cancel();
  if ([408, 429, 500, 502, 503, 504].includes(status)) {
    throw new PassingError(`HTTP ${status}`, retryAfter(headers.get("retry-after")));
  }
  throw failed(url, `answers HTTP ${status}`);
}

function retryAfter(value: string | null): number {
  if (!value) return 0;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds * 1000) : 0;
}

function failed(url: URL, what: string, cause?: unknown): UpdateError {
  const shown = redactUrl(url.href);
  return new UpdateError("network", `${shown} ${what}`, {
    url: shown,
    hint: "Nothing was changed. Check the address and the network (HTTPS_PROXY, SSL_CERT_FILE).",
    cause,
  });
}

/**
 * Hands the body on as it comes. Throws `PassingError` when it stalls, drips or breaks off; what
 * `take` throws ends the transfer.
 */
export async function readBody(
  response: Response,
  { idleMs, minBytesPerSecond, rateWindowMs }: Limits,
  { clock }: System,
  signal: AbortSignal,
  take: (part: Uint8Array) => void,
): Promise<void> {
  if (!response.body) return;
  // Large reads into one buffer: a quarter of the chunks of the default reader, and no garbage.
  const reader = response.body.getReader({ mode: "byob" });
  let last = clock.monotonic(), stalled = false;
  const stop = () => void reader.cancel().catch(() => {});
  const watch = setInterval(() => {
    stalled = clock.monotonic() - last >= idleMs;
    if (stalled) stop();
  }, idleMs / 10);
  signal.addEventListener("abort", stop, { once: true });
  let windowStart = clock.monotonic(), windowBytes = 0;
  try {
    for (let buffer = new Uint8Array(1024 * 1024);;) {
      const { value, done } = await reader.read(buffer);
      signal.throwIfAborted();
      if (stalled) throw new PassingError(`no byte for ${idleMs / 1000} s`);
      if (done) return;
      take(value);
      last = clock.monotonic();
      windowBytes += value.length;
      buffer = new Uint8Array(value.buffer);
      const elapsed = last - windowStart;
      if (elapsed < rateWindowMs) continue;
      if (windowBytes / elapsed * 1000 < minBytesPerSecond) {
        throw new PassingError(`slower than ${minBytesPerSecond} bytes a second`);
      }
      windowStart = last;
      windowBytes = 0;
    }
  } catch (error) {
    signal.throwIfAborted();
    stop();
    if (error instanceof PassingError || error instanceof UpdateError) throw error;
    if (error instanceof TypeError || (error as Error).name === "Http") {
      throw new PassingError(deepReason(error), 0, { cause: error });
    }
    throw error;
  } finally {
    clearInterval(watch);
    signal.removeEventListener("abort", stop);
  }
}

/**
 * Repeats a transfer while its failures can pass. A try that made progress (`progressed` says so)
 * counts as the first again. Throws `network` with the last reason, or what cannot pass.
 */
export async function withRetries<T>(
  location: string,
  limits: Limits,
  { system: { clock, randomBytes }, signal }: FetchOptions,
  attempt: (signal: AbortSignal) => Promise<T>,
  progressed: () => boolean = () => false,
): Promise<T> {
  const total = AbortSignal.timeout(limits.totalMs);
  const either = AbortSignal.any([signal, total]);
  const shown = redactUrl(location);
  let last = "";
  try {
    for (let tries = 1;; tries++) {
      try {
        return await attempt(either);
      } catch (error) {
        either.throwIfAborted();
        if (!(error instanceof PassingError)) throw error;
        last = error.message;
        if (progressed()) tries = 1;
        if (tries >= limits.tries) throw exhausted(shown, last, error);
        const backoff = limits.pauseMs * 2 ** (tries - 1) * (0.5 + randomBytes(1)[0]! / 510);
        const pause = Math.max(backoff, error.afterMs);
        await clock.delay(Math.min(pause, limits.maxPauseMs), either);
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!total.aborted) throw error;
    throw exhausted(shown, `not done within ${limits.totalMs / 1000} s; ${last}`, error);
  }
}

function exhausted(url: string, why: string, cause: unknown): UpdateError {
  return new UpdateError("network", `Cannot fetch ${url}: ${why.replace(/; $/, "")}`, {
    url,
    hint:
      "Nothing was changed. Check the network and run again: a download resumes where it stopped.",
    cause,
  });
}
