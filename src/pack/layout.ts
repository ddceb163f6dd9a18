/** What a build left in a folder: its files, and what the build itself says of them. */

/** A file that users could download. */
export interface Artifact {
  /** As it will be called in the URL; with `/` where it lies in a folder below. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** Absolute URL, where it is published already. */
  readonly url?: string | undefined;
  /** Triples by what the build says, or by the name; empty: none with a shim; undefined: unknown. */
  readonly triples: readonly string[] | undefined;
  /** Names of its executables, where the build says them. */
  readonly executables?: readonly string[] | undefined;
}

/** A digest that somebody else noted. */
export interface NotedDigest {
  /** Name of the file, or its name without endings. */
  readonly file: string;
  /** Lower-case hex SHA-256. */
  readonly sha256: string;
  /** The file that says so. */
  readonly by: string;
}

/** A folder, read. */
export interface Layout {
  /** For people: `GoReleaser (artifacts.json)`. */
  readonly kind: string;
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  /** Where the build says that its files will be. */
  readonly base?: string | undefined;
  /** When the release was made, where that is written down (ISO 8601). */
  readonly date?: string | undefined;
  /** Where it is described. */
  readonly notes?: string | undefined;
  readonly artifacts: readonly Artifact[];
  /** All that were found: of one file there may be several. */
  readonly digests: readonly NotedDigest[];
  /** Files that are not for us, with the reason. */
  readonly unused: readonly { readonly name: string; readonly why: string }[];
}
