/** A secret key among the files that are to be uploaded. */
import { join } from "@std/path";
import { UpdateError } from "../base/errors.ts";
import { lookAt } from "../files/durable_files.ts";
import type { FileSystem } from "../system/file_system.ts";
import { listFiles, readText } from "./folder.ts";
import { holdsSecretKey } from "./secret_key.ts";

/** A key has some 300 bytes; a file of settings that somebody put it into has not many more. */
const LARGEST = 64 * 1024;

/**
 * Throws `usage` if a file of the folder has one of minisign's secret keys in it, whatever it is
 * called. `--exclude` does not help: it keeps a file out of the manifest, and not out of an upload.
 */
export function refuseSecretKeys(fs: FileSystem, folder: string): void {
  for (const name of listFiles(fs, folder, { hidden: true })) {
    const path = join(folder, name);
    if ((lookAt(fs, path)?.size ?? 0) > LARGEST) continue;
    if (!holdsSecretKey(readText(fs, path) ?? "")) continue;
    throw new UpdateError(
      "usage",
      `"${path}" has a secret key in it, and "${folder}" is uploaded`,
      {
        path,
        hint: `Move it out of "${folder}", then pack. If it was uploaded once, make a new key: ` +
          "who has the old one can sign updates.",
      },
    );
  }
}
