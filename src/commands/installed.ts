/** Which version is installed: by the receipt if it fits the disk, else by the tool's own word. */
import { createHash } from "node:crypto";
import type { Digest } from "../files/digest.ts";
import { isThere } from "../files/durable_files.ts";
import { UpdateError } from "../base/errors.ts";
import type { HealthCheck } from "../base/health_check.ts";
import { askTarget } from "../transaction/try_target.ts";
import type { ManifestFile } from "../release/manifest.ts";
import {
  type Folder,
  type Installed,
  knownReceipt,
  readReceipt,
  type Receipt,
} from "../installation/receipt.ts";
import { toolIdOfShim } from "../installation/names.ts";
import type { Session } from "../session.ts";
import type { Staged } from "../transaction/plan.ts";
import { folderIdentity, isOriginals } from "../transaction/journal.ts";
import { holds } from "../transaction/swap.ts";
import { isUntouched } from "./file_state.ts";
import { behindOf, pathOf, type Target } from "../installation/targets.ts";

/** What is installed, as far as it can be told. */
export interface InstalledVersion {
  /** Null: nothing installed, or nobody knows. */
  readonly version: string | null;
  /** Something is installed. */
  readonly present: boolean;
  /** Some of it is not what the receipt says. */
  readonly changed: boolean;
  /** `releaseDigest` of that version, where a receipt says so. */
  readonly release: string | null;
  /** The highest version ever accepted here. */
  readonly highest: Receipt["highest"];
  readonly receipt: Receipt | null;
}

/**
 * Reads the receipt; where it does not fit the targets (another installer was here, or it is
 * missing) the tool is asked. A damaged receipt with a tool that does not tell its version is
 * refused (`verification`) unless downgrades are allowed: damage must not open that door.
 */
export async function findInstalled(
  session: Session,
  targets: readonly Target[],
  healthCheck: HealthCheck,
  allowDowngrade: boolean,
): Promise<InstalledVersion> {
  const receipt = readReceipt(session.system, session.dir);
  const known = knownReceipt(receipt);
  const highest = known?.highest ?? null;
  // The shim in its own release tells its own version, not the tool's.
  const first = targets.find(({ name, current }) =>
    current !== undefined && toolIdOfShim(name) !== toolIdOfShim(session.system.shimName)
  );
  const present = first !== undefined;
  if (known && fits(session, known, targets)) {
    const { version, release } = known;
    return { version, present, changed: false, release, highest, receipt: known };
  }
  const version = first ? await askTarget(session, first.path, healthCheck) ?? null : null;
  if (receipt === "damaged" && first && version === null && !allowDowngrade) {
    throw new UpdateError(
      "verification",
      `The receipt "${session.dir.receipt}" is damaged, and "${first.path}" does not tell its version`,
      {
        path: session.dir.receipt,
        hint: "Make sure that the update is newer than what you have, then use --allow-downgrade.",
      },
    );
  }
  return { version, present, changed: known !== null, release: null, highest, receipt: known };
}

/**
 * By size and time where they are as they were installed, for an everyday check is to be fast; by
 * digest where the time is another one. `--status`, `--repair` and `--uninstall` always compare
 * digests.
 */
function fits({ system: { fs } }: Session, receipt: Receipt, targets: readonly Target[]): boolean {
  return receipt.files.length > 0 && targets.every(({ name, path }) => {
    const file = receipt.files.find((file) => file.name === name);
    if (file === undefined) return true;
    return isUntouched(fs, path, file) || holds(fs, path, file);
  });
}

/** The executable that speaks for the tool: the one of its name, else the first of the set. */
export function mainOf(receipt: Receipt | null, name?: string): Installed | undefined {
  const tool = name ?? receipt?.name;
  const files = receipt?.files ?? [];
  return files.find((file) => file.name === tool || file.name === `${tool}.exe`) ?? files[0];
}

/** One digest over all executables of a release, whatever way they are packed. */
export function releaseDigest(files: readonly ManifestFile[]): string {
  const parts = files.map(({ target, size, sha256, member, executable }) =>
    JSON.stringify([target, executable ?? { size, sha256 }, executable ? null : member ?? null])
  );
  return createHash("sha256").update(parts.sort().join("\n")).digest("hex");
}

/** One executable of what is installed from now on. */
export interface InSet {
  readonly name: string;
  /** Its real path. */
  readonly path: string;
  readonly content: Digest;
  /** What it replaces; null where nothing was there, or where it is not replaced. */
  readonly replaced: Digest | null;
  /** That was somebody else's; see `Wanted`. */
  readonly foreign?: boolean | undefined;
  /** When its bytes were written: a rename keeps that. Null where the system does not say. */
  readonly modified: Date | null;
}

/** A staged executable, as part of what is installed after the commit. */
export function inSet(staged: Staged): InSet {
  const { name, target, fresh, old, foreign, stagedInfo: { mtime } } = staged;
  return { name, path: target, content: fresh, replaced: old, foreign, modified: mtime };
}

/** What a receipt says of the release itself. */
export type ReleaseFields = Pick<
  Receipt,
  "name" | "version" | "release" | "highest" | "rolledBack"
>;

/**
 * The receipt of a new set; what it replaces becomes the rollback copy. Executables of the set before
 * that are not in this one are `kept` as part of it, or `dropped` as what an older release had.
 */
export function nextReceipt(
  session: Session,
  before: Receipt | null,
  release: ReleaseFields,
  old: Pick<InstalledVersion, "version" | "release">,
  set: readonly InSet[],
  others: "kept" | "dropped",
): Receipt {
  const { system, dir } = session;
  const { fs, clock } = system;
  const isInSet = ({ name }: Installed) => set.some((file) => file.name === name);
  const rest = before?.files.filter((file) => !isInSet(file)) ?? [];
  const dropped = [...before?.dropped ?? [], ...others === "dropped" ? rest : []];
  return {
    format: 1,
    tool: dir.id,
    ...release,
    files: [...set.map(installed), ...others === "kept" ? rest : []],
    dropped: dropped.filter((file) =>
      !isInSet(file) && isThere(fs, pathOf(system, dir, file.name))
    ),
    rollback: nextRollback(before, release, old, set),
    madeFolder: before?.madeFolder ?? dir.made,
    updated: new Date(clock.now()).toISOString(),
  };

  function installed(file: InSet): Installed {
    const { name, path, content: { size, sha256 }, modified } = file;
    const behind = behindOf(fs, dir, { name, path });
    return {
      name,
      size,
      sha256,
      ...(modified && { modified: modified.getTime() }),
      ...(behind !== undefined && { behind }),
      // Also of a plain file: it may become a link later, and be copied then.
      folder: installerOf(file),
    };
  }

  /** In a copy, what is the original's and was not replaced stays the original's. */
  function installerOf({ name, path, replaced }: InSet): Folder {
    const known = before?.files.find((file) => file.name === name)?.folder;
    const stays = known !== undefined && replaced === null && isOriginals(fs, dir, known, path);
    return stays ? known : folderIdentity(fs, dir);
  }
}

/** The same version once more replaces no other version: what one could go back to stays. */
function nextRollback(
  before: Receipt | null,
  release: ReleaseFields,
  { version, release: digest }: Pick<InstalledVersion, "version" | "release">,
  set: readonly InSet[],
): Receipt["rollback"] {
  // Of a local file nobody knows which release it is of.
  const again = before !== null && before.version !== null && before.release !== null &&
    before.version === release.version && before.release === release.release;
  if (again && !set.some(({ foreign }) => foreign)) return before.rollback;
  const files = set.flatMap(({ name, replaced, foreign }) =>
    replaced ? [{ name, ...replaced, ...foreign && { foreign } }] : []
  );
  // Nothing was replaced: going back would change nothing but the number.
  if (files.length === 0) return null;
  const added = set.map(({ name }) => name)
    .filter((name) =>
      before && [...before.files, ...before.dropped].every((file) => file.name !== name)
    );
  return { version, release: digest, files, ...added.length > 0 && { added } };
}
