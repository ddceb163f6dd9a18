/** What checksum files say: `SHA256SUMS`, `checksums.txt`, `x.sha256` with or without a name. */
import { join } from "@std/path";
import { readText } from "./folder.ts";
import type { NotedDigest } from "./layout.ts";
import type { FileSystem } from "../system/file_system.ts";

const LIST = /(^|[-_./])(sha256sums?(\.txt)?|checksums?(\.txt)?|sha256\.sum)$/i;
const SINGLE = /\.sha256(sum)?(\.txt)?$/i;

/** Whether a file of this name holds digests (of whatever kind). */
export function isDigestFile(name: string): boolean {
  return LIST.test(name) || SINGLE.test(name) || /\.(sha(1|512|3)(sums?)?|md5|b3)$/i.test(name);
}

/**
 * The digests that have to be right of a file: its own, and those of a file that is called like it
 * without its ending. Such a line in a list may be of another file; it counts where nothing else does.
 */
export function digestsOf(name: string, digests: readonly NotedDigest[]): readonly NotedDigest[] {
  const own = digests.filter(({ file }) => file === name);
  const ofStem = digests.filter(({ file }) => name.startsWith(`${file}.`));
  return [...own, ...ofStem.filter(({ by }) => own.length === 0 || SINGLE.test(by))];
}

/**
 * Reads them all. A list's line is `HEX  NAME` or `HEX *NAME`; a single file's may be the hash alone,
 * of the file whose name comes before the ending, or of the executable in the archive of that name
 * (as zellij publishes them).
 */
export function readDigests(
  fs: FileSystem,
  folder: string,
  names: readonly string[],
): readonly NotedDigest[] {
  const digests: NotedDigest[] = [];
  for (const by of names.filter((name) => LIST.test(name) || SINGLE.test(name))) {
    const place = by.slice(0, by.lastIndexOf("/") + 1);
    const single = SINGLE.test(by) ? by.replace(SINGLE, "") : undefined;
    for (const line of readText(fs, join(folder, by))!.split(/\r?\n/)) {
      const [, hex, name] = /^\\?([0-9a-f]{64})(?: [ *](.+))?$/i.exec(line.trim()) ?? [];
      if (!hex) continue;
      const file = single ?? (name && place + name.replace(/^\.\//, ""));
      if (file) digests.push({ file, sha256: hex.toLowerCase(), by });
    }
  }
  return digests;
}
