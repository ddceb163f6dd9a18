#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <wchar.h>
#include <windows.h>

/* The command line after the program and "self-update", quoted as it was. */
static const wchar_t *given(void) {
  const wchar_t *at = GetCommandLineW();
  for (int word = 0; word < 2; word++) {
    for (int quoted = 0; *at && (quoted || !wcschr(L" \t", *at)); at++) quoted ^= *at == L'"';
    at += wcsspn(at, L" \t");
  }
  return at;
}

static DWORD start(const wchar_t *current, const wchar_t *folder, const wchar_t *arguments, DWORD flags, int wait) {
  static wchar_t line[32768];
  swprintf(line, 32768, L"\"%ls\\updater-shim.exe\" %ls", folder, arguments);
  STARTUPINFOW startup = {.cb = sizeof startup};
  PROCESS_INFORMATION shim;
  DWORD code = 0;
  if (!CreateProcessW(NULL, line, NULL, NULL, FALSE, flags, NULL, current, &startup, &shim)) return 1;
  if (wait && WaitForSingleObject(shim.hProcess, INFINITE) == 0) GetExitCodeProcess(shim.hProcess, &code);
  return code;
}

static int self_update(char **unused) {
  (void)unused;
  wchar_t folder[MAX_PATH], parent[40];
  GetModuleFileNameW(NULL, folder, MAX_PATH);
  *wcsrchr(folder, L'\\') = 0;
  if (*given()) return (int)start(NULL, folder, given(), 0, TRUE);
  DWORD code = start(folder, folder, L"--download-only", 0, TRUE);
  swprintf(parent, 40, L"--parent-pid %lu", GetCurrentProcessId());
  return code ? (int)code : (int)start(folder, folder, parent, CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP, FALSE);
}
#else
#include <limits.h>
#include <unistd.h>

static int self_update(char **given) { /* Linux; macOS has _NSGetExecutablePath instead of /proc */
  char folder[PATH_MAX], shim[PATH_MAX + 16];
  ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
  if (length < 0) return perror("mytool"), 1;
  folder[length] = 0;
  *strrchr(folder, '/') = 0;
  snprintf(shim, sizeof shim, "%s/updater-shim", folder);
  given[0] = shim; /* in the place of "self-update" */
  if (given[1] || chdir(folder) == 0) execv(shim, given); /* the current one may have been removed */
  return perror("mytool: updater-shim"), 1;
}
#endif

int main(int count, char **arguments) {
  if (count > 1 && strcmp(arguments[1], "self-update") == 0) return self_update(arguments + 1);
  puts("mytool 1.0.0");
  return 0;
}
