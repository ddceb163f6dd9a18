/** The story: manifest, decision, checks, installation. The parent has exited, the lock is held. */
import { UpdateError } from "../base/errors.ts";
import type { Options } from "../cli/config.ts";
import { install } from "../transaction/install.ts";
import { findInstalled, type InstalledVersion, nextReceipt, releaseDigest } from "./installed.ts";
import {
  checkIdentity,
  type Manifest,
  type ManifestFile,
  parseManifest,
  selectFiles,
} from "../release/manifest.ts";
import { checkSpace, ReleaseFiles } from "../release/release_files.ts";
import type { Session } from "../session.ts";
import { fetchSigned } from "../release/signed_document.ts";
import { resolveTarget, type Target } from "../installation/targets.ts";
import { redactUrl } from "../base/url_policy.ts";
import { compareVersions, decideVersion } from "../base/version.ts";

/** A release that was read and accepted, and what it would change here. */
interface Offer {
  readonly manifest: Manifest;
  readonly files: readonly ManifestFile[];
  readonly targets: readonly Target[];
  readonly installed: InstalledVersion;
  readonly release: string;
  readonly decision: "update" | "up-to-date";
}

/** Installs the offered version, or says that it is installed. Throws `UpdateError`. */
export async function update(session: Session, options: Options, stop: AbortSignal): Promise<void> {
  const { report } = session;
  const offer = await readOffer(session, options, stop);
  const { manifest, files, targets, installed } = offer;
  const from = installed.version, to = manifest.version;
  if (offer.decision === "up-to-date") return report({ event: "up-to-date", version: to });
  if (options.dryRun) {
    checkSpace(session, files, targets);
    return report({ event: "would-update", from, to, files: targets.map(({ path }) => path) });
  }
  const downloads = new ReleaseFiles(session, files, options.allowHttp);
  downloads.prepare();
  checkSpace(session, files, targets);
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
  report({ event: "updated", from, to });
}

/** `--check`: true if there is something to update to. Changes nothing. */
export async function check(session: Session, options: Options, stop: AbortSignal) {
  const { manifest, installed, decision } = await readOffer(session, options, stop);
  const available = decision === "update";
  session.report(
    available
      ? { event: "available", from: installed.version, to: manifest.version }
      : { event: "up-to-date", version: manifest.version },
  );
  return available;
}

async function readOffer(session: Session, options: Options, stop: AbortSignal): Promise<Offer> {
  const { system, dir } = session;
  const { manifest, location } = await readManifest(session, options, stop);
  checkIdentity(manifest, { name: options.name, now: system.clock.now() });
  const files = selectFiles(manifest, system.target, location);
  const targets = files.map((file) => resolveTarget(system, dir, file.target));
  refuseSharedTargets(targets);
  const { healthCheck, allowDowngrade, force } = options;
  const installed = await findInstalled(session, targets, healthCheck, allowDowngrade);
  const release = releaseDigest(files);
  const missing = targets.some((target) => !target.current);
  const decision = decideVersion(
    { version: installed.version, release: installed.release },
    installed.highest,
    { version: manifest.version, release },
    { allowDowngrade, force, incomplete: missing },
  );
  return { manifest, files, targets, installed, release, decision };
}

async function readManifest(session: Session, options: Options, signal: AbortSignal) {
  const { system, report } = session;
  const { allowHttp, manifest: location, pin } = options;
  const { bytes, signedBy } = await fetchSigned(location, options.publicKeys, {
    system,
    allowHttp,
    signal,
  });
  const manifest = parseManifest(bytes, location);
  if (pin !== undefined && manifest.version !== pin) {
    throw new UpdateError(
      "verification",
      `The manifest offers version ${manifest.version}, not ${pin}`,
      { hint: 'Check --pin, and "pinnedManifest" in updater-shim.json.' },
    );
  }
  const { name, version } = manifest;
  report({ event: "manifest", name, version, url: redactUrl(location), signedBy });
  return { manifest, location };
}

/** Two names that lead to one file cannot both be replaced. */
function refuseSharedTargets(targets: readonly Target[]): void {
  for (const [index, { name, path }] of targets.entries()) {
    const first = targets.findIndex((other) => other.path === path);
    if (first === index) continue;
    throw new UpdateError(
      "filesystem",
      `"${targets[first]!.name}" and "${name}" are the same file, "${path}"`,
      { path, hint: "Remove the link, so that each executable has a file of its own." },
    );
  }
}

function highestOf(
  { highest }: InstalledVersion,
  offered: { version: string; release: string },
): { version: string; release: string } {
  if (highest && compareVersions(highest.version, offered.version) > 0) return highest;
  return offered;
}
