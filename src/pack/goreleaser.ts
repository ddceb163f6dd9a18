/** What GoReleaser leaves: `artifacts.json`, `metadata.json` and its checksums. */
import { basename, join } from "@std/path";
import * as v from "valibot";
import { UpdateError } from "../base/errors.ts";
import { describeIssue } from "../base/json_issue.ts";
import { readDigests } from "./digests.ts";
import { readJson } from "./folder.ts";
import type { Artifact, Layout } from "./layout.ts";
import { platformOfName } from "./platforms.ts";
import type { FileSystem } from "../system/file_system.ts";

/** GoReleaser's names for them. */
export const ARTIFACTS = "artifacts.json";
const METADATA = "metadata.json";

/** The fields that we use (goreleaser.com, "Artifacts" and "Metadata"). */
const Artifacts = v.array(v.object({
  name: v.string(),
  path: v.string(),
  goos: v.optional(v.string(), ""),
  goarch: v.optional(v.string(), ""),
  goamd64: v.optional(v.string(), ""),
  type: v.string(),
  extra: v.optional(v.record(v.string(), v.unknown()), {}),
}));

const Metadata = v.object({
  project_name: v.string(),
  version: v.string(),
  date: v.optional(v.string()),
});

/** Reads the folder. Throws `usage`. */
export function readGoreleaserFolder(
  fs: FileSystem,
  folder: string,
  names: readonly string[],
): Layout {
  const entries = read(Artifacts, fs, join(folder, ARTIFACTS));
  const metadata = names.includes(METADATA)
    ? read(Metadata, fs, join(folder, METADATA))
    : undefined;
  const archives = entries.filter(({ type }) => type === "Archive");
  // With `formats: [binary]` there are no archives: the executables themselves are uploaded, under
  // names with a platform in them; the plain ones are what they are made of.
  const uploaded = archives.length > 0
    ? archives
    : entries.filter(({ type, name }) =>
      type === "Binary" && platformOfName(name).words.length > 0
    );
  const artifacts = uploaded.map((entry): Artifact => {
    const { name, goos, goarch, goamd64 } = entry;
    const processor = goarch === "amd64" && !["", "v1"].includes(goamd64)
      ? `amd64${goamd64}`
      : goarch;
    const binaries = entry.extra["Binaries"];
    return {
      name,
      path: place(names, folder, entry.path),
      triples: platformOfName(`${goos}-${processor}`).triples ?? [],
      executables: Array.isArray(binaries) ? binaries.map(String) : undefined,
    };
  });
  const used = artifacts.map(({ path }) => path);
  return {
    kind: `GoReleaser (${ARTIFACTS})`,
    name: metadata?.project_name,
    version: metadata?.version,
    date: metadata?.date,
    artifacts,
    digests: readDigests(fs, folder, names),
    unused: names.filter((name) => !name.includes("/") && !used.includes(join(folder, name)))
      .map((name) => ({
        name,
        why: `GoReleaser: ${entries.find((entry) => entry.name === name)?.type ?? "not listed"}`,
      })),
  };
}

/** `path` is relative to the project: `dist/mytool_linux_amd64_v1/mytool`. */
function place(names: readonly string[], folder: string, path: string): string {
  const parts = path.replaceAll("\\", "/").split("/");
  for (let from = 0; from < parts.length; from++) {
    const below = parts.slice(from).join("/");
    if (names.includes(below)) return join(folder, below);
  }
  return join(folder, basename(path));
}

function read<T extends v.GenericSchema>(
  schema: T,
  fs: FileSystem,
  path: string,
): v.InferOutput<T> {
  const result = v.safeParse(schema, readJson(fs, path), { abortEarly: true });
  if (result.success) return result.output;
  throw new UpdateError(
    "usage",
    `"${path}" is not what GoReleaser writes: ${describeIssue(result.issues[0]!)}`,
    { path, hint: "Let GoReleaser run to its end, then pack; or remove that file." },
  );
}
