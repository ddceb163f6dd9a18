/** The story: offer, checks, installation. The parent has exited, the lock is held. */
import { compareVersions } from "../base/version.ts";
import type { Options } from "../cli/config.ts";
import { ensureInstallationId } from "../installation/installation_id.ts";
import { discardDownloaded, readDownloaded } from "../release/downloaded.ts";
import { checkSpace, ReleaseFiles } from "../release/release_files.ts";
import type { Session } from "../session.ts";
import { install } from "../transaction/install.ts";
import { download } from "./download.ts";
import { openAccess } from "./access.ts";
import { type InstalledVersion, nextReceipt } from "./installed.ts";
import { readOffer } from "./offer.ts";

/** Installs the offered version, or says that it is installed. Throws `UpdateError`. */
export async function update(session: Session, options: Options, stop: AbortSignal): Promise<void> {
  const { report } = session;
  if (!options.dryRun) ensureInstallationId(session.system, session.dir);
  const access = openAccess(session.system, options);
  const ready = options.downloadOnly ? undefined : readDownloaded(session);
  const offer = await readOffer(session, options, access, stop, ready);
  const { manifest, files, targets, installed } = offer;
  const from = installed.version, to = manifest.version;
  if (offer.decision !== "update" && !options.dryRun) discardDownloaded(session);
  if (offer.decision === "up-to-date") return report({ event: "up-to-date", version: to });
  if (offer.decision === "held-back") {
    const { percent = 100 } = manifest.rollout ?? {};
    return report({ event: "held-back", version: from, to, percent });
  }
  if (options.dryRun) {
    checkSpace(session, files, targets);
    return report({ event: "would-update", from, to, files: targets.map(({ path }) => path) });
  }
  const downloads = new ReleaseFiles(session, files, access, ready);
  downloads.prepare();
  const missing = files.map((file, index) => ({ file, target: targets[index]! }))
    .filter(({ file }) => !ready?.has(file));
  checkSpace(session, missing.map(({ file }) => file), missing.map(({ target }) => target));
  if (options.downloadOnly) return await download(session, offer, downloads, stop);
  await install(session, {
    files: files.map((file, index) => ({
      target: targets[index]!,
      digest: file.member === undefined
        ? { size: file.size, sha256: file.sha256 }
        : file.executable ?? null,
      mode: file.mode,
    })),
    fill: (index, staged, either) => downloads.fill(index, staged, either),
    healthCheck: options.healthCheck,
    receipt: (entries) => {
      const { name, version } = manifest;
      const highest = highestOf(installed, { version, release: offer.release });
      const release = { name, version, release: offer.release, highest };
      return nextReceipt(session, installed.receipt, release, installed, entries);
    },
  }, stop);
  downloads.finish();
  discardDownloaded(session);
  const { notes } = manifest;
  report({ event: "updated", from, to, ...(notes !== undefined && { notes }) });
}

function highestOf(
  { highest }: InstalledVersion,
  offered: { version: string; release: string },
): { version: string; release: string } {
  if (highest && compareVersions(highest.version, offered.version) > 0) return highest;
  return offered;
}
