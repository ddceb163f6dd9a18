/**
 * One request: https, redirects by hand, nothing compressed. The runtime's own redirects go from
 * https to http without a word, twenty of them.
 */
import { reason, UpdateError } from "../base/errors.ts";
import { basic } from "./credentials.ts";
import { PassingError, type Transfer } from "./retry.ts";
import { checkUrl, redactUrl, refuseScheme } from "../base/url_policy.ts";
import { VERSION } from "../base/version.ts";

const MAX_REDIRECTS = 5;
const REDIRECTS = [301, 302, 303, 307, 308];
/** Of the rest of 4xx and 5xx, another try would hear the same. */
const PASSING = [408, 429, 500, 502, 503, 504];

/** The answer was an HTTP error; `cause` of the `UpdateError` that says so. */
export class HttpError extends Error {
  constructor(readonly status: number) {
    super(`HTTP ${status}`);
    this.name = "HttpError";
  }
}

/**
 * GET, through at most five redirects. Returns a success or 416 (the caller knows which range it
 * asked for) with its body unread. Throws `usage` for a URL that is not allowed, `network` for what
 * will not change, else `PassingError`.
 */
export async function request(
  location: string,
  headers: Readonly<Record<string, string>>,
  transfer: Transfer,
): Promise<Response> {
  let url = checkUrl(location, transfer.allowHttp);
  const { origin } = url;
  const credentials = takeCredentials(url) ?? transfer.authorize?.(url);
  const seen = new Set<string>();
  for (;;) {
    const response = await get(url, {
      // Neither sizes nor ranges mean anything for a compressed body.
      "accept-encoding": "identity",
      "user-agent": `updater-shim/${VERSION}`,
      ...headers,
      // Never to another server than the one they were given for.
      ...(credentials !== undefined && url.origin === origin && { authorization: credentials }),
    }, transfer);
    if (!REDIRECTS.includes(response.status)) return await accept(url, response, transfer);
    await response.body?.cancel();
    seen.add(url.href);
    const next = nextUrl(url, response, transfer.allowHttp);
    if (seen.has(next.href)) throw failed(url, "it redirects in a circle");
    if (seen.size > MAX_REDIRECTS) throw failed(url, `more than ${MAX_REDIRECTS} redirects`);
    url = next;
  }
}

/** They leave the URL, so that no message and no server log can have them. */
function takeCredentials(url: URL): string | undefined {
  const { username, password } = url;
  url.username = url.password = "";
  if (!username && !password) return undefined;
  return basic(decode(username), decode(password));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A lone "%" that somebody did not escape.
  }
}

/** Whatever is wrong with a redirect is the server's fault, so `network`. */
function nextUrl(from: URL, { status, headers }: Response, allowHttp: boolean): URL {
  const target = headers.get("location");
  if (target === null) throw failed(from, `a redirect (HTTP ${status}) that does not say where to`);
  const url = URL.parse(target, from);
  if (!url) throw failed(from, `a redirect (HTTP ${status}) to something that is no URL`);
  takeCredentials(url);
  const refusal = refuseScheme(url, allowHttp);
  if (from.protocol === "https:" && url.protocol === "http:") {
    throw failed(from, `it redirects from https to http, ${redactUrl(url.href)}`);
  }
  if (refusal !== undefined) throw failed(from, `it redirects to where ${refusal}`);
  return url;
}

async function get(
  url: URL,
  headers: Record<string, string>,
  { system, fetch = system.fetch, limits: { connectMs }, signal }: Transfer,
): Promise<Response> {
  const slow = new AbortController();
  const timer = setTimeout(() => slow.abort(), connectMs);
  try {
    return await fetch(url.href, {
      headers,
      redirect: "manual",
      signal: AbortSignal.any([signal, slow.signal]),
    });
  } catch (error) {
    signal.throwIfAborted();
    if (slow.signal.aborted) throw new PassingError(`no answer within ${connectMs / 1000} s`);
    const why = networkReason(error);
    // The words of rustls and of hyper. Another try would change neither.
    if (/\bcertificate\b/i.test(why)) throw failed(url, why, error, CERTIFICATE_HINT);
    if (/\bproxy auth/i.test(why)) throw failed(url, why, error, HINTS[407]);
    throw new PassingError(why, 0, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

const CERTIFICATE_HINT =
  "Nothing was changed. Check this machine's clock; if your network has a certificate authority of its own, name its file in SSL_CERT_FILE.";

/** The runtime's sentence has the URL in it, query and all: only what follows it is shown. */
export function networkReason(error: unknown): string {
  let deepest = error;
  while (deepest instanceof Error && deepest.cause instanceof Error) deepest = deepest.cause;
  const text = reason(deepest).replace(/^.*client error \(\w+\): /s, "");
  const plain = text.replace(/\bhttps?:\/\/[^\s)]+/gi, redactUrl);
  return plain.replace("unsuccessful tunnel", "the proxy does not let us through");
}

async function accept(url: URL, response: Response, { system }: Transfer): Promise<Response> {
  const { status, headers } = response;
  const encoding = headers.get("content-encoding") ?? "identity";
  // Runtimes before 2.9 decode it unasked and take the header away: then the bounds count what
  // comes out.
  const encoded = response.ok && encoding.toLowerCase() !== "identity";
  if (!encoded && (response.ok || status === 416)) return response;
  await response.body?.cancel();
  if (encoded) throw failed(url, "it sends compressed data, which was not asked for");
  if (PASSING.includes(status)) {
    const afterMs = retryAfter(headers.get("retry-after"), system.clock.now());
    throw new PassingError(`HTTP ${status}`, afterMs, { cause: new HttpError(status) });
  }
  throw failed(url, `HTTP ${status}`, new HttpError(status), HINTS[status]);
}

/** RFC 9110, 10.2.3: seconds or a date. Milliseconds from now; 0 for anything else. */
function retryAfter(value: string | null, now: number): number {
  if (value === null) return 0;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return ms > 0 ? ms : 0;
}

const HINTS: Readonly<Record<number, string>> = {
  401:
    "Nothing was changed. Check the credentials for this server (--auth-file, or in the address), or those in HTTP_PROXY.",
  403:
    "Nothing was changed. The server does not let you have it: check the address and its credentials.",
  404: "Nothing was changed. Check the address; if it is right, tell the tool's authors.",
  407: "Nothing was changed. Check the user name and password in HTTPS_PROXY.",
};

function failed(url: URL, what: string, cause?: unknown, hint?: string): UpdateError {
  const shown = redactUrl(url.href);
  return new UpdateError("network", `Cannot fetch ${shown}: ${what}`, {
    url: shown,
    hint: hint ?? "Nothing was changed. Check the address and the network, then run again.",
    cause,
  });
}
