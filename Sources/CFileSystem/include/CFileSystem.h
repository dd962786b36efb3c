#ifndef FILIGREE_CFILESYSTEM_H
#define FILIGREE_CFILESYSTEM_H

/* Exchanges two paths in one step, so that at no moment either is missing; -1 and errno on failure.
 * Apart because Swift's view of the C library does not show this call. */
int filigree_exchange(const char *first, const char *second);

/* Opens a file that lies in memory and has no name (memfd_create); -1 and errno where there is none. */
int filigree_memory_file(void);

#endif
