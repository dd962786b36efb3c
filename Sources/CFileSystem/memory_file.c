#define _GNU_SOURCE
#include "CFileSystem.h"

#include <errno.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

int filigree_memory_file(void) {
#if defined(__linux__)
  return memfd_create("filigree", MFD_CLOEXEC);
#else
  errno = ENOTSUP;
  return -1;
#endif
}
