/** Names in zip entries (PKWARE APPNOTE 6.3.10, 4.6.9: Info-ZIP Unicode Path Extra Field). */
import { crc32 } from "node:zlib";
import { ArchiveError, quote } from "./policy.ts";
import type { ZipHeader } from "./zip_headers.ts";

const UNICODE_PATH = 0x7075;

/** The name of an entry, and all that other readers may take for its name. Throws `ArchiveError`. */
export function zipNames(entry: ZipHeader): { name: string; shadows: string[] } {
  const own = entry.name.toString("utf8");
  const name = unicodeName(entry) ?? own;
  return { name, shadows: own === name ? [] : [own] };
}

function isAscii(text: string): boolean {
  // deno-lint-ignore no-control-regex
  return /^[\u0000-\u007f]*$/.test(text);
}

/**
 * The name that the extra field gives, where there is one. Info-ZIP writes it for names that are not
 * ASCII; if one of the two is, they can only be names of two files. Throws `ArchiveError`.
 */
export function unicodeName({ name: raw, extraFields }: ZipHeader): string | undefined {
  const fields = extraFields.filter(({ id }) => id === UNICODE_PATH);
  if (fields.length === 0) return undefined;
  const { data } = fields[0]!;
  const own = raw.toString("utf8");
  const name = data.toString("utf8", 5);
  const valid = fields.length === 1 && data.length > 5 && data[0] === 1 &&
    data.readUInt32LE(1) === crc32(raw);
  if (!valid || (name !== own && (isAscii(own) || isAscii(name)))) {
    throw new ArchiveError(`it calls one entry ${quote(own)} and ${quote(name)}`);
  }
  return name;
}
