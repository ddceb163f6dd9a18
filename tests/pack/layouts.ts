/**
 * The files that describe a release, as dist and GoReleaser write them: the fields that matter and
 * their neighbours (cargo-dist-schema 0.28; goreleaser.com, "Artifacts").
 */

/** dist's. `archives`: triple by file name. */
export function distManifest(
  name: string,
  version: string,
  executables: readonly string[],
  archives: Readonly<Record<string, string>>,
): string {
  const installer = `${name}-installer.sh`;
  const entries = Object.entries(archives).flatMap(([file, triple]) => {
    const suffix = triple.includes("windows") ? ".exe" : "";
    const assets = executables.map((executable) => ({
      id: `${name}-${triple}-exe-${executable}`,
      name: executable,
      path: executable + suffix,
      kind: "executable",
    }));
    const readme = { name: "README.md", path: "README.md", kind: "readme" };
    return [
      [file, {
        name: file,
        kind: "executable-zip",
        target_triples: [triple],
        assets: [readme, ...assets],
        checksum: `${file}.sha256`,
      }],
      [`${file}.sha256`, { name: `${file}.sha256`, kind: "checksum", target_triples: [triple] }],
    ];
  });
  return JSON.stringify({
    dist_version: "0.28.0",
    announcement_tag: `v${version}`,
    announcement_is_prerelease: false,
    releases: [{
      app_name: name,
      app_version: version,
      display: true,
      artifacts: ["source.tar.gz", installer, ...entries.map(([file]) => file)],
      hosting: {
        github: {
          artifact_base_url: "https://github.com",
          artifact_download_path: `/me/${name}/releases/download/v${version}`,
          owner: "me",
          repo: name,
        },
      },
    }],
    artifacts: {
      "source.tar.gz": { name: "source.tar.gz", kind: "source-tarball" },
      [installer]: {
        name: installer,
        kind: "installer",
        target_triples: Object.values(archives),
        assets: [],
      },
      ...Object.fromEntries(entries),
    },
    systems: {},
  });
}

/** GoReleaser's, of archives with its default names. */
export function goreleaserArtifacts(name: string, archives: readonly string[]): string {
  const entries = archives.flatMap((file) => {
    const [, goos = "", goarch = "", format] =
      /_([a-z]+)_([a-z0-9]+)\.(tar\.gz|tar\.xz|zip)$/.exec(file) ?? [];
    const suffix = goos === "windows" ? ".exe" : "";
    const target = `${goos}_${goarch}${goarch === "amd64" ? "_v1" : ""}`;
    const platform = { goos, goarch, ...(goarch === "amd64" && { goamd64: "v1" }), target };
    return [
      {
        name: name + suffix,
        path: `dist/${name}_${target}/${name}${suffix}`,
        ...platform,
        internal_type: 4,
        type: "Binary",
        extra: { Binary: name, Ext: suffix, ID: name },
      },
      {
        name: file,
        path: `dist/${file}`,
        ...platform,
        internal_type: 1,
        type: "Archive",
        extra: { Binaries: [name + suffix], Format: format, ID: "default", WrappedIn: "" },
      },
    ];
  });
  return JSON.stringify([
    { name: "metadata.json", path: "dist/metadata.json", internal_type: 30, type: "Metadata" },
    ...entries,
    {
      name: "checksums.txt",
      path: "dist/checksums.txt",
      internal_type: 12,
      type: "Checksum",
      extra: {},
    },
  ]);
}
