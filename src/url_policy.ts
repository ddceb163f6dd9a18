/** Where the shim fetches from, and how a URL may be shown. */
import { UpdateError } from "./errors.ts";

/** Whether it is a URL rather than a path; `C:\x` is a path. */
export function isUrl(location: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(location);
}

/** A URL as it may be shown and logged: no credentials, no query (signed URLs carry secrets). */
export function redactUrl(location: string): string {
  if (!isUrl(location)) return location;
  try {
    const url = new URL(location);
    url.username =
      url.password =
      url.search =
      url.hash =
        "";
    return url.href;
  } catch {
    return location.replace(/[?#].*$/s, "").replace(/\/\/[^/]*@/, "//");
  }
}

/** https, or http to this machine itself, or http where the user allowed it. Throws `usage`. */
export function checkUrl(location: string, allowHttp: boolean): URL {
  let url: URL;
  try {
    url = new URL(location);
  } catch (cause) {
    throw new UpdateError("usage", `Not a valid URL: ${redactUrl(location)}`, { cause });
  }
  if (url.protocol === "https:") return url;
  if (url.protocol === "http:" && (allowHttp || isLoopback(url.hostname))) return url;
  const shown = redactUrl(location);
  if (url.protocol !== "http:") {
    throw new UpdateError("usage", `Cannot fetch ${shown}: only https is supported`, {
      url: shown,
    });
  }
  throw new UpdateError("usage", `Refusing to fetch ${shown} without encryption`, {
    url: shown,
    hint: "Use https, or --allow-http if the network in between is your own.",
  });
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}
