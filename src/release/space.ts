/** Room on the disk for what is to come. */
import { dirname } from "node:path";
import { format } from "@std/fmt/bytes";
import { UpdateError } from "../base/errors.ts";
import type { Digest } from "../files/digest.ts";
import { lookAt } from "../files/durable_files.ts";
import type { Session } from "../session.ts";
import type { FileSystem } from "../system/file_system.ts";
import { type Arriving, partialPath, type Patches } from "./patches.ts";

/** Refuses before the first byte if a file system cannot hold what is to come. */
export function checkSpace(
  session: Session,
  files: readonly Arriving[],
  patches: Patches = new Map(),
): void {
  const { system: { fs }, dir } = session;
  const needs = new Map<number, { folder: string; bytes: number }>();
  const need = (folder: string, bytes: number) => {
    const device = fs.statSync(folder).dev;
    const before = needs.get(device)?.bytes ?? 0;
    needs.set(device, { folder, bytes: before + bytes });
  };
  // A dry run makes no state dir: it would be on the file system of the install dir.
  const state = lookAt(fs, dir.state) ? dir.state : dir.path;
  const fetched = (source: Digest) => lookAt(fs, partialPath(session, source))?.size ?? 0;
  const seen = new Set<string>();
  for (const { file, path } of files) {
    const planned = patches.get(file);
    const source = planned?.patch ?? file;
    const first = !seen.has(source.sha256);
    const folder = dirname(path);
    if (first) need(state, Math.max(0, source.size - fetched(source)));
    const moved = !planned && file.member === undefined && first &&
      fs.statSync(folder).dev === fs.statSync(state).dev;
    if (!moved) need(folder, planned?.result.size ?? file.executable?.size ?? file.size);
    seen.add(source.sha256);
  }
  for (const { folder, bytes } of needs.values()) {
    const free = freeBytes(fs, folder);
    if (free >= bytes) continue;
    throw new UpdateError(
      "filesystem",
      `Not enough space in "${folder}": the update needs ${format(bytes)}, ${
        format(free)
      } are free`,
      { path: folder, hint: "Free some space and run again. Nothing was changed." },
    );
  }
}

/** Without end where the system cannot tell (long paths on Windows): the disk has the last word. */
function freeBytes(fs: FileSystem, folder: string): number {
  try {
    return fs.freeBytes(folder);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error; // ours: see .ci/compile.ts
    return Infinity;
  }
}
