/** Which archives there are: the one table that the reader, its messages and the pages follow. */

import { isUrl } from "../base/url_policy.ts";

/** How bytes are packed: by nothing, gzip, xz or Zstandard. */
export type Packing = "none" | "gz" | "xz" | "zst";

interface Kind {
  readonly endings: readonly string[];
  /** Whether a tar archive is inside; else the one file. zip is both in one. */
  readonly container: "tar" | "zip" | "file";
  readonly packing: Packing;
}

/** All that can be unpacked. The first ending is the one that messages name. */
export const ARCHIVE_KINDS = {
  "tar.gz": { endings: [".tar.gz", ".tgz"], container: "tar", packing: "gz" },
  "tar.xz": { endings: [".tar.xz", ".txz"], container: "tar", packing: "xz" },
  "tar.zst": { endings: [".tar.zst", ".tzst"], container: "tar", packing: "zst" },
  "tar": { endings: [".tar"], container: "tar", packing: "none" },
  "zip": { endings: [".zip"], container: "zip", packing: "none" },
  "gz": { endings: [".gz"], container: "file", packing: "gz" },
  "xz": { endings: [".xz"], container: "file", packing: "xz" },
  "zst": { endings: [".zst"], container: "file", packing: "zst" },
} as const satisfies Record<string, Kind>;

/** What can be unpacked. */
export type ArchiveKind = keyof typeof ARCHIVE_KINDS;

/** Other archives and packages that a release may hold, and that are not unpacked. */
const NOT_READ =
  /\.(bz2|tbz2?|lzma|lz4?|z|br|7z|rar|cab|zstd|tzstd|deb|rpm|apk|msi|msix|dmg|pkg|iso)$/;

/** Of a name, in messages. */
const MAX_SHOWN = 200;

/** For messages: `.tar.gz, .tgz, … or .zst`. */
export function archiveEndings(): string {
  const all = Object.values(ARCHIVE_KINDS).flatMap(({ endings }) => [...endings]);
  return `${all.slice(0, -1).join(", ")} or ${all.at(-1)}`;
}

/** By the URL's ending, as release tools name them. */
export function archiveKind(url: string): ArchiveKind | undefined {
  const path = pathOf(url);
  return (Object.keys(ARCHIVE_KINDS) as ArchiveKind[])
    .find((kind) => ARCHIVE_KINDS[kind].endings.some((ending) => path.endsWith(ending)));
}

/**
 * Why the file behind a URL cannot be installed as the manifest describes it, and what to write
 * there instead; undefined if it can. Known from the names alone, before any download.
 */
export function refuseArchive(
  url: string,
  member: string | undefined,
): { readonly problem: string; readonly hint: string } | undefined {
  const kind = archiveKind(url), name = pathOf(url).slice(-MAX_SHOWN).split(/[\\/]/).at(-1)!;
  if (member === undefined && kind) {
    return {
      problem: `"${name}" is an archive, and the manifest does not say which file in it`,
      hint: 'The manifest needs "member" there: the path of the executable inside the archive.',
    };
  }
  const unknown = member === undefined ? NOT_READ.test(name) : !kind;
  if (!unknown) return undefined;
  return {
    problem: `"${name}" is not an archive that can be unpacked`,
    hint: `The manifest needs a url there that ends in ${archiveEndings()}, or in the name of a ` +
      'plain executable without "member".',
  };
}

/** In lower case; of a URL without query and fragment, which a path of this machine has not. */
function pathOf(url: string): string {
  const end = isUrl(url) ? url.search(/[?#]/) : -1;
  return (end < 0 ? url : url.slice(0, end)).toLowerCase();
}
