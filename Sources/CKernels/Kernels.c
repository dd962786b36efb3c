#include "CKernels.h"

#include <string.h>

/* The same source compiled for up to three instruction sets; the choice is made at run time, so the
 * package needs no compiler flags and one binary runs on every processor. */

#define JOIN2(a, b) a##_##b
#define JOIN(a, b) JOIN2(a, b)
#define NAME(f) JOIN(f, SUFFIX)

#define EVEN4(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6)
#define ODD4(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7)
#define EVEN8(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14)
#define ODD8(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15)
#define EVEN16(a, b) \
  __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
#define ODD16(a, b) \
  __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)

#define SUFFIX baseline
#define SET "baseline"
#define LANES 4
#define BLOCK 8
#define TILE_ROWS 2
#define TILE_COLUMNS 2
#define EVEN EVEN4
#define ODD ODD4
#include "KernelSource.h"

#if defined(__x86_64__)

#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define SUFFIX avx2
#define SET "avx2"
#define LANES 8
#define BLOCK 8
#define TILE_ROWS 2
#define TILE_COLUMNS 4
#define EVEN EVEN8
#define ODD ODD8
#include "KernelSource.h"
#pragma clang attribute pop

/* Without the stated width clang splits every 512-bit vector of this level into two. */
#pragma clang attribute push(                                                     \
    __attribute__((target("arch=x86-64-v4"), min_vector_width(512))), apply_to = function)
#define SUFFIX avx512
#define SET "avx512"
#define LANES 16
#define BLOCK 8
#define TILE_ROWS 4
#define TILE_COLUMNS 4
#define EVEN EVEN16
#define ODD ODD16
#include "KernelSource.h"
#pragma clang attribute pop

static int runs_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512cd");
}

static int runs_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
}

const filigree_kernels *filigree_kernels_named(const char *name) {
  __builtin_cpu_init();
  if (runs_avx512() && (!name || !strcmp(name, "avx512"))) return &table_avx512;
  if (runs_avx2() && (!name || !strcmp(name, "avx2"))) return &table_avx2;
  return !name || !strcmp(name, "baseline") ? &table_baseline : NULL;
}

#else

const filigree_kernels *filigree_kernels_named(const char *name) {
  return !name || !strcmp(name, "baseline") ? &table_baseline : NULL;
}

#endif
