/**
 * Where the Windows programs of these tests run: on Windows itself, or under Wine on Linux. The tests
 * are the same; `WINE_ONLY` marks those that need a trick of the Linux side.
 */
import { fromFileUrl } from "@std/path";
import type { CachedProgram, WindowsOptions, WindowsProcess, WindowsResult } from "./machine.ts";
import { native } from "./native_bed.ts";
import { wine } from "./wine_bed.ts";

export type { CachedProgram, WindowsOptions, WindowsProcess, WindowsResult };

const onWindows = Deno.build.os === "windows";
const machine = onWindows ? native : wine;

/** `ignore` of a test that needs what only the Linux side can do; its reason stands beside it. */
export const WINE_ONLY = onWindows;

/** The Windows Deno that runs scripts and the bundled shim. */
export const DENO: CachedProgram = "deno-2.9.5.exe";

/** See `Machine`. */
export const { cachedProgram, windowsPath } = machine;

/** What Windows programs here have as TEMP, as we call it. */
export const temporary = () => machine.temporary;

/** The arguments that make the Windows Deno run a program of the folder `programs`. */
export function helper(
  name: "console" | "hold_file" | "process" | "start",
  ...args: string[]
): string[] {
  const script = fromFileUrl(new URL(`./programs/${name}.ts`, import.meta.url));
  return ["run", "-A", "--no-config", windowsPath(script), ...args];
}

/**
 * Runs a Windows program in the folder `dir` to its end.
 * @param program a program of the cache, or as Windows finds it: `.\\tool.exe`, `D:\\x\\tool.exe`
 */
export async function runWindows(
  dir: string,
  program: string,
  args: readonly string[],
  options: WindowsOptions = {},
): Promise<WindowsResult> {
  const process = await spawnWindows(dir, program, args, options);
  if (options.stdin !== undefined) await process.write(options.stdin);
  await process.closeInput();
  return await process.result;
}

/** Starts a Windows program in the folder `dir`. Its standard input stays open. */
export async function spawnWindows(
  dir: string,
  program: string,
  args: readonly string[],
  options: WindowsOptions = {},
): Promise<WindowsProcess> {
  return await machine.spawn(dir, program, args, options);
}
