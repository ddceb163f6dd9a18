/** The smallest executable that tells its version: thousands of updates need thousands of them. */

/** What to build. */
export interface TinyTool {
  /** What `--version` prints. */
  readonly says: string;
  /** Its exit code; not 0: a release that does not run. */
  readonly code?: number;
}

const BASE = 0x400000;
const HEADERS = 64 + 56;

/** An ELF executable for this processor; of another length for another text. Linux only. */
export function tinyTool({ says, code = 0 }: TinyTool): Uint8Array {
  const text = new TextEncoder().encode(`${says}\n`);
  const program = Deno.build.arch === "aarch64" ? arm64(text.length, code) : x64(text.length, code);
  const file = new Uint8Array(HEADERS + program.length + text.length);
  file.set(headers(file.length));
  file.set(program, HEADERS);
  file.set(text, HEADERS + program.length);
  return file;
}

/** The ELF header, and one part that is loaded: the whole file. */
function headers(length: number): Uint8Array {
  const bytes = new Uint8Array(HEADERS);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, Deno.build.arch === "aarch64" ? 183 : 62, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(BASE + HEADERS), true); // entry
  view.setBigUint64(32, 64n, true); // program headers
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint16(58, 64, true);
  view.setUint32(64, 1, true); // PT_LOAD
  view.setUint32(68, 5, true); // read, execute
  view.setBigUint64(80, BigInt(BASE), true);
  view.setBigUint64(88, BigInt(BASE), true);
  view.setBigUint64(96, BigInt(length), true);
  view.setBigUint64(104, BigInt(length), true);
  view.setBigUint64(112, 0x1000n, true);
  return bytes;
}

/** write(1, text, length); exit(code). The text follows the program. */
function x64(length: number, code: number): Uint8Array {
  const bytes = new Uint8Array(41);
  const view = new DataView(bytes.buffer);
  bytes.set([0xb8, 1, 0, 0, 0, 0xbf, 1, 0, 0, 0, 0x48, 0x8d, 0x35, 0, 0, 0, 0, 0xba]);
  view.setUint32(13, bytes.length - 17, true); // from behind this instruction to the text
  view.setUint32(18, length, true);
  bytes.set([0x0f, 0x05, 0xb8, 60, 0, 0, 0, 0xbf], 22);
  view.setUint32(30, code, true);
  bytes.set([0x0f, 0x05], 34);
  return bytes;
}

function arm64(length: number, code: number): Uint8Array {
  const move = (register: number, value: number) => (0xd2800000 | value << 5 | register) >>> 0;
  const call = 0xd4000001;
  const words = [
    move(8, 64),
    move(0, 1),
    0,
    move(2, length),
    call,
    move(8, 93),
    move(0, code),
    call,
  ];
  words[2] = 0x10000001 | (words.length - 2) << 5; // adr x1, text
  return new Uint8Array(new Uint32Array(words).buffer);
}
