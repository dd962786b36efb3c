/* The activations, in float for training and in double for fits and analysis. */

/* 2ᵗ, for |t| ≤ 126 and beyond that as there. Adding 1.5 · 2²³ rounds to a whole number n and leaves it in
 * the lowest bits, from where it is shifted to the exponent; the rest f, |f| ≤ ½, goes through the
 * minimax polynomial of degree 5, whose relative error is below 8e-8. */
INLINE vector NAME(power_of_two)(vector t) {
  const vector limit = (vector)126.0f;
  t = NAME(larger)(NAME(smaller)(t, limit), -limit);
  const vector shifted = t + 12582912.0f;
  const vector f = t - (shifted - 12582912.0f);
  vector p = (vector)1.32764725e-3f;
  p = FUSED(p, f, (vector)9.67554096e-3f);
  p = FUSED(p, f, (vector)5.55071309e-2f);
  p = FUSED(p, f, (vector)2.40221202e-1f);
  p = FUSED(p, f, (vector)6.93146944e-1f);
  p = FUSED(p, f, (vector)1.00000012f);
  return (vector)((integers)p + ((integers)shifted << 23));
}

/* 1/(1 + e⁻ᶻ) with `scale` = −log₂e, or of 2z with twice that. */
INLINE vector NAME(sigmoid)(vector z, float scale) {
  return 1.0f / (1.0f + NAME(power_of_two)(z * scale));
}

/* What the sums must not fall below: rectifies ReLU's and leaves all others. */
INLINE vector NAME(floor_of)(uint32_t activation) {
  return (vector)(activation == FILIGREE_RELU ? 0.0f : -__builtin_inff());
}

/* Sums become values in place, with the slopes beside them where those do not follow from the values.
 * (ReLU's sums were rectified in their registers.) Here and in `slope_at` what is not named is the identity, and
 * nothing asks whether it is: a trap, or a switch without default, costs small towers up to a tenth of their
 * time. That an activation can be trained is checked where a training begins. */
INLINE void NAME(activate)(uint32_t activation, const int count, float *value, float *slope) {
  if (activation == FILIGREE_SILU)
    for (int k = 0; k < count; k++) {
      const vector sum = CONST_AT(value, k * LANES);
      const vector sigmoid = NAME(sigmoid)(sum, -1.44269504f);
      AT(value, k * LANES) = sum * sigmoid;
      AT(slope, k * LANES) = sigmoid * FUSED(sum, 1.0f - sigmoid, (vector)1.0f);
    }
  if (activation == FILIGREE_TANH)
    for (int k = 0; k < count; k++)
      AT(value, k * LANES) = FUSED(
          (vector)2.0f, NAME(sigmoid)(CONST_AT(value, k * LANES), -2.88539008f), (vector)-1.0f);
  if (activation == FILIGREE_SQUARE)
    for (int k = 0; k < count; k++) {
      const vector sum = CONST_AT(value, k * LANES);
      AT(value, k * LANES) = sum * sum;
      AT(slope, k * LANES) = 2.0f * sum;
    }
}

/* φ′ of vector k of a unit, from what `activate` left. */
INLINE vector NAME(slope_at)(uint32_t activation, const float *value, const float *slope) {
  switch (activation) {
    case FILIGREE_RELU: {
      const integers on = CONST_AT(value, 0) > 0;
      return (vector)(on & (integers)((vector)1.0f));
    }
    case FILIGREE_SILU:
    case FILIGREE_SQUARE: return CONST_AT(slope, 0);
    case FILIGREE_TANH: return FUSED(-CONST_AT(value, 0), CONST_AT(value, 0), (vector)1.0f);
    default: return (vector)1.0f;
  }
}

/* 1/(1 + e⁻ᶻ): as power_of_two above, with 2⁵² in the place of 2²³ and Taylor's polynomial of e^(f ln 2) of
 * degree 12, whose remainder is below 2e-16. */
INLINE doubles NAME(sigmoid_double)(doubles z) {
  static const double factorial[] = {479001600, 39916800, 3628800, 362880, 40320, 5040, 720,
                                     120,       24,       6,       2,      1,     1};
  const doubles limit = (doubles)1020.0;
  doubles t = z * -1.4426950408889634074;
  t = NAME(choose_double)(t > limit, limit, t);
  t = NAME(choose_double)(t < -limit, -limit, t);
  const doubles shifted = t + 6755399441055744.0;
  const doubles r = (t - (shifted - 6755399441055744.0)) * 0.69314718055994530942;
  doubles p = (doubles)(1 / factorial[0]);
  for (int k = 1; k <= 12; k++) p = FUSED_DOUBLE(p, r, (doubles)(1 / factorial[k]));
  p = (doubles)((longs)p + ((longs)shifted << 52));
  return 1.0 / (1.0 + p);
}

/* Sums of `batch` doubles become values in place; `slope` may be NULL. (ReLU's sums were rectified in
 * their registers.) */
static void NAME(activate_double)(uint32_t activation, const uint32_t *shape, size_t batch,
                                  double *value, double *slope) {
  if (activation > FILIGREE_SQUARE) {
    double parameter = 0;
    if (shape) memcpy(&parameter, shape, sizeof parameter);
    for (size_t b = 0; b < batch; b++) {
      const double sum = value[b];
      value[b] = filigree_activation(activation, parameter, 0, sum);
      if (slope) slope[b] = filigree_activation(activation, parameter, 1, sum);
    }
    return;
  }
  if (!slope && (activation == FILIGREE_RELU || activation == FILIGREE_IDENTITY)) return;
  for (size_t b = 0; b < batch; b += DOUBLE_LANES) {
    doubles *v = (doubles *)(value + b), s;
    switch (activation) {
      case FILIGREE_RELU: {
        const longs on = *v > 0;
        s = (doubles)(on & (longs)((doubles)1.0));
        break;
      }
      case FILIGREE_SILU: {
        const doubles sigmoid = NAME(sigmoid_double)(*v);
        s = sigmoid * FUSED_DOUBLE(*v, 1.0 - sigmoid, (doubles)1.0);
        *v *= sigmoid;
        break;
      }
      case FILIGREE_TANH:
        *v = FUSED_DOUBLE((doubles)2.0, NAME(sigmoid_double)(2.0 * *v), (doubles)-1.0);
        s = FUSED_DOUBLE(-*v, *v, (doubles)1.0);
        break;
      case FILIGREE_SQUARE:
        s = 2.0 * *v;
        *v *= *v;
        break;
      default: s = (doubles)1.0;
    }
    if (slope) *(doubles *)(slope + b) = s;
  }
}
