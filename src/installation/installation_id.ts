/**
 * A random number of this installation, by which it has its place in a rollout. It means nothing, and
 * never leaves the state dir: what is made of it is a yes or a no.
 */
import { onFile } from "../files/fs_errors.ts";
import { removeIfThere, writeAll } from "../files/durable_files.ts";
import { readTrusted } from "../files/trusted_file.ts";
import type { System } from "../system/system.ts";
import type { InstallDir } from "./install_dir.ts";

const BYTES = 16;
const FORM = /^[0-9a-f]{32}\n$/;

/** The id, or undefined where none was made yet. Throws `filesystem` for a file of others. */
export function readInstallationId(
  system: Pick<System, "fs" | "user">,
  dir: InstallDir,
): string | undefined {
  let text: string;
  try {
    const bytes = readTrusted(system, dir.installationId, "the installation id", 64);
    text = new TextDecoder().decode(bytes);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  return FORM.test(text) ? text.trim() : undefined;
}

/**
 * Makes the id where there is none. The tool's folder in the state dir must exist. Cut short, there is
 * a part of one, which is none: the next call makes another.
 */
export function ensureInstallationId(system: System, dir: InstallDir): void {
  if (readInstallationId(system, dir) !== undefined) return;
  const id = system.randomBytes(BYTES).toHex();
  const path = dir.installationId;
  onFile("write", path, () => {
    removeIfThere(system.fs, path);
    const file = system.fs.openSync(path, { write: true, createNew: true, mode: 0o600 });
    try {
      writeAll(file, new TextEncoder().encode(`${id}\n`));
    } finally {
      file.close();
    }
  });
}
