/** Installs without a network: a file of the user's (`--from`), or the rollback copy. */
import { basename, join, resolve } from "@std/path";
import { copyFile, isThere, realPath, removeIfThere } from "../files/durable_files.ts";
import { digestFileInBackground } from "../files/digest.ts";
import { UpdateError } from "../base/errors.ts";
import { examine } from "../files/executable_format.ts";
import { onFile } from "../files/fs_errors.ts";
import type { HealthCheck } from "../base/health_check.ts";
import { askVersion } from "../transaction/health.ts";
import { install } from "../transaction/install.ts";
import { findInstalled, nextReceipt } from "./installed.ts";
import { readReceipt, type Receipt } from "../installation/receipt.ts";
import type { Session } from "../session.ts";
import { holds } from "../transaction/swap.ts";
import { resolveTarget } from "../installation/targets.ts";

/** What `--from` installs, and as what. */
export interface LocalFile {
  /** Absolute, or relative to the current folder. */
  readonly from: string;
  /** Default: the file's own name. */
  readonly target: string | undefined;
  readonly healthCheck: HealthCheck;
}

/** The same swap for a local file, which is copied: it may be deleted afterwards. */
export async function installLocal(
  session: Session,
  { from, target: name, healthCheck }: LocalFile,
  stop: AbortSignal,
): Promise<void> {
  const { system, dir, report } = session;
  const { fs } = system;
  const source = resolve(system.cwd, from);
  const file = onFile("read", source, () => realPath(fs, source));
  const { completeness } = examine(fs, file);
  if (completeness !== "complete") {
    throw new UpdateError(
      "verification",
      `Cannot install "${source}": it is ${said(completeness)}`,
      {
        path: source,
        hint: "Name a complete executable with --from.",
      },
    );
  }
  const target = resolveTarget(system, dir, name ?? basename(source));
  if (target.path === file) {
    throw new UpdateError("usage", `Cannot install "${source}" over itself`, {
      path: source,
      hint: "Name another file with --from, or another name with --target.",
    });
  }
  const before = await findInstalled(session, [target], healthCheck, true);
  let version: string | null = null;
  await install(session, {
    files: [{ target, digest: null, mode: (fs.statSync(file).mode ?? 0o755) & 0o777 }],
    async fill(_index, { staged }) {
      await onFile("copy", file, () => {
        removeIfThere(fs, staged);
        copyFile(fs, file, staged, 0o700);
      });
      const digest = await digestFileInBackground(fs, staged);
      version = await askVersion(session, staged, healthCheck) ?? null;
      return digest;
    },
    healthCheck,
    receipt(files) {
      const name = before.receipt?.name ?? null;
      const release = { name, version, release: null, highest: before.highest };
      return withOthers(
        nextReceipt(session, before.receipt, release, before, files),
        before.receipt,
      );
    },
  }, stop);
  report({ event: "updated", from: before.version, to: version ?? basename(source) });
}

/** An executable that is not of this transaction still is one of the tool's. */
function withOthers(receipt: Receipt, before: Receipt | null): Receipt {
  const isOther = ({ name }: { name: string }) => receipt.files.every((file) => file.name !== name);
  return { ...receipt, files: [...receipt.files, ...before?.files.filter(isOther) ?? []] };
}

function said(completeness: string): string {
  if (completeness === "broken") return "empty or cut off";
  return completeness === "missing" ? "missing" : "not a file";
}

/** Swaps back to what the last update replaced; a second time swaps forward again. */
export async function rollBack(
  session: Session,
  healthCheck: HealthCheck,
  stop: AbortSignal,
): Promise<void> {
  const { system, dir, report } = session;
  const { fs } = system;
  const receipt = readReceipt(fs, dir);
  if (typeof receipt === "string" || !receipt.rollback) {
    throw new UpdateError("usage", `There is no version to go back to in "${dir.path}"`, {
      path: dir.rollback,
      hint: "A rollback copy is kept by each update that replaces an executable.",
    });
  }
  const { rollback } = receipt;
  const targets = rollback.files.map((file) => resolveTarget(system, dir, file.name));
  const before = await findInstalled(session, targets, healthCheck, true);
  await install(session, {
    files: targets.map((target, index) => ({
      target,
      digest: rollback.files[index]!,
      mode: 0o755,
    })),
    async fill(index, { staged }) {
      const { name, size, sha256 } = rollback.files[index]!;
      const copy = join(dir.rollback, name);
      if (!isThere(fs, copy) || !holds(fs, copy, { size, sha256 })) throw spoilt(copy);
      await onFile("stage", copy, () => {
        removeIfThere(fs, staged);
        // No link: on Windows the old version may still be executing, and could not be synced.
        copyFile(fs, copy, staged, 0o700);
      });
      return { size, sha256 };
    },
    healthCheck,
    receipt: (files) =>
      withOthers(
        nextReceipt(session, receipt, { ...receipt, ...rollback }, before, files),
        receipt,
      ),
  }, stop);
  report({ event: "rolled-back", from: before.version, to: rollback.version });
}

function spoilt(copy: string): UpdateError {
  return new UpdateError(
    "verification",
    `The rollback copy "${copy}" is missing or not what the last update put there`,
    { path: copy, hint: "Nothing was changed. Install the version you want with --pin or --from." },
  );
}
