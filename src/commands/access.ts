/** Whom servers may be told that we are: the credentials of a private server. */
import { realPath } from "../files/durable_files.ts";
import { reason, UpdateError } from "../base/errors.ts";
import { onFile } from "../files/fs_errors.ts";
import type { Options } from "../cli/config.ts";
import type { OpenFile } from "../system/file_system.ts";
import type { System } from "../system/system.ts";
import { parseCredentials } from "../transfer/credentials.ts";
import type { Access } from "../transfer/retry.ts";

const LIMIT = 64 * 1024;
const CAT_MS = 5_000;

/** Reads the credentials, where there are any. Throws `usage`, and `filesystem` for a file of others. */
export async function openAccess(
  system: System,
  { auth, allowHttp }: Pick<Options, "auth" | "allowHttp">,
): Promise<Access> {
  if (auth === undefined) return { allowHttp };
  const [text, where] = typeof auth === "number"
    ? [await readDescriptor(system, auth), `file descriptor ${auth}`]
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

/** Whoever gave us the descriptor vouches for it. It may be a pipe: a secret that is on no disk. */
async function readDescriptor(system: System, number: number): Promise<string> {
  const { fs, os, terminal } = system;
  if (os === "windows") {
    throw new UpdateError("usage", "--auth-fd does not exist on Windows", {
      hint: "Use --auth-file. For all options: updater-shim --help",
    });
  }
  let file: OpenFile | undefined;
  try {
    // The runtime lets nobody open its own standard input by that name.
    if (number === 0) return await readToEnd((buffer) => terminal.readInput(buffer));
    const open = file = fs.openSync(`/dev/fd/${number}`, { read: true });
    return await readToEnd((buffer) => open.readSync(buffer));
  } catch (cause) {
    // The runtime opens nothing but a pipe by such a name.
    const isOther = cause instanceof Deno.errors.NotCapable ||
      cause instanceof Deno.errors.NotFound;
    const text = isOther ? await readByCat(system, number) : undefined;
    if (text !== undefined) return text;
    const why = isOther ? "it is not open, or no pipe and no file" : reason(cause);
    throw new UpdateError("usage", `Cannot read file descriptor ${number}: ${why}`, {
      hint: "--auth-fd needs a pipe or a file that is open for reading, such as 3<FILE in a shell.",
      cause,
    });
  } finally {
    file?.close();
  }
}

/** What was opened for us, a program of ours has, too. Undefined where it cannot read it. */
async function readByCat({ processes }: System, number: number): Promise<string | undefined> {
  try {
    const { code, stdout } = await processes.run("/bin/cat", [`/dev/fd/${number}`], CAT_MS);
    return code === 0 ? stdout : undefined;
  } catch {
    return undefined;
  }
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
