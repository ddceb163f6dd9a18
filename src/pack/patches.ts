/** `--previous`: patches from older releases, for each executable that changed. */
import { join, resolve } from "@std/path";
import { isUrl, redactUrl } from "../base/url_policy.ts";
import { reason, UpdateError } from "../base/errors.ts";
import type { Digest } from "../files/digest.ts";
import { lookAt, moveOrCopy } from "../files/durable_files.ts";
import { onFile } from "../files/fs_errors.ts";
import type { PatchEntry } from "./document.ts";
import { openFolder } from "./open_folder.ts";
import type { ReleaseOptions } from "./pack_command.ts";
import type { PackSystem, PatchJob } from "./pack_system.ts";
import { PublishedFiles, readPublished } from "./published_release.ts";
import { readLayout } from "./read_layout.ts";
import { Refusals } from "./refusals.ts";
import { bare, type Choice, select, type Selection } from "./select.ts";
import { visible } from "../output/text.ts";
import { isMissing } from "../transfer/http.ts";

/** An executable of an older release. */
interface OldExecutable {
  readonly target: string;
  readonly path: string;
  readonly digest: Digest;
}

/** Old executables by triple. */
type OldRelease = ReadonlyMap<string, readonly OldExecutable[]>;

/** One patch to be made, for one or more platforms. */
interface Plan extends PatchJob {
  readonly name: string;
  /** Digests of the old and the new executable. */
  readonly from: Digest;
  readonly to: string;
}

/** Where things are. */
export interface PatchPlaces {
  /** Where patches go: beside the manifest. */
  readonly folder: string;
  /** Of its own. */
  readonly scratch: string;
  readonly urlOf: (patch: string, choice: Choice) => string;
}

/** What the manifest says of each executable's patches. */
export type PatchesOf = (choice: Choice, triple: string) => readonly PatchEntry[];

/**
 * Makes the patches and puts them beside the manifest. A patch that is not worth it is left out, and
 * said. Throws what reading the older releases throws.
 */
export async function makePatches(
  system: PackSystem,
  options: ReleaseOptions,
  selection: Selection,
  { folder, scratch, urlOf }: PatchPlaces,
  signal: AbortSignal,
): Promise<PatchesOf> {
  const { fs, terminal } = system;
  const releases: OldRelease[] = [];
  for (const [index, previous] of options.previous.entries()) {
    const own = join(scratch, `previous-${index}`);
    fs.mkdirSync(own);
    releases.push(await readPrevious(system, previous, selection, own, signal));
  }
  const plans = planPatches(releases, selection, scratch);
  const made = await system.makePatches(plans, signal);
  const patches = new Map<Plan, PatchEntry>();
  for (const [index, plan] of plans.entries()) {
    const result = made[index]!;
    if ("refused" in result) {
      terminal.out(`  no patch ${visible(plan.name)}: ${result.refused}\n`);
      continue;
    }
    const path = join(folder, plan.name);
    onFile("write", path, () => {
      moveOrCopy(fs, plan.outFile, path, join(folder, `.${plan.name}.new`));
      fs.chmodSync(path, 0o644);
    });
    const { from, size, sha256, format } = result;
    patches.set(plan, { from, url: "", size, sha256, format });
    terminal.out(
      `  ${visible(plan.name)}: ${size} bytes, ${
        Math.round(size / plan.fullSize * 100)
      } % of the download\n`,
    );
  }
  return (choice, triple) =>
    plans.flatMap((plan) => {
      const entry = patches.get(plan);
      const fits = entry && plan.to === choice.piece.digest.sha256 &&
        releases.some((release) =>
          release.get(triple)?.some(({ target, digest }) =>
            target === choice.target && digest.sha256 === plan.from.sha256
          )
        );
      return fits ? [{ ...entry, url: urlOf(plan.name, choice) }] : [];
    });
}

/** Each pair of files once, whatever platforms share it. */
function planPatches(
  releases: readonly OldRelease[],
  selection: Selection,
  scratch: string,
): readonly Plan[] {
  const plans = new Map<string, Plan>();
  for (const release of releases) {
    for (const [triple, choices] of selection) {
      for (const { target, piece, from: { digest } } of choices) {
        const old = release.get(triple)?.find((one) => one.target === target);
        if (!old || old.digest.sha256 === piece.digest.sha256) continue;
        const [a, b] = [old.digest.sha256.slice(0, 8), piece.digest.sha256.slice(0, 8)];
        const name = `${bare(target)}-${a}-${b}.patch`;
        if (plans.has(name)) continue;
        plans.set(name, {
          name,
          from: old.digest,
          to: piece.digest.sha256,
          oldFile: old.path,
          newFile: piece.path,
          outFile: join(scratch, name),
          fullSize: digest.size,
        });
      }
    }
  }
  return [...plans.values()];
}

/** A folder as a build left it, or a manifest, by path or URL, whose files are fetched. */
async function readPrevious(
  system: PackSystem,
  previous: string,
  selection: Selection,
  scratch: string,
  signal: AbortSignal,
): Promise<OldRelease> {
  const { fs, cwd } = system;
  const path = isUrl(previous) ? undefined : resolve(cwd, previous);
  try {
    if (path !== undefined && lookAt(fs, path)?.isDirectory) {
      return await readPreviousFolder(system, path, scratch, signal);
    }
    return await readPreviousManifest(system, path ?? previous, selection, scratch, signal);
  } catch (error) {
    signal.throwIfAborted();
    // The first release of all has none before it, and its build is the same.
    if (path === undefined && isMissing(error)) {
      system.terminal.out(`  no patches from ${visible(redactUrl(previous))}: there is nothing\n`);
      return new Map();
    }
    const kind = error instanceof UpdateError ? error.kind : "verification";
    throw new UpdateError(kind, `--previous ${previous} cannot be read: ${reason(error)}`, {
      hint: "Give the folder or the manifest of an older release, or leave it out.",
      cause: error,
    });
  }
}

async function readPreviousFolder(
  system: PackSystem,
  folder: string,
  scratch: string,
  signal: AbortSignal,
): Promise<OldRelease> {
  const refusals = new Refusals();
  const layout = readLayout(system.fs, folder, { name: undefined, exclude: [], platforms: [] });
  const opened = await openFolder(system, layout, scratch, refusals, signal);
  const chosen = select(opened, { version: layout.version, executables: [] }, refusals);
  refusals.throwIfAny();
  return new Map(
    [...chosen].map(([triple, choices]) => [
      triple,
      choices.map(({ target, piece: { path, digest } }) => ({ target, path, digest })),
    ]),
  );
}

async function readPreviousManifest(
  system: PackSystem,
  location: string,
  selection: Selection,
  scratch: string,
  signal: AbortSignal,
): Promise<OldRelease> {
  const options = { system, allowHttp: false, signal };
  const release = await readPublished(location, [], options);
  const files = new PublishedFiles(system, release, scratch, options);
  const old = new Map<string, OldExecutable[]>();
  for (const [triple, choices] of selection) {
    if (!Object.hasOwn(release.manifest.platforms, triple)) continue;
    const wanted = files.filesOf(triple)
      .filter(({ target }) => choices.some((choice) => choice.target === target));
    for (const file of wanted) {
      const { target } = file;
      const { path, digest } = await files.executable(file);
      old.set(triple, [...old.get(triple) ?? [], { target, path, digest }]);
    }
  }
  return old;
}
