/* Training: values, deltas and gradients of a minibatch, and Adam's step.
 *
 * The bodies below take the number of vectors as a constant: BLOCK of them stay in registers, and the
 * rest of a batch goes through in pieces of 4, 3, 2 and 1. Two units that read the same rows, or are read
 * by the same units, go together where that halves the loads: PAIR_BLOCK vectors of each. */
#define REST(count, body) \
  if (b + count * LANES <= batch) { body(count) b += count * LANES; }
#define IN_BLOCKS(block, body)                                           \
  do {                                                                   \
    size_t b = 0;                                                        \
    for (; b + block * LANES <= batch; b += block * LANES) body(block)   \
    if (block > 4) REST(4, body)                                         \
    if (block > 3) REST(3, body)                                         \
    if (block > 2) REST(2, body)                                         \
    if (block > 1) REST(1, body)                                         \
  } while (0)

INLINE void NAME(unit_forward)(const filigree_wiring *net, size_t u, size_t b, const int count,
                               const float *parameter, float *value, float *slope) {
  const uint32_t first = net->first[u], last = net->last[u];
  vector sum[BLOCK];
  for (int k = 0; k < count; k++) sum[k] = (vector)parameter[first];
  for (uint32_t p = first + 1; p < last; p++) {
    const vector w = (vector)parameter[p];
    const float *x = value + net->source[p] + b;
    for (int k = 0; k < count; k++) sum[k] = FUSED(w, CONST_AT(x, k * LANES), sum[k]);
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
  for (int k = 0; k < count; k++) sum0[k] = (vector)w0[0], sum1[k] = (vector)w1[0];
  for (size_t p = 1; p < weights; p++) {
    const float *x = value + source[p] + b;
    for (int k = 0; k < count; k++) {
      sum0[k] = FUSED((vector)w0[p], CONST_AT(x, k * LANES), sum0[k]);
      sum1[k] = FUSED((vector)w1[p], CONST_AT(x, k * LANES), sum1[k]);
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
    const vector w = (vector)parameter[net->target_parameter[p]];
    const float *d = delta + net->target[p] + b;
    for (int k = 0; k < count; k++) sum[k] = FUSED(w, CONST_AT(d, k * LANES), sum[k]);
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
    const vector w0 = (vector)parameter[place0[p]], w1 = (vector)parameter[place1[p]];
    const float *d = delta + target[p] + b;
    for (int k = 0; k < count; k++) {
      sum0[k] = FUSED(w0, CONST_AT(d, k * LANES), sum0[k]);
      sum1[k] = FUSED(w1, CONST_AT(d, k * LANES), sum1[k]);
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
    for (int k = 0; k < count; k++) s = FUSED(d[k], CONST_AT(x, k * LANES), s);
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
    for (int k = 0; k < count; k++) s = FUSED(d[k], CONST_AT(x, k * LANES), s);
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

/* As correlate, for the deltas of two units and up to LANES/2 sources. The two sums of a source are carried
 * from block to block, because a gradient must not depend on whether its unit is one of a pair, and folded
 * after the last. */
INLINE void NAME(pair_correlate)(vector *folded, vector *sum0, vector *sum1, size_t weights, size_t b,
                                 size_t batch, const int count, const uint32_t *source,
                                 const float *value, const float *delta0, const float *delta1) {
  vector d0[PAIR_BLOCK], d1[PAIR_BLOCK];
  for (int k = 0; k < count; k++)
    d0[k] = CONST_AT(delta0, b + k * LANES), d1[k] = CONST_AT(delta1, b + k * LANES);
  const int ends = b + count * LANES == batch;
  for (size_t p = 0; p < weights; p++) {
    const float *x = value + source[p] + b;
    vector s0 = b == 0 ? (vector){} : sum0[p], s1 = b == 0 ? (vector){} : sum1[p];
    for (int k = 0; k < count; k++) {
      const vector v = CONST_AT(x, k * LANES);
      s0 = FUSED(d0[k], v, s0);
      s1 = FUSED(d1[k], v, s1);
    }
    if (ends)
      folded[p] = NAME(fold)(s0, s1);
    else
      sum0[p] = s0, sum1[p] = s1;
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
  vector folded[LANES / 2], sum0[LANES / 2], sum1[LANES / 2];
  for (size_t p = 0; p < weights; p += LANES / 2) {
    const size_t taken = weights - p < LANES / 2 ? weights - p : LANES / 2;
    /* With a constant number of weights the sums stay in registers. */
    if (taken == LANES / 2) {
#define BODY(count)                                                                          \
  NAME(pair_correlate)(folded, sum0, sum1, LANES / 2, b, batch, count, source + p, value, delta0, \
                       delta1);
      IN_BLOCKS(PAIR_BLOCK, BODY);
#undef BODY
    } else {
#define BODY(count)                                                                      \
  NAME(pair_correlate)(folded, sum0, sum1, taken, b, batch, count, source + p, value, delta0, \
                       delta1);
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
    sum = FUSED(error, error, sum);
    AT(delta, k) = factor * error;
  }
  return NAME(lane_sum)(sum);
}

/* The parameters of one vector. */
INLINE void NAME(adam_vector)(filigree_adam_step s, const float *strength, float *parameter,
                              const float *gradient, float *moment1, float *moment2) {
  vector w = CONST_AT(parameter, 0), g = CONST_AT(gradient, 0);
  if (s.penalty == FILIGREE_L1_GRADIENT) {
    integers positive = w > 0, negative = w < 0;
    vector one = CONST_AT(strength, 0);
    g += (vector)(positive & (integers)one) - (vector)(negative & (integers)one);
  }
  vector m = FUSED((vector)s.beta1, CONST_AT(moment1, 0), (1 - s.beta1) * g);
  vector v = FUSED((vector)s.beta2, CONST_AT(moment2, 0), (1 - s.beta2) * g * g);
  AT(moment1, 0) = m;
  AT(moment2, 0) = v;
  vector rate = s.learning_rate / (__builtin_elementwise_sqrt(v * s.correction2) + s.epsilon);
  w = FUSED(-rate, m * s.correction1, w);
  if (s.penalty == FILIGREE_PROXIMAL_STEP) {
    vector threshold = rate * CONST_AT(strength, 0), magnitude = __builtin_elementwise_abs(w);
    vector shrunk = magnitude - threshold;
    shrunk = (vector)((integers)(shrunk > 0) & (integers)shrunk);
    w = __builtin_elementwise_copysign(shrunk, w);
    w = (vector)((integers)(shrunk > 0) & (integers)w); /* no negative zeros */
  }
  AT(parameter, 0) = w;
}

static void NAME(adam)(size_t count, const filigree_adam_step *step, const float *strength,
                       float *parameter, const float *gradient, float *moment1, float *moment2) {
  const filigree_adam_step s = *step;
  size_t k = 0;
  for (; k + LANES <= count; k += LANES)
    NAME(adam_vector)(s, strength + k, parameter + k, gradient + k, moment1 + k, moment2 + k);
  const size_t rest = (count - k) * sizeof(float);
  if (rest == 0) return;
  /* Nothing behind the last one moves: there stand the parameters of units that reach no output, which the
   * next step with all weights reads. */
  float part[5][LANES] = {};
  const float *const from[5] = {strength + k, parameter + k, gradient + k, moment1 + k, moment2 + k};
  for (int n = 0; n < 5; n++) memcpy(part[n], from[n], rest);
  NAME(adam_vector)(s, part[0], part[1], part[2], part[3], part[4]);
  memcpy(parameter + k, part[1], rest);
  memcpy(moment1 + k, part[3], rest);
  memcpy(moment2 + k, part[4], rest);
}

/* Nothing is added here, so the vectors are those of the processor. */
typedef float NAME(row_part) __attribute__((ext_vector_type(WIDTH), aligned(4), may_alias));
#define row_part NAME(row_part)

/* The matrix of WIDTH rows turned: after log₂ WIDTH perfect shuffles of the rows, row f holds what was
 * column f. */
INLINE void NAME(transpose)(row_part *row) {
  row_part other[WIDTH];
  for (int width = 1; width < WIDTH; width *= 2) {
    for (int k = 0; k < WIDTH / 2; k++) {
      other[2 * k] = LOW(row[k], row[k + WIDTH / 2]);
      other[2 * k + 1] = HIGH(row[k], row[k + WIDTH / 2]);
    }
    for (int k = 0; k < WIDTH; k++) row[k] = other[k];
  }
}

static void NAME(gather)(size_t features, size_t stride, size_t used, size_t batch,
                         const float *source, const uint32_t *rows, float *destination) {
  for (size_t b = 0; b < batch; b += WIDTH)
    for (size_t f = 0; f < features; f += WIDTH) {
      row_part tile[WIDTH];
      for (size_t k = 0; k < WIDTH; k++)
        tile[k] = b + k < used ? *(const row_part *)(source + rows[b + k] * stride + f) : (row_part){};
      NAME(transpose)(tile);
      const size_t columns = features - f < WIDTH ? features - f : WIDTH;
      for (size_t k = 0; k < columns; k++) *(row_part *)(destination + (f + k) * batch + b) = tile[k];
    }
}

