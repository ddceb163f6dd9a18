/* The main tool of the sweeps: small, so that thousands of updates take minutes. */
#include <stdio.h>
#include <string.h>

/* Large enough that its bytes are written apart from its inode on every file system. */
static const volatile unsigned char padding[PADDING] = { 1 };

/* A sick one runs well in the folder of the staged set, and fails once it is installed. */
int main(int count, char **values) {
  if (SICK && count > 0 && !strstr(values[0], "/staged/")) return 1;
  printf("%s %s\n", NAME, VERSION);
  return padding[0] == 1 ? 0 : 1;
}
