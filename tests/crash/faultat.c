/*
 * faultat: runs a program and lets something happen at its Nth change of a folder.
 *
 *   faultat [options] -- PROGRAM [ARGUMENT...]
 *     -d FOLDER      calls that touch it or anything below count; may be repeated
 *     -l FILE        log: one line a counted call: number, class, number within the class, kind,
 *                    paths; separated by tabs
 *     -c CLASS       which calls -n counts: other (default), write, any
 *     -n N           the call that -a means; 0 (default): none. For -a stop: the first one
 *     -a ACTION      at the entry of that call:
 *                      kill     SIGKILL for the whole process tree, at once
 *                      stop     hold that thread, print a line, go on when a line is read; the same
 *                               at every later call
 *                      ENOSPC…  it is not done and fails with that error
 *     -f KIND=ERROR  every call of that kind is not done and fails with that error
 *     -s KIND        every call of that kind is not done and "succeeds"
 *
 * Exit code: the program's own, 128 + signal, 99 if it was killed by -a, 98 for faultat's own errors.
 * The program's output goes to the standard error, because the standard output belongs to -a stop.
 *
 * Calls are counted over all processes and threads: a program such as Deno moves file calls between
 * threads, so a count for each (strace's `when=`) would miss some and repeat others.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/ptrace.h>
#include "calls.h"

#ifndef __x86_64__
#error "faultat knows the registers of x86_64 only"
#endif

#define MOST_FOLDERS 8
#define MOST_RULES 8
#define MOST_THREADS 4096

enum action { NO_ACTION, KILL, STOP, FAIL };

struct rule { char kind[16]; int error; }; /* error 0: pretend that it was done */

static struct {
  const char *folders[MOST_FOLDERS];
  int folder_count;
  FILE *log;
  const char *class;
  long at;
  enum action action;
  int error;
  struct rule rules[MOST_RULES];
  int rule_count;
} options = { .class = "other" };

/* A thread that is between the entry and the exit of a call that we do not let happen. */
struct thread { pid_t id; int refused; long result; };
static struct thread threads[MOST_THREADS];
static int thread_count;

static long counts[2];
static int killed;

/* Every process and thread that was ever traced. */
static pid_t seen[MOST_THREADS];
static int seen_count;

static void die(const char *format, ...) {
  va_list values;
  va_start(values, format);
  fprintf(stderr, "faultat: ");
  vfprintf(stderr, format, values);
  fprintf(stderr, "\n");
  exit(98);
}

/* ---- options ---- */

static int error_number(const char *name) {
  for (int error = 1; error < 134; error++) {
    const char *known = strerrorname_np(error);
    if (known && strcmp(known, name) == 0) return error;
  }
  die("there is no error %s", name);
  return 0;
}

static void add_rule(char *text, int pretend) {
  if (options.rule_count == MOST_RULES) die("too many rules");
  struct rule *rule = &options.rules[options.rule_count++];
  char *error = strchr(text, '=');
  if (error) *error++ = 0;
  if (pretend == (error != NULL)) die("-f needs KIND=ERROR, -s needs KIND");
  snprintf(rule->kind, sizeof rule->kind, "%s", text);
  rule->error = pretend ? 0 : error_number(error);
}

static void set_action(const char *name) {
  if (strcmp(name, "kill") == 0) options.action = KILL;
  else if (strcmp(name, "stop") == 0) options.action = STOP;
  else {
    options.action = FAIL;
    options.error = error_number(name);
  }
}

static void read_options(int count, char **values) {
  int letter;
  while ((letter = getopt(count, values, "+d:l:c:n:a:f:s:")) != -1) {
    switch (letter) {
      case 'd':
        if (options.folder_count == MOST_FOLDERS) die("too many folders");
        options.folders[options.folder_count++] = optarg;
        break;
      case 'l':
        options.log = fopen(optarg, "w");
        if (!options.log) die("cannot write %s: %s", optarg, strerror(errno));
        break;
      case 'c': options.class = optarg; break;
      case 'n': options.at = atol(optarg); break;
      case 'a': set_action(optarg); break;
      case 'f': add_rule(optarg, 0); break;
      case 's': add_rule(optarg, 1); break;
      default: die("wrong option");
    }
  }
  if (optind >= count || options.folder_count == 0) die("needs -d FOLDER and a program");
}

/* ---- what a call touches ---- */

static void read_link(pid_t thread, const char *what, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/%d/%s", thread, what);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  path[length < 0 ? 0 : length] = 0;
}

static void path_of_descriptor(pid_t thread, int descriptor, char *path) {
  char what[32] = "cwd";
  if (descriptor != AT_FDCWD) snprintf(what, sizeof what, "fd/%d", descriptor);
  read_link(thread, what, path);
}

/* Reads up to the end of the page at first: a text may lie right before unmapped memory. */
static int read_text(pid_t thread, unsigned long address, char *text) {
  size_t length = 0;
  while (length < PATH_MAX - 1) {
    size_t chunk = 4096 - ((address + length) & 4095);
    if (chunk > PATH_MAX - 1 - length) chunk = PATH_MAX - 1 - length;
    struct iovec here = { text + length, chunk }, there = { (void *)(address + length), chunk };
    ssize_t got = process_vm_readv(thread, &here, 1, &there, 1, 0);
    if (got <= 0) return 0;
    if (memchr(text + length, 0, (size_t)got)) return 1;
    length += (size_t)got;
  }
  return 0;
}

static void path_of(pid_t thread, struct name name, const unsigned long *arguments, char *path) {
  char text[PATH_MAX], folder[PATH_MAX];
  path[0] = 0;
  if (name.path < 0 && name.folder < 0) return;
  int descriptor = name.folder < 0 ? AT_FDCWD : (int)arguments[name.folder];
  /* utimensat() and others take a null path for "the descriptor itself". */
  if (name.path < 0 || arguments[name.path] == 0)
    return path_of_descriptor(thread, descriptor, path);
  if (!read_text(thread, arguments[name.path], text)) return;
  path_of_descriptor(thread, descriptor, folder);
  if (text[0] == '/') snprintf(path, PATH_MAX, "%s", text);
  else if (snprintf(path, PATH_MAX, "%s/%s", folder, text) >= PATH_MAX) die("a path is too long");
}

static int counts_path(const char *path) {
  for (int i = 0; i < options.folder_count; i++) {
    size_t length = strlen(options.folders[i]);
    if (strncmp(path, options.folders[i], length) != 0) continue;
    /* The space: /proc says "… (deleted)" of a file without a name. */
    if (path[length] == 0 || path[length] == '/' || path[length] == ' ') return 1;
  }
  return 0;
}

/* A folder's fsync is another thing than a file's: not all file systems know it. */
static const char *kind_of(const struct call *call, const char *path) {
  struct stat info;
  if (strcmp(call->kind, "sync") != 0) return call->kind;
  return stat(path, &info) == 0 && S_ISDIR(info.st_mode) ? "syncdir" : "sync";
}

/* ---- what happens ---- */

static struct thread *thread_of(pid_t id) {
  for (int i = 0; i < thread_count; i++)
    if (threads[i].id == id) return &threads[i];
  if (thread_count == MOST_THREADS) die("too many threads");
  threads[thread_count] = (struct thread){ .id = id };
  if (seen_count == MOST_THREADS) die("too many threads in all");
  seen[seen_count++] = id;
  return &threads[thread_count++];
}

static void forget(pid_t id) {
  struct thread *thread = thread_of(id);
  *thread = threads[--thread_count];
}

static void kill_all(void) {
  killed = 1;
  for (int i = 0; i < thread_count; i++) kill(threads[i].id, SIGKILL);
}

/* -1 is no call: the kernel does nothing, and at the exit we put in what it "returned". */
static void refuse(struct thread *thread, int error) {
  thread->refused = 1;
  thread->result = -error;
  ptrace(PTRACE_POKEUSER, thread->id, offsetof(struct user, regs.orig_rax), -1L);
}

static void stop(long number, const char *kind, const char *path) {
  char line[16];
  printf("%ld\t%s\t%s\n", number, kind, path);
  fflush(stdout);
  if (!fgets(line, sizeof line, stdin)) options.action = NO_ACTION;
}

static void act(struct thread *thread, long number, const char *kind, const char *path) {
  switch (options.action) {
    case KILL:
      if (number == options.at) kill_all();
      return;
    case FAIL:
      if (number == options.at) refuse(thread, options.error);
      return;
    case STOP:
      if (number >= options.at) stop(number, kind, path);
      return;
    case NO_ACTION: return;
  }
}

static void enter(struct thread *thread, long number, const unsigned long *arguments) {
  char paths[2][PATH_MAX];
  if (number == SYS_io_uring_setup) die("the program uses io_uring, whose calls cannot be seen");
  const struct call *call = find_call(number);
  if (!call || !can_change(call, arguments)) return;
  for (int i = 0; i < 2; i++) path_of(thread->id, call->names[i], arguments, paths[i]);
  if (!counts_path(paths[0]) && !counts_path(paths[1])) return;
  const char *kind = kind_of(call, paths[0]);
  const char *class = call->class == WRITE ? "write" : "other";
  long in_class = ++counts[call->class], in_all = counts[OTHER] + counts[WRITE];
  if (options.log)
    fprintf(options.log, "%ld\t%s\t%ld\t%s\t%s\t%s\n", in_all, class, in_class, kind, paths[0], paths[1]);
  if (strcmp(options.class, "any") == 0) act(thread, in_all, kind, paths[0]);
  else if (strcmp(options.class, class) == 0) act(thread, in_class, kind, paths[0]);
  for (int i = 0; i < options.rule_count && !thread->refused; i++)
    if (strcmp(options.rules[i].kind, kind) == 0) refuse(thread, options.rules[i].error);
}

static void leave(struct thread *thread) {
  if (!thread->refused) return;
  thread->refused = 0;
  ptrace(PTRACE_POKEUSER, thread->id, offsetof(struct user, regs.rax), thread->result);
}

static void at_call(struct thread *thread) {
  struct ptrace_syscall_info info;
  if (ptrace(PTRACE_GET_SYSCALL_INFO, thread->id, sizeof info, &info) <= 0) return;
  if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
    unsigned long arguments[6];
    for (int i = 0; i < 6; i++) arguments[i] = (unsigned long)info.entry.args[i];
    enter(thread, (long)info.entry.nr, arguments);
  } else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
    leave(thread);
  }
}

/* ---- the tree ---- */

static pid_t start(char **program) {
  pid_t child = fork();
  if (child == 0) {
    dup2(STDERR_FILENO, STDOUT_FILENO);
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    execvp(program[0], program);
    fprintf(stderr, "faultat: cannot run %s: %s\n", program[0], strerror(errno));
    _exit(98);
  }
  int status;
  waitpid(child, &status, 0);
  long all = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
             PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
  if (ptrace(PTRACE_SETOPTIONS, child, 0, all) < 0) die("cannot trace: %s", strerror(errno));
  thread_of(child);
  ptrace(PTRACE_SYSCALL, child, 0, 0);
  return child;
}

/* Returns the signal that the thread has to get now. */
static int at_stop(struct thread *thread, int status) {
  int signal = WSTOPSIG(status);
  if (signal == (SIGTRAP | 0x80)) {
    at_call(thread);
    return 0;
  }
  /* Events (fork, exec …), and the SIGSTOP that every new thread of a traced tree begins with. */
  if (status >> 16 || signal == SIGTRAP || signal == SIGSTOP) return 0;
  return signal;
}

static int follow(pid_t child) {
  int status, code = 98;
  for (;;) {
    pid_t id = waitpid(-1, &status, __WALL);
    if (id < 0) return code; /* nobody is left */
    if (!WIFSTOPPED(status)) {
      if (id == child) code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      forget(id);
      continue;
    }
    int signal = at_stop(thread_of(id), status);
    if (killed) kill(id, SIGKILL); /* also those that were born meanwhile */
    else ptrace(PTRACE_SYSCALL, id, 0, signal);
  }
}

/*
 * A killed program lets go of its locks and files when its last thread has ended, which one that is
 * inside of an fsync does late. Who looks at the folder next must find nobody in it: at most 10 s.
 */
static void wait_until_gone(void) {
  for (int i = 0; i < seen_count; i++)
    for (int tries = 0; kill(seen[i], 0) == 0; tries++) {
      if (tries == 10000) die("%d has not ended 10 s after it was killed", seen[i]);
      usleep(1000);
    }
}

int main(int count, char **values) {
  read_options(count, values);
  int code = follow(start(values + optind));
  if (killed) wait_until_gone();
  if (options.log) fclose(options.log);
  return killed ? 99 : code;
}
