/** Names in zip entries (PKWARE APPNOTE 6.3.10, 4.6.9: Info-ZIP Unicode Path Extra Field). */
import { crc32 } from "node:zlib";
import { ArchiveError } from "./archive_policy.ts";

const UNICODE_PATH = 0x7075;

/** An extra field of an entry. */
export interface ExtraField {
  readonly id: number;
  readonly data: Uint8Array;
}

/**
 * The name that the extra field gives, where there is one. Info-ZIP writes it for names that are not
 * ASCII; for others it could only say something else. Throws `ArchiveError`.
 */
export function unicodeName(
  raw: Uint8Array,
  extraFields: readonly ExtraField[],
): string | undefined {
  const fields = extraFields.filter(({ id }) => id === UNICODE_PATH);
  if (fields.length === 0) return undefined;
  const [{ data }] = fields as [ExtraField];
  const own = new TextDecoder().decode(raw);
  const name = new TextDecoder().decode(data.subarray(5));
  const valid = fields.length === 1 && data.length > 5 && data[0] === 1 &&
    new DataView(data.buffer, data.byteOffset).getUint32(1, true) === crc32(raw);
  // deno-lint-ignore no-control-regex
  if (!valid || (name !== own && /^[\u0000-\u007f]*$/.test(own))) {
    throw new ArchiveError(`it calls one entry ${JSON.stringify(own)} and ${JSON.stringify(name)}`);
  }
  return name;
}
