/** Makes .xz files byte by byte, without compressing anything. */
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { bytes } from "./archive_corpus.ts";

/** Header of a block with these fields, padded, with its checksum. */
export function blockHeader(fields: Uint8Array): Uint8Array {
  const length = Math.ceil((fields.length + 1 + 4) / 4) * 4;
  const header = Buffer.alloc(length);
  header[0] = length / 4 - 1;
  header.set(fields, 1);
  header.writeUInt32LE(crc32(header.subarray(0, -4)), length - 4);
  return header;
}

/** The beginning of a stream with that kind of check. */
export function xzHead(check: number, ...parts: Uint8Array[]): Uint8Array {
  const flags = Uint8Array.of(0, check);
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32(flags));
  return bytes(Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), flags, crc, ...parts, 32);
}

/** An .xz file without any check whose data are as they are. */
export function xzStored(content: Uint8Array): Uint8Array {
  const header = blockHeader(Uint8Array.of(0, 0x21, 1, 0));
  const data = bytes(
    Uint8Array.of(1, (content.length - 1) >> 8, (content.length - 1) & 0xff),
    content,
    1,
  );
  const unpadded = header.length + data.length;
  const number = (value: number) =>
    value < 0x80 ? Uint8Array.of(value) : Uint8Array.of(value & 0x7f | 0x80, value >> 7);
  const index = bytes(Uint8Array.of(0, 1), number(unpadded), number(content.length));
  const paddedIndex = bytes(index, -index.length & 3);
  const crcOf = (part: Uint8Array) => {
    const crc = Buffer.alloc(4);
    crc.writeUInt32LE(crc32(part));
    return crc;
  };
  const footer = Uint8Array.of((paddedIndex.length + 4) / 4 - 1, 0, 0, 0, 0, 0);
  const head = xzHead(0).subarray(0, 12);
  return bytes(
    head,
    header,
    data,
    -data.length & 3,
    paddedIndex,
    crcOf(paddedIndex),
    crcOf(footer),
    footer,
    "YZ",
  );
}
