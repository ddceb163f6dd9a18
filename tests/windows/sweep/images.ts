/** Executables that can be made by the thousand, and executed without a process. Windows only. */

/** The bytes of a program for 64-bit Windows with one section, which holds `text`. */
export function image(text: string): Uint8Array<ArrayBuffer> {
  const HEADERS = 0x200, SECTION = 0x200, PE = 0x80, OPTIONAL = PE + 24, OPTIONAL_SIZE = 240;
  const bytes = new Uint8Array(HEADERS + SECTION);
  const view = new DataView(bytes.buffer);
  const u16 = (at: number, value: number) => view.setUint16(at, value, true);
  const u32 = (at: number, value: number) => view.setUint32(at, value, true);
  const u64 = (at: number, value: bigint) => view.setBigUint64(at, value, true);
  u16(0, 0x5a4d); // MZ
  u32(0x3c, PE);
  u32(PE, 0x4550); // PE
  u16(PE + 4, 0x8664); // x86-64
  u16(PE + 6, 1); // sections
  u16(PE + 20, OPTIONAL_SIZE);
  u16(PE + 22, 0x22); // executable, large addresses
  u16(OPTIONAL, 0x20b); // PE32+
  u32(OPTIONAL + 16, 0x1000); // entry point
  u32(OPTIONAL + 20, 0x1000); // base of code
  u64(OPTIONAL + 24, 0x1_4000_0000n);
  u32(OPTIONAL + 32, 0x1000); // alignment of sections
  u32(OPTIONAL + 36, HEADERS); // alignment in the file
  u16(OPTIONAL + 40, 6); // version of the system
  u16(OPTIONAL + 48, 6); // version of the subsystem
  u32(OPTIONAL + 56, 0x2000); // size in memory
  u32(OPTIONAL + 60, HEADERS);
  u16(OPTIONAL + 68, 3); // console
  for (const [index, size] of [0x10_0000n, 0x1000n, 0x10_0000n, 0x1000n].entries()) {
    u64(OPTIONAL + 72 + 8 * index, size); // stack and heap
  }
  u32(OPTIONAL + 108, 16); // data directories, all empty
  const section = OPTIONAL + OPTIONAL_SIZE;
  bytes.set(new TextEncoder().encode(".text"), section);
  u32(section + 8, SECTION);
  u32(section + 12, 0x1000);
  u32(section + 16, SECTION);
  u32(section + 20, HEADERS);
  u32(section + 36, 0x6000_0020); // code, to be executed and read
  bytes.set(new TextEncoder().encode(text), HEADERS);
  return bytes;
}

const GENERIC_READ = 0x8000_0000;
const SHARE_ALL = 7;
const OPEN_EXISTING = 3;
const INVALID_HANDLE_VALUE = 0xffff_ffff_ffff_ffffn;
const SEC_IMAGE_AND_PAGE_READONLY = 0x0100_0002;

/**
 * Maps files as a program that is executed is mapped, in this process: what Windows guards is not
 * the process but the mapping. Returns what ends that.
 */
export function execute(paths: readonly string[]): () => void {
  const { symbols } = Deno.dlopen("kernel32.dll", {
    CreateFileW: {
      parameters: ["buffer", "u32", "u32", "pointer", "u32", "u32", "pointer"],
      result: "usize",
    },
    CreateFileMappingW: {
      parameters: ["usize", "pointer", "u32", "u32", "u32", "pointer"],
      result: "usize",
    },
    CloseHandle: { parameters: ["usize"], result: "i32" },
  });
  const mappings = paths.map((path) => {
    const name = Uint16Array.from({ length: path.length + 1 }, (_, at) => path.charCodeAt(at) || 0);
    const file = symbols.CreateFileW(name, GENERIC_READ, SHARE_ALL, null, OPEN_EXISTING, 0, null);
    if (file === INVALID_HANDLE_VALUE) throw new Error(`Cannot open "${path}"`);
    const kind = SEC_IMAGE_AND_PAGE_READONLY;
    const mapping = symbols.CreateFileMappingW(file, null, kind, 0, 0, null);
    symbols.CloseHandle(file);
    if (mapping === 0n) throw new Error(`Cannot map "${path}" as an image`);
    return mapping;
  });
  return () => mappings.forEach((mapping) => symbols.CloseHandle(mapping));
}
