/** Which version is installed: by the receipt if it fits the disk, else by the tool's own word. */
import { createHash } from "node:crypto";
import { lookAt } from "../files/durable_files.ts";
import { UpdateError } from "../base/errors.ts";
import type { HealthCheck } from "../base/health_check.ts";
import { askVersion } from "../transaction/health.ts";
import type { JournalFile } from "../transaction/journal.ts";
import type { ManifestFile } from "../release/manifest.ts";
import { readReceipt, type Receipt } from "../installation/receipt.ts";
import type { Session } from "../session.ts";
import type { Target } from "../installation/targets.ts";

/** What is installed, as far as it can be told. */
export interface InstalledVersion {
  /** Null: nothing installed, or nobody knows. */
  readonly version: string | null;
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
  const { fs } = session.system;
  const receipt = readReceipt(fs, session.dir);
  const known = typeof receipt === "string" ? null : receipt;
  const highest = known?.highest ?? null;
  if (known && fits(session, known, targets)) {
    return { version: known.version, release: known.release, highest, receipt: known };
  }
  const first = targets.find((target) => target.current !== undefined);
  const version = first ? await askVersion(session, first.path, healthCheck) ?? null : null;
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
  return { version, release: null, highest, receipt: known };
}

/** By size: `--status` and `--rollback` compare digests, an everyday check need not. */
function fits({ system: { fs } }: Session, receipt: Receipt, targets: readonly Target[]): boolean {
  return receipt.files.length > 0 && targets.every(({ name }) => {
    const file = receipt.files.find((file) => file.name === name);
    return file === undefined || lookAt(fs, file.target)?.size === file.size;
  });
}

/** One digest over all executables of a release, whatever way they are packed. */
export function releaseDigest(files: readonly ManifestFile[]): string {
  const parts = files.map(({ target, size, sha256, member, executable }) =>
    JSON.stringify([target, executable ?? { size, sha256 }, executable ? null : member ?? null])
  );
  return createHash("sha256").update(parts.sort().join("\n")).digest("hex");
}

/** The receipt of a new set; what it replaces becomes the rollback copy. */
export function nextReceipt(
  { system: { clock } }: Session,
  before: Receipt | null,
  release: Pick<Receipt, "name" | "version" | "release" | "highest">,
  old: Pick<InstalledVersion, "version" | "release">,
  files: readonly JournalFile[],
): Receipt {
  const kept = files.filter((file) => file.old);
  return {
    format: 1,
    ...release,
    files: files.map(({ name, target, fresh }) => ({ name, target, ...fresh! })),
    highest: release.highest ?? before?.highest ?? null,
    rollback: kept.length === 0 ? null : {
      version: old.version,
      release: old.release,
      files: kept.map(({ name, target, old }) => ({ name, target, ...old! })),
    },
    updated: new Date(clock.now()).toISOString(),
  };
}
