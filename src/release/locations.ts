/** Where something lies: an http(s) URL, a file URL or an absolute path of either system. Pure. */
// One by one: a whole module would bring its globs along, 12 KB of the bundle.
import { posix, win32 } from "node:path";
import { fromFileUrl as fromPosixUrl } from "@std/path/posix/from-file-url";
import { toFileUrl as toPosixUrl } from "@std/path/posix/to-file-url";
import { fromFileUrl as fromWindowsUrl } from "@std/path/windows/from-file-url";
import { toFileUrl as toWindowsUrl } from "@std/path/windows/to-file-url";
import { isUrl } from "../base/url_policy.ts";

/** The absolute location, or what should have been there instead. */
export type Resolved =
  | { readonly location: string; readonly refusal?: undefined }
  | { readonly location?: undefined; readonly refusal: string };

type PathStyle = Readonly<{
  isAbsolute(path: string): boolean;
  toFileUrl(path: string): URL;
  fromFileUrl(url: URL): string;
}>;

const POSIX: PathStyle = {
  isAbsolute: posix.isAbsolute,
  toFileUrl: toPosixUrl,
  fromFileUrl: fromPosixUrl,
};
const WINDOWS: PathStyle = {
  isAbsolute: win32.isAbsolute,
  toFileUrl: toWindowsUrl,
  fromFileUrl: fromWindowsUrl,
};

/**
 * Resolves a URL reference of a document against where that document lies. A reference in a local
 * document is a URL reference too (`%20` is a space), so that a mirror can be copied to a disk; an
 * absolute path of that system is taken as it is. A document from the network never leads to
 * a local file, nor (Windows) to a network share that would be sent the user's password hash.
 */
export function resolveLocation(reference: string, base: string): Resolved {
  try {
    if (isUrl(base)) return keep(new URL(reference, base), /^https?:/i.test(base));
    if (isUrl(reference)) return keep(new URL(reference), false);
    const style = isWindowsPath(base) ? WINDOWS : POSIX;
    if (style.isAbsolute(reference)) return { location: reference };
    const url = new URL(reference, style.toFileUrl(base));
    if (url.protocol !== "file:") return keep(url, false);
    return { location: style.fromFileUrl(url) };
  } catch {
    // TypeError: no URL. URIError: %-escapes that are no UTF-8.
    return { refusal: "a valid URL" };
  }
}

function keep(url: URL, remote: boolean): Resolved {
  const allowed = remote ? /^https?:$/ : /^(https?|file):$/;
  if (allowed.test(url.protocol)) return { location: url.href };
  return {
    refusal: remote
      ? "an http(s) URL or one relative to the manifest"
      : "an http(s) URL, a file or one relative to the manifest",
  };
}

function isWindowsPath(path: string): boolean {
  return /^([a-z]:[\\/]|\\)/i.test(path);
}
