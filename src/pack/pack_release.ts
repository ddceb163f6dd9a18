/** The story: read the folders, look into the files, choose, write, sign, and read it as a shim. */
import { dirname, join, resolve } from "@std/path";
import { checkAsShim } from "./check_result.ts";
import type { OpenedArtifact } from "./contents.ts";
import { makeDocument, writeJson } from "./document.ts";
import { factsOf, versionOf } from "./facts.ts";
import { readGithubRelease } from "./github.ts";
import type { Artifact, Layout } from "./layout.ts";
import { UpdateError } from "../base/errors.ts";
import { lookAt } from "../files/durable_files.ts";
import { openFolder } from "./open_folder.ts";
import type { PackCommand } from "./pack_command.ts";
import type { PackSystem } from "./pack_system.ts";
import { makePatches } from "./patches.ts";
import { readLayout } from "./read_layout.ts";
import { Refusals } from "./refusals.ts";
import { describeFolder, describeResult } from "./report.ts";
import { bare, type Choice, select, type Selection } from "./select.ts";
import { refuseSecretKeys } from "./secret_in_folder.ts";
import { signIfAsked } from "./sign_release.ts";
import { warnOfWishes } from "./wishes.ts";
import { checkBase, warnOfSameUrls } from "./urls.ts";
import { writeFile } from "./write_file.ts";
import { withoutEnd } from "../base/text_end.ts";

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
    for (const folder of folders) if (lookAt(fs, folder)?.isDirectory) refuseSecretKeys(fs, folder);
    checkBase(job.release.url);
    const layouts = folders.map((folder) => readLayout(fs, folder, job.release));
    if (job.github !== undefined) {
      const folder = join(scratch, "github");
      fs.mkdirSync(folder);
      const where = { spec: job.github, api: job.githubApi, folder };
      layouts.push(await readGithubRelease(system, where, job.release, stop));
      folders.push(job.github);
    }
    if (layouts.every(({ artifacts, unused }) => artifacts.length + unused.length === 0)) {
      throw new UpdateError("usage", `There is no file in ${quoted(folders)}`, {
        hint: "Let the build write its release files there, or give the folder that has them.",
      });
    }
    warnOfWishes(job.release, layouts, terminal);
    const refusals = new Refusals();
    const opened = await openAll(system, layouts, scratch, refusals, stop);
    const version = await refusals.attempt(() =>
      Promise.resolve().then(() => versionOf(job.release.version, layouts))
    );
    const { executables } = job.release;
    const selection = select(opened, { version, executables }, refusals);
    layouts.forEach((layout, index) =>
      terminal.out(describeFolder(folders[index]!, layout, opened, selection, refusals))
    );
    refusals.throwIfAny();
    const facts = factsOf(system, job.release, layouts, executableNames(selection));
    const output = resolve(cwd, job.output ?? join(job.folders[0] ?? ".", "release.json"));
    const urlOf = (name: string, { from: { artifact } }: Choice) =>
      urlFor(name, artifact, layouts, job.release.url);
    const patchesOf = await makePatches(system, job.release, selection, {
      folder: dirname(output),
      scratch,
      urlOf,
    }, stop);
    const document = makeDocument(
      facts,
      selection,
      (choice) => choice.from.artifact.url ?? urlOf(choice.from.artifact.name, choice),
      patchesOf,
    );
    const bytes = new TextEncoder().encode(writeJson(document));
    const manifest = checkAsShim(bytes, output, clock.now());
    stop.throwIfAborted();
    warnOfSameUrls(manifest, job.release.url, terminal);
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
  for (const [index, layout] of layouts.entries()) {
    const folder = join(scratch, `folder-${index}`);
    system.fs.mkdirSync(folder);
    opened.push(...await openFolder(system, layout, folder, refusals, stop));
  }
  return opened;
}

function quoted(folders: readonly string[]): string {
  return folders.map((folder) => `"${folder}"`).join(", ");
}

function executableNames(selection: Selection): readonly string[] {
  const names = [...selection.values()].flat()
    .filter(({ piece }) => piece.kind !== "library").map(({ target }) => bare(target));
  return [...new Set(names)].sort();
}

/** Absolute where it is known; else relative to the manifest, which then has to lie beside it. */
function urlFor(
  name: string,
  artifact: Artifact,
  layouts: readonly Layout[],
  given: string | undefined,
): string {
  const layout = layouts.find(({ artifacts }) => artifacts.includes(artifact));
  const base = given ?? layout?.base ?? artifact.url?.replace(/\/[^/]*$/, "");
  const path = name.split("/").map(encodeURIComponent).join("/");
  return base === undefined ? path : `${withoutEnd(base, "/")}/${path}`;
}
