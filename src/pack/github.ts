/** A release that is on GitHub already: its listing, and the files that matter, downloaded. */
import { join } from "@std/path";
import * as v from "valibot";
import { UpdateError } from "../base/errors.ts";
import { describeIssue } from "../base/json_issue.ts";
import { fetchDocument, isMissing } from "../transfer/http.ts";
import { fillPartial } from "../transfer/partial_download.ts";
import { type FetchOptions, withDeadline } from "../transfer/retry.ts";
import { isDigestFile } from "./digests.ts";
import { DIST_MANIFEST } from "./dist.ts";
import type { Layout } from "./layout.ts";
import type { ReleaseOptions } from "./pack_command.ts";
import type { PackSystem } from "./pack_system.ts";
import { unusedByName } from "./plain_folder.ts";
import { platformOfName } from "./platforms.ts";
import { readLayout } from "./read_layout.ts";
import { withoutEnd } from "../base/text_end.ts";

const LISTING_LIMIT = 16 * 1024 * 1024;
/** More at once make nothing faster. */
const AT_ONCE = 4;

/** The fields that we use (docs.github.com, REST API, "Get a release by tag name"). */
const Release = v.object({
  tag_name: v.string(),
  html_url: v.string(),
  published_at: v.nullish(v.string()),
  assets: v.array(v.object({
    name: v.string(),
    size: v.number(),
    browser_download_url: v.string(),
    digest: v.nullish(v.string()),
  })),
});
type Release = v.InferOutput<typeof Release>;

/** Which release, and where GitHub's API is. */
export interface GithubJob {
  /** `OWNER/REPO@TAG`; without a tag the latest. */
  readonly spec: string;
  readonly api: string;
  /** An empty folder for its files. */
  readonly folder: string;
}

/** Reads the release as if its files lay in a folder. Throws `usage`, `network`, `filesystem`. */
export async function readGithubRelease(
  system: PackSystem,
  { spec, api, folder }: GithubJob,
  wishes: ReleaseOptions,
  signal: AbortSignal,
): Promise<Layout> {
  const options = optionsFor(system, api, signal);
  const release = await fetchListing(spec, api, options);
  const wanted = release.assets.filter(({ name }) => isNeeded(name));
  const queue = wanted.values();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const asset of queue) await fetchAsset(asset, join(folder, asset.name), options);
  }));
  const layout = readLayout(system.fs, folder, wishes);
  const digests = [...layout.digests];
  for (const { name, digest } of release.assets) {
    const [, sha256] = /^sha256:([0-9a-f]{64})$/.exec(digest ?? "") ?? [];
    if (sha256) digests.push({ file: name, sha256, by: "GitHub" });
  }
  const urls = new Map(release.assets.map((asset) => [asset.name, asset.browser_download_url]));
  return {
    ...layout,
    kind: `GitHub release ${release.tag_name}, ${layout.kind}`,
    version: layout.version ?? versionOfTag(release.tag_name),
    date: release.published_at ?? undefined,
    notes: release.html_url,
    artifacts: layout.artifacts.map((artifact) => ({ ...artifact, url: urls.get(artifact.name) })),
    digests,
    unused: [
      ...layout.unused,
      ...release.assets.filter(({ name }) => !isNeeded(name)).map(({ name }) => ({
        name,
        why: unusedByName(name) ?? "there is no shim for this platform",
      })),
    ],
  };
}

/** A token, where the environment has one, goes to the API and to nobody else. */
function optionsFor(system: PackSystem, api: string, signal: AbortSignal): FetchOptions {
  const token = system.env("GH_TOKEN") || system.env("GITHUB_TOKEN");
  const { origin } = new URL(api);
  const authorize = (server: URL) =>
    token && server.origin === origin ? `Bearer ${token}` : undefined;
  return { system, allowHttp: false, authorize, signal };
}

async function fetchListing(
  spec: string,
  api: string,
  options: FetchOptions,
): Promise<Release> {
  const [, owner, repository, tag] = /^([\w.-]+)\/([\w.-]+?)(?:@(.+))?$/.exec(spec) ?? [];
  if (owner === undefined || repository === undefined) {
    throw new UpdateError("usage", `--github needs OWNER/REPO@TAG, not "${spec.slice(0, 100)}"`);
  }
  const which = tag === undefined ? "latest" : `tags/${encodeURIComponent(tag)}`;
  const url = `${withoutEnd(api, "/")}/repos/${owner}/${repository}/releases/${which}`;
  const { bytes } = await fetchDocument(url, { ...options, limit: LISTING_LIMIT }).catch(
    (cause) => {
      if (!isMissing(cause)) throw cause;
      throw new UpdateError("usage", `GitHub knows no published release ${spec}`, {
        url,
        hint: "Check the names, and publish the draft. For a private repository set GH_TOKEN.",
        cause,
      });
    },
  );
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new UpdateError("network", `The answer of ${url} is not JSON`, { url, cause });
  }
  const result = v.safeParse(Release, json, { abortEarly: true });
  if (result.success) return result.output;
  const what = describeIssue(result.issues[0]);
  throw new UpdateError("network", `The answer of ${url} is no release of GitHub: ${what}`, {
    url,
  });
}

/** What describes the release, and what could be for a shim. */
function isNeeded(name: string): boolean {
  if (name === DIST_MANIFEST || isDigestFile(name)) return true;
  return unusedByName(name) === undefined && platformOfName(name).triples?.length !== 0;
}

async function fetchAsset(
  { browser_download_url: url, size }: Release["assets"][number],
  path: string,
  options: FetchOptions,
): Promise<void> {
  // What GitHub says of digests is compared later, like any checksum file.
  const file = { url, size, sha256: "" };
  await withDeadline(
    url,
    options,
    (transfer) => fillPartial(file, path, transfer, { ranges: false, progress: () => {} }),
  );
}

/** As long as git lets a tag be on most file systems. */
const MAX_TAG = 255;

/** `v1.4.0`, `mytool-v1.4.0`, `mytool@1.4.0`, `release/1.4.0`. */
function versionOfTag(tag: string): string {
  return /(?:^|[^0-9.])v?(\d+(?:\.\d+)*(?:[-+][0-9A-Za-z.+-]+)?)$/.exec(tag.slice(-MAX_TAG))?.[1] ??
    tag;
}
