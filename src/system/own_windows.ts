/** `own_platform.ts` of a bundle for Windows. */
import type { Platform } from "./platform.ts";
import { windows } from "./windows.ts";

/** By Deno's name of the system. Throws on any other than Windows. */
export function ownPlatform(os: string): Platform {
  if (os !== "windows") throw new Error("This program was bundled for Windows");
  return windows;
}
