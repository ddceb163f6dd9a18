/**
 * For which system and processor an executable was made, by its own header: ELF (gabi 4+, "ELF
 * Header"), PE ("PE Format", "COFF File Header"), Mach-O ("mach-o/loader.h", "mach-o/fat.h"). A
 * file's name can say anything.
 */

/** What a header says. */
export interface Machine {
  readonly os: "linux" | "windows" | "darwin" | "other";
  /** As Rust triples begin; several in a universal Mach-O. Others than the shim's are in words. */
  readonly archs: readonly string[];
  /** Which C library has to be there; undefined: none (static), or not a matter of this system. */
  readonly libc?: "gnu" | "musl" | undefined;
  /** Loaded by others and never started. Of ELF files the header does not tell; see `isLibrary`. */
  readonly library: boolean;
}

/** Reads a header of up to 64 KiB; undefined where it is none of an executable, or is cut off. */
export function readMachine(header: DataView): Machine | undefined {
  try {
    const magic = header.getUint32(0);
    if (magic === 0x7f454c46) return readElf(header);
    if (magic >>> 16 === 0x4d5a) return readPe(header);
    if (magic === 0xcafebabe || magic === 0xcafebabf) return readFat(header, magic === 0xcafebabf);
    if (magic === 0xcffaedfe || magic === 0xcefaedfe) return readMacho(header);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return undefined;
}

/** Whether the file is a library; `name` decides where the header does not. */
export function isLibrary({ library }: Machine, name: string): boolean {
  return library || /\.(so(\.\d+)*|dylib|dll)$/i.test(name);
}

/** For people: `x86_64 linux (musl)`. */
export function describeMachine({ os, archs, libc }: Machine): string {
  const system = { linux: "Linux", windows: "Windows", darwin: "macOS", other: "another system" };
  return `${archs.join(" and ")} ${system[os]}${libc ? ` (${libc})` : ""}`;
}

const ELF_ARCHS: Record<number, string> = {
  3: "i686",
  8: "mips",
  20: "powerpc",
  21: "powerpc64",
  22: "s390x",
  40: "arm",
  62: "x86_64",
  183: "aarch64",
  243: "riscv64",
  258: "loongarch64",
};

function readElf(view: DataView): Machine {
  const little = view.getUint8(5) === 1;
  const wide = view.getUint8(4) === 2;
  const number = view.getUint16(18, little);
  const arch = ELF_ARCHS[number] ?? `machine ${number}`;
  // Linux writes 0 or 3; FreeBSD 9, OpenBSD 12 and so on.
  const linux = [0, 3].includes(view.getUint8(7));
  const interpreter = wide ? elfInterpreter(view, little) : undefined;
  const libc = interpreter?.includes("ld-musl")
    ? "musl"
    : interpreter?.includes("ld-linux")
    ? "gnu"
    : undefined;
  const foreign = interpreter !== undefined && libc === undefined;
  return {
    os: linux && !foreign ? "linux" : "other",
    // A 64-bit processor's number in a 32-bit file is the x32 ABI or the like.
    archs: [wide || number !== 62 ? arch : "x32"],
    libc,
    library: false,
  };
}

/** The program that starts a dynamically linked one: it tells which C library is meant. */
function elfInterpreter(view: DataView, little: boolean): string | undefined {
  const PT_INTERP = 3;
  const table = Number(view.getBigUint64(0x20, little));
  const size = view.getUint16(0x36, little), count = view.getUint16(0x38, little);
  for (let index = 0; index < count; index++) {
    const at = table + index * size;
    if (view.getUint32(at, little) !== PT_INTERP) continue;
    const offset = Number(view.getBigUint64(at + 8, little));
    const length = Number(view.getBigUint64(at + 32, little));
    // Beyond what was read: nothing is known of it then.
    if (offset + length > view.byteLength) return undefined;
    return new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + offset, length));
  }
  return undefined;
}

const PE_ARCHS: Record<number, string> = { 0x14c: "i686", 0x8664: "x86_64", 0xaa64: "aarch64" };

function readPe(view: DataView): Machine | undefined {
  const at = view.getUint32(0x3c, true);
  if (view.getUint32(at) !== 0x50450000) return undefined;
  const number = view.getUint16(at + 4, true);
  const DLL = 0x2000;
  return {
    os: "windows",
    archs: [PE_ARCHS[number] ?? `machine ${number}`],
    library: (view.getUint16(at + 22, true) & DLL) !== 0,
  };
}

const MACHO_ARCHS: Record<number, string> = {
  7: "i686",
  0x01000007: "x86_64",
  0x0100000c: "aarch64",
};
const MH_EXECUTE = 2;

function readMacho(view: DataView): Machine {
  const number = view.getUint32(4, true);
  return {
    os: "darwin",
    archs: [MACHO_ARCHS[number] ?? `machine ${number}`],
    library: view.getUint32(12, true) !== MH_EXECUTE,
  };
}

function readFat(view: DataView, wide: boolean): Machine | undefined {
  const count = view.getUint32(4);
  // Java class files begin with the same four bytes; their "count" is a version of 45 or more.
  if (count === 0 || count >= 45) return undefined;
  const archs = Array.from({ length: count }, (_, index) => {
    const number = view.getUint32(8 + index * (wide ? 32 : 20));
    return MACHO_ARCHS[number] ?? `machine ${number}`;
  });
  return { os: "darwin", archs, library: false };
}
