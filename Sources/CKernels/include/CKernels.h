#ifndef FILIGREE_CKERNELS_H
#define FILIGREE_CKERNELS_H

#include <stddef.h>
#include <stdint.h>

/* The loops of training and analysis, with the same results to the bit on every processor.
 *
 * Samples are feature-major: a row holds one variable, or one unit, for all `batch` samples of a
 * minibatch, so the batch lies along the vector registers and a weight costs the same few
 * instructions whatever its neighbours are. `batch` is a multiple of 16; row 0 of the values is all
 * ones. Pointers may have any alignment. */

enum {
  FILIGREE_IDENTITY = 0,
  FILIGREE_RELU = 1,
  FILIGREE_SILU = 2,
  FILIGREE_TANH = 3,
  FILIGREE_SQUARE = 4,
  /* From here on in double only, one number at a time: filigree_activation. */
  FILIGREE_SIGMOID = 5,
  FILIGREE_SOFTPLUS = 6,
  FILIGREE_GELU = 7,
  FILIGREE_GELU_BY_TANH = 8,
  FILIGREE_SELU = 9,
  FILIGREE_SOFTSIGN = 10,
  FILIGREE_CLIP = 11,
  FILIGREE_HARD_SWISH = 12,
  FILIGREE_MISH = 13,
  FILIGREE_ERF = 14,
  FILIGREE_EXP = 15,
  FILIGREE_SIN = 16,
  FILIGREE_COS = 17,
  FILIGREE_LEAKY_RELU = 18, /* has a parameter: the slope below zero */
  FILIGREE_ELU = 19         /* has a parameter: what it falls to */
};

enum { FILIGREE_NO_PENALTY = 0, FILIGREE_L1_GRADIENT = 1, FILIGREE_PROXIMAL_STEP = 2 };

/* How unit u and unit u + 1 belong together; a unit is in one pair at most. */
enum {
  FILIGREE_SAME_LAYER = 1,      /* in the whole they read the same rows */
  FILIGREE_READ_THE_SAME = 2,   /* the rows that they read are the same */
  FILIGREE_READ_BY_THE_SAME = 4 /* the units that read them are the same */
};

/* One Adam step (Kingma & Ba 2015) with the sparsifier's part in it. */
typedef struct {
  float learning_rate;
  float beta1, beta2, epsilon;
  float correction1, correction2; /* 1/(1 − β1ᵗ), 1/(1 − β2ᵗ) */
  int penalty;                    /* one of FILIGREE_NO_PENALTY … */
} filigree_adam_step;

/* Who reads whom: the units of a network in an order in which nobody reads a later one, and its
 * parameters. A unit's parameters are first[u] … last[u] − 1: its bias, then its weights; those of
 * later units come first, which is the order in which the backward pass makes their gradients. */
typedef struct {
  uint32_t units;           /* all of them */
  uint32_t live_units;      /* those at the front, from which a way leads to an output */
  uint32_t parameters;      /* of all units */
  uint32_t live_parameters; /* of the live ones, at the front */

  /* per unit */
  uint32_t *row;        /* where its values begin (and its slopes and deltas in their own tables) */
  uint32_t *activation; /* one of FILIGREE_IDENTITY … */
  uint32_t *shape;      /* the activation's parameter, the two halves of a double per unit; may be NULL */
  uint32_t *is_output;  /* its delta comes from the loss */
  uint32_t *layer;      /* units of the same layer read the same rows in the whole */
  uint32_t *pair;       /* of u with u + 1: FILIGREE_SAME_LAYER … or 0 */
  uint32_t *first, *last;
  uint32_t *outgoing; /* units + 2 offsets into `target` and `target_parameter` */

  /* per parameter */
  uint32_t *source; /* the row that its weight multiplies; 0, the ones, for a bias */

  /* per weight between live units, by the unit that is read */
  uint32_t *target;           /* row of the unit that reads it */
  uint32_t *target_parameter; /* the weight */
} filigree_wiring;

/* What ties a selection to the wiring that it was selected from. */
typedef struct {
  const uint32_t *source_unit; /* per parameter of the whole: the unit read; `units` for none */
  uint32_t *home;              /* per parameter of the selection: its number in the whole */
  uint32_t *whole_first, *whole_last; /* per unit of the selection: its parameters in the whole */
  uint32_t *unit, *place;             /* scratch: one per unit, one more */
  /* A bit per parameter of the whole, in words of 32: what is chosen, and what was not zero when it was
   * chosen last. The latter has one more word, which is 0 until then. */
  uint32_t *chosen, *chosen_before;
} filigree_selection;

/* Selects from `whole` the biases and the weights that are not zero; all of them where `parameter` is
 * NULL. With `keep_zeros` a unit that keeps most of its weights keeps all, because it then shares loads
 * with its neighbour. Units that reach no output come last. Returns 0, having done nothing, if the same
 * weights are zero as the last time with the same ties. */
int filigree_select(const filigree_wiring *whole, const float *parameter, int keep_zeros,
                    const filigree_selection *ties, filigree_wiring *selected);

/* How a network of standardised variables moves states, as `roll` needs it. */
typedef struct {
  size_t batch, states, controls;
  const double *mean, *deviation;           /* of the states, then of the controls */
  const double *rate_mean, *rate_deviation; /* of the states' rates */
  const uint32_t *output_row;               /* per state: where the network leaves its rate */
  double time_step;
} filigree_dynamics;

typedef struct {
  const char *name;

  /* Values (and slopes, where the activation's slope does not follow from its value) of the first
   * `units` units of the wiring. */
  void (*forward)(const filigree_wiring *wiring, size_t units, size_t batch,
                  const float *parameter, float *value, float *slope);

  /* Deltas of all live units, those of the outputs being given, and the gradients
   * gradient[p] = Σ_b delta[unit, b] value[source[p], b] for p in first[u] ..< last[u] of each live
   * unit u. Other gradients are not touched. `first`, `last` and `source` are the wiring's own or,
   * for the gradients of every weight, those of the whole that it was selected from. */
  void (*backward)(const filigree_wiring *wiring, size_t batch, int every_weight,
                   const uint32_t *first, const uint32_t *last, const uint32_t *source, const float *parameter,
                   const float *value, const float *slope, float *delta, float *gradient);

  /* delta = factor · (prediction − target); returns Σ (prediction − target)². */
  double (*residual)(size_t count, const float *prediction, const float *target, float factor,
                     float *delta);

  /* One optimiser step in place on `count` parameters with their gradients, both moments and the
   * strength λ of each one's penalty. */
  void (*adam)(size_t count, const filigree_adam_step *step, const float *strength,
               float *parameter, const float *gradient, float *moment1, float *moment2);

  /* destination[f, b] = source[rows[b] · stride + f] for f < features, b < used; the lanes from
   * `used` to `batch` become zero. The stride is a multiple of 16. */
  void (*gather)(size_t features, size_t stride, size_t used, size_t batch, const float *source,
                 const uint32_t *rows, float *destination);

  /* In double precision, batch a multiple of 8; only live units are looked at. Values and, unless
   * `slope` is NULL, slopes. */
  void (*evaluate)(const filigree_wiring *wiring, size_t batch, const double *parameter,
                   double *value, double *slope);

  /* forecast[k, i, b] = state i of trajectory b at the k-th sample, for k < steps, and `state` (in and
   * out) the one at the sample that follows: each step adds the time step times the network's rates at
   * this state and the controls [k, i, b]. The network is evaluated in float (batch a multiple of 16) or
   * double; states and controls are double. */
  void (*roll)(const filigree_wiring *wiring, const filigree_dynamics *dynamics, size_t steps,
               const float *parameter, const double *control, double *state, double *forecast,
               float *value, float *slope);
  void (*roll_double)(const filigree_wiring *wiring, const filigree_dynamics *dynamics,
                      size_t steps, const double *parameter, const double *control, double *state,
                      double *forecast, double *value);

  /* Adds |e| and e² of e = (forecast − truth)/scale[i] to absolute[i, b] and squared[i, b];
   * diverged_at[b] becomes the first sample at which the mean of |e| over the states exceeds `limit` or
   * is NaN, unless an earlier sample is there already. The samples are numbered from `first` on. */
  void (*score)(size_t states, size_t batch, size_t first, size_t steps, const double *forecast,
                const double *truth, const double *scale, double limit, double *absolute,
                double *squared, double *diverged_at);

  /* Takes up forecasts that have not diverged by their sample into count[k, b], mean[k, i, b] and the sum
   * of squared distances from the mean square[k, i, b] (Welford 1962). */
  void (*pool)(size_t states, size_t batch, size_t first, size_t steps, const double *forecast,
               const double *diverged_at, double *count, double *mean, double *square);

  /* With j = seed[b] · ∂(value of unit `output`)/∂(parameter p) at sample b, for live parameters:
   * jacobian[p, b] = j, rounded, and gradient[p] += Σ_b j · error[b]. */
  void (*jacobian)(const filigree_wiring *wiring, size_t output, size_t batch,
                   const double *parameter, const double *value, const double *slope,
                   const double *seed, const double *error, double *delta, float *jacobian,
                   double *gradient);

  /* jacobian[i, b] = ∂(unit[0])/∂(input i) at sample b, inputs being the rows 1 … inputs of the values. `unit`
   * lists the output and the units that it depends on, nobody before one that reads it. `delta` is zero before
   * and after; batch is a multiple of 32. */
  void (*sensitivity)(const filigree_wiring *wiring, size_t units, const uint32_t *unit,
                      size_t inputs, size_t batch, const double *parameter, const double *slope,
                      double *delta, double *jacobian);

  /* magnitude[i] += Σ_b weight[b] |x[i, b]| and sum[i] += Σ_b weight[b] x[i, b], weights not negative. */
  void (*magnitudes)(size_t rows, size_t batch, const double *weight, const double *x,
                     double *magnitude, double *sum);

  /* begins[b] = 1 where a slope of a live unit differs from that at the sample before (`last`, by unit, for
   * the first); returns how many do. */
  size_t (*slope_runs)(const filigree_wiring *wiring, size_t batch, const double *slope,
                 const double *last, uint32_t *begins);

  /* product[i, j] += Σ_b x[i, b] x[j, b] for j ≤ i; `product` is rows × rows. */
  void (*gram)(size_t rows, size_t batch, const double *x, double *product);

  /* The same with products and their sums over the batch in single precision. */
  void (*curvature)(size_t rows, size_t batch, const float *x, double *product);

  /* inside[i, b] += the number of samples whose truth is no further from the mean than
   * √(reach[n] · square), n being their count. */
  void (*cover)(size_t states, size_t batch, size_t steps, const double *truth, const double *count,
                const double *mean, const double *square, const double *reach, double *inside);

  /* Symmetric positive definite systems; n is a multiple of 8 and all matrices are n × n. The upper triangle
   * of `a` becomes U with A = UᵀU, and what is below it loses its meaning; returns 0, or 1 + the first row
   * whose pivot is not positive. Then A x = right is solved in place, or the lower triangle of A⁻¹ found,
   * for which `half` must be zero. */
  size_t (*cholesky)(size_t n, double *a);
  void (*cholesky_solve)(size_t n, const double *factor, double *right);
  void (*cholesky_invert)(size_t n, const double *factor, double *half, double *inverse);

  /* `rounds` times 192 multiply-adds per vector lane on registers alone; returns the number of operations, two for each. For benchmarks. */
  double (*arithmetic)(size_t rounds, float *sink);
  double (*double_arithmetic)(size_t rounds, double *sink);
} filigree_kernels;

/* φ(z), φ′(z) or φ″(z) for an `order` of 0, 1 or 2. */
double filigree_activation(uint32_t activation, double parameter, int order, double z);

/* Elementary functions with the same bits everywhere; see Elementary.c. Errors in units in the last place: exp,
 * log2, log10, log1p and pow below 0.6, log, sin and cos (|x| < 2^30) below 1, expm1 and tan below 2, atan and
 * tanh below 4. */
double filigree_exp(double x);
double filigree_expm1(double x);
double filigree_log(double x);
double filigree_log1p(double x);
double filigree_log2(double x);
double filigree_log10(double x);
double filigree_pow(double x, double y);
double filigree_pow_whole(double x, long n);
double filigree_sin(double x);
double filigree_cos(double x);
double filigree_tan(double x);
double filigree_atan(double x);
double filigree_tanh(double x);

/* Asks the processor to bring rows of `stride` floats into its second cache. */
static inline void filigree_prefetch(const float *source, size_t stride, const uint32_t *rows,
                                     size_t count) {
  for (size_t k = 0; k < count; k++)
    for (size_t f = 0; f < stride; f += 16)
      __builtin_prefetch(source + rows[k] * stride + f, 0, 2);
}

/* The table of that name ("avx512", "avx2", "baseline"), or NULL where the processor lacks it or the
 * name is unknown. NULL as name asks for the fastest that this processor can run; "library" for the baseline
 * with the C library's fused multiply-add even where the processor has its own, for tests. */
const filigree_kernels *filigree_kernels_named(const char *name);

#endif
