/* Derivatives over data: with respect to parameters for fits, and to inputs. */

static void NAME(jacobian)(const filigree_wiring *net, size_t output, size_t batch,
                           const double *parameter, const double *value, const double *slope,
                           const double *seed, const double *error, double *delta,
                           float *jacobian, double *gradient) {
  for (size_t u = net->live_units; u-- > 0;) {
    double *d = delta + net->row[u];
    for (size_t b = 0; b < batch; b++) d[b] = u == output ? seed[b] : 0;
    for (uint32_t p = net->outgoing[u]; p < net->outgoing[u + 1]; p++) {
      const doubles w = (doubles)parameter[net->target_parameter[p]];
      const double *from = delta + net->target[p];
      for (size_t b = 0; b < batch; b += DOUBLE_LANES)
        DOUBLES_AT(d, b) = FUSED_DOUBLE(w, CONST_DOUBLES_AT(from, b), CONST_DOUBLES_AT(d, b));
    }
    const double *s = slope + net->row[u];
    for (size_t b = 0; b < batch; b += DOUBLE_LANES) DOUBLES_AT(d, b) *= CONST_DOUBLES_AT(s, b);
    for (uint32_t p = net->first[u]; p < net->last[u]; p++) {
      const double *x = value + net->source[p];
      doubles sum = {};
      for (size_t b = 0; b < batch; b += DOUBLE_LANES) {
        const doubles product = *(const doubles *)(d + b) * *(const doubles *)(x + b);
        *(narrow *)(jacobian + p * batch + b) =
            __builtin_convertvector(product, narrow);
        sum = FUSED_DOUBLE(product, CONST_DOUBLES_AT(error, b), sum);
      }
      gradient[p] += NAME(double_sum)(sum);
    }
  }
}

static void NAME(sensitivity)(const filigree_wiring *net, size_t units, const uint32_t *unit,
                              size_t inputs, size_t batch, const double *parameter,
                              const double *slope, double *delta, double *jacobian) {
  enum { BLOCK_LANES = 4 * DOUBLE_LANES }; /* a batch is a multiple of it */
  memset(jacobian, 0, inputs * batch * sizeof(double));
  for (size_t n = 0; n < units; n++) {
    const uint32_t u = unit[n], row = net->row[u];
    for (size_t b = 0; b < batch; b += BLOCK_LANES) {
      doubles d[4];
      const doubles start = (doubles)(n == 0 ? 1.0 : 0.0);
      for (int k = 0; k < 4; k++) d[k] = start;
      for (uint32_t p = net->outgoing[u]; n > 0 && p < net->outgoing[u + 1]; p++) {
        const doubles w = (doubles)parameter[net->target_parameter[p]];
        const double *from = delta + net->target[p] + b;
        for (int k = 0; k < 4; k++)
          d[k] = FUSED_DOUBLE(w, CONST_DOUBLES_AT(from, k * DOUBLE_LANES), d[k]);
      }
      for (int k = 0; k < 4; k++) {
        d[k] *= *(const doubles *)(slope + row + b + k * DOUBLE_LANES);
        *(doubles *)(delta + row + b + k * DOUBLE_LANES) = d[k];
      }
      for (uint32_t p = net->first[u] + 1; p < net->last[u]; p++) {
        const size_t source = net->source[p];
        if (source > inputs * batch) continue;
        double *to = jacobian + (source - batch) + b;
        const doubles w = (doubles)parameter[p];
        for (int k = 0; k < 4; k++)
          DOUBLES_AT(to, k * DOUBLE_LANES) =
              FUSED_DOUBLE(w, d[k], CONST_DOUBLES_AT(to, k * DOUBLE_LANES));
      }
    }
  }
  for (size_t n = 0; n < units; n++)
    memset(delta + net->row[unit[n]], 0, batch * sizeof(double));
}

static void NAME(magnitudes)(size_t rows, size_t batch, const double *weight, const double *x,
                             double *magnitude, double *sum) {
  for (size_t i = 0; i < rows; i++) {
    doubles absolute = {}, plain = {};
    for (size_t b = 0; b < batch; b += DOUBLE_LANES) {
      const doubles value = *(const doubles *)(x + i * batch + b) * *(const doubles *)(weight + b);
      absolute += __builtin_elementwise_abs(value);
      plain += value;
    }
    magnitude[i] += NAME(double_sum)(absolute);
    sum[i] += NAME(double_sum)(plain);
  }
}

static size_t NAME(slope_runs)(const filigree_wiring *net, size_t batch, const double *slope,
                         const double *last, uint32_t *begins) {
  size_t count = 0;
  for (size_t b = 0; b < batch; b++) begins[b] = 0;
  for (size_t u = 0; u < net->live_units; u++) {
    const double *s = slope + net->row[u];
    begins[0] |= s[0] != last[u];
    for (size_t b = 1; b < batch; b++) begins[b] |= s[b] != s[b - 1];
  }
  for (size_t b = 0; b < batch; b++) count += begins[b];
  return count;
}

