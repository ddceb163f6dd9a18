/** The errors that Deno throws for a system call that fails: the same class, `code` and numbers. */

const CLASSES: Record<string, new (message: string) => Error> = {
  ENOENT: Deno.errors.NotFound,
  EEXIST: Deno.errors.AlreadyExists,
  EACCES: Deno.errors.PermissionDenied,
  EPERM: Deno.errors.PermissionDenied,
  ENOTDIR: Deno.errors.NotADirectory,
  EISDIR: Deno.errors.IsADirectory,
};

const LINUX: Record<string, number> = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  EACCES: 13,
  EEXIST: 17,
  EXDEV: 18,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  EMFILE: 24,
  ETXTBSY: 26,
  ENOSPC: 28,
  EROFS: 30,
  EMLINK: 31,
  ENOTEMPTY: 39,
  EOPNOTSUPP: 95,
};

/** ERROR_ACCESS_DENIED and the like: what `code` each has was seen with deno.exe 2.9.5. */
const WINDOWS: Record<string, number> = {
  ENOENT: 2,
  EPERM: 5,
  EXDEV: 17,
  EBUSY: 32,
  ENOSPC: 112,
  ENOTEMPTY: 145,
  EEXIST: 183,
};

/** What the call of that name throws on `os`. */
export function systemError(
  code: string,
  call: string,
  os: "linux" | "darwin" | "windows" = "linux",
): Error {
  const number = (os === "windows" ? WINDOWS : LINUX)[code];
  if (number === undefined) throw new Error(`no number is known for ${code} on ${os}`);
  const error = new (CLASSES[code] ?? Error)(`${code} (os error ${number}): ${call}`);
  return Object.assign(error, { code });
}
