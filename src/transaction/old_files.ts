/**
 * The files that are replaced: what they are is read before the commit, and looked at again where it
 * counts. What another installer did in between is not undone.
 */
import { dirname } from "node:path";
import { UpdateError } from "../base/errors.ts";
import { digestFileAside, digestOpen } from "../files/digest.ts";
import { isSameFile, lookAt } from "../files/durable_files.ts";
import { onFile } from "../files/fs_errors.ts";
import { openTrusted } from "../files/trusted_file.ts";
import { isOursAlone } from "../installation/trust.ts";
import type { Session } from "../session.ts";
import type { Located } from "./journal.ts";
import type { Planned, Staged } from "./plan.ts";
import { holds } from "./swap.ts";

/** What is replaced, and the file as it was when it was read; nothing at a first installation. */
export type Old = Pick<Staged, "old" | "targetInfo">;

/** Undefined where nobody can read it now, or the file may be another at any time. */
export async function readAhead(
  { system }: Session,
  { executable: { current }, target }: Planned,
): Promise<Old | undefined> {
  if (!current || !isOursAlone(system, dirname(target))) return undefined;
  const targetInfo = lookAt(system.fs, target);
  const old = await system.fs.digestBehind(target)?.end();
  return old && targetInfo && { old, targetInfo };
}

export async function readOld(
  { system }: Session,
  { executable: { current }, target }: Planned,
  ahead: Promise<Old | undefined> | undefined,
): Promise<Old> {
  const { fs } = system;
  if (!current) return { old: null, targetInfo: undefined };
  if (!isOursAlone(system, dirname(target))) return readSharedOld(system, target);
  const early = await ahead, now = lookAt(fs, target);
  if (early?.targetInfo && now && isSameFile(now, early.targetInfo)) return early;
  return await onFile("read", target, async () => {
    const targetInfo = fs.lstatSync(target);
    return { old: await digestFileAside(fs, target), targetInfo };
  });
}

/** Where its name can mean another file at any time, what was judged is what is read. */
function readSharedOld(system: Session["system"], target: string) {
  const file = openTrusted(system, target, "the target");
  if (!file) return { old: null, targetInfo: undefined };
  try {
    return onFile("read", target, () => ({ targetInfo: file.statSync(), old: digestOpen(file) }));
  } finally {
    file.close();
  }
}

/** Another installer may have been here since the plan was made: what it did is not undone by us. */
export function refuseChangedTarget({ system: { fs } }: Session, staged: Staged): void {
  const { target, targetInfo, executable: { current } } = staged;
  const now = onFile("look at", target, () => lookAt(fs, target));
  if (!now && !targetInfo) return;
  // What was read is what was judged at the beginning, and is there still.
  const known = [targetInfo, current];
  if (now && known.every((then) => then && isSameFile(now, then))) return;
  throw new UpdateError(
    "filesystem",
    targetInfo
      ? `"${target}" was changed by something else while the update ran`
      : `"${target}" was made by something else while the update ran`,
    { path: target, hint: "Nothing was changed. Look what it is, then run the update again." },
  );
}

/**
 * Whether an old one's second name still is what was read: where nobody else can give names, the file
 * that the target was. A copy, where there are no links, is read.
 */
export function isOld({ system }: Session, { previous, old }: Located, staged?: Staged): boolean {
  const { fs } = system;
  const now = lookAt(fs, previous), then = staged?.targetInfo;
  const same = now?.ino && then && isSameFile(now, then);
  if (same && isOursAlone(system, dirname(previous))) return true;
  return old !== null && holds(fs, previous, old);
}
