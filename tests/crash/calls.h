/*
 * The system calls that change a file system, and where their arguments name what they change.
 *
 * "write" calls put bytes into a file; an update makes very many of them, so they are counted apart
 * from the "other" ones. Reading calls are not listed: being interrupted there changes nothing.
 */
#include <fcntl.h>
#include <sys/syscall.h>

enum call_class { OTHER, WRITE };

/* How an argument names a file. -1 stands for "no such argument". */
struct name {
  int folder; /* index of the descriptor that a relative path starts at; -1: current folder */
  int path;   /* index of the path; -1: `folder` is the descriptor of the file itself */
};

#define BY_FD(index) { index, -1 }
#define BY_PATH(index) { -1, index }
#define BY_PATH_AT(folder, path) { folder, path }
#define NOTHING { -1, -1 }

struct call {
  long number;
  const char *kind;
  enum call_class class;
  struct name names[2];
  int open_flags; /* index of the flags of an open(), which counts only if it can change something */
};

static const struct call CALLS[] = {
  { SYS_openat, "open", OTHER, { BY_PATH_AT(0, 1), NOTHING }, 2 },
  { SYS_open, "open", OTHER, { BY_PATH(0), NOTHING }, 1 },
  { SYS_creat, "open", OTHER, { BY_PATH(0), NOTHING }, 0 },
  { SYS_write, "write", WRITE, { BY_FD(0), NOTHING }, 0 },
  { SYS_pwrite64, "write", WRITE, { BY_FD(0), NOTHING }, 0 },
  { SYS_writev, "write", WRITE, { BY_FD(0), NOTHING }, 0 },
  { SYS_pwritev, "write", WRITE, { BY_FD(0), NOTHING }, 0 },
  { SYS_pwritev2, "write", WRITE, { BY_FD(0), NOTHING }, 0 },
  { SYS_copy_file_range, "write", WRITE, { BY_FD(2), NOTHING }, 0 },
  { SYS_sendfile, "write", WRITE, { BY_FD(0), NOTHING }, 0 },
  { SYS_splice, "write", WRITE, { BY_FD(2), NOTHING }, 0 },
  { SYS_ftruncate, "truncate", OTHER, { BY_FD(0), NOTHING }, 0 },
  { SYS_truncate, "truncate", OTHER, { BY_PATH(0), NOTHING }, 0 },
  { SYS_fallocate, "allocate", OTHER, { BY_FD(0), NOTHING }, 0 },
  { SYS_fsync, "sync", OTHER, { BY_FD(0), NOTHING }, 0 },
  { SYS_fdatasync, "sync", OTHER, { BY_FD(0), NOTHING }, 0 },
  { SYS_link, "link", OTHER, { BY_PATH(0), BY_PATH(1) }, 0 },
  { SYS_linkat, "link", OTHER, { BY_PATH_AT(0, 1), BY_PATH_AT(2, 3) }, 0 },
  { SYS_symlink, "symlink", OTHER, { BY_PATH(1), NOTHING }, 0 },
  { SYS_symlinkat, "symlink", OTHER, { BY_PATH_AT(1, 2), NOTHING }, 0 },
  { SYS_rename, "rename", OTHER, { BY_PATH(0), BY_PATH(1) }, 0 },
  { SYS_renameat, "rename", OTHER, { BY_PATH_AT(0, 1), BY_PATH_AT(2, 3) }, 0 },
  { SYS_renameat2, "rename", OTHER, { BY_PATH_AT(0, 1), BY_PATH_AT(2, 3) }, 0 },
  { SYS_unlink, "unlink", OTHER, { BY_PATH(0), NOTHING }, 0 },
  { SYS_unlinkat, "unlink", OTHER, { BY_PATH_AT(0, 1), NOTHING }, 0 },
  { SYS_mkdir, "mkdir", OTHER, { BY_PATH(0), NOTHING }, 0 },
  { SYS_mkdirat, "mkdir", OTHER, { BY_PATH_AT(0, 1), NOTHING }, 0 },
  { SYS_rmdir, "rmdir", OTHER, { BY_PATH(0), NOTHING }, 0 },
  { SYS_chmod, "chmod", OTHER, { BY_PATH(0), NOTHING }, 0 },
  { SYS_fchmod, "chmod", OTHER, { BY_FD(0), NOTHING }, 0 },
  { SYS_fchmodat, "chmod", OTHER, { BY_PATH_AT(0, 1), NOTHING }, 0 },
  { SYS_chown, "chown", OTHER, { BY_PATH(0), NOTHING }, 0 },
  { SYS_lchown, "chown", OTHER, { BY_PATH(0), NOTHING }, 0 },
  { SYS_fchown, "chown", OTHER, { BY_FD(0), NOTHING }, 0 },
  { SYS_fchownat, "chown", OTHER, { BY_PATH_AT(0, 1), NOTHING }, 0 },
  { SYS_utimensat, "utime", OTHER, { BY_PATH_AT(0, 1), NOTHING }, 0 },
};

static const struct call *find_call(long number) {
  for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++)
    if (CALLS[i].number == number) return &CALLS[i];
  return NULL;
}

/* creat() has its path at index 0, where the others without flags have nothing: always counted. */
static int can_change(const struct call *call, const unsigned long *arguments) {
  int flags = call->open_flags;
  if (flags == 0) return 1;
  return (arguments[flags] & (O_CREAT | O_WRONLY | O_RDWR | O_TRUNC)) != 0;
}
