/** `own_platform.ts` of a bundle for Linux or macOS. */
import type { Platform } from "./platform.ts";
import { posix } from "./posix.ts";

/** By Deno's name of the system. Throws on Windows, where this bundle would break promises. */
export function ownPlatform(os: string): Platform {
  if (os === "windows") throw new Error("This program was bundled for Linux or macOS");
  return posix;
}
