/* Symmetric positive definite systems A x = b by A = UᵀU (Cholesky), in place of LAPACK, whose sums depend
 * on the processor. Every element is one sum over k in rising order, each term fused, so the size of the
 * tiles decides nothing. n is a multiple of 8; matrices are n × n, row by row. */

/* sum[r] += sign Σ_k p[k, r] q[k, 0 … 7] for k from `first` to `last` − 1. */
INLINE void NAME(tile_products)(size_t n, size_t first, size_t last, double sign, const double *p,
                                const double *q, doubles *sum) {
  for (size_t k = first; k < last; k++) {
    const doubles column = CONST_DOUBLES_AT(q, k * n);
    for (int r = 0; r < FACTOR_ROWS; r++)
      sum[r] = FUSED_DOUBLE((doubles)(sign * p[k * n + r]), column, sum[r]);
  }
}

/* Of rows i … i + FACTOR_ROWS − 1 of `to`, whose columns from `first` on have had what earlier rows take
 * away: the part that these rows take from each other, and the division by the factor's diagonal. */
INLINE void NAME(finish_row)(size_t n, size_t i, size_t r, size_t first, size_t last,
                             const double *factor, double inverse, double *to) {
  double *row = to + (i + r) * n;
  for (size_t s = 0; s < r; s++) {
    const doubles f = (doubles)-factor[(i + s) * n + i + r];
    for (size_t j = first; j < last; j += DOUBLE_LANES)
      DOUBLES_AT(row, j) = FUSED_DOUBLE(f, CONST_DOUBLES_AT(to, (i + s) * n + j), DOUBLES_AT(row, j));
  }
  if (inverse != 0)
    for (size_t j = first; j < last; j += DOUBLE_LANES) DOUBLES_AT(row, j) *= inverse;
}

/* The upper triangle of a becomes U (what is below it has no meaning). Returns 0, or 1 + the first row
 * whose pivot is not positive. */
static size_t NAME(cholesky)(size_t n, double *a) {
  for (size_t i = 0; i < n; i += FACTOR_ROWS) {
    const size_t begin = i / DOUBLE_LANES * DOUBLE_LANES;
    for (size_t j = begin; j < n; j += DOUBLE_LANES) {
      doubles sum[FACTOR_ROWS];
      for (int r = 0; r < FACTOR_ROWS; r++) sum[r] = CONST_DOUBLES_AT(a, (i + r) * n + j);
      NAME(tile_products)(n, 0, i, -1, a + i, a + j, sum);
      for (int r = 0; r < FACTOR_ROWS; r++) DOUBLES_AT(a, (i + r) * n + j) = sum[r];
    }
    for (size_t r = 0; r < FACTOR_ROWS; r++) {
      NAME(finish_row)(n, i, r, begin, n, a, 0, a);
      const double pivot = a[(i + r) * n + i + r];
      if (!(pivot > 0 && pivot < __builtin_inf())) return i + r + 1;
      const double root = __builtin_sqrt(pivot), inverse = 1 / root;
      for (size_t j = begin; j < n; j += DOUBLE_LANES) DOUBLES_AT(a, (i + r) * n + j) *= inverse;
      a[(i + r) * n + i + r] = root;
    }
  }
  return 0;
}

/* `right`, of n elements, becomes the solution. */
static void NAME(cholesky_solve)(size_t n, const double *factor, double *right) {
  for (size_t k = 0; k < n; k++) {
    const double y = right[k] /= factor[k * n + k];
    size_t j = k + 1;
    for (; j % DOUBLE_LANES; j++)
      right[j] = __builtin_elementwise_fma(-factor[k * n + j], y, right[j]);
    for (; j < n; j += DOUBLE_LANES)
      DOUBLES_AT(right, j) =
          FUSED_DOUBLE(-CONST_DOUBLES_AT(factor, k * n + j), (doubles)y, DOUBLES_AT(right, j));
  }
  for (size_t i = n; i-- > 0;) {
    double rest = right[i];
    size_t j = i + 1;
    for (; j % DOUBLE_LANES; j++)
      rest = __builtin_elementwise_fma(-factor[i * n + j], right[j], rest);
    doubles sum = {};
    for (; j < n; j += DOUBLE_LANES)
      sum = FUSED_DOUBLE(CONST_DOUBLES_AT(factor, i * n + j), CONST_DOUBLES_AT(right, j), sum);
    right[i] = (rest - NAME(double_sum)(sum)) / factor[i * n + i];
  }
}

/* The lower triangle of (UᵀU)⁻¹ = WᵀW; `half` becomes W = U⁻ᵀ, lower triangular, and is zero before. */
static void NAME(cholesky_invert)(size_t n, const double *factor, double *half, double *inverse) {
  for (size_t i = 0; i < n; i += FACTOR_ROWS) {
    const size_t end = (i + FACTOR_ROWS + DOUBLE_LANES - 1) / DOUBLE_LANES * DOUBLE_LANES;
    for (size_t r = 0; r < FACTOR_ROWS; r++) half[(i + r) * n + i + r] = 1;
    for (size_t j = 0; j < end; j += DOUBLE_LANES) {
      doubles sum[FACTOR_ROWS];
      for (int r = 0; r < FACTOR_ROWS; r++) sum[r] = CONST_DOUBLES_AT(half, (i + r) * n + j);
      /* W's rows before j are zero from column j on. */
      NAME(tile_products)(n, j < i ? j : i, i, -1, factor + i, half + j, sum);
      for (int r = 0; r < FACTOR_ROWS; r++) DOUBLES_AT(half, (i + r) * n + j) = sum[r];
    }
    for (size_t r = 0; r < FACTOR_ROWS; r++)
      NAME(finish_row)(n, i, r, 0, end, factor, 1 / factor[(i + r) * n + i + r], half);
  }
  for (size_t i = 0; i < n; i += FACTOR_ROWS)
    for (size_t j = 0; j < i + FACTOR_ROWS; j += DOUBLE_LANES) {
      doubles sum[FACTOR_ROWS] = {};
      NAME(tile_products)(n, i, n, 1, half + i, half + j, sum);
      for (int r = 0; r < FACTOR_ROWS; r++) DOUBLES_AT(inverse, (i + r) * n + j) = sum[r];
    }
}
