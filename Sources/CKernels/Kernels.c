#include "CKernels.h"

#include <string.h>

/* The same source compiled for up to three instruction sets; the choice is made at run time, so the
 * package needs no compiler flags and one binary runs on every processor. All of them give the same bits:
 * see Sets/Vectors.h. */
#pragma STDC FP_CONTRACT OFF
/* Vectors are passed to functions that are always inlined: no calling convention is asked. */
#pragma clang diagnostic ignored "-Wpsabi"

#define JOIN2(a, b) a##_##b
#define JOIN(a, b) JOIN2(a, b)
#define NAME(f) JOIN(f, SUFFIX)

#if defined(__x86_64__)
#define KEEP(v) __asm__ volatile("" : "+v"(v))
#else
#define KEEP(v) __asm__ volatile("" : "+w"(v))
#endif

#define LOW4(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define HIGH4(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#define LOW8(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGH8(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#define LOW16(a, b) \
  __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH16(a, b) \
  __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
/* For the sums over lanes. Of two vectors a and b cut into `parts` parts each: KEPT takes a's even parts
 * and b's odd ones, each in its place; CROSSED a's odd parts and b's even ones, each one place off. */
#define KEPT_2(a, b) \
  __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31)
#define CROSSED_2(a, b) \
  __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23)
#define KEPT_4(a, b) \
  __builtin_shufflevector(a, b, 0, 1, 2, 3, 20, 21, 22, 23, 8, 9, 10, 11, 28, 29, 30, 31)
#define CROSSED_4(a, b) \
  __builtin_shufflevector(a, b, 4, 5, 6, 7, 16, 17, 18, 19, 12, 13, 14, 15, 24, 25, 26, 27)
#define KEPT_8(a, b) \
  __builtin_shufflevector(a, b, 0, 1, 18, 19, 4, 5, 22, 23, 8, 9, 26, 27, 12, 13, 30, 31)
#define CROSSED_8(a, b) \
  __builtin_shufflevector(a, b, 2, 3, 16, 17, 6, 7, 20, 21, 10, 11, 24, 25, 14, 15, 28, 29)
#define KEPT_16(a, b) \
  __builtin_shufflevector(a, b, 0, 17, 2, 19, 4, 21, 6, 23, 8, 25, 10, 27, 12, 29, 14, 31)
#define CROSSED_16(a, b) \
  __builtin_shufflevector(a, b, 1, 16, 3, 18, 5, 20, 7, 22, 9, 24, 11, 26, 13, 28, 15, 30)
/* The same for doubles. */
#define DKEPT_2(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 12, 13, 14, 15)
#define DCROSSED_2(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 8, 9, 10, 11)
#define DKEPT_4(a, b) __builtin_shufflevector(a, b, 0, 1, 10, 11, 4, 5, 14, 15)
#define DCROSSED_4(a, b) __builtin_shufflevector(a, b, 2, 3, 8, 9, 6, 7, 12, 13)
#define DKEPT_8(a, b) __builtin_shufflevector(a, b, 0, 9, 2, 11, 4, 13, 6, 15)
#define DCROSSED_8(a, b) __builtin_shufflevector(a, b, 1, 8, 3, 10, 5, 12, 7, 14)

/* Lanes of a vector of floats and of one of doubles, whatever the set. */
#define LANES 16
#define DOUBLE_LANES 8

/* Where nothing is known of the processor. Without a fused multiply-add of its own the C library's is
 * called for every number: exact, and slow. */
#define SUFFIX baseline
#define SET "baseline"
#define WIDTH 4
#define BLOCK 2
#define PAIR_BLOCK 1
#define LOW LOW4
#define HIGH HIGH4
#define GRAM_COLUMNS 2
#define FACTOR_ROWS 4
#include "KernelSource.h"

#if defined(__x86_64__)

/* The same for processors that have one. */
#pragma clang attribute push(__attribute__((target("fma"))), apply_to = function)
#define SUFFIX baseline_fma
#define SET "baseline"
#define WIDTH 4
#define BLOCK 2
#define PAIR_BLOCK 1
#define LOW LOW4
#define HIGH HIGH4
#define GRAM_COLUMNS 2
#define FACTOR_ROWS 4
#include "KernelSource.h"
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define SUFFIX avx2
#define SET "avx2"
#define WIDTH 8
#define BLOCK 4
#define PAIR_BLOCK 2
#define LOW LOW8
#define HIGH HIGH8
#define GRAM_COLUMNS 2
#define FACTOR_ROWS 4
#include "KernelSource.h"
#pragma clang attribute pop

/* Without the stated width clang splits every 512-bit vector of this level into two. */
#pragma clang attribute push(                                                     \
    __attribute__((target("arch=x86-64-v4"), min_vector_width(512))), apply_to = function)
#define SUFFIX avx512
#define SET "avx512"
#define WIDTH 16
#define BLOCK 8
#define PAIR_BLOCK 8
#define LOW LOW16
#define HIGH HIGH16
#define GRAM_COLUMNS 4
#define FACTOR_ROWS 8
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
  if (name && !strcmp(name, "library")) return &table_baseline;
  if (name && strcmp(name, "baseline")) return NULL;
  return __builtin_cpu_supports("fma") ? &table_baseline_fma : &table_baseline;
}

#else

const filigree_kernels *filigree_kernels_named(const char *name) {
  return !name || !strcmp(name, "baseline") || !strcmp(name, "library") ? &table_baseline : NULL;
}

#endif
