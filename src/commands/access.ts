/** Whom servers may be told that we are: the credentials of a private server. */
import { realPath } from "../files/durable_files.ts";
import { reason, UpdateError } from "../base/errors.ts";
import { whenStopped } from "../base/stopped.ts";
import { onFile } from "../files/fs_errors.ts";
import type { Options } from "../cli/config.ts";
import type { System } from "../system/system.ts";
import { parseCredentials } from "../transfer/credentials.ts";
import type { Access } from "../transfer/retry.ts";

const LIMIT = 64 * 1024;
/** A password manager may ask somebody first. */
const CAT_MS = 60_000;

/**
 * Reads the credentials, where there are any. Throws `usage`, `filesystem` for a file of others, or the
 * reason of `stop`.
 */
export async function openAccess(
  system: System,
  { auth, allowHttp }: Pick<Options, "auth" | "allowHttp">,
  stop: AbortSignal,
): Promise<Access> {
  if (auth === undefined) return { allowHttp };
  const [text, where] = typeof auth === "number"
    ? [await readDescriptor(system, auth, stop), `file descriptor ${auth}`]
    : [await readPrivate(system, auth), `"${auth}"`];
  return { allowHttp, authorize: parseCredentials(text, where) };
}

/** Judged on the open file: ours or root's, and nobody else may read it. */
async function readPrivate({ fs, user }: System, path: string): Promise<string> {
  const refuse = (why: string, hint: string) =>
    new UpdateError("filesystem", `Refusing the credentials in "${path}": ${why}`, { path, hint });
  // Never waits for a FIFO.
  const file = onFile("read", path, () => fs.openExistingSync(realPath(fs, path), "read"));
  try {
    const { isFile, uid, mode } = file.statSync();
    if (!isFile) throw refuse("it is no plain file", "Name a file, or use --auth-fd.");
    if (user && uid !== user.uid && uid !== 0) {
      throw refuse("it belongs to another user", "Use a file of your own.");
    }
    if (user && ((mode ?? 0) & 0o077) !== 0) {
      throw refuse("other users can read it", `Take that right away: chmod 600 "${path}"`);
    }
    return await onFile("read", path, () => readToEnd((buffer) => file.readSync(buffer)));
  } finally {
    file.close();
  }
}

/**
 * Whoever gave us the descriptor vouches for it. It may be a pipe: a secret that is on no disk, and that
 * nobody may ever write to, so neither way of reading it stands in that of Ctrl-C.
 */
async function readDescriptor(
  system: System,
  number: number,
  stop: AbortSignal,
): Promise<string> {
  const { os, terminal } = system;
  if (os === "windows") {
    throw new UpdateError("usage", "--auth-fd does not exist on Windows", {
      hint: "Use --auth-file. For all options: updater-shim --help",
    });
  }
  try {
    // The runtime lets nobody open its own standard input by its name.
    return number === 0
      ? await Promise.race([readToEnd((buffer) => terminal.readInput(buffer)), whenStopped(stop)])
      : await readByCat(system, number, stop);
  } catch (cause) {
    stop.throwIfAborted();
    throw new UpdateError("usage", `Cannot read file descriptor ${number}: ${reason(cause)}`, {
      hint: "--auth-fd needs a pipe or a file that is open for reading, such as 3<FILE in a shell.",
      cause,
    });
  }
}

/** What was opened for us, a program of ours has, too; what is only our own it has not. */
async function readByCat(
  { processes }: System,
  number: number,
  stop: AbortSignal,
): Promise<string> {
  const path = `/dev/fd/${number}`;
  const { code, stdout, timedOut } = await processes.run("/bin/cat", [path], CAT_MS, stop);
  if (timedOut) throw new Error(`it has no end, or none within ${CAT_MS / 1000} s`);
  if (code !== 0) throw new Error("it is not open, or no pipe and no file");
  return stdout;
}

async function readToEnd(
  read: (buffer: Uint8Array) => number | null | Promise<number | null>,
): Promise<string> {
  const bytes = new Uint8Array(LIMIT);
  let length = 0;
  for (;;) {
    const count = await read(bytes.subarray(length));
    if (!count) break;
    length += count;
  }
  return new TextDecoder().decode(bytes.subarray(0, length));
}
