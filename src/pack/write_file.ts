/** Writing what was made. */
import { writeAll } from "../files/durable_files.ts";
import { onFile } from "../files/fs_errors.ts";
import type { FileSystem } from "../system/system.ts";

/** Replaces a file in one step: nobody ever sees half of it. Throws `filesystem`. */
export function writeFile(
  fs: FileSystem,
  path: string,
  content: string | Uint8Array,
  mode: number,
): void {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
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
