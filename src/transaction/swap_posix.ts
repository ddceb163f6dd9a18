/** Linux and macOS: rename(2) replaces in one step, also an image that is executing. */
import type { Session } from "../session.ts";

/** One step. If we die before it, `to` is as it was; after it, `to` is `from`. */
export function replace({ system }: Session, from: string, to: string): Promise<void> {
  system.fs.renameSync(from, to);
  return Promise.resolve();
}
