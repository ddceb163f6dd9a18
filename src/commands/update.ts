/** The story: offer, checks, installation. The parent has exited, the lock is held. */
import { dirname, join } from "node:path";
import { compareVersions } from "../base/version.ts";
import type { Options } from "../cli/config.ts";
import { ensureInstallationId } from "../installation/installation_id.ts";
import { discardDownloaded, readDownloaded } from "../release/downloaded.ts";
import { planPatches } from "../release/patches.ts";
import { ReleaseFiles } from "../release/release_files.ts";
import { checkSpace } from "../release/space.ts";
import { isThere, replaceFile } from "../files/durable_files.ts";
import { onFile } from "../files/fs_errors.ts";
import type { Session } from "../session.ts";
import type { Receipt } from "../installation/receipt.ts";
import { fillAll, Staging } from "../transaction/transaction.ts";
import { download } from "./download.ts";
import { openAccess } from "./access.ts";
import { inSet, type InstalledVersion, nextReceipt } from "./installed.ts";
import { readOffer, upToDate } from "./offer.ts";

/** Installs the offered version, or says that it is installed. Throws `UpdateError`. */
export async function update(session: Session, options: Options, stop: AbortSignal): Promise<void> {
  const { report } = session;
  if (!options.dryRun) ensureInstallationId(session.system, session.dir);
  const access = await openAccess(session.system, options, stop);
  const ready = options.downloadOnly ? undefined : readDownloaded(session);
  const offer = await readOffer(session, options, access, stop, ready);
  const { manifest, wanted, unchanged, installed } = offer;
  const from = installed.version, to = manifest.version;
  if (offer.decision !== "update" && !options.dryRun) discardDownloaded(session);
  if (offer.decision === "up-to-date") return report(upToDate(offer));
  if (offer.decision === "held-back") {
    const { percent = 100 } = manifest.rollout ?? {};
    return report({ event: "held-back", version: from, to, percent });
  }
  const sources = wanted.map(({ source, executable }) => ({ file: source, path: executable.path }));
  const missing = sources.filter(({ file }) => !ready?.has(file));
  const patches = await planPatches(session, missing);
  if (options.dryRun) {
    checkSpace(session, missing, patches);
    return report({ event: "would-update", from, to, files: sources.map(({ path }) => path) });
  }
  const files = wanted.map(({ source }) => source);
  const downloads = new ReleaseFiles(session, files, access, ready, patches);
  downloads.prepare();
  checkSpace(session, missing, patches);
  if (options.downloadOnly) return await download(session, offer, downloads, stop);
  {
    await using staging = Staging.begin(session, wanted, options.healthCheck);
    const filled = await fillAll(
      staging.files,
      (file, either) => downloads.fill(file.source, file.staged, either),
      stop,
    );
    const staged = await staging.prove(filled, stop);
    const set = [...staged.map(inSet), ...unchanged];
    const { version, name } = manifest;
    const release = { version, release: offer.release };
    const highest = highestOf(installed, release, options.allowDowngrade);
    const fields = { name, ...release, highest, rolledBack: null };
    const receipt = nextReceipt(session, installed.receipt, fields, installed, set, "dropped");
    await staging.commit(staged, receipt, stop);
    tellDropped(session, installed.receipt, receipt);
  }
  downloads.finish();
  discardDownloaded(session);
  if (!installed.receipt && !installed.present) keepPlace(session, manifest.name, options);
  const { notes } = manifest;
  report({ event: "updated", from, to, ...(notes !== undefined && { notes }) });
}

/** What the release has no more stays: somebody may use it. */
function tellDropped({ report, dir }: Session, before: Receipt | null, after: Receipt): void {
  const known = before?.dropped.map(({ name }) => name) ?? [];
  for (const { name } of after.dropped.filter(({ name }) => !known.includes(name))) {
    const path = join(dir.path, name);
    report({
      event: "warning",
      message: `"${path}" is no part of ${after.version} any more, and stays as it is`,
      path,
      hint: "Remove it if you do not need it.",
    });
  }
}

/** A downgrade that the user allowed lowers it: else a mistaken 9999.0.0 would be the floor for ever. */
function highestOf(
  { highest }: InstalledVersion,
  offered: { version: string; release: string },
  allowDowngrade: boolean,
): { version: string; release: string } {
  if (allowDowngrade) return offered;
  if (highest && compareVersions(highest.version, offered.version) > 0) return highest;
  return offered;
}

/** After a first installation the next update finds its release by itself, and trusts the same keys. */
function keepPlace(session: Session, name: string, options: Options): void {
  const { system: { fs, execPath }, dir, report } = session;
  const shims = ["", ".exe"].map((end) => join(dir.path, dir.id + end));
  if (dirname(execPath) !== dir.path && !shims.some((shim) => isThere(fs, shim))) {
    report({
      event: "warning",
      message: `The release has no updater: there is none in "${dir.path}"`,
      path: dir.path,
      hint: `Put a copy of this one there as "${dir.id}", or update with --install-dir.`,
    });
  }
  if (isThere(fs, dir.config)) return;
  const { manifests: manifest, publicKeys } = options;
  onFile("write the configuration", dir.config, () => {
    replaceFile(fs, dir.config, `${JSON.stringify({ name, manifest, publicKeys }, null, 2)}\n`);
    fs.chmodSync(dir.config, 0o644);
  });
}
