/** Makes archives byte by byte, right ones and ones that no program would make. */
import { Buffer } from "node:buffer";
import { crc32, deflateRawSync } from "node:zlib";

/** Texts, bytes and counts of zeros in a row. */
export function bytes(...parts: (Uint8Array | string | number)[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(
    Buffer.concat(
      parts.map((part) => typeof part === "number" ? new Uint8Array(part) : Buffer.from(part)),
    ),
  );
}

/** One tar header with content. Every field may be given as it shall stand in the file. */
export interface TarEntry {
  readonly name: string;
  readonly content?: Uint8Array | string;
  /** Default "0". */
  readonly type?: string;
  /** Default: the content's length in octal digits. */
  readonly size?: string;
  readonly prefix?: string;
  readonly linkname?: string;
  /** Default "ustar\0" + "00". */
  readonly magic?: string;
  /** Default: the right one. */
  readonly checksum?: string;
  /** The last bytes of the header, which nobody but star uses. */
  readonly tail?: string;
  /** Default "0000755" + NUL. */
  readonly mode?: string;
}

/** Header, content, padding. */
export function tarEntry(entry: TarEntry): Uint8Array {
  const content = bytes(entry.content ?? "");
  const header = Buffer.alloc(512);
  const put = (at: number, text: string) => header.write(text, at, "latin1");
  header.set(Buffer.from(entry.name).subarray(0, 100), 0);
  put(100, entry.mode ?? "0000755\0");
  put(108, "0000000\0");
  put(116, "0000000\0");
  put(124, entry.size ?? `${content.length.toString(8).padStart(11, "0")}\0`);
  put(136, "14000000000\0");
  put(148, " ".repeat(8));
  put(156, entry.type ?? "0");
  put(157, entry.linkname ?? "");
  put(257, entry.magic ?? "ustar\x0000");
  header.set(Buffer.from(entry.prefix ?? "").subarray(0, 155), 345);
  put(512 - (entry.tail?.length ?? 0), entry.tail ?? "");
  const sum = header.reduce((sum, byte) => sum + byte, 0);
  put(148, entry.checksum ?? `${sum.toString(8).padStart(6, "0")}\0 `);
  return bytes(header, content, -content.length & 511);
}

/** A whole archive, with its end mark. */
export function tar(...entries: readonly (TarEntry | Uint8Array)[]): Uint8Array {
  const parts = entries.map((entry) => entry instanceof Uint8Array ? entry : tarEntry(entry));
  return bytes(...parts, 1024);
}

/** An extended header of pax with these records. */
export function pax(records: Record<string, string>, type: "x" | "g" = "x"): Uint8Array {
  const content = Object.entries(records).map(([key, value]) => paxRecord(key, value)).join("");
  return tarEntry({ name: "PaxHeaders/x", type, content });
}

/** `LENGTH KEY=VALUE\n`, where LENGTH counts itself. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const base = bytes(rest).length;
  let length = base + 1;
  while (`${length}`.length + base !== length) length++;
  return `${length}${rest}`;
}

/** GNU's long name for the next entry. */
export function longName(name: string, type: "L" | "K" = "L"): Uint8Array {
  return tarEntry({ name: "././@LongLink", type, content: `${name}\0`, magic: "ustar  \0" });
}

/** One gzip member; `flags` and `fields` are what stands in its header. */
export function gzip(
  content: Uint8Array | string,
  { flags = 0, fields = new Uint8Array() as Uint8Array | string, crc = 0, size = 0 } = {},
): Uint8Array {
  const raw = bytes(content);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE((crc32(raw) ^ crc) >>> 0, 0);
  trailer.writeUInt32LE((raw.length ^ size) >>> 0, 4);
  const head = Uint8Array.of(0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3);
  return bytes(head, fields, deflateRawSync(raw), trailer);
}

/** What a zip archive says of an entry, once in front of it and once in its directory. */
export interface ZipFields {
  readonly name: string | Uint8Array;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly extra: Uint8Array;
  /** Only in the directory: the high half is the Unix mode. */
  readonly attributes: number;
  /** Only in the directory: offset of the local header. */
  readonly offset: number;
}

/** One entry; what is not given is right. */
export interface ZipEntry {
  readonly name: string;
  readonly content?: Uint8Array | string;
  /** Default: deflated. */
  readonly stored?: boolean;
  /** Instead of the packed content. */
  readonly data?: Uint8Array;
  /** In both places. */
  readonly both?: Partial<ZipFields>;
  readonly local?: Partial<ZipFields>;
  readonly central?: Partial<ZipFields>;
  /** Behind the data. */
  readonly descriptor?: Uint8Array;
  /** In the directory. */
  readonly comment?: Uint8Array;
  /** In the directory: number of the file that it is in. */
  readonly disk?: number;
  /** Of the local header. */
  readonly signature?: number;
}

/** What stands around the entries, and what the end record says. */
export interface ZipOptions {
  /** Where in the file this archive will begin. Default 0. */
  readonly at?: number;
  /** The directory lists the entries backwards. */
  readonly backwards?: boolean;
  readonly before?: Uint8Array | string;
  readonly gap?: Uint8Array | string;
  readonly beforeEnd?: Uint8Array | string;
  readonly comment?: Uint8Array | string;
  readonly after?: Uint8Array | string;
  readonly disk?: number;
  readonly count?: number;
  readonly directorySize?: number;
  /** Behind the last entry of the directory, and counted as a part of it. */
  readonly inDirectory?: string;
  /** Bytes that the end of the directory lacks. */
  readonly cutDirectory?: number;
}

/** A whole archive. */
export function zip(entries: readonly ZipEntry[], options: ZipOptions = {}): Uint8Array {
  const parts: Uint8Array[] = [bytes(options.before ?? "")];
  const directory: Uint8Array[] = [];
  let offset = (options.at ?? 0) + parts[0]!.length;
  for (const entry of entries) {
    const { fields, data } = zipFields(entry, offset);
    const local = localHeader({ ...fields, ...entry.both, ...entry.local }, entry.signature);
    const part = bytes(local, data, entry.descriptor ?? "", options.gap ?? "");
    directory.push(centralHeader({ ...fields, ...entry.both, ...entry.central }, entry));
    parts.push(part);
    offset += part.length;
  }
  const listing = bytes(
    ...(options.backwards ? directory.toReversed() : directory),
    options.inDirectory ?? "",
  ).slice(0, -(options.cutDirectory ?? 0) || undefined);
  const comment = bytes(options.comment ?? "");
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(options.disk ?? 0, 4);
  end.writeUInt16LE(options.disk ?? 0, 6);
  end.writeUInt16LE(options.count ?? entries.length, 8);
  end.writeUInt16LE(options.count ?? entries.length, 10);
  end.writeUInt32LE(options.directorySize ?? listing.length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(comment.length, 20);
  return bytes(...parts, listing, options.beforeEnd ?? "", end, comment, options.after ?? "");
}

function zipFields({ name, content = "", stored, data }: ZipEntry, offset: number) {
  const raw = bytes(content);
  const packed = data ?? (stored ? raw : deflateRawSync(raw));
  const fields: ZipFields = {
    name,
    flags: 0,
    method: stored ? 0 : 8,
    crc: crc32(raw),
    packed: packed.length,
    size: raw.length,
    extra: new Uint8Array(),
    attributes: 0o100755 * 2 ** 16,
    offset,
  };
  return { fields, data: packed };
}

function localHeader(fields: ZipFields, signature = 0x04034b50): Uint8Array {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(signature, 0);
  header.writeUInt16LE(20, 4);
  common(header, 6, fields);
  return bytes(header, fields.name, fields.extra);
}

function centralHeader(fields: ZipFields, { comment = bytes(), disk = 0 }: ZipEntry): Uint8Array {
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(0x031e, 4);
  header.writeUInt16LE(20, 6);
  common(header, 8, fields);
  header.writeUInt16LE(comment.length, 32);
  header.writeUInt16LE(disk, 34);
  header.writeUInt32LE(fields.attributes, 38);
  header.writeUInt32LE(fields.offset, 42);
  return bytes(header, fields.name, fields.extra, comment);
}

/** Flags to extra length stand in one order in both headers. */
function common(header: Buffer, at: number, fields: ZipFields): void {
  header.writeUInt16LE(fields.flags, at);
  header.writeUInt16LE(fields.method, at + 2);
  header.writeUInt16LE(0x6000, at + 4);
  header.writeUInt16LE(0x5d61, at + 6);
  header.writeUInt32LE(fields.crc, at + 8);
  header.writeUInt32LE(fields.packed, at + 12);
  header.writeUInt32LE(fields.size, at + 16);
  header.writeUInt16LE(bytes(fields.name).length, at + 20);
  header.writeUInt16LE(fields.extra.length, at + 22);
}

/** A data descriptor: CRC, packed and unpacked size, after an optional signature. */
export function descriptor(
  content: string,
  { signed = true, packed = deflateRawSync(bytes(content)).length, crc = crc32(content) } = {},
): Uint8Array {
  const record = Buffer.alloc(12);
  record.writeUInt32LE(crc, 0);
  record.writeUInt32LE(packed, 4);
  record.writeUInt32LE(bytes(content).length, 8);
  return signed ? bytes(Uint8Array.of(0x50, 0x4b, 7, 8), record) : bytes(record);
}

/** An extra field. */
export function extraField(id: number, data: Uint8Array): Uint8Array {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(id, 0);
  head.writeUInt16LE(data.length, 2);
  return bytes(head, data);
}

/** Info-ZIP's Unicode path for an entry whose plain name is `own`. */
export function unicodePath(own: string, name: string): Uint8Array {
  const head = Buffer.alloc(5);
  head[0] = 1;
  head.writeUInt32LE(crc32(own), 1);
  return extraField(0x7075, bytes(head, name));
}
