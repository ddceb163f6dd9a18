/** Which release is offered to this installation, and what it would change here. Changes nothing. */
import { UpdateError } from "../base/errors.ts";
import type { ShimEvent } from "../base/events.ts";
import { redactUrl } from "../base/url_policy.ts";
import { compareVersions, decideVersion, isVersion } from "../base/version.ts";
import type { Options } from "../cli/config.ts";
import { digestFileAside, sameContent } from "../files/digest.ts";
import { onFile } from "../files/fs_errors.ts";
import { readInstallationId } from "../installation/installation_id.ts";
import { knownReceipt, readReceipt } from "../installation/receipt.ts";
import { resolveTarget, type Target } from "../installation/targets.ts";
import type { Downloaded } from "../release/downloaded.ts";
import {
  checkIdentity,
  type Manifest,
  parseManifest,
  type ReleaseFile,
  selectFiles,
} from "../release/manifest.ts";
import { tellMirror } from "../release/mirror_warning.ts";
import { isOffered } from "../release/rollout.ts";
import { fetchSigned, type SignedDocument, verifySigned } from "../release/signed_document.ts";
import type { Session } from "../session.ts";
import { fromAnyMirror } from "../transfer/mirrors.ts";
import type { Access, Limits } from "../transfer/retry.ts";
import type { Wanted } from "../transaction/plan.ts";
import { findInstalled, type InSet, type InstalledVersion, releaseDigest } from "./installed.ts";
import { claim, refuseConfiguration, refuseOriginals } from "./names_in_use.ts";

/** One executable of a release, and what it replaces. */
export interface WantedFile extends Wanted {
  readonly source: ReleaseFile;
}

/** A release that was read and accepted, and what it would change here. */
export interface Offer {
  readonly manifest: Manifest;
  readonly targets: readonly Target[];
  /** What has to be fetched. */
  readonly wanted: readonly WantedFile[];
  /** What is installed already, digest by digest. */
  readonly unchanged: readonly InSet[];
  readonly installed: InstalledVersion;
  readonly release: string;
  readonly decision: "update" | "up-to-date" | "held-back";
  /** The user went back from it. */
  readonly declined: boolean;
  readonly document: SignedDocument;
  /** Where the manifest came from. */
  readonly location: string;
}

/** A manifest as it was accepted, before it is held against what is installed. */
interface Release {
  readonly manifest: Manifest;
  readonly files: readonly ReleaseFile[];
  readonly release: string;
  readonly document: SignedDocument;
  readonly location: string;
}

/** After so long a download is no part of the update that it was made for, and the network is asked. */
const RECENT_MS = 10 * 60_000;
/** Of a network that is not needed. */
const BRIEF: Partial<Limits> = { tries: 2, connectMs: 5_000, totalMs: 15_000 };

/**
 * Reads the manifest and decides. What was downloaded beforehand is as good as a fetched one while it
 * is recent, and otherwise where the network fails. Throws `UpdateError`.
 */
export async function readOffer(
  session: Session,
  options: Options,
  access: Access,
  stop: AbortSignal,
  downloaded?: Downloaded,
): Promise<Offer> {
  const { system, dir } = session;
  const found = await readRelease(session, options, access, stop, downloaded);
  const { manifest, files, release } = found;
  const targets = files.map((file) => resolveTarget(system, dir, file.target));
  refuseSharedTargets(targets);
  refuseConfiguration(session, targets);
  const { healthCheck, allowDowngrade, force } = options;
  const installed = await findInstalled(session, targets, healthCheck, allowDowngrade);
  const missing = targets.some((target) => !target.current);
  const declined = isRolledBack(installed, manifest) && !force && !isGone(installed, targets);
  const newer = options.mayBeNewer && isNewer(installed, manifest);
  const offered = declined || newer ? "up-to-date" : undefined;
  const decision = offered ?? decideVersion(
    { version: installed.version, release: installed.release },
    installed.highest,
    { version: manifest.version, release },
    { allowDowngrade, force, incomplete: missing || installed.changed },
  );
  const heldBack = decision === "update" &&
    isHeldBack(session, options, manifest, installed, targets);
  const all = files.map((source, index) => wantedFile(source, targets[index]!));
  const wantedNow = decision === "update" ? await claim(session, all, installed, options) : [];
  if (decision === "update") refuseUnknown(session, installed, options);
  const { wanted, unchanged } = force
    ? { wanted: wantedNow, unchanged: [] }
    : await split(session, wantedNow);
  if (!force) refuseOriginals(session, wanted.map((file) => file.executable), installed.receipt);
  const what = heldBack ? "held-back" : decision;
  return { ...found, targets, wanted, unchanged, installed, decision: what, declined };
}

/** Why there is nothing to do. */
export function upToDate({ installed, manifest: { version }, declined }: Offer): ShimEvent {
  const event = "up-to-date";
  if (!declined || installed.version === null) return { event, version };
  return { event, version: installed.version, declined: version };
}

function wantedFile(source: ReleaseFile, executable: Target): WantedFile {
  const { member, size, sha256, mode, run } = source;
  const digest = member === undefined ? { size, sha256 } : source.executable ?? null;
  return { source, executable, digest, mode, run };
}

/** What is installed already is neither fetched nor replaced. */
async function split({ system: { fs } }: Session, all: readonly WantedFile[]) {
  const wanted: WantedFile[] = [], unchanged: InSet[] = [];
  for (const file of all) {
    const { executable: { name, path, current }, digest } = file;
    const same = digest !== null && current?.size === digest.size &&
      sameContent(await onFile("read", path, () => digestFileAside(fs, path)), digest);
    if (same) {
      unchanged.push({ name, path, content: digest, replaced: null, modified: current!.mtime });
    } else wanted.push(file);
  }
  return { wanted, unchanged };
}

/** What the user went back from is not offered again before there is something newer. */
function isRolledBack({ receipt }: InstalledVersion, { version }: Manifest): boolean {
  const from = receipt?.rolledBack ?? null;
  return from !== null && isVersion(from) && compareVersions(from, version) === 0;
}

/** What was installed is not there: then there is nothing that was gone back to. */
function isGone({ receipt }: InstalledVersion, targets: readonly Target[]): boolean {
  return targets.some(({ name, current }) =>
    !current && receipt?.files.some((file) => file.name === name)
  );
}

function isNewer({ version }: InstalledVersion, manifest: Manifest): boolean {
  return version !== null && isVersion(version) && compareVersions(version, manifest.version) > 0;
}

/**
 * Whether this installation has to wait for its share of a rollout. A first installation has not, and
 * what is installed already stays, also where it has to be mended.
 */
function isHeldBack(
  { system, dir }: Session,
  { ignoreRollout }: Options,
  manifest: Manifest,
  { version }: InstalledVersion,
  targets: readonly Target[],
): boolean {
  const first = targets.every(({ current }) => current === undefined);
  if (ignoreRollout || first || version === manifest.version) return false;
  return !isOffered(manifest, readInstallationId(system, dir));
}

async function readRelease(
  session: Session,
  options: Options,
  access: Access,
  stop: AbortSignal,
  downloaded: Downloaded | undefined,
): Promise<Release> {
  if (!downloaded || !options.manifests.includes(downloaded.location)) {
    return await fetchRelease(session, options, access, stop);
  }
  const { location, at } = downloaded;
  const age = session.system.clock.now() - at;
  const accept = async () => {
    const document = await verifySigned(downloaded, options.publicKeys, location);
    return acceptManifest(session, options, document, location);
  };
  if (age >= 0 && age < RECENT_MS) {
    try {
      return await accept();
    } catch (error) {
      // It was another key's, or another version is asked for: the network has the last word.
      if (!(error instanceof UpdateError)) throw error;
    }
  }
  try {
    return await fetchRelease(session, options, { limits: BRIEF, ...access }, stop);
  } catch (error) {
    if (!(error instanceof UpdateError) || error.kind !== "network") throw error;
    const release = await accept();
    session.report({
      event: "warning",
      message: error.message,
      hint: `What was downloaded on ${new Date(at).toISOString()} is gone on with.`,
    });
    return release;
  }
}

/**
 * From the first mirror that has one to accept. A mirror that is behind, or whose bytes are not what
 * was signed, is no reason to stop: the next one may be right.
 */
async function fetchRelease(
  session: Session,
  options: Options,
  access: Access,
  signal: AbortSignal,
): Promise<Release> {
  const { publicKeys } = options;
  return await fromAnyMirror(
    options.manifests,
    async (location, limits) => {
      const request = { ...access, limits: { ...limits, ...access.limits }, signal };
      const fetching = { system: session.system, ...request };
      const document = await fetchSigned(location, publicKeys, fetching);
      const read = acceptManifest(session, options, document, location);
      if (options.manifests.length > 1) refuseStale(session, options, read);
      return read;
    },
    // Of these, none is about this machine but a file that a mirror's path leads to.
    ({ kind }) => ["network", "verification", "usage", "filesystem"].includes(kind),
    (failure, next) => tellMirror(session.report, failure, next),
  );
}

function acceptManifest(
  { system, dir, report }: Session,
  options: Options,
  document: SignedDocument,
  location: string,
): Release {
  const { name: expected, pin } = options;
  const { bytes, signedBy } = document;
  const manifest = parseManifest(bytes, location);
  if (pin !== undefined && manifest.version !== pin) {
    throw new UpdateError(
      "verification",
      `The manifest offers version ${manifest.version}, not ${pin}`,
      { hint: 'Check --pin, and "pinnedManifest" in updater-shim.json.' },
    );
  }
  const { name, version } = manifest;
  report({
    event: "manifest",
    name,
    version,
    url: redactUrl(location),
    signedBy,
    ...(manifest.notes !== undefined && { notes: manifest.notes }),
    ...(manifest.homepage !== undefined && { homepage: manifest.homepage }),
  });
  // Two tools of one id would be one: the second would replace the first, and be removed with it.
  const known = options.force ? undefined : knownReceipt(readReceipt(system, dir))?.name;
  checkIdentity(manifest, { name: expected ?? known ?? undefined, now: system.clock.now() });
  const others = options.manifests.filter((place) => place !== location);
  const files = selectFiles(manifest, system.target, location, others);
  return { manifest, files, release: releaseDigest(files), document, location };
}

/** A mirror that is older than what was seen here already, by the receipt alone. */
function refuseStale(
  { system, dir }: Session,
  { allowDowngrade, force }: Options,
  { manifest: { version }, release }: Release,
): void {
  const receipt = readReceipt(system, dir);
  if (typeof receipt === "string") return;
  const nothing = { version: null, release: null };
  decideVersion(nothing, receipt.highest, { version, release }, { allowDowngrade, force });
}

/**
 * That nobody knows the installed version is no licence for an older one. An author who turned the
 * question off (`healthCheck: false`) has answered it.
 */
function refuseUnknown(
  { dir }: Session,
  { present, version, highest }: InstalledVersion,
  { allowDowngrade, force, healthCheck, name }: Options,
): void {
  if (!present || version !== null || highest || allowDowngrade || force || !healthCheck) return;
  throw new UpdateError(
    "verification",
    `It is not known which version of ${name ?? "the tool"} is installed in "${dir.path}"`,
    {
      path: dir.path,
      hint:
        "It does not tell its version, or cannot be run there (noexec, a folder that others write to), so the release may be older. Use --force once if it is not.",
    },
  );
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
