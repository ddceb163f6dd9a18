/**
 * Windows: errors for which the runtime has no code of its own, by number, because the words are in
 * the user's language. https://learn.microsoft.com/windows/win32/debug/system-error-codes
 */

const NETWORK = "The network drive cannot be reached: connect it and run again.";
const VIRUS =
  "The virus scanner takes the file for malware. If you trust its maker, report that to the scanner's maker, or exclude the folder from it, and run again.";
const POLICY =
  "A policy of this machine (AppLocker, Smart App Control or the like) forbids that program: ask its administrator to allow it.";
const DAMAGED = "The disk reports damage: check it (chkdsk) before anything else.";

/** What to do about a program that this machine does not let run, whatever program it is. */
const FORBIDDEN: Record<number, string> = {
  225: VIRUS, // ERROR_VIRUS_INFECTED
  226: VIRUS, // ERROR_VIRUS_DELETED
  577: POLICY, // ERROR_INVALID_IMAGE_HASH
  740: "The program asks for an administrator: run the update as one.", // ERROR_ELEVATION_REQUIRED
  1260: POLICY, // ERROR_ACCESS_DISABLED_BY_POLICY
  4551: POLICY, // ERROR_SYSTEM_INTEGRITY_POLICY_VIOLATION
};

const OTHERS: Record<number, string> = {
  53: NETWORK, // ERROR_BAD_NETPATH
  55: NETWORK, // ERROR_DEV_NOT_EXIST
  59: NETWORK, // ERROR_UNEXP_NET_ERR
  64: NETWORK, // ERROR_NETNAME_DELETED
  67: NETWORK, // ERROR_BAD_NET_NAME
  234: "The path is too long to be resolved: install into a folder with a shorter path.",
  395:
    "The file is in the cloud, and its provider (OneDrive or the like) does not give it: make the folder available offline.",
  433: "The drive is gone: connect it and run again.", // ERROR_NO_SUCH_DEVICE
  1006: "The file was changed from outside or its drive is gone: connect it and run again.",
  1392: DAMAGED, // ERROR_FILE_CORRUPT
  1393: DAMAGED, // ERROR_DISK_CORRUPT
};

/** The number that the runtime puts into the text of a system's error. */
export function errorNumber(error: unknown): number | undefined {
  const text = error instanceof Error ? error.message : "";
  const number = /\(os error (\d+)\)/.exec(text)?.[1];
  return number === undefined ? undefined : Number(number);
}

/** What to do where this machine forbids to run a program; undefined where it is something else. */
export function forbiddenHint(error: unknown): string | undefined {
  return FORBIDDEN[errorNumber(error) ?? 0];
}

/** What to do about an error that has no code; undefined where nothing special is known. */
export function windowsHint(error: unknown): string | undefined {
  return forbiddenHint(error) ?? OTHERS[errorNumber(error) ?? 0];
}
