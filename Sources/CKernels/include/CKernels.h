#ifndef FILIGREE_CKERNELS_H
#define FILIGREE_CKERNELS_H

#include <stddef.h>
#include <stdint.h>

/* The loops of stochastic training. Every matrix of samples is feature-major: row f holds feature f
 * of all `batch` samples of a minibatch, so the batch lies along the vector registers and a weight
 * that is zero costs nothing. `batch` is a multiple of 16; pointers may have any alignment. */

enum {
  FILIGREE_IDENTITY = 0,
  FILIGREE_RELU = 1,
  FILIGREE_SILU = 2,
  FILIGREE_TANH = 3
};

enum { FILIGREE_NO_PENALTY = 0, FILIGREE_L1_GRADIENT = 1, FILIGREE_PROXIMAL_STEP = 2 };

/* One Adam step (Kingma & Ba 2015) with the sparsifier's part in it. */
typedef struct {
  float learning_rate;
  float beta1, beta2, epsilon;
  float correction1, correction2; /* 1/(1 − β1ᵗ), 1/(1 − β2ᵗ) */
  float strength;                 /* λ */
  int penalty;                    /* one of FILIGREE_NO_PENALTY … */
} filigree_adam_step;

typedef struct {
  const char *name;

  /* z[o] = bias[o] + Σ_i weight[o,i] x[i]; without a bias the sum is added to z. Zeros are skipped. */
  void (*affine)(size_t outputs, size_t inputs, size_t batch, const float *weight, const float *x,
                 const float *bias, float *z);

  /* value = φ(z), slope = φ′(z), element by element; value may be z itself. */
  void (*activate)(int activation, size_t count, const float *z, float *value, float *slope);

  /* g[i] += Σ_o weight[o,i] delta[o]. Zeros are skipped. */
  void (*propagate)(size_t outputs, size_t inputs, size_t batch, const float *weight,
                    const float *delta, float *g);

  /* gradient[o,i] = Σ_b delta[o,b] x[i,b] */
  void (*weight_gradient)(size_t outputs, size_t inputs, size_t batch, const float *delta,
                          const float *x, float *gradient);

  /* gradient[o] = Σ_b delta[o,b] */
  void (*bias_gradient)(size_t outputs, size_t batch, const float *delta, float *gradient);

  /* delta = factor · (prediction − target); returns Σ (prediction − target)². */
  double (*residual)(size_t count, const float *prediction, const float *target, float factor,
                     float *delta);

  /* a ← a · b */
  void (*multiply)(size_t count, float *a, const float *b);

  /* One optimiser step in place on `count` parameters with their gradient and both moments. */
  void (*adam)(size_t count, const filigree_adam_step *step, float *parameter,
               const float *gradient, float *moment1, float *moment2);

  /* destination[f, b] = source[rows[b] · stride + f] for f < features, b < used; the lanes from
   * `used` to `batch` become zero. */
  void (*gather)(size_t features, size_t stride, size_t used, size_t batch, const float *source,
                 const uint32_t *rows, float *destination);
} filigree_kernels;

/* The table of that name ("avx512", "avx2", "baseline"), or NULL where the processor lacks it or the
 * name is unknown. NULL as name asks for the fastest that this processor can run. */
const filigree_kernels *filigree_kernels_named(const char *name);

#endif
