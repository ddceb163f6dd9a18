/** Whose the files in a release's places are: what is another tool's or the user's own is never lost. */
import { basename, dirname, join, resolve } from "node:path";
import { UpdateError } from "../base/errors.ts";
import type { HealthCheck } from "../base/health_check.ts";
import { configurationsIn } from "../cli/config.ts";
import { isThere, realPath } from "../files/durable_files.ts";
import { examine } from "../files/executable_format.ts";
import { toolsOf } from "../installation/install_dir.ts";
import { toolIdOf, toolIdOfShim } from "../installation/names.ts";
import {
  type Installed,
  knownReceipt,
  readReceipt,
  type Receipt,
} from "../installation/receipt.ts";
import { behindOf, type Target } from "../installation/targets.ts";
import { isOursAlone } from "../installation/trust.ts";
import type { Session } from "../session.ts";
import { isOriginals } from "../transaction/journal.ts";
import type { Wanted } from "../transaction/plan.ts";
import { holds } from "../transaction/swap.ts";
import { askTarget } from "../transaction/try_target.ts";
import { isUntouched, ownExecutable } from "./file_state.ts";
import type { InstalledVersion } from "./installed.ts";

/** How a file that is not ours is judged. */
interface Judging {
  /** It is replaced all the same. */
  readonly force: boolean;
  /** What one that was changed is asked; where nothing is asked, it is replaced. */
  readonly healthCheck: HealthCheck;
}

/**
 * A file is ours to replace if its content is known, or if it is cut off in its own place. Another one
 * in a plain target's place may be the tool as another installer put it there: if it tells a version, it
 * is replaced too, but kept (`foreign`). What else is there is in use: throws `filesystem`, or keeps it
 * where that is forced.
 */
export async function claim<W extends Wanted>(
  session: Session,
  all: readonly W[],
  installed: Pick<InstalledVersion, "receipt" | "version">,
  judging: Judging,
): Promise<W[]> {
  const { receipt, version } = installed;
  const claimed: W[] = [], others = otherTools(session);
  for (const one of all) {
    const { current } = one.executable;
    const owner = ownerOf(session, one.executable, receipt, others);
    if (!owner && (!current || isOurs(session, one, receipt))) {
      claimed.push(one);
      continue;
    }
    const inUse = owner !== undefined || await isInUse(session, one, receipt, judging);
    if (inUse && !judging.force) throw nameInUse(session, one.executable, owner);
    // A first installation takes over the tool as its installer left it.
    const foreign = current !== undefined &&
      (inUse || receipt !== null || judging.force && version === null);
    claimed.push({ ...one, foreign });
  }
  return claimed;
}

/** Another tool of the folder: one that was installed here, or that has its configuration here. */
interface OtherTool {
  readonly id: string;
  readonly receipt: Receipt | null;
}

function otherTools({ system, dir, renamed }: Session): OtherTool[] {
  const installed = toolsOf(system, dir).slice(1).filter(({ id }) => id !== renamed)
    .map((tool) => ({ id: tool.id, receipt: knownReceipt(readReceipt(system, tool)) }));
  const configured = configurationsIn(system, dir.path)
    .map(({ path }) => ({ id: toolIdOf(path)!, receipt: null }))
    .filter(({ id }) => !system.platform.sameName(id, dir.id));
  return [...installed, ...configured];
}

/** The other tool whose receipt lists a file that our own does not, or whose name it bears. */
function ownerOf(
  { system: { platform }, dir }: Session,
  { name, path, current }: Target,
  receipt: Receipt | null,
  others: readonly OtherTool[],
): string | undefined {
  if (receipt?.files.some((file) => file.name === name)) return undefined;
  // A configuration says whose releases are installed: there is none to be put there either.
  const bears = toolIdOf(name) ?? (current && toolIdOfShim(name));
  const lists = (file: Installed) =>
    file.name === name || resolve(dir.path, file.behind ?? file.name) === path;
  return others.find((other) =>
    bears !== undefined && platform.sameName(other.id, bears) ||
    current && other.receipt?.files.some(lists)
  )?.id;
}

/**
 * Who can sign one release must not thereby decide who signs the next: no release brings the
 * configuration that it is judged by. Throws `verification`.
 */
export function refuseConfiguration({ system, dir }: Session, targets: readonly Target[]): void {
  const { fs, platform } = system;
  const own = [
    join(dir.path, `${dir.id}.json`),
    isThere(fs, dir.config) && realPath(fs, dir.config),
  ];
  for (const { name, path } of targets) {
    const paths = [join(dir.path, name), path];
    if (!own.some((one) => one && paths.some((path) => platform.sameName(one, path)))) continue;
    throw new UpdateError(
      "verification",
      `The release would replace "${path}", the configuration, which says whose releases are installed`,
      { path, hint: "Nothing was installed. Tell the tool's authors." },
    );
  }
}

function isOurs(
  session: Session,
  { executable, digest }: Wanted,
  receipt: Receipt | null,
): boolean {
  const { system: { fs }, dir } = session;
  const { name, path } = executable;
  const isNamed = (file: { name: string }) => file.name === name;
  const copy = receipt?.rollback?.files.find((file) => isNamed(file) && !file.foreign);
  const known = [...receipt?.files ?? [], ...receipt?.dropped ?? []].filter(isNamed);
  if (known.some((file) => isUntouched(fs, path, file) || holds(fs, path, file))) return true;
  if ([copy, digest].some((content) => content && holds(fs, path, content))) return true;
  const listed = receipt?.files.find(isNamed);
  if (listed?.behind === behindOf(fs, dir, executable) && listed) {
    if (examine(fs, path).completeness === "broken") return true;
  }
  return path === ownExecutable(session);
}

/** Of a file that is there and not known: whether it is somebody's. */
async function isInUse(
  session: Session,
  { executable, run }: Wanted,
  receipt: Receipt | null,
  { force, healthCheck }: Judging,
): Promise<boolean> {
  const { system, dir, mayWrite } = session;
  const { name, path } = executable;
  const behind = behindOf(system.fs, dir, executable);
  if (!receipt) {
    const stem = toolIdOfShim(name).toLowerCase();
    return behind !== undefined && !basename(path).toLowerCase().startsWith(stem);
  }
  const listed = receipt.files.find((file) => file.name === name);
  if (behind !== undefined && behind !== listed?.behind) return true;
  if (!listed && !receipt.rollback?.files.some((file) => file.name === name)) return true;
  // In a folder that others may write to, only who may make a copy can ask it.
  const canAsk = mayWrite || isOursAlone(system, dirname(path));
  if (force || !run || !healthCheck || !canAsk) return false;
  return await askTarget(session, path, healthCheck) === undefined;
}

function nameInUse({ dir }: Session, { name, path }: Target, owner?: string): UpdateError {
  const named = join(dir.path, name);
  const place = named === path ? `"${path}"` : `"${path}", where "${named}" leads`;
  return new UpdateError(
    "filesystem",
    owner
      ? `${place} belongs to another tool, that of the shim "${owner}"`
      : `Cannot replace ${place}: it was not installed by this tool's updater`,
    {
      path,
      hint: `${
        owner ? `Update with that one (--config ${owner}.json). Or move` : "Move"
      } it away, or update with --force: then it is kept for --rollback.`,
    },
  );
}

/**
 * A copy of a folder never acts on the original: what lies behind a link is the original's, unless it
 * is taken over by force. Throws `filesystem`.
 */
export function refuseOriginals(
  { system: { fs }, dir }: Session,
  targets: readonly Target[],
  receipt: Receipt | null,
): void {
  const known = [...receipt?.files ?? [], ...receipt?.dropped ?? []];
  for (const { name, path } of targets) {
    const folder = known.find((file) => file.name === name)?.folder;
    if (!isOriginals(fs, dir, folder, path)) continue;
    throw new UpdateError(
      "filesystem",
      `"${path}" belongs to the folder that "${dir.path}" is a copy of`,
      {
        path,
        hint:
          `Put a copy of it in the place of the link "${name}". Where the original is gone, run an update with --force: then it is this folder's.`,
      },
    );
  }
}
