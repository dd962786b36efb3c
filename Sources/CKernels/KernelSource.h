/* The one source of all kernels: Kernels.c includes it once per instruction set, with
 *   LANES         floats in a vector register: 16, 8 or 4
 *   BLOCK         vectors of a row that one pass keeps in registers: 8
 *   PAIR_BLOCK    the same for two units at once: 8 or, where there are 16 registers, 4
 *   LOW, HIGH     the lower and upper halves of two vectors, their lanes in turn
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

/* eˣ for |x| ≤ 87 (clamped there): x = n ln 2 + r with |r| ≤ ½ ln 2, Taylor's polynomial of degree 7
 * in r (remainder below 6e-9 of the value), 2ⁿ through the exponent bits. */
INLINE vector NAME(exponential)(vector x) {
  const vector limit = (vector){} + 87.0f;
  x = NAME(larger)(NAME(smaller)(x, limit), -limit);
  const float rounder = 12582912.0f; /* 1.5 · 2²³: adding it rounds to an integer */
  vector n = (x * 1.44269504f + rounder) - rounder;
  vector r = x - n * 0.693359375f; /* ln 2 in two parts, the first exact in few bits */
  r = r + n * 2.12194440e-4f;
  vector p = (vector){} + 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  integers power = (__builtin_convertvector(n, integers) + 127) << 23;
  return p * (vector)power;
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
      const vector sigmoid = 1.0f / (1.0f + NAME(exponential)(-sum));
      AT(value, k * LANES) = sum * sigmoid;
      AT(slope, k * LANES) = sigmoid * (1.0f + sum * (1.0f - sigmoid));
    }
  if (activation == FILIGREE_TANH)
    for (int k = 0; k < count; k++)
      AT(value, k * LANES) =
          2.0f / (1.0f + NAME(exponential)(-2.0f * CONST_AT(value, k * LANES))) - 1.0f;
}

/* φ′ of vector k of a unit, from what store_values left. */
INLINE vector NAME(slope_at)(uint32_t activation, const float *value, const float *slope) {
  switch (activation) {
    case FILIGREE_RELU: {
      const integers on = CONST_AT(value, 0) > 0;
      return (vector)(on & (integers)((vector){} + 1.0f));
    }
    case FILIGREE_SILU: return CONST_AT(slope, 0);
    case FILIGREE_TANH: return 1.0f - CONST_AT(value, 0) * CONST_AT(value, 0);
    default: return (vector){} + 1.0f;
  }
}

/* The bodies below take the number of vectors as a constant: BLOCK of them stay in registers, and the
 * rest of a batch goes through in pieces of 4, 2 and 1. Two units that read the same rows, or are read
 * by the same units, go together where that halves the loads: PAIR_BLOCK vectors of each. */
#define IN_BLOCKS(block, body)                                           \
  do {                                                                   \
    size_t b = 0;                                                        \
    for (; b + block * LANES <= batch; b += block * LANES) body(block)   \
    if (block > 4 && b + 4 * LANES <= batch) { body(4) b += 4 * LANES; } \
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

INLINE void NAME(unit_delta)(const filigree_wiring *net, size_t u, size_t b, const int count,
                             const float *parameter, const float *value, const float *slope,
                             float *delta) {
  vector sum[BLOCK];
  for (int k = 0; k < count; k++) sum[k] = (vector){};
  for (uint32_t p = net->outgoing[u]; p < net->outgoing[u + 1]; p++) {
    const float w = parameter[net->target_parameter[p]];
    const float *d = delta + net->target[p] + b;
    for (int k = 0; k < count; k++) sum[k] += w * CONST_AT(d, k * LANES);
  }
  const size_t place = net->row[u] + b;
  for (int k = 0; k < count; k++)
    AT(delta, place + k * LANES) =
        sum[k] * NAME(slope_at)(net->activation[u], value + place + k * LANES,
                                slope + place + k * LANES);
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

/* The gradients of one unit's parameters join those that wait. */
INLINE void NAME(unit_gradient)(NAME(reduction) *r, size_t weights, const uint32_t *source,
                                size_t batch, const float *value, const float *delta,
                                float *gradient) {
  if (r->gradient + r->waiting != gradient) {
    NAME(flush)(r);
    r->gradient = gradient;
  }
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
#define BODY(count) \
  NAME(pair_correlate)(folded, taken, b, count, source + p, value, delta0, delta1);
    IN_BLOCKS(PAIR_BLOCK, BODY);
#undef BODY
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
    const int together = pair & FILIGREE_READ_BY_THE_SAME;
    if (together) {
#define BODY(count) NAME(pair_delta)(net, u - 1, b, count, parameter, value, slope, delta);
      IN_BLOCKS(PAIR_BLOCK, BODY);
#undef BODY
    } else {
      for (size_t v = u + 1; v-- > u - (pair != 0);)
        if (!net->is_output[v]) {
#define BODY(count) NAME(unit_delta)(net, v, b, count, parameter, value, slope, delta);
          IN_BLOCKS(BLOCK, BODY);
#undef BODY
        }
    }
    if (pair && (every_weight || pair & FILIGREE_READ_THE_SAME))
      NAME(pair_gradient)(last[u] - first[u], source + first[u], batch, value,
                          delta + net->row[u], delta + net->row[u - 1], gradient + first[u],
                          gradient + first[u - 1]);
    else
      for (size_t v = u + 1; v-- > u - (pair != 0);)
        NAME(unit_gradient)(&waiting, last[v] - first[v], source + first[v], batch, value,
                            delta + net->row[v], gradient + first[v]);
    if (pair) u--;
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

static const filigree_kernels NAME(table) = {
    .name = SET,
    .forward = NAME(forward),
    .backward = NAME(backward),
    .residual = NAME(residual),
    .adam = NAME(adam),
    .gather = NAME(gather),
    .arithmetic = NAME(arithmetic),
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
#undef LOW
#undef HIGH

