/**
 * Windows program: starts another one as a tool that is written in any language would, waits for its
 * end and ends with its code.
 *
 * Arguments: the creation flags for CreateProcessW, as a number; the program and its arguments (no
 * quotation marks in them: they are handed on between such). It gets no handles of ours.
 */
const [flags = "", ...words] = Deno.args;
const { symbols } = Deno.dlopen("kernel32.dll", {
  CreateProcessW: {
    parameters: [
      ...["pointer", "buffer", "pointer", "pointer", "i32", "u32"] as const,
      ...["pointer", "pointer", "buffer", "buffer"] as const,
    ],
    result: "i32",
  },
  WaitForSingleObject: { parameters: ["pointer", "u32"], result: "u32", nonblocking: true },
  GetExitCodeProcess: { parameters: ["pointer", "buffer"], result: "i32" },
  GetLastError: { parameters: [], result: "u32" },
});
const line = words.map((word) => `"${word}"`).join(" ");
const wide = Uint16Array.from({ length: line.length + 1 }, (_, at) => line.charCodeAt(at) || 0);
const startup = new Uint8Array(104);
startup[0] = startup.length;
const started = new BigUint64Array(3); // process handle, thread handle, two ids
if (
  symbols.CreateProcessW(
    null,
    wide,
    null,
    null,
    0,
    Number(flags),
    null,
    null,
    startup,
    started,
  ) === 0
) {
  throw new Error(`CreateProcessW: Windows error ${symbols.GetLastError()}`);
}
const handle = Deno.UnsafePointer.create(started[0] ?? 0n);
await symbols.WaitForSingleObject(handle, 0xffffffff);
const code = new Uint32Array(1);
symbols.GetExitCodeProcess(handle, code);
Deno.exit(code[0]);
