/** From a folder to what the build says of it, with what the author says on top. */
import { join } from "@std/path";
import { UpdateError } from "../base/errors.ts";
import { lookAt } from "../files/durable_files.ts";
import { DIST_MANIFEST, readDistFolder } from "./dist.ts";
import { listFiles } from "./folder.ts";
import { ARTIFACTS, readGoreleaserFolder } from "./goreleaser.ts";
import type { Artifact, Layout } from "./layout.ts";
import type { ReleaseOptions } from "./pack_command.ts";
import { readPlainFolder } from "./plain_folder.ts";
import { MANIFEST_TRIPLES, platformOfName } from "./platforms.ts";
import type { FileSystem } from "../system/file_system.ts";

type Wishes = Pick<ReleaseOptions, "name" | "exclude" | "platforms">;

/** Reads a folder, whoever filled it. Throws `usage`, `filesystem`. */
export function readLayout(fs: FileSystem, folder: string, wishes: Wishes): Layout {
  if (!lookAt(fs, folder)?.isDirectory) {
    throw new UpdateError("usage", `"${folder}" is not a folder`, {
      path: folder,
      hint: "Give the folder that the build writes its release files to, such as dist/.",
    });
  }
  const names = listFiles(fs, folder);
  const layout = names.includes(DIST_MANIFEST)
    ? readDistFolder(fs, folder, names, wishes.name)
    : names.includes(ARTIFACTS)
    ? readGoreleaserFolder(fs, folder, names)
    : readPlainFolder(fs, folder, names);
  return applyWishes(layout, folder, names, wishes);
}

/** Leaves out what the author leaves out, and believes what he says of platforms. */
export function applyWishes(
  layout: Layout,
  folder: string,
  names: readonly string[],
  { exclude, platforms }: Omit<Wishes, "name">,
): Layout {
  const patterns = exclude.map(patternOf);
  const isExcluded = (name: string) => patterns.some((pattern) => pattern.test(name));
  const said = new Map(platforms.map(readPlatform));
  for (const name of said.keys()) {
    if (names.includes(name)) continue;
    throw new UpdateError("usage", `--platform: there is no file "${name}" in "${folder}"`);
  }
  const added = [...said.keys()]
    .filter((name) => !layout.artifacts.some((artifact) => artifact.name === name))
    .map((name): Artifact => ({ name, path: join(folder, name), triples: undefined }));
  const artifacts = [...layout.artifacts, ...added];
  return {
    ...layout,
    artifacts: artifacts.filter(({ name }) => !isExcluded(name))
      .map((artifact) => ({ ...artifact, triples: said.get(artifact.name) ?? artifact.triples })),
    unused: [
      ...layout.unused.filter(({ name }) => !said.has(name)),
      ...artifacts.filter(({ name }) => isExcluded(name))
        .map(({ name }) => ({ name, why: "left out by --exclude" })),
    ],
  };
}

/** Of `--exclude`: `*` and `?` stand for anything. */
export function patternOf(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, "s");
}

/** `FILE=TRIPLE,TRIPLE`, or words as in file names: `FILE=linux-amd64`. */
function readPlatform(text: string): readonly [string, readonly string[]] {
  const at = text.lastIndexOf("=");
  const triples = at > 0 ? text.slice(at + 1).split(",").map(readTriple) : [];
  if (triples.length > 0 && triples.every((found) => found.length > 0)) {
    return [text.slice(0, at), triples.flat()];
  }
  throw new UpdateError("usage", `--platform needs FILE=TRIPLE, not "${text.slice(0, 100)}"`, {
    hint: `Triples with a shim: ${MANIFEST_TRIPLES.join(", ")}.`,
  });
}

function readTriple(text: string): readonly string[] {
  return platformOfName(text).triples ?? [];
}
