#include "CKernels.h"

#pragma STDC FP_CONTRACT OFF

/* Every activation in double, one number at a time: what analysis, and networks that others have trained,
 * need of functions that the loops of training do not have. The functions are those of Elementary.c. */

static const double root_half = 0.70710678118654752440;
static const double selu_scale = 1.0507009873554804934, selu_alpha = 1.6732632423543772848;

static double sigmoid(double z) { return 1 / (1 + filigree_exp(-z)); }

/* ln(1 + eᶻ) without overflow */
static double softplus(double z) {
  return (z > 0 ? z : 0) + filigree_log1p(filigree_exp(z > 0 ? -z : z));
}

/* The normal density. */
static double density(double z) { return 0.39894228040143267794 * filigree_exp(-0.5 * z * z); }

/* erf x for x ≥ 0: below 2 the series Σ 2ⁿ x²ⁿ⁺¹/(2n+1)!! · 2/√π e^(−x²), whose terms are all positive; above
 * the continued fraction of erfc (Abramowitz & Stegun 7.1.6 and 7.1.14). */
static double erf_positive(double x) {
  if (x > 6) return 1;
  const double square = x * x, scale = 1.12837916709551257390 * filigree_exp(-square);
  if (x < 2) {
    double term = x, sum = x;
    for (int n = 1; term > 1e-18 * sum; n++) {
      term *= 2 * square / (2 * n + 1);
      sum += term;
    }
    return scale * sum;
  }
  double fraction = x;
  for (int n = 120; n > 0; n--) fraction = x + 0.5 * n / fraction;
  return 1 - 0.5 * scale / fraction;
}

static double error_function(double z) {
  return z < 0 ? -erf_positive(-z) : z > 0 ? erf_positive(z) : 0 * z;
}

static double normal(double z) { return 0.5 * (1 + error_function(z * root_half)); }

/* φ, φ′ or φ″ of z · h(z), from h and its derivatives. */
static double times_argument(int order, double z, double h, double h1, double h2) {
  return order == 0 ? z * h : order == 1 ? h + z * h1 : 2 * h1 + z * h2;
}

static double gelu_by_tanh(int order, double z) {
  const double c = 0.79788456080286535588, cubic = 0.044715;
  const double t = filigree_tanh(c * (z + cubic * z * z * z));
  const double s = c * (1 + 3 * cubic * z * z), off = 1 - t * t;
  return times_argument(order, z, 0.5 * (1 + t), 0.5 * off * s,
                        0.5 * off * (6 * c * cubic * z - 2 * t * s * s));
}

static double mish(int order, double z) {
  const double t = filigree_tanh(softplus(z)), s = sigmoid(z), off = 1 - t * t;
  return times_argument(order, z, t, off * s, off * s * (1 - s) - 2 * t * off * s * s);
}

/* scale · z above zero, bend (eᶻ − 1) below */
static double exponential_below(int order, double z, double scale, double bend) {
  if (z > 0) return order == 0 ? scale * z : order == 1 ? scale : 0;
  return bend * (order == 0 ? filigree_expm1(z) : filigree_exp(z));
}

static double line(int order, double z, double slope) {
  return order == 0 ? slope * z : order == 1 ? slope : 0;
}

double filigree_activation(uint32_t activation, double parameter, int order, double z) {
  switch (activation) {
    case FILIGREE_IDENTITY: return line(order, z, 1);
    case FILIGREE_RELU: return z > 0 || z != z ? line(order, z, 1) : 0;
    case FILIGREE_SILU: {
      const double s = sigmoid(z), s1 = s * (1 - s);
      if (order == 0) return z / (1 + filigree_exp(-z));
      return order == 1 ? s * (1 + z * (1 - s)) : 2 * s1 + z * s1 * (1 - 2 * s);
    }
    case FILIGREE_TANH: {
      const double t = filigree_tanh(z);
      return order == 0 ? t : order == 1 ? 1 - t * t : -2 * t * (1 - t * t);
    }
    case FILIGREE_SQUARE: return order == 0 ? z * z : order == 1 ? 2 * z : 2;
    case FILIGREE_SIGMOID: {
      const double s = sigmoid(z);
      return order == 0 ? s : order == 1 ? s * (1 - s) : s * (1 - s) * (1 - 2 * s);
    }
    case FILIGREE_SOFTPLUS: {
      const double s = sigmoid(z);
      return order == 0 ? softplus(z) : order == 1 ? s : s * (1 - s);
    }
    case FILIGREE_GELU: {
      const double d = density(z);
      return times_argument(order, z, normal(z), d, -z * d);
    }
    case FILIGREE_GELU_BY_TANH: return gelu_by_tanh(order, z);
    case FILIGREE_SELU: return exponential_below(order, z, selu_scale, selu_scale * selu_alpha);
    case FILIGREE_SOFTSIGN: {
      const double d = 1 + (z < 0 ? -z : z);
      return order == 0 ? z / d : order == 1 ? 1 / (d * d) : (z < 0 ? 2 : -2) / (d * d * d);
    }
    case FILIGREE_CLIP:
      if (order > 0) return order == 1 && z > 0 && z <= 1 ? 1 : 0;
      return z < 0 ? 0 : z > 1 ? 1 : z;
    case FILIGREE_HARD_SWISH:
      if (z <= -3) return 0;
      if (z > 3) return line(order, z, 1);
      return order == 0 ? z * (z + 3) / 6 : order == 1 ? (2 * z + 3) / 6 : 1.0 / 3;
    case FILIGREE_MISH: return mish(order, z);
    case FILIGREE_ERF: {
      if (order == 0) return error_function(z);
      const double s = 1.12837916709551257390 * filigree_exp(-z * z);
      return order == 1 ? s : -2 * z * s;
    }
    case FILIGREE_EXP: return filigree_exp(z);
    case FILIGREE_SIN: return order == 0 ? filigree_sin(z) : order == 1 ? filigree_cos(z) : -filigree_sin(z);
    case FILIGREE_COS: return order == 0 ? filigree_cos(z) : order == 1 ? -filigree_sin(z) : -filigree_cos(z);
    case FILIGREE_LEAKY_RELU: return line(order, z, z > 0 ? 1 : parameter);
    case FILIGREE_ELU: return exponential_below(order, z, 1, parameter);
  }
  return 0 * z;
}
