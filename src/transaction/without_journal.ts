/** What the receipt alone can tell about an update whose journal cannot be read. */
import { basename, dirname, join } from "node:path";
import { syncFolders } from "../files/durable_files.ts";
import { examine } from "../files/executable_format.ts";
import { onFile } from "../files/fs_errors.ts";
import { lookAtTrusted } from "../files/trusted_file.ts";
import { moveOver } from "../installation/move_over.ts";
import { isHiddenName, namesBeside } from "../installation/names.ts";
import { knownReceipt, readReceipt } from "../installation/receipt.ts";
import { pathOf } from "../installation/targets.ts";
import { discard, uniqueName } from "../installation/trash.ts";
import type { Unrepaired } from "../orphans/orphans.ts";
import type { Session } from "../session.ts";
import { isOriginals } from "./journal.ts";
import { holds } from "./swap.ts";

/** What came back, or is left of a mix. */
export interface PutBack {
  readonly mended: readonly string[];
  readonly unrepaired: readonly Unrepaired[];
}

/**
 * The receipt is written after the commit, so it still names the old set. Old versions that have its
 * digests say that targets were being replaced: what is missing or broken comes back from them. A
 * complete file that is another one may be the update's or somebody's own: nobody knows without the
 * journal, so it stays, beside its old version, and is told. If we die, the next start finds the
 * rest. Throws `filesystem`.
 */
export async function putBackInstalled(session: Session): Promise<PutBack> {
  const { system, dir, report } = session;
  const { fs } = system;
  const receipt = knownReceipt(readReceipt(system, dir));
  const files = receipt?.files.map((file) => {
    const target = onFile("find", join(dir.path, file.name), () => pathOf(system, dir, file.name));
    const folder = dirname(target);
    const { previous, hiddenPrevious, aside } = namesBeside(target, uniqueName(system));
    // The hidden name of that update differs in its sixteen digits only.
    const masked = (name: string) => name.replace(/[0-9a-f]{16}(?=\.previous)/, "");
    const hidden = [...fs.readDirSync(folder)].map(({ name }) => name).filter((name) =>
      isHiddenName(name) && masked(name) === masked(basename(hiddenPrevious))
    );
    const olds = [previous, ...hidden.map((name) => join(folder, name))].filter((path) =>
      !isOriginals(fs, dir, file.folder, target) && holds(fs, path, file)
    );
    const changed = !holds(fs, target, file);
    const lost = changed && ["missing", "broken"].includes(examine(fs, target).completeness);
    return { target, olds, aside, changed, lost };
  }) ?? [];
  const begun = files.filter(({ olds }) => olds.length > 0);
  if (begun.length === 0) return { mended: [], unrepaired: [] };
  const back = begun.filter(({ lost }) => lost);
  for (const { target, olds: [old], aside } of back) {
    lookAtTrusted(system, old!, "the old file");
    await onFile("put back the old", target, () => moveOver(session, old!, target, aside));
    report({ event: "repaired", path: target, from: old! });
  }
  syncFolders(fs, begun.map(({ target }) => target));
  const mended = back.map(({ target }) => target);
  const others = files.filter((file) => file.changed && !back.includes(file));
  if (others.length > 0) {
    const hint = "Keep the one that you want. Then run the update again with --force.";
    const unrepaired = others.map(({ target: path, olds: [old], lost }) => ({
      path,
      why: old
        ? `it is not what was installed; that is "${old}"`
        : `it is ${lost ? "lost" : "not what was installed"}, and no old version of it is left`,
      hint,
    }));
    return { mended, unrepaired };
  }
  for (const path of begun.flatMap(({ olds }) => olds)) {
    onFile("remove", path, () => discard(session, path));
  }
  return { mended, unrepaired: [] };
}
