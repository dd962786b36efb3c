#include "CKernels.h"

#include <string.h>

/* The same source compiled for up to three instruction sets; the choice is made at run time, so the
 * package needs no compiler flags and one binary runs on every processor. */

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
#define KEPT_2_OF_2(a, b) __builtin_shufflevector(a, b, 0, 3)
#define CROSSED_2_OF_2(a, b) __builtin_shufflevector(a, b, 1, 2)
#define KEPT_2_OF_4(a, b) __builtin_shufflevector(a, b, 0, 1, 6, 7)
#define CROSSED_2_OF_4(a, b) __builtin_shufflevector(a, b, 2, 3, 4, 5)
#define KEPT_4_OF_4(a, b) __builtin_shufflevector(a, b, 0, 5, 2, 7)
#define CROSSED_4_OF_4(a, b) __builtin_shufflevector(a, b, 1, 4, 3, 6)
#define KEPT_2_OF_8(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 12, 13, 14, 15)
#define CROSSED_2_OF_8(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 8, 9, 10, 11)
#define KEPT_4_OF_8(a, b) __builtin_shufflevector(a, b, 0, 1, 10, 11, 4, 5, 14, 15)
#define CROSSED_4_OF_8(a, b) __builtin_shufflevector(a, b, 2, 3, 8, 9, 6, 7, 12, 13)
#define KEPT_8_OF_8(a, b) __builtin_shufflevector(a, b, 0, 9, 2, 11, 4, 13, 6, 15)
#define CROSSED_8_OF_8(a, b) __builtin_shufflevector(a, b, 1, 8, 3, 10, 5, 12, 7, 14)
#define KEPT_2_OF_16(a, b) \
  __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31)
#define CROSSED_2_OF_16(a, b) \
  __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23)
#define KEPT_4_OF_16(a, b) \
  __builtin_shufflevector(a, b, 0, 1, 2, 3, 20, 21, 22, 23, 8, 9, 10, 11, 28, 29, 30, 31)
#define CROSSED_4_OF_16(a, b) \
  __builtin_shufflevector(a, b, 4, 5, 6, 7, 16, 17, 18, 19, 12, 13, 14, 15, 24, 25, 26, 27)
#define KEPT_8_OF_16(a, b) \
  __builtin_shufflevector(a, b, 0, 1, 18, 19, 4, 5, 22, 23, 8, 9, 26, 27, 12, 13, 30, 31)
#define CROSSED_8_OF_16(a, b) \
  __builtin_shufflevector(a, b, 2, 3, 16, 17, 6, 7, 20, 21, 10, 11, 24, 25, 14, 15, 28, 29)
#define KEPT_16_OF_16(a, b) \
  __builtin_shufflevector(a, b, 0, 17, 2, 19, 4, 21, 6, 23, 8, 25, 10, 27, 12, 29, 14, 31)
#define CROSSED_16_OF_16(a, b) \
  __builtin_shufflevector(a, b, 1, 16, 3, 18, 5, 20, 7, 22, 9, 24, 11, 26, 13, 28, 15, 30)
/* A vector of doubles has half as many lanes. */
#define HALF_4 2
#define HALF_8 4
#define HALF_16 8
#define HALF2(lanes) HALF_##lanes
#define HALF(lanes) HALF2(lanes)
#define OF_LANES2(name, lanes) name##_OF_##lanes
#define OF_LANES(name, lanes) OF_LANES2(name, lanes)
#define KEPT_2(a, b) OF_LANES(KEPT_2, LANES)(a, b)
#define CROSSED_2(a, b) OF_LANES(CROSSED_2, LANES)(a, b)
#define KEPT_4(a, b) OF_LANES(KEPT_4, LANES)(a, b)
#define CROSSED_4(a, b) OF_LANES(CROSSED_4, LANES)(a, b)
#define KEPT_8(a, b) OF_LANES(KEPT_8, LANES)(a, b)
#define CROSSED_8(a, b) OF_LANES(CROSSED_8, LANES)(a, b)
#define KEPT_16(a, b) OF_LANES(KEPT_16, LANES)(a, b)
#define CROSSED_16(a, b) OF_LANES(CROSSED_16, LANES)(a, b)
#define DKEPT_2(a, b) OF_LANES(KEPT_2, HALF(LANES))(a, b)
#define DCROSSED_2(a, b) OF_LANES(CROSSED_2, HALF(LANES))(a, b)
#define DKEPT_4(a, b) OF_LANES(KEPT_4, HALF(LANES))(a, b)
#define DCROSSED_4(a, b) OF_LANES(CROSSED_4, HALF(LANES))(a, b)
#define DKEPT_8(a, b) OF_LANES(KEPT_8, HALF(LANES))(a, b)
#define DCROSSED_8(a, b) OF_LANES(CROSSED_8, HALF(LANES))(a, b)

#define SUFFIX baseline
#define SET "baseline"
#define LANES 4
#define BLOCK 8
#define PAIR_BLOCK 4
#define GRAM_COLUMNS 2
#define LOW LOW4
#define HIGH HIGH4
#include "KernelSource.h"

#if defined(__x86_64__)

#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define SUFFIX avx2
#define SET "avx2"
#define LANES 8
#define BLOCK 8
#define PAIR_BLOCK 4
#define GRAM_COLUMNS 2
#define LOW LOW8
#define HIGH HIGH8
#include "KernelSource.h"
#pragma clang attribute pop

/* Without the stated width clang splits every 512-bit vector of this level into two. */
#pragma clang attribute push(                                                     \
    __attribute__((target("arch=x86-64-v4"), min_vector_width(512))), apply_to = function)
#define SUFFIX avx512
#define SET "avx512"
#define LANES 16
#define BLOCK 8
#define PAIR_BLOCK 8
#define GRAM_COLUMNS 4
#define LOW LOW16
#define HIGH HIGH16
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
