/**
 * Windows program: holds a file open, as virus scanners, indexers and editors do.
 *
 * Arguments: the file, what others may do meanwhile (any of "rwd": read, write, delete), and for
 * how many milliseconds. Prints "held" when it has it.
 */
const GENERIC_READ = 0x80000000;
const OPEN_EXISTING = 3;
const SHARE: Record<string, number> = { r: 1, w: 2, d: 4 };
const INVALID_HANDLE_VALUE = 0xffff_ffff_ffff_ffffn;

const { symbols } = Deno.dlopen("kernel32.dll", {
  CreateFileW: {
    parameters: ["buffer", "u32", "u32", "pointer", "u32", "u32", "pointer"],
    result: "usize",
  },
  GetLastError: { parameters: [], result: "u32" },
});

const [path = "", share = "", milliseconds = "0"] = Deno.args;
const name = Uint16Array.from({ length: path.length + 1 }, (_, at) => path.charCodeAt(at) || 0);
const mode = [...share].reduce((sum, letter) => sum | (SHARE[letter] ?? 0), 0);
const handle = symbols.CreateFileW(name, GENERIC_READ, mode, null, OPEN_EXISTING, 0, null);
if (handle === INVALID_HANDLE_VALUE) {
  throw new Error(`Cannot open "${path}": Windows error ${symbols.GetLastError()}`);
}
console.log("held");
setTimeout(() => Deno.exit(0), Number(milliseconds)); // which closes it
