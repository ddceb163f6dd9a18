/** The story: read the folders, look into the files, choose, write, sign, and read it as a shim. */
import { join, resolve } from "@std/path";
import { checkAsShim } from "./check_result.ts";
import { openArtifact, type OpenedArtifact } from "./contents.ts";
import { makeDocument, writeJson } from "./document.ts";
import { factsOf, versionOf } from "./facts.ts";
import { readGithubRelease } from "./github.ts";
import type { Artifact, Layout } from "./layout.ts";
import type { PackCommand } from "./pack_options.ts";
import type { PackSystem } from "./pack_system.ts";
import { readLayout } from "./read_layout.ts";
import { Refusals } from "./refusals.ts";
import { describeFolder, describeResult } from "./report.ts";
import { bare, type Choice, select, type Selection } from "./select.ts";
import { signIfAsked } from "./sign_release.ts";
import { writeFile } from "./write_file.ts";

type PackJob = Extract<PackCommand, { kind: "pack" }>;

/** Makes the manifest of a release, and its signature where asked. Throws what is refused. */
export async function packRelease(
  system: PackSystem,
  job: PackJob,
  stop: AbortSignal,
): Promise<void> {
  const { fs, cwd, terminal, clock } = system;
  const folders = job.folders.map((folder) => resolve(cwd, folder));
  const scratch = system.makeScratch();
  try {
    const layouts = folders.map((folder) => readLayout(fs, folder, job.release));
    if (job.github !== undefined) {
      const folder = join(scratch, "github");
      fs.mkdirSync(folder);
      const where = { spec: job.github, api: job.githubApi, folder };
      layouts.push(await readGithubRelease(system, where, job.release, stop));
      folders.push(job.github);
    }
    const refusals = new Refusals();
    const opened = await openAll(system, layouts, scratch, refusals, stop);
    const version = await refusals.attempt(() =>
      Promise.resolve().then(() => versionOf(job.release.version, layouts))
    );
    const { executables } = job.release;
    const selection = select(opened, { version, executables }, refusals);
    layouts.forEach((layout, index) =>
      terminal.out(describeFolder(folders[index]!, layout, opened, selection))
    );
    refusals.throwIfAny();
    const facts = factsOf(system, job.release, layouts, executableNames(selection));
    const urlOf = ({ from: { artifact } }: Choice) => urlFor(artifact, layouts, job.release.url);
    const document = makeDocument(facts, selection, urlOf, () => []);
    const bytes = new TextEncoder().encode(writeJson(document));
    const output = resolve(cwd, job.output ?? join(job.folders[0] ?? ".", "release.json"));
    const manifest = checkAsShim(bytes, output, clock.now());
    stop.throwIfAborted();
    writeFile(fs, output, bytes, 0o644);
    const keyId = await signIfAsked(system, output, bytes, manifest, job.signing);
    terminal.out(describeResult(output, manifest, keyId));
  } finally {
    fs.removeSync(scratch, { recursive: true });
  }
}

async function openAll(
  system: PackSystem,
  layouts: readonly Layout[],
  scratch: string,
  refusals: Refusals,
  stop: AbortSignal,
): Promise<readonly OpenedArtifact[]> {
  const opened: OpenedArtifact[] = [];
  for (const layout of layouts) {
    for (const artifact of layout.artifacts.filter(({ triples }) => triples?.length !== 0)) {
      stop.throwIfAborted();
      const folder = join(scratch, `${opened.length}`);
      system.fs.mkdirSync(folder);
      const found = await refusals.attempt(() => openArtifact(system, artifact, folder));
      if (!found) continue;
      checkDigest(found, layout, refusals);
      opened.push(found);
    }
  }
  return opened;
}

/** A build's own checksum is of the file, or (as zellij publishes it) of the executable in it. */
function checkDigest(
  { artifact: { name }, digest, pieces }: OpenedArtifact,
  { digests }: Layout,
  refusals: Refusals,
): void {
  const noted = digests.get(name) ??
    [...digests].find(([stem]) => name.startsWith(`${stem}.`))?.[1];
  if (!noted) return;
  const found = [digest.sha256, ...pieces.map((piece) => piece.digest.sha256)];
  if (found.includes(noted.sha256)) return;
  refusals.add(
    "verification",
    `"${name}" is not what "${noted.by}" says: SHA-256 ${digest.sha256} instead of ${noted.sha256}`,
    `One of the two is of another build: make both anew, or leave it out: --exclude "${name}"`,
  );
}

function executableNames(selection: Selection): readonly string[] {
  const names = [...selection.values()].flat()
    .filter(({ piece }) => piece.kind !== "library").map(({ target }) => bare(target));
  return [...new Set(names)].sort();
}

/** Absolute where it is known; else relative to the manifest, which then has to lie beside it. */
function urlFor(artifact: Artifact, layouts: readonly Layout[], given: string | undefined): string {
  if (artifact.url !== undefined) return artifact.url;
  const layout = layouts.find(({ artifacts }) => artifacts.includes(artifact));
  const base = given ?? layout?.base;
  const path = artifact.name.split("/").map(encodeURIComponent).join("/");
  return base === undefined ? path : `${base.replace(/\/+$/, "")}/${path}`;
}
