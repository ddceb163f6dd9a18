/**
 * A release that `--download-only` fetched and verified, and that waits to be installed: the signed
 * manifest as it was published, and its executables as they will be. `about.json` is written last:
 * without it there is nothing. Everything is judged again when it is installed.
 */
import { join } from "node:path";
import { isPlainName } from "../base/file_names.ts";
import * as v from "valibot";
import {
  type Digest,
  type Digested,
  digestFileInBackground,
  sameContent,
} from "../files/digest.ts";
import {
  lookAt,
  moveOrCopy,
  removeIfThere,
  replaceFile,
  writeAll,
} from "../files/durable_files.ts";
import { onFile } from "../files/fs_errors.ts";
import { type Form, readKept, readTrusted } from "../files/trusted_file.ts";
import { type InstallDir, makeFolder } from "../installation/install_dir.ts";
import type { Session } from "../session.ts";
import type { ReleaseFile } from "./manifest.ts";
import { MANIFEST_LIMIT, SIGNATURE_LIMIT, type SignedDocument } from "./signed_document.ts";

const FileSchema = v.strictObject({
  target: v.pipe(v.string(), v.check(isPlainName)),
  /** What was fetched, and what of it: together they say what the executable is. */
  source: v.string(),
  member: v.nullable(v.string()),
  size: v.number(),
  sha256: v.string(),
});

const AboutSchema = v.strictObject({
  format: v.literal(1),
  /** Where the manifest came from. */
  location: v.string(),
  /** When, in milliseconds since 1970. */
  at: v.pipe(v.number(), v.safeInteger()),
  signed: v.boolean(),
  files: v.array(FileSchema),
});

type About = v.InferOutput<typeof AboutSchema>;

const FORM: Form<About> = {
  what: "the note about a download",
  limit: 256 * 1024,
  format: 1,
  schema: AboutSchema,
};

/** What lies ready. */
export interface Downloaded extends Omit<SignedDocument, "signedBy"> {
  readonly location: string;
  readonly at: number;
  /** Whether the executable of that file seems to be there. */
  has(file: ReleaseFile): boolean;
  /** The same, read to its end: what is there, if it is whole. */
  find(file: ReleaseFile): Promise<Digest | undefined>;
  /** Moves the executable of that file to `path`, if it is there and whole. */
  take(file: ReleaseFile, path: string, scratch: string): Promise<Digested | undefined>;
}

/** Where a download of that file is to be put. The folder is there after `beginDownload`. */
export function readyPath(dir: InstallDir, { target }: Pick<ReleaseFile, "target">): string {
  return join(dir.downloaded, "files", target);
}

/** What an earlier `--download-only` left, or undefined. Throws `filesystem` for files of others. */
export function readDownloaded({ system, dir }: Session): Downloaded | undefined {
  const { fs } = system;
  const kept = readKept(system, path(dir, "about.json"), FORM);
  if (kept.state !== "valid") return undefined;
  const { location, at, signed, files } = kept.value;
  const read = (name: string, limit: number) => {
    try {
      return readTrusted(system, path(dir, name), "the downloaded manifest", limit);
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  };
  const bytes = read("release.json", MANIFEST_LIMIT);
  const signature = signed ? read("release.json.minisig", SIGNATURE_LIMIT) : null;
  if (!bytes || signature === undefined) return undefined;
  const entryOf = (file: ReleaseFile) => {
    const entry = files.find((entry) => isOf(entry, file));
    const info = entry && lookAt(fs, readyPath(dir, file));
    return info?.isFile && info.size === entry?.size ? entry : undefined;
  };
  const find = async (file: ReleaseFile) => {
    const entry = entryOf(file), ready = readyPath(dir, file);
    if (!entry) return undefined;
    const found = await onFile("read", ready, () => digestFileInBackground(fs, ready));
    // A power cut may have taken what was not synced: then it is fetched again.
    return sameContent(found, entry) ? found : undefined;
  };
  return {
    location,
    at,
    bytes,
    signature,
    has: (file) => entryOf(file) !== undefined,
    find,
    async take(file, to, scratch) {
      const ready = readyPath(dir, file), info = lookAt(fs, ready);
      const found = await find(file);
      if (!found) return undefined;
      const copied = onFile("write", to, () => moveOrCopy(fs, ready, to, scratch));
      return copied ? found : { ...found, info };
    },
  };
}

function isOf(entry: About["files"][number], file: ReleaseFile): boolean {
  return entry.target === file.target && entry.source === file.sha256 &&
    entry.member === (file.member ?? null);
}

/** From now on nothing lies ready; what is to be `kept` for another download stays. */
export function beginDownload({ system, dir }: Session, kept: readonly ReleaseFile[]): void {
  const { fs } = system;
  const remove = (path: string) => onFile("remove", path, () => removeIfThere(fs, path));
  makeFolder(system, dir.downloaded);
  const before = readKept(system, path(dir, "about.json"), FORM);
  for (const name of ["about.json", "release.json", "release.json.minisig"]) {
    remove(path(dir, name));
  }
  const folder = path(dir, "files");
  const names = kept.map(({ target }) => target);
  // By the names that were noted, not as they are found: in a folder that was exchanged those would be
  // somebody's files. A recursive removal follows no links.
  if (names.length === 0 && lookAt(fs, folder)) {
    onFile("remove", folder, () => fs.removeSync(folder, { recursive: true }));
  }
  makeFolder(system, folder);
  for (const { target } of before.state === "valid" ? before.value.files : []) {
    if (!names.includes(target)) remove(join(folder, target));
  }
}

/** The last step of a download: from now on it lies ready. */
export function completeDownload(
  { system: { fs, clock }, dir }: Session,
  location: string,
  { bytes, signature }: SignedDocument,
  files: readonly (readonly [ReleaseFile, Digest])[],
): void {
  const write = (name: string, content: Uint8Array) =>
    onFile("write", path(dir, name), () => {
      const file = fs.openSync(path(dir, name), { write: true, createNew: true, mode: 0o600 });
      try {
        writeAll(file, content);
        file.syncSync();
      } finally {
        file.close();
      }
    });
  write("release.json", bytes);
  if (signature) write("release.json.minisig", signature);
  const about: About = {
    format: 1,
    location,
    at: clock.now(),
    signed: signature !== null,
    files: files.map(([{ target, sha256, member }, digest]) => ({
      target,
      source: sha256,
      member: member ?? null,
      size: digest.size,
      sha256: digest.sha256,
    })),
  };
  const note = path(dir, "about.json");
  onFile("write", note, () => replaceFile(fs, note, JSON.stringify(about) + "\n"));
}

/** Removes what lies ready: it was installed, or will not be. */
export function discardDownloaded({ system: { fs }, dir }: Session): void {
  const folder = dir.downloaded;
  if (!lookAt(fs, folder)) return;
  onFile("remove", folder, () => fs.removeSync(folder, { recursive: true }));
}

function path(dir: InstallDir, name: string): string {
  return join(dir.downloaded, name);
}
