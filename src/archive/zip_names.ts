/** Names in zip entries (PKWARE APPNOTE 6.3.10, 4.6.9: Info-ZIP Unicode Path Extra Field). */
import { crc32 } from "node:zlib";
import { ArchiveError } from "./policy.ts";
import type { ZipHeader } from "./zip_headers.ts";

const UNICODE_PATH = 0x7075;

/**
 * The name that the extra field gives, where there is one. Info-ZIP writes it for names that are not
 * ASCII; for others it could only say something else. Throws `ArchiveError`.
 */
export function unicodeName({ name: raw, extraFields }: ZipHeader): string | undefined {
  const fields = extraFields.filter(({ id }) => id === UNICODE_PATH);
  if (fields.length === 0) return undefined;
  const { data } = fields[0]!;
  const own = raw.toString("utf8");
  const name = data.toString("utf8", 5);
  const valid = fields.length === 1 && data.length > 5 && data[0] === 1 &&
    data.readUInt32LE(1) === crc32(raw);
  // deno-lint-ignore no-control-regex
  if (!valid || (name !== own && /^[\u0000-\u007f]*$/.test(own))) {
    throw new ArchiveError(`it calls one entry ${JSON.stringify(own)} and ${JSON.stringify(name)}`);
  }
  return name;
}
