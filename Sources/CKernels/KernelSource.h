/* The one source of all kernels: Kernels.c includes it once per instruction set, with
 *   LANES         floats in a vector register: 16, 8 or 4
 *   BLOCK         vectors of a row that one pass keeps in registers
 *   TILE_ROWS × TILE_COLUMNS = LANES   dot products reduced together
 *   EVEN, ODD     the lanes of even and odd number of two vectors
 *   NAME(f)       f with the set's suffix
 *   SET           the set's name
 * and forgets all of them but NAME at its end. */

typedef float NAME(vector) __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int32_t NAME(integers) __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
#define vector NAME(vector)
#define integers NAME(integers)
#define AT(pointer, index) (*(vector *)((pointer) + (index)))
#define CONST_AT(pointer, index) (*(const vector *)((pointer) + (index)))

static void NAME(affine)(size_t outputs, size_t inputs, size_t batch, const float *weight,
                         const float *x, const float *bias, float *z) {
  for (size_t o = 0; o < outputs; o++) {
    const float *row = weight + o * inputs;
    float *result = z + o * batch;
    size_t b = 0;
    for (; b + BLOCK * LANES <= batch; b += BLOCK * LANES) {
      vector sum[BLOCK];
      for (int k = 0; k < BLOCK; k++)
        sum[k] = bias ? (vector){} + bias[o] : AT(result, b + k * LANES);
      for (size_t i = 0; i < inputs; i++) {
        float w = row[i];
        if (w == 0) continue;
        const float *source = x + i * batch + b;
        for (int k = 0; k < BLOCK; k++) sum[k] += w * CONST_AT(source, k * LANES);
      }
      for (int k = 0; k < BLOCK; k++) AT(result, b + k * LANES) = sum[k];
    }
    for (; b < batch; b += LANES) {
      vector sum = bias ? (vector){} + bias[o] : AT(result, b);
      for (size_t i = 0; i < inputs; i++)
        if (row[i] != 0) sum += row[i] * CONST_AT(x, i * batch + b);
      AT(result, b) = sum;
    }
  }
}

static void NAME(propagate)(size_t outputs, size_t inputs, size_t batch, const float *weight,
                            const float *delta, float *g) {
  for (size_t i = 0; i < inputs; i++) {
    const float *column = weight + i;
    float *result = g + i * batch;
    size_t b = 0;
    for (; b + BLOCK * LANES <= batch; b += BLOCK * LANES) {
      vector sum[BLOCK];
      for (int k = 0; k < BLOCK; k++) sum[k] = AT(result, b + k * LANES);
      for (size_t o = 0; o < outputs; o++) {
        float w = column[o * inputs];
        if (w == 0) continue;
        const float *source = delta + o * batch + b;
        for (int k = 0; k < BLOCK; k++) sum[k] += w * CONST_AT(source, k * LANES);
      }
      for (int k = 0; k < BLOCK; k++) AT(result, b + k * LANES) = sum[k];
    }
    for (; b < batch; b += LANES) {
      vector sum = AT(result, b);
      for (size_t o = 0; o < outputs; o++)
        if (column[o * inputs] != 0) sum += column[o * inputs] * CONST_AT(delta, o * batch + b);
      AT(result, b) = sum;
    }
  }
}

/* Sums of the lanes of LANES vectors, as one vector: adjacent lanes of adjacent vectors are added
 * until each vector is one number. */
static inline vector NAME(lane_sums)(vector *tile) {
  for (int width = LANES; width > 1; width /= 2)
    for (int k = 0; k < width / 2; k++)
      tile[k] = EVEN(tile[2 * k], tile[2 * k + 1]) + ODD(tile[2 * k], tile[2 * k + 1]);
  return tile[0];
}

static inline float NAME(lane_sum)(vector v) {
  float sum = 0;
  for (int k = 0; k < LANES; k++) sum += v[k];
  return sum;
}

static inline size_t NAME(at_most)(size_t index, size_t last) { return index < last ? index : last; }

static void NAME(weight_gradient)(size_t outputs, size_t inputs, size_t batch, const float *delta,
                                  const float *x, float *gradient) {
  for (size_t o = 0; o < outputs; o += TILE_ROWS)
    for (size_t i = 0; i < inputs; i += TILE_COLUMNS) {
      /* Beyond the edge the last row or column is computed again and thrown away. */
      const float *row[TILE_ROWS], *column[TILE_COLUMNS];
      for (size_t r = 0; r < TILE_ROWS; r++)
        row[r] = delta + NAME(at_most)(o + r, outputs - 1) * batch;
      for (size_t c = 0; c < TILE_COLUMNS; c++)
        column[c] = x + NAME(at_most)(i + c, inputs - 1) * batch;
      vector tile[LANES] = {};
      for (size_t b = 0; b < batch; b += LANES)
        for (int r = 0; r < TILE_ROWS; r++)
          for (int c = 0; c < TILE_COLUMNS; c++)
            tile[r * TILE_COLUMNS + c] += CONST_AT(row[r], b) * CONST_AT(column[c], b);
      vector sums = NAME(lane_sums)(tile);
      for (size_t r = 0; r < TILE_ROWS && o + r < outputs; r++)
        for (size_t c = 0; c < TILE_COLUMNS && i + c < inputs; c++)
          gradient[(o + r) * inputs + i + c] = sums[r * TILE_COLUMNS + c];
    }
}

static void NAME(bias_gradient)(size_t outputs, size_t batch, const float *delta,
                                float *gradient) {
  for (size_t o = 0; o < outputs; o++) {
    vector sum = {};
    for (size_t b = 0; b < batch; b += LANES) sum += CONST_AT(delta, o * batch + b);
    gradient[o] = NAME(lane_sum)(sum);
  }
}

static inline vector NAME(select)(integers mask, vector yes, vector no) {
  return (vector)((mask & (integers)yes) | (~mask & (integers)no));
}

/* eˣ for |x| ≤ 87 (clamped there): x = n ln 2 + r with |r| ≤ ½ ln 2, Taylor's polynomial of degree 7
 * in r (remainder below 6e-9 of the value), 2ⁿ through the exponent bits. */
static inline vector NAME(exponential)(vector x) {
  const vector limit = (vector){} + 87.0f;
  x = NAME(select)(x > limit, limit, x);
  x = NAME(select)(x < -limit, -limit, x);
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

static void NAME(activate)(int activation, size_t count, const float *z, float *value,
                           float *slope) {
  for (size_t k = 0; k < count; k += LANES) {
    vector v = CONST_AT(z, k);
    switch (activation) {
      case FILIGREE_RELU: {
        integers on = v > 0;
        AT(value, k) = (vector)(on & (integers)v);
        AT(slope, k) = (vector)(on & (integers)((vector){} + 1.0f));
        break;
      }
      case FILIGREE_SILU: {
        vector sigmoid = 1.0f / (1.0f + NAME(exponential)(-v));
        AT(value, k) = v * sigmoid;
        AT(slope, k) = sigmoid * (1.0f + v * (1.0f - sigmoid));
        break;
      }
      case FILIGREE_TANH: {
        vector t = 2.0f / (1.0f + NAME(exponential)(-2.0f * v)) - 1.0f;
        AT(value, k) = t;
        AT(slope, k) = 1.0f - t * t;
        break;
      }
      default:
        AT(value, k) = v;
        AT(slope, k) = (vector){} + 1.0f;
    }
  }
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

static void NAME(multiply)(size_t count, float *a, const float *b) {
  for (size_t k = 0; k < count; k += LANES) AT(a, k) *= CONST_AT(b, k);
}

static void NAME(adam)(size_t count, const filigree_adam_step *step, float *parameter,
                       const float *gradient, float *moment1, float *moment2) {
  const filigree_adam_step s = *step;
  for (size_t k = 0; k < count; k += LANES) {
    vector w = CONST_AT(parameter, k), g = CONST_AT(gradient, k);
    if (s.penalty == FILIGREE_L1_GRADIENT) {
      integers positive = w > 0, negative = w < 0;
      vector one = (vector){} + s.strength;
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
      vector threshold = rate * s.strength, magnitude = __builtin_elementwise_abs(w);
      vector shrunk = magnitude - threshold;
      shrunk = (vector)((integers)(shrunk > 0) & (integers)shrunk);
      w = __builtin_elementwise_copysign(shrunk, w);
      w = (vector)((integers)(shrunk > 0) & (integers)w); /* no negative zeros */
    }
    AT(parameter, k) = w;
  }
}

static void NAME(gather)(size_t features, size_t stride, size_t used, size_t batch,
                         const float *source, const uint32_t *rows, float *destination) {
  for (size_t f = 0; f < features; f++) {
    float *row = destination + f * batch;
    for (size_t b = 0; b < used; b++) row[b] = source[rows[b] * stride + f];
    for (size_t b = used; b < batch; b++) row[b] = 0;
  }
}

static const filigree_kernels NAME(table) = {
    .name = SET,
    .affine = NAME(affine),
    .activate = NAME(activate),
    .propagate = NAME(propagate),
    .weight_gradient = NAME(weight_gradient),
    .bias_gradient = NAME(bias_gradient),
    .residual = NAME(residual),
    .multiply = NAME(multiply),
    .adam = NAME(adam),
    .gather = NAME(gather),
};

#undef vector
#undef integers
#undef AT
#undef CONST_AT
#undef SUFFIX
#undef SET
#undef LANES
#undef BLOCK
#undef TILE_ROWS
#undef TILE_COLUMNS
#undef EVEN
#undef ODD
