/**
 * The platform of the system that we run on. This file holds both, for `deno run` and tests. What is
 * bundled for one target gets `own_posix.ts` or `own_windows.ts` in its place (`.ci/compile.ts`), and
 * so nothing of the other system.
 */
import type { Platform } from "./platform.ts";
import { posix } from "./posix.ts";
import { windows } from "./windows.ts";

/** By Deno's name of the system. */
export function ownPlatform(os: string): Platform {
  return os === "windows" ? windows : posix;
}
