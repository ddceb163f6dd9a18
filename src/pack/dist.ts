/** What dist (cargo-dist) leaves: `dist-manifest.json`, which knows every file and its triples. */
import { join } from "@std/path";
import * as v from "valibot";
import { UpdateError } from "../base/errors.ts";
import { describeIssue } from "../base/json_issue.ts";
import { readDigests } from "./digests.ts";
import { readJson } from "./folder.ts";
import type { Artifact, Layout } from "./layout.ts";
import { MANIFEST_TRIPLES } from "./platforms.ts";
import type { FileSystem } from "../system/file_system.ts";

/** dist's name for it. */
export const DIST_MANIFEST = "dist-manifest.json";

/** The fields that we use (cargo-dist-schema, `DistManifest`). */
const DistManifest = v.object({
  releases: v.array(v.object({
    app_name: v.string(),
    app_version: v.string(),
    artifacts: v.array(v.string()),
    hosting: v.optional(v.object({
      github: v.nullish(v.object({
        artifact_base_url: v.string(),
        artifact_download_path: v.string(),
      })),
    })),
  })),
  artifacts: v.record(
    v.string(),
    v.object({
      kind: v.string(),
      target_triples: v.optional(v.array(v.string()), []),
      assets: v.optional(
        v.array(v.object({ kind: v.string(), name: v.nullish(v.string()) })),
        [],
      ),
      checksums: v.optional(v.record(v.string(), v.string()), {}),
    }),
  ),
});

/** Reads the folder; `wanted` names one of several tools. Throws `usage`. */
export function readDistFolder(
  fs: FileSystem,
  folder: string,
  names: readonly string[],
  wanted: string | undefined,
): Layout {
  const path = join(folder, DIST_MANIFEST);
  const result = v.safeParse(DistManifest, readJson(fs, path), { abortEarly: true });
  if (!result.success) {
    throw new UpdateError(
      "usage",
      `"${path}" is not what dist writes: ${describeIssue(result.issues[0])}`,
      { path, hint: "Let dist run to its end, then pack; or remove that file and pack the rest." },
    );
  }
  const { releases, artifacts: known } = result.output;
  const release = wanted === undefined && releases.length === 1
    ? releases[0]
    : releases.find(({ app_name }) => app_name === wanted);
  if (!release) {
    const apps = releases.map(({ app_name }) => app_name).join(", ") || "none";
    throw new UpdateError("usage", `dist made a release of several tools, or another: ${apps}`, {
      path,
      hint: "Say which one: --name NAME.",
    });
  }
  const digests = [...readDigests(fs, folder, names)];
  const artifacts: Artifact[] = [];
  const unused: { name: string; why: string }[] = [];
  for (const name of names) {
    const entry = Object.hasOwn(known, name) ? known[name] : undefined;
    const sha256 = entry?.checksums["sha256"];
    if (sha256) digests.push({ file: name, sha256: sha256.toLowerCase(), by: DIST_MANIFEST });
    if (entry?.kind === "executable-zip" && release.artifacts.includes(name)) {
      artifacts.push({
        name,
        path: join(folder, name),
        triples: entry.target_triples.map(plainTriple)
          .filter((triple) => MANIFEST_TRIPLES.includes(triple)),
        executables: entry.assets.filter(({ kind }) => kind === "executable")
          .flatMap(({ name }) => name ?? []),
      });
    } else unused.push({ name, why: entry ? `dist: ${entry.kind}` : "not in dist-manifest.json" });
  }
  const github = release.hosting?.github;
  return {
    kind: `dist (${DIST_MANIFEST})`,
    name: release.app_name,
    version: release.app_version,
    base: github ? github.artifact_base_url + github.artifact_download_path : undefined,
    artifacts,
    digests,
    unused,
  };
}

function plainTriple(triple: string): string {
  return triple.replace(/-pc-windows-gnu(llvm)?$/, "-pc-windows-msvc");
}
