/** Where the shim fetches from, and how a URL may be shown. */
import { UpdateError } from "./errors.ts";

/** Of a URL that a server made up, at most this much is shown. */
const SHOWN_CHARACTERS = 2000;

/** Whether it is a URL rather than a path; `C:\x` is a path. */
export function isUrl(location: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(location);
}

/** Whether it is a URL of a local file. */
export function isFileUrl(location: string): boolean {
  return /^file:\/\//i.test(location);
}

/** A URL as it may be shown and logged: no credentials, no query (signed URLs carry secrets). */
export function redactUrl(location: string): string {
  if (!isUrl(location)) return location;
  const url = URL.parse(location);
  if (!url) return cut(location.replace(/[?#].*$/s, "").replace(/\/\/[^/]*@/, "//"));
  url.username =
    url.password =
    url.search =
    url.hash =
      "";
  return cut(url.href);
}

/** https, or http to this machine itself, or http where the user allowed it. Throws `usage`. */
export function checkUrl(location: string, allowHttp: boolean): URL {
  const shown = redactUrl(location);
  const url = URL.parse(location);
  if (!url) throw new UpdateError("usage", `Not a valid URL: ${shown}`);
  const refusal = refuseScheme(url, allowHttp);
  if (refusal === undefined) return url;
  throw new UpdateError("usage", `Cannot fetch ${shown}: ${refusal}`, {
    url: shown,
    hint: url.protocol === "http:"
      ? "Use https, or --allow-http if the network in between is your own."
      : "Use an https URL, or the path of a local file.",
  });
}

/** Why a URL is not fetched from, or undefined if it may be. */
export function refuseScheme(url: URL, allowHttp: boolean): string | undefined {
  if (url.protocol === "https:") return undefined;
  if (url.protocol !== "http:") {
    return `only https is supported, not "${cut(url.protocol)}"`;
  }
  if (allowHttp || isLoopback(url.hostname)) return undefined;
  return "http is not encrypted";
}

/** Whether a URL's host is this machine. The parser has made `127.1` and `LOCALHOST` into these. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}

function cut(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
