/** Whom servers may be told that we are: the credentials of a private server. */
import { openPatiently } from "../system/patience.ts";
import { reason, UpdateError } from "../base/errors.ts";
import { onFile } from "../files/fs_errors.ts";
import type { Options } from "../cli/config.ts";
import type { OpenFile, System } from "../system/system.ts";
import { parseCredentials } from "../transfer/credentials.ts";
import type { Access } from "../transfer/retry.ts";

const LIMIT = 64 * 1024;

/** Reads the credentials, where there are any. Throws `usage`, and `filesystem` for a file of others. */
export function openAccess(
  system: System,
  { auth, allowHttp }: Pick<Options, "auth" | "allowHttp">,
): Access {
  if (auth === undefined) return { allowHttp };
  const [text, where] = typeof auth === "number"
    ? [readDescriptor(system, auth), `file descriptor ${auth}`]
    : [readPrivate(system, auth), `"${auth}"`];
  return { allowHttp, authorize: parseCredentials(text, where) };
}

/** Judged on the open file: ours or root's, and nobody else may read it. */
function readPrivate({ fs, user }: System, path: string): string {
  // A FIFO would be waited for. What it is then, when it is open, is looked at again.
  const refuse = (why: string, hint: string) =>
    new UpdateError("filesystem", `Refusing the credentials in "${path}": ${why}`, { path, hint });
  if (!onFile("read", path, () => fs.statSync(path)).isFile) {
    throw refuse("it is no plain file", "Name a file, or use --auth-fd.");
  }
  const file = onFile("read", path, () => openPatiently(fs, path, { read: true }));
  try {
    const { uid, mode } = file.statSync();
    if (user && uid !== user.uid && uid !== 0) {
      throw refuse("it belongs to another user", "Use a file of your own.");
    }
    if (user && ((mode ?? 0) & 0o077) !== 0) {
      throw refuse("other users can read it", `Take that right away: chmod 600 "${path}"`);
    }
    return onFile("read", path, () => readToEnd((buffer) => file.readSync(buffer)));
  } finally {
    file.close();
  }
}

/** Whoever gave us the descriptor vouches for it. It may be a pipe: a secret that is on no disk. */
function readDescriptor({ fs, os, terminal }: System, number: number): string {
  if (os === "windows") {
    throw new UpdateError("usage", "--auth-fd does not exist on Windows", {
      hint: "Use --auth-file. For all options: updater-shim --help",
    });
  }
  let file: OpenFile | undefined;
  try {
    // The runtime lets nobody open its own standard input by that name.
    if (number === 0) return readToEnd((buffer) => terminal.readInput(buffer));
    const open = file = fs.openSync(`/dev/fd/${number}`, { read: true });
    return readToEnd((buffer) => open.readSync(buffer));
  } catch (cause) {
    throw new UpdateError("usage", `Cannot read file descriptor ${number}: ${reason(cause)}`, {
      hint: "--auth-fd needs a pipe or a file that is open for reading, such as 3<FILE in a shell.",
      cause,
    });
  } finally {
    file?.close();
  }
}

function readToEnd(read: OpenFile["readSync"]): string {
  const bytes = new Uint8Array(LIMIT);
  let length = 0;
  for (;;) {
    const count = read(bytes.subarray(length));
    if (!count) break;
    length += count;
  }
  return new TextDecoder().decode(bytes.subarray(0, length));
}
