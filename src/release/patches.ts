/**
 * Which executables are made out of the installed ones instead of being fetched whole. By the digest
 * of what is on the disk, never by a version; and whatever speaks against a patch only means that
 * the full file is fetched, which is always there.
 */
import { join } from "node:path";
import { type Digest, digestFileAside, sameContent } from "../files/digest.ts";
import { lookAt } from "../files/durable_files.ts";
import { PATCH_FORMAT } from "../patch/format.ts";
import type { Session } from "../session.ts";
import type { ReleaseFile, ReleasePatch } from "./manifest.ts";

/** Above this share of the full download a patch is not worth its trouble. */
export const WORTHWHILE = 0.6;

/** A patch for what is installed. */
export interface PlannedPatch {
  readonly patch: ReleasePatch;
  /** Path of the installed executable, which has the digest `patch.from`. */
  readonly old: string;
  /** What has to come of it. */
  readonly result: Digest;
}

/** The patches to be used, by the file whose place they take. */
export type Patches = ReadonlyMap<ReleaseFile, PlannedPatch>;

/** What is to be fetched, and where its executable belongs. */
export interface Arriving {
  readonly file: ReleaseFile;
  readonly path: string;
}

/** What the download of that file is kept as until the update is done. */
export function partialPath({ dir }: Pick<Session, "dir">, { sha256 }: Digest): string {
  return join(dir.partial, `${sha256}.part`);
}

/** Where it is noted that a patch was wrong: it is not tried again. */
export function refusedPath({ dir }: Pick<Session, "dir">, { sha256 }: Digest): string {
  return join(dir.partial, `${sha256}.refused`);
}

/**
 * Chooses the patches. An archive that is needed for one of its executables is fetched anyway: then
 * the others come out of it, too. Never throws; each file that has patches, but none for us, is
 * reported, for the log.
 */
export async function planPatches(
  session: Session,
  files: readonly Arriving[],
): Promise<Patches> {
  const plan = new Map<ReleaseFile, PlannedPatch>();
  for (const sha256 of new Set(files.map(({ file }) => file.sha256))) {
    const together = files.filter(({ file }) => file.sha256 === sha256);
    const found = await Promise.all(together.map((one) => findPatch(session, one)));
    const planned = found.filter((patch) => patch !== undefined);
    const whole = together[0]!.file;
    const size = planned.reduce((sum, { patch }) => sum + patch.size, 0);
    const fetched = lookAt(session.system.fs, partialPath(session, whole))?.size ?? 0;
    const worthwhile = size <= whole.size * WORTHWHILE && size < whole.size - fetched;
    if (planned.length === together.length && worthwhile) {
      together.forEach(({ file }, index) => plan.set(file, planned[index]!));
      continue;
    }
    for (const { file } of together.filter(({ file }) => file.patches.length > 0)) {
      session.report({
        event: "patch-refused",
        file: file.target,
        reason: planned.length < together.length
          ? "none of its patches is for what is installed"
          : "it would save too little",
      });
    }
  }
  return plan;
}

async function findPatch(
  session: Session,
  { file, path }: Arriving,
): Promise<PlannedPatch | undefined> {
  const { fs } = session.system;
  const result = file.member === undefined
    ? { size: file.size, sha256: file.sha256 }
    : file.executable;
  if (!result || file.patches.length === 0) return undefined;
  try {
    const current = lookAt(fs, path);
    const usable = file.patches.filter((patch) =>
      patch.format === PATCH_FORMAT && patch.from.size === current?.size &&
      !sameContent(patch.from, result) && !lookAt(fs, refusedPath(session, patch))
    );
    if (usable.length === 0) return undefined;
    const installed = await digestFileAside(fs, path);
    const patch = usable.find(({ from }) => sameContent(from, installed));
    return patch && { patch, old: path, result };
  } catch {
    // What cannot be read now is no hindrance to fetching the full file.
    return undefined;
  }
}
