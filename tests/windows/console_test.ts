/** Consoles: no window opens for a health check, and Ctrl-C in one does not undo a good update. */
import { assert, assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { cachedProgram, DENO, helper, runWindows, windowsPath } from "./bed.ts";
import { shimArgs } from "./bundle.ts";
import { eventsOf } from "../support/tool_folder.ts";
import { type Installation, makeInstallation } from "./installation.ts";

const OLD = "deno-2.9.4.exe", NEW = DENO;
const PROGRAMS = fromFileUrl(new URL("./programs", import.meta.url));
/** https://learn.microsoft.com/windows/win32/procthread/process-creation-flags */
const DETACHED_PROCESS = 0x8, NEW_CONSOLE = 0x10, NEW_GROUP = 0x200, NO_WINDOW = 0x0800_0000;

/** Starting ways, and what a program that the shim tries has then. */
const WAYS = {
  "as Deno and Node start it (detached)": {
    flags: DETACHED_PROCESS | NEW_GROUP,
    has: { console: false, window: false },
  },
  "with CREATE_NO_WINDOW": { flags: NO_WINDOW | NEW_GROUP, has: { console: true, window: false } },
  "in a console": { flags: NEW_CONSOLE, has: { console: true, window: true } }, // that one itself
} as const;

for (const [way, { flags, has }] of Object.entries(WAYS)) {
  Deno.test(`No health check opens a window where the shim was started ${way}`, async () => {
    await using tool = makeInstallation({ "tool.exe": OLD });
    const seen = join(dirname(tool.folder), "seen");
    const script = windowsPath(join(PROGRAMS, "window.ts"));
    const shim = await updateToDeno(tool, ["run", "-A", "--no-config", script, windowsPath(seen)]);
    const args = helper("start", String(flags), windowsPath(cachedProgram(DENO)), ...shim);
    const { code, stderr } = await runWindows(dirname(tool.folder), DENO, args);
    assertEquals(code, 0, stderr);
    assert(tool.is("tool.exe", NEW));
    const checks = Deno.readTextFileSync(seen).trim().split("\n").map((line) => JSON.parse(line));
    assert(checks.length >= 2, "the staged file and the target");
    for (const check of checks) assertEquals(check, has);
  });
}

Deno.test("Ctrl-C during the check after the swap does not undo a good update", async () => {
  await using tool = makeInstallation({ "tool.exe": OLD });
  const shim = await updateToDeno(
    tool,
    ["eval", "await new Promise((done) => setTimeout(done, 1500)); console.log('tool 2.9.5')"],
    "--json",
  );
  const output = join(dirname(tool.folder), "output");
  const deno = windowsPath(cachedProgram(DENO));
  const args = helper("console", "ctrl-c-later", '"swapped"', windowsPath(output), deno, ...shim);
  const { code, stderr } = await runWindows("/", DENO, args, { timeoutSeconds: 60 });
  const said = Deno.readTextFileSync(output);
  assertEquals([code, stderr], [0, ""], said);
  assert(tool.is("tool.exe", NEW), said);
});

Deno.test("A tool that is started again does not have the pipes of the shim", async () => {
  await using tool = makeInstallation({ "tool.exe": OLD });
  const args = await updateToDeno(tool, ["--version"], "--json");
  const noise = "console.log('noise'); console.error('noise'); setTimeout(() => {}, 3000)";
  const result = await runWindows(dirname(tool.folder), DENO, [
    ...args,
    ...["--relaunch", "--", "eval", noise],
  ]);
  assertEquals(result.code, 0, result.stderr);
  assertEquals(eventsOf(result).at(-1)?.event, "relaunched");
  assert(!result.stderr.includes("noise"));
  // When the pipe ends, only a real Windows shows: a Wine process inherits Unix's streams, too.
});

/** The arguments of an update of tool.exe from a file, with that health check. */
async function updateToDeno(
  tool: Installation,
  check: readonly string[],
  ...more: string[]
): Promise<string[]> {
  const parent = dirname(tool.folder);
  Deno.copyFileSync(cachedProgram(NEW), join(parent, "new.exe"));
  const config = tool.path("updater-shim.json");
  Deno.writeTextFileSync(
    config,
    JSON.stringify({ healthCheck: { args: check, timeoutMs: 30000 } }),
  );
  const from = ["--from", windowsPath(join(parent, "new.exe")), "--target", "tool.exe"];
  const here = ["--install-dir", tool.windowsPath("."), "--config", windowsPath(config)];
  return await shimArgs(...here, ...from, ...more);
}
