/** Which names of a release may be taken over: nothing of another tool's or the user's own. */
import { UpdateError } from "../base/errors.ts";
import { toolsOf } from "../installation/install_dir.ts";
import { knownReceipt, readReceipt, type Receipt } from "../installation/receipt.ts";
import type { Session } from "../session.ts";
import type { Target } from "../installation/targets.ts";

/**
 * A release may replace what the tool's own receipt lists, what is missing and, at a first
 * installation, what is there under its names; never what another tool's receipt lists. Throws
 * `filesystem` for anything else.
 */
export function refuseNamesInUse(
  { system, dir }: Session,
  targets: readonly Target[],
  receipt: Receipt | null,
): void {
  const own = receipt && [...receipt.files, ...receipt.dropped].map(({ name }) => name);
  const [, ...others] = toolsOf(system, dir);
  for (const { name, path, current } of targets) {
    if (!current || own?.includes(name)) continue;
    const owner = others.find((tool) =>
      knownReceipt(readReceipt(system, tool))?.files.some((file) => file.name === name)
    );
    if (!owner && !own) continue;
    throw new UpdateError(
      "filesystem",
      owner
        ? `"${path}" is installed by another tool's updater, "${owner.id}"`
        : `"${path}" is in use: it was not installed by this tool's updater`,
      {
        path,
        hint:
          "Move it away, or run again with --force: then it is replaced, and kept for --rollback.",
      },
    );
  }
}
