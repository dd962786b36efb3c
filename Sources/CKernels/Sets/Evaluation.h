/* Values and slopes in double, for fits and analysis. */

/* The sums of `units` (1 or 2) units from u on that read the same rows, `count` registers of each. */
INLINE void NAME(sum_units)(const filigree_wiring *net, size_t u, const int units, size_t b,
                            const int count, const double *parameter, double *value) {
  doubles sum[2 * PAIR_BLOCK];
  const double *w[2];
  const uint32_t *source = net->source + net->first[u];
  const size_t weights = net->last[u] - net->first[u];
  for (int n = 0; n < units; n++) {
    w[n] = parameter + net->first[u + n];
    for (int k = 0; k < count; k++) sum[n * count + k] = (doubles)w[n][0];
  }
  for (size_t p = 1; p < weights; p++)
    for (int k = 0; k < count; k++) {
      const doubles x = *(const doubles *)(value + source[p] + b + k * DOUBLE_LANES);
      for (int n = 0; n < units; n++) 
        sum[n * count + k] = FUSED_DOUBLE((doubles)w[n][p], x, sum[n * count + k]);
    }
  /* What is below the floor becomes zero. */
  for (int n = 0; n < units; n++) {
    const doubles floor =
        (doubles)(net->activation[u + n] == FILIGREE_RELU ? 0.0 : -__builtin_inf());
    double *to = value + net->row[u + n] + b;
    for (int k = 0; k < count; k++) {
      const doubles v = sum[n * count + k];
      *(doubles *)(to + k * DOUBLE_LANES) = (doubles)(~(v < floor) & (longs)v);
    }
  }
}

/* Every number of registers up to PAIR_BLOCK is a loop of its own: batches are small here, and what
 * does not fill a block would be slow in pieces. */
INLINE void NAME(sum_block)(const filigree_wiring *net, size_t u, const int units, size_t b,
                            size_t count, const double *parameter, double *value) {
  switch (count) {
#define CASE(count) \
  case count: NAME(sum_units)(net, u, units, b, count, parameter, value); break;
    CASE(1)
#if PAIR_BLOCK > 2
    CASE(2) CASE(3)
#endif
#if PAIR_BLOCK > 4
    CASE(4) CASE(5) CASE(6) CASE(7)
#endif
    default: NAME(sum_units)(net, u, units, b, PAIR_BLOCK, parameter, value);
#undef CASE
  }
}

static void NAME(evaluate)(const filigree_wiring *net, size_t batch, const double *parameter,
                           double *value, double *slope) {
  const size_t block = PAIR_BLOCK * DOUBLE_LANES;
  for (size_t u = 0; u < net->live_units; u++) {
    const int paired = (net->pair[u] & FILIGREE_READ_THE_SAME) != 0;
    for (size_t b = 0; b < batch; b += block) {
      const size_t count = (batch - b < block ? batch - b : block) / DOUBLE_LANES;
      if (paired)
        NAME(sum_block)(net, u, 2, b, count, parameter, value);
      else
        NAME(sum_block)(net, u, 1, b, count, parameter, value);
    }
    for (const size_t last = u + paired;; u++) {
      const uint32_t row = net->row[u];
      NAME(activate_double)(net->activation[u], net->shape ? net->shape + 2 * u : NULL, batch,
                            value + row, slope ? slope + row : NULL);
      if (u == last) break;
    }
  }
}

