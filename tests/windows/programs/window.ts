/**
 * Windows program: a tool that, asked for its version, notes what console it has, and whether that
 * can be seen. Argument: the file that gets a line of JSON for each time.
 */
const [file = ""] = Deno.args;
const { symbols: kernel } = Deno.dlopen("kernel32.dll", {
  GetConsoleCP: { parameters: [], result: "u32" },
  GetConsoleWindow: { parameters: [], result: "pointer" },
});
const window = kernel.GetConsoleWindow() !== null;
const line = JSON.stringify({ console: kernel.GetConsoleCP() !== 0, window });
Deno.writeTextFileSync(file, `${line}\n`, { append: true });
console.log("tool 2.9.5");
