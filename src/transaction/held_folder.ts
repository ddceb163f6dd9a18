/**
 * Running a program of ours where a group may exchange the folders above it: there its path can lead
 * to another file between the last look and the start. A working folder is held, not named: whatever
 * is done to its names, it stays the one that was looked at.
 */
import { basename, dirname } from "node:path";
import { isOursAlone, requireOwnFolder } from "../installation/trust.ts";
import type { System } from "../system/system.ts";

/** What is run by one name may have to be read by another: below `/proc` the runtime opens nothing. */
export interface Program {
  readonly run: string;
  readonly read: string;
}

/** The name under which a file in a folder of ours is run: its own, where nobody else can exchange it. */
export function heldPath(system: System, path: string): string {
  const heldFolder = system.platform.heldFolder(system.os);
  if (heldFolder === undefined || isOursAlone(system, dirname(path))) return path;
  return `${heldFolder}/${basename(path)}`;
}

/** Runs `work` from within the file's folder, where that is needed. Throws `filesystem` where it is not ours. */
export async function fromWithin<T>(
  system: System,
  path: string,
  work: (program: Program) => Promise<T>,
): Promise<T> {
  const run = heldPath(system, path);
  if (run === path) return await work({ run, read: path });
  using _ = system.processes.enter(dirname(path));
  requireOwnFolder(system, ".", "to run programs in");
  return await work({ run, read: `./${basename(path)}` });
}
