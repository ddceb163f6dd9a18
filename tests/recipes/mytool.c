#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <wchar.h>
#include <windows.h>

static DWORD start(const wchar_t *folder, const wchar_t *arguments, DWORD flags, int wait) {
  wchar_t line[2 * MAX_PATH];
  swprintf(line, 2 * MAX_PATH, L"\"%ls\\updater-shim.exe\" %ls", folder, arguments);
  STARTUPINFOW startup = {.cb = sizeof startup};
  PROCESS_INFORMATION shim;
  DWORD code = 0;
  if (!CreateProcessW(NULL, line, NULL, NULL, FALSE, flags, NULL, folder, &startup, &shim)) return 1;
  if (wait && WaitForSingleObject(shim.hProcess, INFINITE) == 0) GetExitCodeProcess(shim.hProcess, &code);
  return code;
}

static int self_update(void) {
  wchar_t folder[MAX_PATH], parent[40];
  GetModuleFileNameW(NULL, folder, MAX_PATH);
  *wcsrchr(folder, L'\\') = 0;
  DWORD code = start(folder, L"--download-only", 0, TRUE);
  swprintf(parent, 40, L"--parent-pid %lu", GetCurrentProcessId());
  return code ? (int)code : (int)start(folder, parent, CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP, FALSE);
}
#else
#include <limits.h>
#include <unistd.h>

static int self_update(void) { /* Linux; macOS has _NSGetExecutablePath instead of /proc */
  char folder[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
  if (length < 0) return perror("mytool"), 1;
  folder[length] = 0;
  *strrchr(folder, '/') = 0;
  if (chdir(folder) == 0) execl("./updater-shim", "updater-shim", (char *)NULL);
  return perror("mytool: updater-shim"), 1;
}
#endif

int main(int count, char **arguments) {
  if (count == 2 && strcmp(arguments[1], "self-update") == 0) return self_update();
  puts("mytool 1.0.0");
  return 0;
}
