/* The one source of all kernels: Kernels.c includes it once per instruction set, with
 *   LANES         floats in a vector register: 16, 8 or 4
 *   BLOCK         vectors of a row that one pass keeps in registers: 8
 *   PAIR_BLOCK    the same for two units at once: 8 or, where there are 16 registers, 4
 *   LOW, HIGH     the lower and upper halves of two vectors, their lanes in turn
 *   GRAM_COLUMNS  columns of the tile of 4 rows that a product of doubles keeps in registers
 *   KEEP(v)       makes the compiler believe that v is needed and has changed
 *   NAME(f)       f with the set's suffix
 *   SET           the set's name
 * and forgets all of them but NAME at its end. */

typedef float NAME(vector) __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int32_t NAME(integers) __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
#define vector NAME(vector)
#define integers NAME(integers)
#define AT(pointer, index) (*(vector *)((pointer) + (index)))
#define CONST_AT(pointer, index) (*(const vector *)((pointer) + (index)))
#define INLINE static inline __attribute__((always_inline))

/* The first step of a sum over lanes, for two vectors: halves are exchanged and added, after which the
 * lower half of the lanes belongs to a and the upper one to b. */
INLINE vector NAME(fold)(vector a, vector b) { return KEPT_2(a, b) + CROSSED_2(a, b); }

/* The other steps, with quarters and so on: lane k of the result belongs to the k-th of the vectors that
 * were folded. */
INLINE vector NAME(folded_sums)(vector *folded) {
#if LANES >= 16
  for (int k = 0; k < 4; k++)
    folded[k] = KEPT_4(folded[k], folded[k + 4]) + CROSSED_4(folded[k], folded[k + 4]);
  for (int k = 0; k < 2; k++)
    folded[k] = KEPT_8(folded[k], folded[k + 2]) + CROSSED_8(folded[k], folded[k + 2]);
  return KEPT_16(folded[0], folded[1]) + CROSSED_16(folded[0], folded[1]);
#elif LANES >= 8
  for (int k = 0; k < 2; k++)
    folded[k] = KEPT_4(folded[k], folded[k + 2]) + CROSSED_4(folded[k], folded[k + 2]);
  return KEPT_8(folded[0], folded[1]) + CROSSED_8(folded[0], folded[1]);
#else
  return KEPT_4(folded[0], folded[1]) + CROSSED_4(folded[0], folded[1]);
#endif
}

/* Sums of the lanes of LANES vectors: lane k of the result is the sum over vector k. */
INLINE vector NAME(lane_sums)(const vector *tile) {
  vector folded[LANES / 2];
  for (int k = 0; k < LANES / 2; k++) folded[k] = NAME(fold)(tile[k], tile[k + LANES / 2]);
  return NAME(folded_sums)(folded);
}

INLINE float NAME(lane_sum)(vector v) {
  float sum = 0;
  for (int k = 0; k < LANES; k++) sum += v[k];
  return sum;
}

/* Written as choices, because C's fmax and fmin treat NaN in a way that costs two more instructions. */
INLINE vector NAME(choose)(integers mask, vector yes, vector no) {
  return (vector)((mask & (integers)yes) | (~mask & (integers)no));
}
INLINE vector NAME(larger)(vector a, vector b) { return NAME(choose)(a > b, a, b); }
INLINE vector NAME(smaller)(vector a, vector b) { return NAME(choose)(a < b, a, b); }


/* 2ᵗ, for |t| ≤ 126 and beyond that as there. Adding 1.5 · 2²³ rounds to a whole number n and leaves it in
 * the lowest bits, from where it is shifted to the exponent; the rest f, |f| ≤ ½, goes through the
 * minimax polynomial of degree 5, whose relative error is below 8e-8. */
INLINE vector NAME(power_of_two)(vector t) {
  const vector limit = (vector){} + 126.0f;
  t = NAME(larger)(NAME(smaller)(t, limit), -limit);
  const vector shifted = t + 12582912.0f;
  const vector f = t - (shifted - 12582912.0f);
  vector p = (vector){} + 1.32764725e-3f;
  p = p * f + 9.67554096e-3f;
  p = p * f + 5.55071309e-2f;
  p = p * f + 2.40221202e-1f;
  p = p * f + 6.93146944e-1f;
  p = p * f + 1.00000012f;
  return (vector)((integers)p + ((integers)shifted << 23));
}

/* 1/(1 + e⁻ᶻ) with `scale` = −log₂e, or of 2z with twice that. */
INLINE vector NAME(sigmoid)(vector z, float scale) {
  return 1.0f / (1.0f + NAME(power_of_two)(z * scale));
}

/* What the sums must not fall below: rectifies ReLU's and leaves all others. */
INLINE vector NAME(floor_of)(uint32_t activation) {
  return (vector){} + (activation == FILIGREE_RELU ? 0.0f : -__builtin_inff());
}

/* Sums become values in place, with the slopes beside them where those do not follow from the values.
 * (ReLU's sums were rectified in their registers.) */
INLINE void NAME(activate)(uint32_t activation, const int count, float *value, float *slope) {
  if (activation == FILIGREE_SILU)
    for (int k = 0; k < count; k++) {
      const vector sum = CONST_AT(value, k * LANES);
      const vector sigmoid = NAME(sigmoid)(sum, -1.44269504f);
      AT(value, k * LANES) = sum * sigmoid;
      AT(slope, k * LANES) = sigmoid * (1.0f + sum * (1.0f - sigmoid));
    }
  if (activation == FILIGREE_TANH)
    for (int k = 0; k < count; k++)
      AT(value, k * LANES) =
          2.0f * NAME(sigmoid)(CONST_AT(value, k * LANES), -2.88539008f) - 1.0f;
  if (activation == FILIGREE_SQUARE)
    for (int k = 0; k < count; k++) {
      const vector sum = CONST_AT(value, k * LANES);
      AT(value, k * LANES) = sum * sum;
      AT(slope, k * LANES) = 2.0f * sum;
    }
}

/* φ′ of vector k of a unit, from what store_values left. */
INLINE vector NAME(slope_at)(uint32_t activation, const float *value, const float *slope) {
  switch (activation) {
    case FILIGREE_RELU: {
      const integers on = CONST_AT(value, 0) > 0;
      return (vector)(on & (integers)((vector){} + 1.0f));
    }
    case FILIGREE_SILU:
    case FILIGREE_SQUARE: return CONST_AT(slope, 0);
    case FILIGREE_TANH: return 1.0f - CONST_AT(value, 0) * CONST_AT(value, 0);
    default: return (vector){} + 1.0f;
  }
}

/* The bodies below take the number of vectors as a constant: BLOCK of them stay in registers, and the
 * rest of a batch goes through in pieces of 4, 3, 2 and 1. Two units that read the same rows, or are read
 * by the same units, go together where that halves the loads: PAIR_BLOCK vectors of each. */
#define IN_BLOCKS(block, body)                                           \
  do {                                                                   \
    size_t b = 0;                                                        \
    for (; b + block * LANES <= batch; b += block * LANES) body(block)   \
    if (block > 4 && b + 4 * LANES <= batch) { body(4) b += 4 * LANES; } \
    if (b + 3 * LANES <= batch) { body(3) b += 3 * LANES; }              \
    if (b + 2 * LANES <= batch) { body(2) b += 2 * LANES; }              \
    if (b + LANES <= batch) body(1)                                      \
  } while (0)

INLINE void NAME(unit_forward)(const filigree_wiring *net, size_t u, size_t b, const int count,
                               const float *parameter, float *value, float *slope) {
  const uint32_t first = net->first[u], last = net->last[u];
  vector sum[BLOCK];
  for (int k = 0; k < count; k++) sum[k] = (vector){} + parameter[first];
  for (uint32_t p = first + 1; p < last; p++) {
    const float w = parameter[p];
    const float *x = value + net->source[p] + b;
    for (int k = 0; k < count; k++) sum[k] += w * CONST_AT(x, k * LANES);
  }
  const size_t place = net->row[u] + b;
  const vector floor = NAME(floor_of)(net->activation[u]);
  for (int k = 0; k < count; k++) AT(value, place + k * LANES) = NAME(larger)(sum[k], floor);
  NAME(activate)(net->activation[u], count, value + place, slope + place);
}

/* Units u and u + 1, which read the same rows. */
INLINE void NAME(pair_forward)(const filigree_wiring *net, size_t u, size_t b, const int count,
                               const float *parameter, float *value, float *slope) {
  const uint32_t *source = net->source + net->first[u];
  const float *w0 = parameter + net->first[u], *w1 = parameter + net->first[u + 1];
  const size_t weights = net->last[u] - net->first[u];
  vector sum0[PAIR_BLOCK], sum1[PAIR_BLOCK];
  for (int k = 0; k < count; k++) sum0[k] = (vector){} + w0[0], sum1[k] = (vector){} + w1[0];
  for (size_t p = 1; p < weights; p++) {
    const float *x = value + source[p] + b;
    for (int k = 0; k < count; k++) {
      sum0[k] += w0[p] * CONST_AT(x, k * LANES);
      sum1[k] += w1[p] * CONST_AT(x, k * LANES);
    }
  }
  const size_t place0 = net->row[u] + b, place1 = net->row[u + 1] + b;
  const vector floor = NAME(floor_of)(net->activation[u]);
  for (int k = 0; k < count; k++) {
    AT(value, place0 + k * LANES) = NAME(larger)(sum0[k], floor);
    AT(value, place1 + k * LANES) = NAME(larger)(sum1[k], floor);
  }
  NAME(activate)(net->activation[u], count, value + place0, slope + place0);
  NAME(activate)(net->activation[u], count, value + place1, slope + place1);
}

static void NAME(forward)(const filigree_wiring *net, size_t units, size_t batch,
                          const float *parameter, float *value, float *slope) {
  for (size_t u = 0; u < units; u++) {
    if (net->pair[u] & FILIGREE_READ_THE_SAME) {
#define BODY(count) NAME(pair_forward)(net, u, b, count, parameter, value, slope);
      IN_BLOCKS(PAIR_BLOCK, BODY);
#undef BODY
      u++;
    } else {
#define BODY(count) NAME(unit_forward)(net, u, b, count, parameter, value, slope);
      IN_BLOCKS(BLOCK, BODY);
#undef BODY
    }
  }
}

/* The deltas of a unit that is no output, which are stored as well. */
INLINE void NAME(deltas)(const filigree_wiring *net, size_t u, size_t b, const int count,
                         const float *parameter, const float *value, const float *slope,
                         float *delta, vector *sum) {
  for (int k = 0; k < count; k++) sum[k] = (vector){};
  for (uint32_t p = net->outgoing[u]; p < net->outgoing[u + 1]; p++) {
    const float w = parameter[net->target_parameter[p]];
    const float *d = delta + net->target[p] + b;
    for (int k = 0; k < count; k++) sum[k] += w * CONST_AT(d, k * LANES);
  }
  const size_t place = net->row[u] + b;
  for (int k = 0; k < count; k++) {
    sum[k] *= NAME(slope_at)(net->activation[u], value + place + k * LANES,
                             slope + place + k * LANES);
    AT(delta, place + k * LANES) = sum[k];
  }
}

/* Units u and u + 1, which are read by the same units. */
INLINE void NAME(pair_delta)(const filigree_wiring *net, size_t u, size_t b, const int count,
                             const float *parameter, const float *value, const float *slope,
                             float *delta) {
  const uint32_t *target = net->target + net->outgoing[u];
  const uint32_t *place0 = net->target_parameter + net->outgoing[u];
  const uint32_t *place1 = net->target_parameter + net->outgoing[u + 1];
  const size_t weights = net->outgoing[u + 1] - net->outgoing[u];
  vector sum0[PAIR_BLOCK], sum1[PAIR_BLOCK];
  for (int k = 0; k < count; k++) sum0[k] = sum1[k] = (vector){};
  for (size_t p = 0; p < weights; p++) {
    const float w0 = parameter[place0[p]], w1 = parameter[place1[p]];
    const float *d = delta + target[p] + b;
    for (int k = 0; k < count; k++) {
      sum0[k] += w0 * CONST_AT(d, k * LANES);
      sum1[k] += w1 * CONST_AT(d, k * LANES);
    }
  }
  const size_t row0 = net->row[u] + b, row1 = net->row[u + 1] + b;
  for (int k = 0; k < count; k++) {
    const size_t at0 = row0 + k * LANES, at1 = row1 + k * LANES;
    AT(delta, at0) = sum0[k] * NAME(slope_at)(net->activation[u], value + at0, slope + at0);
    AT(delta, at1) = sum1[k] * NAME(slope_at)(net->activation[u + 1], value + at1, slope + at1);
  }
}

/* Sums over the batch wait, one vector each, until LANES of them can be reduced together. */
typedef struct {
  vector sum[LANES];
  size_t waiting;
  float *gradient; /* where the first of them goes */
} NAME(reduction);

INLINE void NAME(flush)(NAME(reduction) *r) {
  if (r->waiting == 0) return;
  const vector total = NAME(lane_sums)(r->sum);
  if (r->waiting == LANES)
    AT(r->gradient, 0) = total;
  else
    for (size_t k = 0; k < r->waiting; k++) r->gradient[k] = total[k];
  r->gradient += r->waiting;
  r->waiting = 0;
}

/* Adds Σ delta · source over `count` vectors from sample b on to `weights` sums. */
INLINE void NAME(correlate)(vector *sum, size_t weights, size_t b, const int count,
                            const uint32_t *source, const float *value, const float *delta) {
  vector d[BLOCK];
  for (int k = 0; k < count; k++) d[k] = CONST_AT(delta, b + k * LANES);
  for (size_t p = 0; p < weights; p++) {
    const float *x = value + source[p] + b;
    vector s = b == 0 ? (vector){} : sum[p];
    for (int k = 0; k < count; k++) s += d[k] * CONST_AT(x, k * LANES);
    sum[p] = s;
  }
}

/* Room for the gradients of parameters from `gradient` on behind those that wait. */
INLINE void NAME(go_on_at)(NAME(reduction) *r, float *gradient) {
  if (r->gradient + r->waiting != gradient) {
    NAME(flush)(r);
    r->gradient = gradient;
  }
}

/* The gradients of one unit's parameters join those that wait. */
INLINE void NAME(unit_gradient)(NAME(reduction) *r, size_t weights, const uint32_t *source,
                                size_t batch, const float *value, const float *delta) {
  while (weights > 0) {
    const size_t room = LANES - r->waiting, taken = room < weights ? room : weights;
    vector *sum = r->sum + r->waiting;
#define BODY(count) NAME(correlate)(sum, taken, b, count, source, value, delta);
    IN_BLOCKS(BLOCK, BODY);
#undef BODY
    source += taken;
    weights -= taken;
    r->waiting += taken;
    if (r->waiting == LANES) NAME(flush)(r);
  }
}

/* unit_delta and correlate in one: deltas are in registers when the sums need them. The first sum is the
 * bias's, whose row of ones is not read. */
INLINE void NAME(unit_backward)(const filigree_wiring *net, size_t u, size_t b, const int count,
                                const float *parameter, const float *value, const float *slope,
                                float *delta, vector *sum, size_t weights, const uint32_t *source) {
  vector d[BLOCK];
  const size_t place = net->row[u] + b;
  if (net->is_output[u])
    for (int k = 0; k < count; k++) d[k] = CONST_AT(delta, place + k * LANES);
  else
    NAME(deltas)(net, u, b, count, parameter, value, slope, delta, d);
  vector total = b == 0 ? (vector){} : sum[0];
  for (int k = 0; k < count; k++) total += d[k];
  sum[0] = total;
  for (size_t p = 1; p < weights; p++) {
    const float *x = value + source[p] + b;
    vector s = b == 0 ? (vector){} : sum[p];
    for (int k = 0; k < count; k++) s += d[k] * CONST_AT(x, k * LANES);
    sum[p] = s;
  }
}

INLINE void NAME(delta_and_gradient)(NAME(reduction) *r, const filigree_wiring *net, size_t u,
                                     size_t batch, size_t weights, const uint32_t *source,
                                     const float *parameter, const float *value,
                                     const float *slope, float *delta) {
  const size_t room = LANES - r->waiting, taken = room < weights ? room : weights;
  vector *sum = r->sum + r->waiting;
#define BODY(count)                                                                             \
  NAME(unit_backward)(net, u, b, count, parameter, value, slope, delta, sum, taken, source);
  IN_BLOCKS(BLOCK, BODY);
#undef BODY
  r->waiting += taken;
  if (r->waiting == LANES) NAME(flush)(r);
  NAME(unit_gradient)(r, weights - taken, source + taken, batch, value, delta + net->row[u]);
}

/* As correlate, for the deltas of two units and up to LANES/2 sources; the two sums are folded. */
INLINE void NAME(pair_correlate)(vector *folded, size_t weights, size_t b, const int count,
                                 const uint32_t *source, const float *value, const float *delta0,
                                 const float *delta1) {
  vector d0[PAIR_BLOCK], d1[PAIR_BLOCK];
  for (int k = 0; k < count; k++)
    d0[k] = CONST_AT(delta0, b + k * LANES), d1[k] = CONST_AT(delta1, b + k * LANES);
  for (size_t p = 0; p < weights; p++) {
    const float *x = value + source[p] + b;
    vector s0 = {}, s1 = {};
    for (int k = 0; k < count; k++) {
      const vector v = CONST_AT(x, k * LANES);
      s0 += d0[k] * v;
      s1 += d1[k] * v;
    }
    const vector sum = NAME(fold)(s0, s1);
    folded[p] = b == 0 ? sum : folded[p] + sum;
  }
}

/* Copies up to LANES/2 floats in pieces of fixed sizes. */
INLINE void NAME(store_first)(size_t count, float *to, const float *from) {
  if (count == LANES / 2) {
    __builtin_memcpy(to, from, LANES / 2 * sizeof(float));
    return;
  }
  if (count & 4) __builtin_memcpy(to, from, 4 * sizeof(float)), to += 4, from += 4;
  if (count & 2) __builtin_memcpy(to, from, 2 * sizeof(float)), to += 2, from += 2;
  if (count & 1) *to = *from;
}

INLINE void NAME(pair_gradient)(size_t weights, const uint32_t *source, size_t batch,
                                const float *value, const float *delta0, const float *delta1,
                                float *gradient0, float *gradient1) {
  vector folded[LANES / 2];
  for (size_t p = 0; p < weights; p += LANES / 2) {
    const size_t taken = weights - p < LANES / 2 ? weights - p : LANES / 2;
    /* With a constant number of weights the sums stay in registers. */
    if (taken == LANES / 2) {
#define BODY(count)                                                                           \
  NAME(pair_correlate)(folded, LANES / 2, b, count, source + p, value, delta0, delta1);
      IN_BLOCKS(PAIR_BLOCK, BODY);
#undef BODY
    } else {
#define BODY(count) \
  NAME(pair_correlate)(folded, taken, b, count, source + p, value, delta0, delta1);
      IN_BLOCKS(PAIR_BLOCK, BODY);
#undef BODY
    }
    const vector total = NAME(folded_sums)(folded);
    NAME(store_first)(taken, gradient0 + p, (const float *)&total);
    NAME(store_first)(taken, gradient1 + p, (const float *)&total + LANES / 2);
  }
}

static void NAME(backward)(const filigree_wiring *net, size_t batch, int every_weight,
                           const uint32_t *first, const uint32_t *last, const uint32_t *source,
                           const float *parameter, const float *value, const float *slope,
                           float *delta, float *gradient) {
  NAME(reduction) waiting = {.gradient = gradient};
  for (size_t u = net->live_units; u-- > 0;) {
    const uint32_t pair = u > 0 ? net->pair[u - 1] : 0;
    const int same_deltas = (pair & FILIGREE_READ_BY_THE_SAME) != 0;
    const int same_sources = pair && (every_weight || pair & FILIGREE_READ_THE_SAME);
    if (!same_deltas && !same_sources) {
      NAME(go_on_at)(&waiting, gradient + first[u]);
      NAME(delta_and_gradient)(&waiting, net, u, batch, last[u] - first[u], source + first[u],
                               parameter, value, slope, delta);
      continue;
    }
    if (same_deltas) {
#define BODY(count) NAME(pair_delta)(net, u - 1, b, count, parameter, value, slope, delta);
      IN_BLOCKS(PAIR_BLOCK, BODY);
#undef BODY
    } else {
      for (size_t v = u + 1; v-- > u - 1;)
        if (!net->is_output[v]) {
          vector sum[BLOCK];
#define BODY(count) NAME(deltas)(net, v, b, count, parameter, value, slope, delta, sum);
          IN_BLOCKS(BLOCK, BODY);
#undef BODY
        }
    }
    if (same_sources)
      NAME(pair_gradient)(last[u] - first[u], source + first[u], batch, value,
                          delta + net->row[u], delta + net->row[u - 1], gradient + first[u],
                          gradient + first[u - 1]);
    else
      for (size_t v = u + 1; v-- > u - 1;) {
        NAME(go_on_at)(&waiting, gradient + first[v]);
        NAME(unit_gradient)(&waiting, last[v] - first[v], source + first[v], batch, value,
                            delta + net->row[v]);
      }
    u--;
  }
  NAME(flush)(&waiting);
}

static double NAME(residual)(size_t count, const float *prediction, const float *target,
                             float factor, float *delta) {
  vector sum = {};
  for (size_t k = 0; k < count; k += LANES) {
    vector error = CONST_AT(prediction, k) - CONST_AT(target, k);
    sum += error * error;
    AT(delta, k) = factor * error;
  }
  return NAME(lane_sum)(sum);
}

static void NAME(adam)(size_t count, const filigree_adam_step *step, const float *strength,
                       float *parameter, const float *gradient, float *moment1, float *moment2) {
  const filigree_adam_step s = *step;
  for (size_t k = 0; k < count; k += LANES) {
    vector w = CONST_AT(parameter, k), g = CONST_AT(gradient, k);
    if (s.penalty == FILIGREE_L1_GRADIENT) {
      integers positive = w > 0, negative = w < 0;
      vector one = CONST_AT(strength, k);
      g += (vector)(positive & (integers)one) - (vector)(negative & (integers)one);
    }
    vector m = s.beta1 * CONST_AT(moment1, k) + (1 - s.beta1) * g;
    vector v = s.beta2 * CONST_AT(moment2, k) + (1 - s.beta2) * g * g;
    AT(moment1, k) = m;
    AT(moment2, k) = v;
    vector rate =
        s.learning_rate / (__builtin_elementwise_sqrt(v * s.correction2) + s.epsilon);
    w -= rate * (m * s.correction1);
    if (s.penalty == FILIGREE_PROXIMAL_STEP) {
      vector threshold = rate * CONST_AT(strength, k), magnitude = __builtin_elementwise_abs(w);
      vector shrunk = magnitude - threshold;
      shrunk = (vector)((integers)(shrunk > 0) & (integers)shrunk);
      w = __builtin_elementwise_copysign(shrunk, w);
      w = (vector)((integers)(shrunk > 0) & (integers)w); /* no negative zeros */
    }
    AT(parameter, k) = w;
  }
}

/* The matrix of LANES rows turned: after log₂ LANES perfect shuffles of the rows, row f holds what was
 * column f. */
INLINE void NAME(transpose)(vector *row) {
  vector other[LANES];
  for (int width = 1; width < LANES; width *= 2) {
    for (int k = 0; k < LANES / 2; k++) {
      other[2 * k] = LOW(row[k], row[k + LANES / 2]);
      other[2 * k + 1] = HIGH(row[k], row[k + LANES / 2]);
    }
    for (int k = 0; k < LANES; k++) row[k] = other[k];
  }
}

static void NAME(gather)(size_t features, size_t stride, size_t used, size_t batch,
                         const float *source, const uint32_t *rows, float *destination) {
  for (size_t b = 0; b < batch; b += LANES)
    for (size_t f = 0; f < features; f += LANES) {
      vector tile[LANES];
      for (size_t k = 0; k < LANES; k++)
        tile[k] = b + k < used ? CONST_AT(source, rows[b + k] * stride + f) : (vector){};
      NAME(transpose)(tile);
      const size_t columns = features - f < LANES ? features - f : LANES;
      for (size_t k = 0; k < columns; k++) AT(destination, (f + k) * batch + b) = tile[k];
    }
}

/* In `double`, for normal equations: simple loops that the compiler turns into vectors, and one product
 * that it would not. */

typedef double NAME(doubles) __attribute__((vector_size(LANES * 4), aligned(8), may_alias));
typedef int64_t NAME(longs) __attribute__((vector_size(LANES * 4), aligned(8), may_alias));
#define doubles NAME(doubles)
#define DOUBLE_LANES (LANES / 2)

/* 1/(1 + e⁻ᶻ): as power_of_two above, with 2⁵² in the place of 2²³ and Taylor's polynomial of e^(f ln 2) of
 * degree 12, whose remainder is below 2e-16. */
INLINE doubles NAME(sigmoid_double)(doubles z) {
  static const double factorial[] = {479001600, 39916800, 3628800, 362880, 40320, 5040, 720,
                                     120,       24,       6,       2,      1,     1};
  const doubles limit = (doubles){} + 1020.0;
  doubles t = z * -1.4426950408889634074;
  NAME(longs) above = t > limit, below = t < -limit;
  t = (doubles)((above & (NAME(longs))limit) | (~above & (NAME(longs))t));
  t = (doubles)((below & (NAME(longs))-limit) | (~below & (NAME(longs))t));
  const doubles shifted = t + 6755399441055744.0;
  const doubles r = (t - (shifted - 6755399441055744.0)) * 0.69314718055994530942;
  doubles p = (doubles){} + 1 / factorial[0];
  for (int k = 1; k <= 12; k++) p = p * r + 1 / factorial[k];
  p = (doubles)((NAME(longs))p + ((NAME(longs))shifted << 52));
  return 1.0 / (1.0 + p);
}

/* Sums of `batch` doubles become values in place; `slope` may be NULL. (ReLU's sums were rectified in
 * their registers.) */
static void NAME(activate_double)(uint32_t activation, size_t batch, double *value, double *slope) {
  if (!slope && (activation == FILIGREE_RELU || activation == FILIGREE_IDENTITY)) return;
  for (size_t b = 0; b < batch; b += DOUBLE_LANES) {
    doubles *v = (doubles *)(value + b), s;
    switch (activation) {
      case FILIGREE_RELU: {
        const NAME(longs) on = *v > 0;
        s = (doubles)(on & (NAME(longs))((doubles){} + 1.0));
        break;
      }
      case FILIGREE_SILU: {
        const doubles sigmoid = NAME(sigmoid_double)(*v);
        s = sigmoid * (1.0 + *v * (1.0 - sigmoid));
        *v *= sigmoid;
        break;
      }
      case FILIGREE_TANH:
        *v = 2.0 * NAME(sigmoid_double)(2.0 * *v) - 1.0;
        s = 1.0 - *v * *v;
        break;
      case FILIGREE_SQUARE:
        s = 2.0 * *v;
        *v *= *v;
        break;
      default: s = (doubles){} + 1.0;
    }
    if (slope) *(doubles *)(slope + b) = s;
  }
}

/* The sums of `units` (1 or 2) units from u on that read the same rows, `count` registers of each. */
INLINE void NAME(sum_units)(const filigree_wiring *net, size_t u, const int units, size_t b,
                            const int count, const double *parameter, double *value) {
  doubles sum[2 * PAIR_BLOCK];
  const double *w[2];
  const uint32_t *source = net->source + net->first[u];
  const size_t weights = net->last[u] - net->first[u];
  for (int n = 0; n < units; n++) {
    w[n] = parameter + net->first[u + n];
    for (int k = 0; k < count; k++) sum[n * count + k] = (doubles){} + w[n][0];
  }
  for (size_t p = 1; p < weights; p++)
    for (int k = 0; k < count; k++) {
      const doubles x = *(const doubles *)(value + source[p] + b + k * DOUBLE_LANES);
      for (int n = 0; n < units; n++) sum[n * count + k] += w[n][p] * x;
    }
  /* What is below the floor becomes zero. */
  for (int n = 0; n < units; n++) {
    const doubles floor =
        (doubles){} + (net->activation[u + n] == FILIGREE_RELU ? 0.0 : -__builtin_inf());
    double *to = value + net->row[u + n] + b;
    for (int k = 0; k < count; k++) {
      const doubles v = sum[n * count + k];
      *(doubles *)(to + k * DOUBLE_LANES) = (doubles)(~(v < floor) & (NAME(longs))v);
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
    CASE(1) CASE(2) CASE(3)
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
      NAME(activate_double)(net->activation[u], batch, value + row, slope ? slope + row : NULL);
      if (u == last) break;
    }
  }
}

typedef float NAME(narrow) __attribute__((vector_size(LANES * 2), aligned(4), may_alias));

/* The states that follow `state`, from the rates that the network left at `rate` in float or double. */
#define MOVE_STATES(type)                                                                      \
  for (size_t i = 0; i < d->states; i++) {                                                     \
    const double offset = d->time_step * d->rate_mean[i];                                      \
    const double gain = d->time_step * d->rate_deviation[i];                                   \
    for (size_t b = 0; b < batch; b += DOUBLE_LANES) {                                         \
      const doubles rate = __builtin_convertvector(                                            \
          *(const type *)(value + d->output_row[i] + b), doubles);                             \
      *(doubles *)(next + i * batch + b) =                                                     \
          *(const doubles *)(now + i * batch + b) + (offset + gain * rate);                    \
    }                                                                                          \
  }

/* The network's inputs at one sample, standardised. */
#define STANDARDISE(type)                                                                      \
  for (size_t i = 0; i < d->states + d->controls; i++) {                                       \
    const double *from = i < d->states                                                         \
                             ? now + i * batch                                                 \
                             : control + (step * d->controls + i - d->states) * batch;         \
    const double mean = d->mean[i], scale = 1 / d->deviation[i];                               \
    for (size_t b = 0; b < batch; b += DOUBLE_LANES)                                           \
      *(type *)(value + (1 + i) * batch + b) = __builtin_convertvector(                        \
          (*(const doubles *)(from + b) - mean) * scale, type);                                \
  }

/* The states move from row to row of the forecast, and behind the last one into `state`. */
#define ROLL(type, network)                                                                    \
  const size_t batch = d->batch, width = d->states * batch;                                    \
  if (steps > 0) memcpy(forecast, state, width * sizeof(double));                              \
  for (size_t step = 0; step < steps; step++) {                                                \
    const double *now = forecast + step * width;                                               \
    double *next = step + 1 < steps ? forecast + (step + 1) * width : state;                   \
    STANDARDISE(type)                                                                          \
    network;                                                                                   \
    MOVE_STATES(type)                                                                          \
  }

static void NAME(roll)(const filigree_wiring *net, const filigree_dynamics *d, size_t steps,
                       const float *parameter, const double *control, double *state,
                       double *forecast, float *value, float *slope) {
  ROLL(NAME(narrow), NAME(forward)(net, net->live_units, batch, parameter, value, slope))
}

static void NAME(roll_double)(const filigree_wiring *net, const filigree_dynamics *d, size_t steps,
                              const double *parameter, const double *control, double *state,
                              double *forecast, double *value) {
  ROLL(doubles, NAME(evaluate)(net, batch, parameter, value, NULL))
}

static void NAME(score)(size_t states, size_t batch, size_t first, size_t steps,
                        const double *forecast, const double *truth, const double *scale,
                        double limit, double *absolute, double *squared, double *diverged_at) {
  for (size_t step = 0; step < steps; step++)
    for (size_t b = 0; b < batch; b += DOUBLE_LANES) {
      doubles total = {};
      for (size_t i = 0; i < states; i++) {
        const size_t at = (step * states + i) * batch + b, sum = i * batch + b;
        const doubles error =
            (*(const doubles *)(forecast + at) - *(const doubles *)(truth + at)) * (1 / scale[i]);
        const doubles magnitude = __builtin_elementwise_abs(error);
        *(doubles *)(absolute + sum) += magnitude;
        *(doubles *)(squared + sum) += error * error;
        total += magnitude;
      }
      /* A total that is no number is not below the limit either. */
      const NAME(longs) good = total <= limit * (double)states;
      doubles *at = (doubles *)(diverged_at + b);
      const NAME(longs) now = ~good & (*at > (double)(first + step));
      *at = (doubles)((now & (NAME(longs))((doubles){} + (double)(first + step))) |
                      (~now & (NAME(longs))*at));
    }
}

static void NAME(pool)(size_t states, size_t batch, size_t first, size_t steps,
                       const double *forecast, const double *diverged_at, double *count,
                       double *mean, double *square) {
  for (size_t step = 0; step < steps; step++)
    for (size_t b = 0; b < batch; b += DOUBLE_LANES) {
      const NAME(longs) counts = *(const doubles *)(diverged_at + b) > (double)(first + step);
      doubles *n = (doubles *)(count + step * batch + b);
      *n += (doubles)(counts & (NAME(longs))((doubles){} + 1.0));
      for (size_t i = 0; i < states; i++) {
        const size_t at = (step * states + i) * batch + b;
        const doubles x = *(const doubles *)(forecast + at);
        doubles *m = (doubles *)(mean + at), *s = (doubles *)(square + at);
        const doubles distance = x - *m;
        const doubles moved = *m + (doubles)(counts & (NAME(longs))(distance / *n));
        *s += (doubles)(counts & (NAME(longs))(distance * (x - moved)));
        *m = moved;
      }
    }
}

static void NAME(cover)(size_t states, size_t batch, size_t steps, const double *truth,
                        const double *count, const double *mean, const double *square,
                        const double *reach, double *inside) {
  for (size_t step = 0; step < steps; step++)
    for (size_t b = 0; b < batch; b += DOUBLE_LANES) {
      doubles factor;
      for (int k = 0; k < DOUBLE_LANES; k++) factor[k] = reach[(size_t)count[step * batch + b + k]];
      for (size_t i = 0; i < states; i++) {
        const size_t at = (step * states + i) * batch + b;
        const doubles distance = *(const doubles *)(truth + at) - *(const doubles *)(mean + at);
        const NAME(longs) covered = distance * distance <= factor * *(const doubles *)(square + at);
        *(doubles *)(inside + i * batch + b) += (doubles)(covered & (NAME(longs))((doubles){} + 1.0));
      }
    }
}

static void NAME(jacobian)(const filigree_wiring *net, size_t output, size_t batch,
                           const double *parameter, const double *value, const double *slope,
                           const double *seed, const double *error, double *delta,
                           float *jacobian, double *gradient) {
  for (size_t u = net->live_units; u-- > 0;) {
    double *restrict d = delta + net->row[u];
    for (size_t b = 0; b < batch; b++) d[b] = u == output ? seed[b] : 0;
    for (uint32_t p = net->outgoing[u]; p < net->outgoing[u + 1]; p++) {
      const double w = parameter[net->target_parameter[p]], *restrict from = delta + net->target[p];
      for (size_t b = 0; b < batch; b++) d[b] += w * from[b];
    }
    const double *restrict s = slope + net->row[u];
    for (size_t b = 0; b < batch; b++) d[b] *= s[b];
    for (uint32_t p = net->first[u]; p < net->last[u]; p++) {
      const double *restrict x = value + net->source[p];
      doubles sum = {};
      for (size_t b = 0; b < batch; b += DOUBLE_LANES) {
        const doubles product = *(const doubles *)(d + b) * *(const doubles *)(x + b);
        *(NAME(narrow) *)(jacobian + p * batch + b) =
            __builtin_convertvector(product, NAME(narrow));
        sum += product * *(const doubles *)(error + b);
      }
      for (int k = 0; k < DOUBLE_LANES; k++) gradient[p] += sum[k];
    }
  }
}

static void NAME(sensitivity)(const filigree_wiring *net, size_t units, const uint32_t *unit,
                              size_t inputs, size_t batch, const double *parameter,
                              const double *slope, double *delta, double *jacobian) {
  enum { BLOCK_LANES = 4 * DOUBLE_LANES };
  memset(jacobian, 0, inputs * batch * sizeof(double));
  for (size_t n = 0; n < units; n++) {
    const uint32_t u = unit[n], row = net->row[u];
    for (size_t b = 0; b < batch; b += BLOCK_LANES) {
      doubles d[4];
      const doubles start = (doubles){} + (n == 0 ? 1.0 : 0.0);
      for (int k = 0; k < 4; k++) d[k] = start;
      for (uint32_t p = net->outgoing[u]; n > 0 && p < net->outgoing[u + 1]; p++) {
        const double w = parameter[net->target_parameter[p]];
        const double *from = delta + net->target[p] + b;
        for (int k = 0; k < 4; k++) d[k] += w * *(const doubles *)(from + k * DOUBLE_LANES);
      }
      for (int k = 0; k < 4; k++) {
        d[k] *= *(const doubles *)(slope + row + b + k * DOUBLE_LANES);
        *(doubles *)(delta + row + b + k * DOUBLE_LANES) = d[k];
      }
      for (uint32_t p = net->first[u] + 1; p < net->last[u]; p++) {
        const size_t source = net->source[p];
        if (source > inputs * batch) continue;
        double *to = jacobian + (source - batch) + b;
        for (int k = 0; k < 4; k++) *(doubles *)(to + k * DOUBLE_LANES) += parameter[p] * d[k];
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
    for (int k = 0; k < DOUBLE_LANES; k++) {
      magnitude[i] += absolute[k];
      sum[i] += plain[k];
    }
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

/* Sums of the lanes of DOUBLE_LANES vectors, as lane_sums. */
INLINE doubles NAME(double_sums)(doubles *tile) {
#if LANES >= 16
  for (int k = 0; k < 4; k++)
    tile[k] = DKEPT_2(tile[k], tile[k + 4]) + DCROSSED_2(tile[k], tile[k + 4]);
  for (int k = 0; k < 2; k++)
    tile[k] = DKEPT_4(tile[k], tile[k + 2]) + DCROSSED_4(tile[k], tile[k + 2]);
  return DKEPT_8(tile[0], tile[1]) + DCROSSED_8(tile[0], tile[1]);
#elif LANES >= 8
  for (int k = 0; k < 2; k++)
    tile[k] = DKEPT_2(tile[k], tile[k + 2]) + DCROSSED_2(tile[k], tile[k + 2]);
  return DKEPT_4(tile[0], tile[1]) + DCROSSED_4(tile[0], tile[1]);
#else
  return DKEPT_2(tile[0], tile[1]) + DCROSSED_2(tile[0], tile[1]);
#endif
}

/* A tile of 4 rows and GRAM_COLUMNS columns at a time, in registers over the whole batch. */
#define GRAM(function, type, number, lanes, sums)                                              \
  static void NAME(function)(size_t rows, size_t batch, const number *x, double *product) {    \
    for (size_t i = 0; i < rows; i += 4)                                                       \
      for (size_t j = 0; j < i + 4 && j < rows; j += GRAM_COLUMNS) {                           \
        /* Beyond the edge the last row is taken again and its products are thrown away. */    \
        const number *row[4], *column[GRAM_COLUMNS];                                           \
        for (size_t r = 0; r < 4; r++) row[r] = x + (i + r < rows ? i + r : rows - 1) * batch; \
        for (size_t c = 0; c < GRAM_COLUMNS; c++)                                              \
          column[c] = x + (j + c < rows ? j + c : rows - 1) * batch;                           \
        type tile[4 * GRAM_COLUMNS] = {};                                                      \
        for (size_t b = 0; b < batch; b += lanes)                                              \
          for (int r = 0; r < 4; r++)                                                          \
            for (int c = 0; c < GRAM_COLUMNS; c++)                                             \
              tile[r * GRAM_COLUMNS + c] +=                                                    \
                  *(const type *)(row[r] + b) * *(const type *)(column[c] + b);                \
        number sum[4 * GRAM_COLUMNS];                                                          \
        for (int k = 0; k < 4 * GRAM_COLUMNS; k += lanes) *(type *)(sum + k) = sums(tile + k); \
        const int is_inside = i + 4 <= rows && j + GRAM_COLUMNS <= i;                          \
        for (size_t r = 0; r < 4 && i + r < rows; r++)                                         \
          for (size_t c = 0; c < GRAM_COLUMNS && (is_inside || j + c <= i + r); c++)           \
            product[(i + r) * rows + j + c] += (double)sum[r * GRAM_COLUMNS + c];              \
      }                                                                                        \
  }

GRAM(gram, doubles, double, DOUBLE_LANES, NAME(double_sums))
GRAM(curvature, vector, float, LANES, NAME(lane_sums))

static double NAME(arithmetic)(size_t rounds, float *sink) {
  vector sum[12];
  const vector factor = (vector){} + 0.999f, term = (vector){} + 0.001f;
  for (int k = 0; k < 12; k++) sum[k] = (vector){} + (float)k;
  for (size_t round = 0; round < rounds; round++)
    for (int times = 0; times < 16; times++)
      for (int k = 0; k < 12; k++) {
        sum[k] = sum[k] * factor + term;
        KEEP(sum[k]);
      }
  vector total = {};
  for (int k = 0; k < 12; k++) total += sum[k];
  *sink = NAME(lane_sum)(total);
  return 2.0 * 12 * 16 * LANES * (double)rounds;
}

static double NAME(double_arithmetic)(size_t rounds, double *sink) {
  doubles sum[12];
  const doubles factor = (doubles){} + 0.999, term = (doubles){} + 0.001;
  for (int k = 0; k < 12; k++) sum[k] = (doubles){} + (double)k;
  for (size_t round = 0; round < rounds; round++)
    for (int times = 0; times < 16; times++)
      for (int k = 0; k < 12; k++) {
        sum[k] = sum[k] * factor + term;
        KEEP(sum[k]);
      }
  *sink = 0;
  for (int k = 0; k < 12; k++) *sink += sum[k][0];
  return 2.0 * 12 * 16 * DOUBLE_LANES * (double)rounds;
}

static const filigree_kernels NAME(table) = {
    .name = SET,
    .forward = NAME(forward),
    .backward = NAME(backward),
    .residual = NAME(residual),
    .adam = NAME(adam),
    .gather = NAME(gather),
    .evaluate = NAME(evaluate),
    .roll = NAME(roll),
    .roll_double = NAME(roll_double),
    .cover = NAME(cover),
    .score = NAME(score),
    .pool = NAME(pool),
    .jacobian = NAME(jacobian),
    .sensitivity = NAME(sensitivity),
    .magnitudes = NAME(magnitudes),
    .slope_runs = NAME(slope_runs),
    .gram = NAME(gram),
    .curvature = NAME(curvature),
    .arithmetic = NAME(arithmetic),
    .double_arithmetic = NAME(double_arithmetic),
};

#undef vector
#undef integers
#undef AT
#undef CONST_AT
#undef INLINE
#undef IN_BLOCKS
#undef SUFFIX
#undef SET
#undef LANES
#undef BLOCK
#undef PAIR_BLOCK
#undef GRAM_COLUMNS
#undef DOUBLE_LANES
#undef ROLL
#undef GRAM
#undef STANDARDISE
#undef MOVE_STATES
#undef doubles
#undef LOW
#undef HIGH

