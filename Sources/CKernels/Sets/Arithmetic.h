/* Fused multiply-adds on twelve registers of the processor alone, for benchmarks. */

#define ARITHMETIC(function, part, width, number)                                   \
  static double NAME(function)(size_t rounds, number *sink) {                       \
    part sum[12];                                                                   \
    const part factor = (part)(number)0.999, term = (part)(number)0.001;            \
    for (int k = 0; k < 12; k++) sum[k] = (part)(number)k;                          \
    for (size_t round = 0; round < rounds; round++)                                 \
      for (int times = 0; times < 16; times++)                                      \
        for (int k = 0; k < 12; k++) {                                              \
          sum[k] = __builtin_elementwise_fma(sum[k], factor, term);                 \
          KEEP(sum[k]);                                                             \
        }                                                                           \
    *sink = 0;                                                                      \
    for (int k = 0; k < 12; k++) *sink += sum[k][0];                                \
    return 2.0 * 12 * 16 * (width) * (double)rounds;                                \
  }

ARITHMETIC(arithmetic, NAME(gram_part), WIDTH, float)
ARITHMETIC(double_arithmetic, NAME(gram_double_part), WIDTH / 2, double)
#undef ARITHMETIC
