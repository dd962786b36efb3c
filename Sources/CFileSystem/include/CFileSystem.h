#ifndef FILIGREE_CFILESYSTEM_H
#define FILIGREE_CFILESYSTEM_H

/* Exchanges two paths in one step, so that at no moment either is missing; -1 and errno on failure.
 * Apart because Swift's view of the C library does not show this call. */
int filigree_exchange(const char *first, const char *second);

#endif
