/** Windows: what is executing can be renamed, but neither replaced nor removed. */
import type { Platform } from "./platform.ts";
import { hasConsole, keepStreams } from "./windows_console.ts";
import { holdersOf, openRestartManager } from "./windows_holders.ts";
import { watchProcess } from "./windows_process.ts";
import { isInUse, removeAfterExit } from "./windows_removal.ts";
import { replaceFile } from "./windows_replace.ts";

/** See `Platform`. */
export const windows: Platform = {
  heldFolder: () => undefined,
  replaceFile,
  watchProcess,
  // There an end takes effect at once.
  isBeingKilled: () => Promise.resolve(false),
  holdersOf,
  isInUse,
  removeAfterExit,
  openHolders: openRestartManager,
  keepStreams,
  sharesConsole: hasConsole,
  // Close enough to NTFS's own table: only names of one tool's own files are compared.
  sameName: (a, b) => a.toLowerCase() === b.toLowerCase(),
};
