/**
 * As root in a folder that belongs to somebody else: whatever root did there, he could exchange, and
 * what root left there he could not use. So the shim works as him: it starts itself again with his
 * rights, and only passes the outcome on.
 */
import { reason, UpdateError } from "../base/errors.ts";
import { realPath } from "../files/durable_files.ts";
import { readTrusted } from "../files/trusted_file.ts";
import type { Account, Ended } from "../system/processes.ts";
import type { System } from "../system/system.ts";

const PASSWD = "/etc/passwd";
const LIMIT = 1024 * 1024;
/** As sudo(8) and login(1) set it: root's own may hold folders of others. */
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Where we are root and `folder` is somebody else's: runs the same command as he, and returns its
 * exit code. Else undefined. He has not root's terminal, so where the command `asks` something there,
 * it is refused (`usage`). Throws `filesystem` where it cannot be done.
 */
export async function workAsOwner(
  system: System,
  folder: string,
  args: readonly string[],
  asks: boolean,
): Promise<number | undefined> {
  const { uid, gid } = ownerOf(system, folder) ?? {};
  if (uid === undefined || gid === undefined) return undefined;
  if (asks) {
    throw new UpdateError("usage", `"${folder}" belongs to user ${uid}: root is not asked there`, {
      path: folder,
      hint: "Say --yes.",
    });
  }
  const { code, signal } = await runAs(system, folder, accountOf(system, uid, gid), args);
  // One that we passed on may come before it listens.
  if (signal === null || signal === "SIGINT" || signal === "SIGTERM") return code;
  throw new UpdateError(
    "filesystem",
    `"${folder}" belongs to user ${uid}, and the shim that worked as that user was ended (${signal})`,
    {
      path: folder,
      hint: `Whoever has that user's rights can do that. Run it again, as user ${uid}.`,
    },
  );
}

async function runAs(
  system: System,
  folder: string,
  account: Account,
  args: readonly string[],
): Promise<Ended> {
  try {
    return await system.processes.runOurselvesAs(account, withoutOwnPid(args, system));
  } catch (error) {
    const { uid } = account;
    throw new UpdateError(
      "filesystem",
      `"${folder}" belongs to user ${uid}, and the shim cannot work as that user: ${reason(error)}`,
      {
        path: folder,
        hint: `Run it as user ${uid}, from a place where that user can execute it.`,
        cause: error,
      },
    );
  }
}

function ownerOf({ fs, user }: System, folder: string) {
  if (user?.uid !== 0) return undefined;
  try {
    const { uid, gid } = fs.lstatSync(realPath(fs, folder));
    return uid === 0 || uid === null || gid === null ? undefined : { uid, gid };
  } catch {
    return undefined; // The command says what is wrong with it.
  }
}

/**
 * The group that he has when he logs in: that of a folder may be one that he is not in (setgid). Only
 * for who is in no list (another system's user) the folder's own, and never root's.
 */
function accountOf(system: System, uid: number, folderGid: number): Account {
  const fields = passwd(system).find((fields) => fields[2] === String(uid));
  const gid = Number(fields?.[3] || NaN);
  const [name = "", home = "/"] = [fields?.[0], fields?.[5]];
  return {
    uid,
    gid: Number.isSafeInteger(gid) ? gid : folderGid === 0 ? uid : folderGid,
    env: { PATH, HOME: home || "/", ...(name && { USER: name, LOGNAME: name }) },
  };
}

/** passwd(5), by fields. */
function passwd(system: System): string[][] {
  try {
    const bytes = readTrusted(system, PASSWD, "the list of users", LIMIT);
    return new TextDecoder().decode(bytes).split("\n").map((line) => line.split(":"));
  } catch {
    return [];
  }
}

/** A tool that `exec`ed us names our own pid, and the one who works for us must not wait for that. */
function withoutOwnPid(args: readonly string[], { processes: { pid } }: System): string[] {
  const end = args.indexOf("--");
  const [options, rest] = end < 0 ? [args, []] : [args.slice(0, end), args.slice(end)];
  const kept = options.filter((text, at) => {
    const own = (value: string | undefined) => Number(value) === pid;
    if (text === "--parent-pid") return !own(options[at + 1]);
    if (options[at - 1] === "--parent-pid") return !own(text);
    return !(text.startsWith("--parent-pid=") && own(text.slice(text.indexOf("=") + 1)));
  });
  return [...kept, ...rest];
}
