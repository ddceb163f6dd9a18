/** What is in a file of the release: its executables, unpacked by the shim's own readers. */
import { basename, join } from "@std/path";
import { extractMember, listMembers } from "../archive/archive.ts";
import { archiveKind } from "../archive/kinds.ts";
import { isMemberPath } from "../base/file_names.ts";
import { UpdateError } from "../base/errors.ts";
import { type Digest, digestFileInBackground } from "../files/digest.ts";
import { examine, readHeader } from "../files/executable_format.ts";
import { onFile } from "../files/fs_errors.ts";
import type { Artifact } from "./layout.ts";
import { isLibrary, type Machine, readMachine } from "./machine.ts";
import type { PackSystem } from "./pack_system.ts";

/** One file that could be installed. */
export interface Piece {
  /** Its own name, without the folders of the archive. */
  readonly name: string;
  /** Where it is in the archive; undefined: the download is the file itself. */
  readonly member: string | undefined;
  readonly digest: Digest;
  /** On the disk, unpacked. */
  readonly path: string;
  /** Undefined for a script. */
  readonly machine: Machine | undefined;
  readonly kind: "executable" | "library" | "script";
}

/** A file of the release that was looked into. */
export interface OpenedArtifact {
  readonly artifact: Artifact;
  readonly digest: Digest;
  readonly pieces: readonly Piece[];
  /** Names of configurations of a shim in it. */
  readonly configurations: readonly string[];
}

/** The most that a manifest may declare. */
const LIMIT = 4 * 1024 ** 3;
/** A shim's configuration is called like the shim. */
const CONFIGURATION = /^(updater-shim|.+-updater)\.json$/i;
/** Of archives whose entries are all marked executable, only so many are tried. */
const MAX_CANDIDATES = 200;

/**
 * Looks into a file. The unpacked pieces lie in `scratch`, which has to be the artifact's own.
 * Throws `verification` for an archive that a shim would refuse, and for a cut-off executable.
 */
export async function openArtifact(
  { fs }: PackSystem,
  artifact: Artifact,
  scratch: string,
): Promise<OpenedArtifact> {
  const { path } = artifact;
  const digest = await onFile("read", path, () => digestFileInBackground(fs, path));
  if (digest.size === 0) throw refused(artifact, "it is empty");
  const kind = archiveKind(artifact.name);
  if (!kind) {
    const piece = lookAtPiece(fs, artifact, path, undefined, digest);
    return { artifact, digest, pieces: piece ? [piece] : [], configurations: [] };
  }
  const entries = await listMembers(path, kind, fs);
  const candidates = entries.filter((entry) =>
    entry.type === "a regular file" && couldBeExecutable(entry.name, entry.mode)
  );
  const pieces: Piece[] = [];
  for (const [index, { name }] of candidates.slice(0, MAX_CANDIDATES).entries()) {
    // A .gz without a name in it.
    const member = name === ""
      ? basename(artifact.name).replace(/\.[^.]+$/, "")
      : name.split("/").filter((part) => part !== "" && part !== ".").join("/");
    if (!isMemberPath(member)) continue;
    const unpacked = join(scratch, `${index}`);
    const out = onFile(
      "write",
      unpacked,
      () => fs.openSync(unpacked, { write: true, createNew: true, mode: 0o600 }),
    );
    try {
      await onFile(
        "write",
        unpacked,
        () => extractMember(path, kind, member, out, { fs, limit: LIMIT }),
      );
    } finally {
      out.close();
    }
    const content = await digestFileInBackground(fs, unpacked);
    const piece = lookAtPiece(fs, artifact, unpacked, member, content);
    if (piece) pieces.push(piece);
    else fs.removeSync(unpacked);
  }
  const configurations = entries.map(({ name }) => basename(name))
    .filter((name) => CONFIGURATION.test(name));
  return { artifact, digest, pieces, configurations };
}

/** By mode, where the archive keeps modes; by name, where it does not, or lost them on its way. */
function couldBeExecutable(name: string, mode: number | undefined): boolean {
  const own = basename(name);
  if (mode !== undefined && (mode & 0o111) !== 0) return true;
  return /\.(exe|dll|dylib|so(\.\d+)*)$/i.test(own) || !/\.[a-z]\w{0,9}$/i.test(own);
}

function lookAtPiece(
  fs: PackSystem["fs"],
  artifact: Artifact,
  path: string,
  member: string | undefined,
  digest: Digest,
): Piece | undefined {
  if (digest.size === 0) return undefined;
  const name = basename(member ?? artifact.name);
  const { completeness, format } = examine(fs, path);
  if (format === "unknown") return undefined;
  if (completeness === "broken") {
    const what = member === undefined ? "it" : `"${member}" in it`;
    throw refused(artifact, `${what} is cut off: its headers point past its end`);
  }
  const machine = readMachine(readHeader(fs, path));
  // Something else that begins with the same bytes.
  if (format !== "script" && !machine) return undefined;
  const kind = !machine ? "script" : isLibrary(machine, name) ? "library" : "executable";
  return { name, member, digest, path, machine, kind };
}

function refused({ name, path }: Artifact, why: string): UpdateError {
  return new UpdateError("verification", `A shim would refuse "${name}": ${why}`, {
    path,
    hint: "Build it anew, then pack.",
  });
}
