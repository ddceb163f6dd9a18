/**
 * Windows program: runs another one in a console of its own and then presses Ctrl-C there, or
 * closes the console.
 *
 * Arguments: "ctrl-c", "ctrl-c-later" (a second later) or "close"; the text in the program's output (both streams) at which that
 * happens; a file that gets this output; the program and its arguments (no quotation marks in them:
 * they are handed on between such). Exit code: the program's
 * after Ctrl-C; where the console is closed, 0 (it takes this program along, and so the code).
 *
 * In two steps, because a program cannot be given a new console through `Deno.Command`: the outer
 * one starts itself again with CREATE_NEW_CONSOLE and the mark "inside" in front.
 */
if (Deno.args[0] === "inside") await inside(Deno.args.slice(1));
else Deno.exit(await outside(Deno.args));

async function outside(args: readonly string[]): Promise<number> {
  const CREATE_NEW_CONSOLE = 0x10;
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
  const script = decodeURIComponent(new URL(import.meta.url).pathname.slice(1));
  const words = [Deno.execPath(), "run", "-A", "--no-config", script, "inside", ...args];
  const line = wide(words.map((word) => `"${word}"`).join(" "));
  const startup = new Uint8Array(104);
  startup[0] = startup.length;
  const started = new BigUint64Array(3); // process handle, thread handle, two ids
  if (
    symbols.CreateProcessW(
      null,
      line,
      null,
      null,
      0,
      CREATE_NEW_CONSOLE,
      null,
      null,
      startup,
      started,
    ) === 0
  ) throw new Error(`CreateProcessW: Windows error ${symbols.GetLastError()}`);
  const handle = Deno.UnsafePointer.create(started[0] ?? 0n);
  await symbols.WaitForSingleObject(handle, 0xffffffff);
  const code = new Uint32Array(1);
  symbols.GetExitCodeProcess(handle, code);
  return code[0] ?? 1;
}

async function inside([event, text, file, program, ...args]: string[]): Promise<never> {
  if (!event || !text || !file || !program) throw new Error("see the top of this file");
  Deno.addSignalListener("SIGINT", () => {}); // Ctrl-C reaches every program of the console
  const output = Deno.openSync(file, { write: true, create: true, truncate: true });
  const child = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "piped" })
    .spawn();
  let seen = "";
  let sent = false;
  const follow = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const piece of stream) {
      output.writeSync(piece);
      seen += new TextDecoder().decode(piece);
      if (sent || !seen.includes(text)) continue;
      sent = true;
      if (event === "close") closeConsole();
      else if (event === "ctrl-c-later") setTimeout(pressCtrlC, 1000);
      else pressCtrlC();
    }
  };
  await Promise.all([follow(child.stdout), follow(child.stderr)]);
  Deno.exit((await child.status).code);
}

function pressCtrlC(): void {
  const CTRL_C_EVENT = 0;
  const { symbols } = Deno.dlopen("kernel32.dll", {
    GenerateConsoleCtrlEvent: { parameters: ["u32", "u32"], result: "i32" },
  });
  if (symbols.GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0) === 0) throw new Error("no console");
}

/** What a click on the cross of its window does. */
function closeConsole(): void {
  const WM_CLOSE = 0x10;
  const { symbols: kernel } = Deno.dlopen("kernel32.dll", {
    GetConsoleWindow: { parameters: [], result: "pointer" },
  });
  const { symbols: user } = Deno.dlopen("user32.dll", {
    PostMessageW: { parameters: ["pointer", "u32", "usize", "isize"], result: "i32" },
  });
  const window = kernel.GetConsoleWindow();
  if (user.PostMessageW(window, WM_CLOSE, 0n, 0n) === 0) throw new Error("no console window");
}

/** A zero-terminated UTF-16 text. */
function wide(text: string): Uint16Array<ArrayBuffer> {
  return Uint16Array.from({ length: text.length + 1 }, (_, index) => text.charCodeAt(index) || 0);
}
