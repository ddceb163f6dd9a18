/** Names and paths from outside: what may become a file here. Pure. */

/** For messages: what `isPlainName` asks for. */
export const PLAIN_NAME = "a plain file name that every system allows";

const MAX_BYTES = 200;
/** Windows opens a device for these, with any extension and with superscript digits. */
const DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d\u00b9\u00b2\u00b3]) *(\.|$)/i;
/** Ours: `.previous` is the old executable during a commit, hidden names are staged files. */
const OURS = /^\.|\.(previous|staged)(\.exe)?$|^updater-shim\.json$/i;

/**
 * A name that means the same file everywhere: no path, no stream (`:`), no wildcard, nothing that
 * Windows cuts off at the end, no device, nothing invisible, and none of the names that the shim
 * itself gives.
 */
export function isPlainName(name: string): boolean {
  return name.length > 0 && new TextEncoder().encode(name).length <= MAX_BYTES &&
    !/[/\\:*?"<>|]/.test(name) && !isInvisible(name) && !/[. ]$/.test(name) &&
    !DEVICE.test(name) && !OURS.test(name);
}

/** A path inside of an archive: relative, with `/`, without `.`, `..` or anything invisible. */
export function isMemberPath(path: string): boolean {
  return path.length <= 1024 && !/[\\:]/.test(path) && !isInvisible(path) &&
    path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/**
 * Whether no two names are the same file on some file system: NTFS and APFS ignore case, APFS and
 * HFS+ also the difference between composed and decomposed letters.
 */
export function areDistinct(names: readonly string[]): boolean {
  const folded = names.map((name) => name.normalize("NFD").toUpperCase().normalize("NFC"));
  return new Set(folded).size === names.length;
}

/** Whether a path of Windows is one of another machine's, such as `\\\\server\\share\\folder`. */
export function isNetworkPath(path: string): boolean {
  return /^[\\/]{2}([?.][\\/]UNC[\\/]|[^?.\\/])/i.test(path);
}

/** Control and format characters, line separators, half surrogate pairs. */
function isInvisible(text: string): boolean {
  return /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}]/u.test(text);
}
