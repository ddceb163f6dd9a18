/** Least privilege: which programs the shim may still run, once that is known. */
import { join } from "node:path";
import { heldPath } from "./held_folder.ts";
import type { Located } from "./journal.ts";
import { knownReceipt, readReceipt } from "../installation/receipt.ts";
import type { Session } from "../session.ts";

/**
 * From the journal's first record on, before the first file is fetched, only these can be run: the
 * staged files, their targets and the tool's other executables (to start it again, by its name in
 * the install dir, which may be a link).
 */
export function confine({ system, dir }: Session, files: readonly Located[]): void {
  const known = knownReceipt(readReceipt(system, dir))?.files ?? [];
  const tool = [...files, ...known].map(({ name }) => join(dir.path, name));
  const tried = files.flatMap(({ staged, target }) => [staged, heldPath(system, staged), target]);
  const programs = new Set([...tried, ...tool]);
  system.processes.confine([...programs], dir.partial);
}
