/** A folder without any file that describes it: names have to say it. */
import { join } from "@std/path";
import { archiveKind } from "../archive/kinds.ts";
import { isDigestFile, readDigests } from "./digests.ts";
import type { Artifact, Layout } from "./layout.ts";
import { platformOfName, versionInName } from "./platforms.ts";
import type { FileSystem } from "../system/file_system.ts";

/** Endings of what belongs to a release and is not what a shim installs. */
const UNUSED: readonly (readonly [RegExp, string])[] = [
  [/(^|\/)release\.json$|\.minisig$/i, "a manifest or signature of updater-shim"],
  [/\.patch$/i, "a patch"],
  [/\.(asc|sig|sigstore(\.json)?|pem|crt|cert|pub|intoto\.jsonl|att)$/i, "a signature"],
  [/\.(deb|rpm|apk|snap|flatpak|pkg|ipk|archlinux|pkg\.tar\.zst)$/i, "a system's package"],
  [/\.(msi|msix|dmg|appimage|vsix|whl|gem|jar|nupkg)$/i, "an installer or another's package"],
  [/(^|[-_.])(setup|installer)([-_.].*)?$/i, "an installer"],
  [/\.(cdx|spdx|sbom|omnibor)(\.(json|xml))?$|sbom/i, "a list of components"],
  [/\.(json|ya?ml|toml|md|txt|html?|xml|rb|sh|ps1|bat|cmd|fish|bash|zsh|elv|nu)$/i, "a text"],
  [/(^|\D)\.1$/, "a text"],
  [/\.(pdb|dSYM|dwp|debug|d)$|[-_.](debug|symbols?)([-_.]|$)/i, "for debuggers"],
  [/\.(tar\.bz2|tbz2?|7z|rar|tar\.lz|lz4|br|cab|bz2)$/i, "an archive that no shim can unpack"],
  [/(^|[-_.])(src|sources?)([-_.]|$)/i, "the source"],
];

/** Why a file is none for a shim, by its name; undefined: it has to be looked at. */
export function unusedByName(name: string): string | undefined {
  if (isDigestFile(name)) return "digests";
  return UNUSED.find(([pattern]) => pattern.test(name))?.[1];
}

/** Reads the folder. `names` are all files in it. */
export function readPlainFolder(
  fs: FileSystem,
  folder: string,
  names: readonly string[],
): Layout {
  const unused: { name: string; why: string }[] = [];
  const artifacts: Artifact[] = [];
  for (const name of names) {
    const why = unusedByName(name);
    if (why === undefined) {
      artifacts.push({ name, path: join(folder, name), triples: platformOfName(name).triples });
    } else unused.push({ name, why });
  }
  return {
    kind: "a plain folder",
    version: commonVersion(artifacts),
    artifacts,
    digests: readDigests(fs, folder, names),
    unused,
  };
}

/** The version that all names with one agree on. */
function commonVersion(artifacts: readonly Artifact[]): string | undefined {
  const versions = new Set(
    artifacts.filter(({ triples }) => triples?.length !== 0)
      .map(({ name }) => versionInName(withoutEnding(name))).filter((found) => found !== undefined),
  );
  return versions.size === 1 ? [...versions][0] : undefined;
}

/** The name without what makes it an archive or an executable. */
export function withoutEnding(name: string): string {
  const kind = archiveKind(name);
  return kind ? name.replace(/(\.tar)?\.[a-z0-9]+$/i, "") : name.replace(/\.exe$/i, "");
}
