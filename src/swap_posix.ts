/** Linux and macOS: rename(2) replaces in one step, also an image that is executing. */
import type { System } from "./system.ts";

/** One step. If we die before it, `to` is as it was; after it, `to` is `from`. */
export function replace({ fs }: System, from: string, to: string, _spare: string): Promise<void> {
  fs.renameSync(from, to);
  return Promise.resolve();
}
