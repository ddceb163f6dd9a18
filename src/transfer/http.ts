/** Small documents (the release manifest, its signature), by URL or path. */
import { resolve } from "node:path";
import { fromFileUrl as fromPosixUrl } from "@std/path/posix/from-file-url";
import { fromFileUrl as fromWindowsUrl } from "@std/path/windows/from-file-url";
import { readIfThere } from "../files/durable_files.ts";
import { UpdateError } from "../base/errors.ts";
import { onFile, refuseNetworkPath } from "../files/fs_errors.ts";
import { HttpError, request } from "./request.ts";
import { readBody } from "./response_body.ts";
import {
  type FetchOptions,
  PassingError,
  type Transfer,
  withDeadline,
  withRetries,
} from "./retry.ts";
import type { System } from "../system/system.ts";
import { isFileUrl, isUrl, redactUrl } from "../base/url_policy.ts";

/** A page of text that takes longer than this never comes. */
const DOCUMENT_MS = 60_000;

/**
 * Reads at most `limit` bytes. Throws `network`, `verification` (too large), `usage` (URL not
 * allowed) or `filesystem`; `isMissing` recognizes the one that says there is no such document.
 *
 * `location` is what was asked for, not where redirects led: that is the name which the user
 * configured, and the place where the author says that the files lie. A redirect may lead to a
 * store with names of its own ("latest" addresses do), whose neighbours mean nothing.
 */
export async function fetchDocument(
  location: string,
  options: FetchOptions & { readonly limit: number },
): Promise<{ bytes: Uint8Array; location: string }> {
  const { system, limit } = options;
  const path = localPath(location, system);
  if (path !== undefined) return { bytes: readLocal(system, path, limit), location };
  const limits = { totalMs: DOCUMENT_MS, ...options.limits };
  const bytes = await withDeadline(
    location,
    { ...options, limits },
    (transfer) => withRetries(transfer, () => readRemote(location, limit, transfer)),
  );
  return { bytes, location };
}

/** The path that a location leads to, or undefined if it leads into the network. Throws `usage`. */
export function localPath(location: string, { cwd, os }: System): string | undefined {
  if (!isUrl(location)) return resolve(cwd, location);
  if (!isFileUrl(location)) return undefined;
  try {
    // Only Windows has paths with a host in them; elsewhere it would be left out without a word.
    if (os === "windows") return fromWindowsUrl(location);
    if (new URL(location).host === "") return fromPosixUrl(location);
  } catch {
    // TypeError: no URL, or no drive in it. URIError: %-escapes that are no UTF-8.
  }
  throw new UpdateError("usage", `Not the URL of a file on this machine: ${redactUrl(location)}`, {
    hint: "Use the path of the file, or an https URL.",
  });
}

/** Whether `fetchDocument` found that there is no such document (and not that it cannot tell). */
export function isMissing(error: unknown): boolean {
  if (!(error instanceof UpdateError)) return false;
  const { cause } = error;
  return cause instanceof Deno.errors.NotFound ||
    cause instanceof HttpError && [404, 410].includes(cause.status);
}

function readLocal(system: System, path: string, limit: number): Uint8Array {
  const { fs } = system;
  refuseNetworkPath(system, "read", path);
  const bytes = onFile("read", path, () => {
    try {
      return readIfThere(fs, path, limit);
    } catch (error) {
      if (error instanceof RangeError) throw tooLarge(`"${path}"`, limit);
      throw error;
    }
  });
  if (bytes) return bytes;
  throw new UpdateError("filesystem", `There is no file "${path}"`, {
    path,
    hint: "Check the path. An address begins with https://.",
    cause: new Deno.errors.NotFound(path),
  });
}

async function readRemote(
  location: string,
  limit: number,
  transfer: Transfer,
): Promise<Uint8Array> {
  const response = await request(location, {}, transfer);
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new PassingError(`HTTP ${response.status}, which is no answer to the question`);
  }
  // Of its full size from the start: a million parts of one byte would take far more.
  const bytes = new Uint8Array(limit);
  let length = 0;
  await readBody(response, transfer, (part) => {
    if (length + part.length > limit) throw tooLarge(transfer.shown, limit);
    bytes.set(part, length);
    length += part.length;
  });
  return bytes.slice(0, length);
}

function tooLarge(what: string, limit: number): UpdateError {
  return new UpdateError("verification", `${what} is larger than ${limit} bytes`, {
    hint: "That cannot be right. Check the address, or tell the tool's authors.",
  });
}
