/** Which names of a release may be taken over: nothing of another tool's or the user's own. */
import { UpdateError } from "../base/errors.ts";
import { toolsOf } from "../installation/install_dir.ts";
import { knownReceipt, readReceipt, type Receipt } from "../installation/receipt.ts";
import type { Session } from "../session.ts";
import { isOriginals } from "../transaction/journal.ts";
import { holds } from "../transaction/swap.ts";
import type { Target } from "../installation/targets.ts";

/**
 * A release may replace what the tool's own receipt lists, what is missing and, at a first
 * installation, what is there under its names; never what another tool's receipt lists. Throws
 * `filesystem` for anything else.
 */
export function refuseNamesInUse(
  { system, dir, renamed }: Session,
  targets: readonly Target[],
  receipt: Receipt | null,
): void {
  const others = toolsOf(system, dir).slice(1).filter(({ id }) => id !== renamed);
  for (const { name, path, current } of targets) {
    const own = receipt && (receipt.files.some((file) => file.name === name) ||
      receipt.dropped.some((file) => file.name === name && holds(system.fs, path, file)));
    if (!current || own) continue;
    const owner = others.find((tool) =>
      knownReceipt(readReceipt(system, tool))?.files.some((file) => file.name === name)
    );
    if (!owner && !receipt) continue;
    throw new UpdateError(
      "filesystem",
      owner
        ? `"${path}" was installed here by the shim "${owner.id}"`
        : `Cannot replace "${path}": it was not installed by this tool's updater`,
      {
        path,
        hint: `${
          owner ? `Update with that one (--config ${owner.id}.json). Or move` : "Move"
        } it away, or use --force: then it is kept for --rollback.`,
      },
    );
  }
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
