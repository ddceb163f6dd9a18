/** Writing what was made. */
import { dirname } from "@std/path";
import { UpdateError } from "../base/errors.ts";
import { lookAt, writeAll } from "../files/durable_files.ts";
import { onFile } from "../files/fs_errors.ts";
import type { FileSystem } from "../system/file_system.ts";

/** Replaces a file in one step: nobody ever sees half of it. Throws `usage`, `filesystem`. */
export function writeFile(
  fs: FileSystem,
  path: string,
  content: string | Uint8Array,
  mode: number,
): void {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const folder = dirname(path);
  if (!lookAt(fs, folder)?.isDirectory) {
    throw new UpdateError("usage", `Cannot write "${path}": there is no folder "${folder}"`, {
      path,
      hint: "Make it first, or give another place.",
    });
  }
  const fresh = `${path}.new`;
  onFile("write", path, () => {
    const file = fs.openSync(fresh, { write: true, create: true, truncate: true, mode });
    try {
      writeAll(file, bytes);
      file.syncSync();
    } finally {
      file.close();
    }
    fs.renameSync(fresh, path);
  });
}
