/**
 * Running what is installed. In a folder that a group may write to, a name can mean another file
 * between a look and the start of the program; so there a target is never run under its own name, but
 * as a copy in a folder of ours.
 */
import { basename, dirname, join } from "node:path";
import type { HealthCheck } from "../base/health_check.ts";
import { copyOpen } from "../files/durable_files.ts";
import { onFile } from "../files/fs_errors.ts";
import { openTrusted } from "../files/trusted_file.ts";
import { makeFolder } from "../installation/install_dir.ts";
import { uniqueName } from "../installation/trash.ts";
import { isOursAlone } from "../installation/trust.ts";
import type { Session } from "../session.ts";
import { askVersion } from "./health.ts";
import { fromWithin } from "./held_folder.ts";

/**
 * What an installed executable, which was judged, prints as its version; undefined where it does not
 * tell, and, in a shared folder, where nothing may be written.
 */
export async function askTarget(
  session: Session,
  path: string,
  check: HealthCheck,
): Promise<string | undefined> {
  const { system, dir, mayWrite } = session;
  if (!check) return undefined;
  if (isOursAlone(system, dirname(path))) {
    return await askVersion(session, { run: path, read: path }, check);
  }
  if (!mayWrite) return undefined;
  const folder = join(dir.staged, uniqueName(system));
  try {
    makeFolder(system, dir.staged);
    makeFolder(system, folder);
    const copy = join(folder, basename(path));
    const target = openTrusted(system, path, "the target");
    if (!target) return undefined;
    try {
      onFile("copy", path, () => copyOpen(system.fs, target, copy, 0o700));
    } finally {
      target.close();
    }
    return await fromWithin(system, copy, (program) => askVersion(session, program, check));
  } finally {
    // One that is left is removed with the staged sets.
    onFile("remove", folder, () => system.fs.removeSync(folder, { recursive: true }));
  }
}
