/* Vectors, and the one order in which sums over them are taken.
 *
 * A vector has 16 floats or 8 doubles whatever the processor's registers hold; where these are narrower
 * the compiler cuts it into two or four of them. So every set adds the same numbers in the same order:
 * partial sums by lane, which are then added in halves, quarters and so on (Demmel & Nguyen 2015, IEEE
 * Transactions on Computers 64: a fixed order of summation is all that reproducible sums need). A product
 * that is added is one fused operation, written as such; nothing else is contracted. */

typedef float NAME(vector) __attribute__((ext_vector_type(16), aligned(4), may_alias));
typedef int32_t NAME(integers) __attribute__((ext_vector_type(16), aligned(4), may_alias));
typedef double NAME(doubles) __attribute__((ext_vector_type(8), aligned(8), may_alias));
typedef int64_t NAME(longs) __attribute__((ext_vector_type(8), aligned(8), may_alias));
typedef float NAME(narrow) __attribute__((ext_vector_type(8), aligned(4), may_alias));
#define vector NAME(vector)
#define integers NAME(integers)
#define doubles NAME(doubles)
#define longs NAME(longs)
#define narrow NAME(narrow)
#define AT(pointer, index) (*(vector *)((pointer) + (index)))
#define CONST_AT(pointer, index) (*(const vector *)((pointer) + (index)))
#define DOUBLES_AT(pointer, index) (*(doubles *)((pointer) + (index)))
#define CONST_DOUBLES_AT(pointer, index) (*(const doubles *)((pointer) + (index)))
#define INLINE static inline __attribute__((always_inline))

/* a b + c, rounded once. */
INLINE vector NAME(fused)(vector a, vector b, vector c) { return __builtin_elementwise_fma(a, b, c); }
INLINE doubles NAME(fused_double)(doubles a, doubles b, doubles c) {
  return __builtin_elementwise_fma(a, b, c);
}
#define FUSED(a, b, c) NAME(fused)(a, b, c)
#define FUSED_DOUBLE(a, b, c) NAME(fused_double)(a, b, c)

/* The first step of a sum over lanes, for two vectors: halves are exchanged and added, after which the
 * lower half of the lanes belongs to a and the upper one to b. */
INLINE vector NAME(fold)(vector a, vector b) { return KEPT_2(a, b) + CROSSED_2(a, b); }

/* The other steps, with quarters and so on: lane k of the result belongs to the k-th of the vectors that
 * were folded. */
INLINE vector NAME(folded_sums)(vector *folded) {
  for (int k = 0; k < 4; k++)
    folded[k] = KEPT_4(folded[k], folded[k + 4]) + CROSSED_4(folded[k], folded[k + 4]);
  for (int k = 0; k < 2; k++)
    folded[k] = KEPT_8(folded[k], folded[k + 2]) + CROSSED_8(folded[k], folded[k + 2]);
  return KEPT_16(folded[0], folded[1]) + CROSSED_16(folded[0], folded[1]);
}

/* Sums of the lanes of 16 vectors: lane k of the result is the sum over vector k. */
INLINE vector NAME(lane_sums)(const vector *tile) {
  vector folded[LANES / 2];
  for (int k = 0; k < LANES / 2; k++) folded[k] = NAME(fold)(tile[k], tile[k + LANES / 2]);
  return NAME(folded_sums)(folded);
}

/* Sums of the lanes of 8 vectors of doubles, as lane_sums. */
INLINE doubles NAME(double_sums)(const doubles *tile) {
  doubles folded[4];
  for (int k = 0; k < 4; k++)
    folded[k] = DKEPT_2(tile[k], tile[k + 4]) + DCROSSED_2(tile[k], tile[k + 4]);
  for (int k = 0; k < 2; k++)
    folded[k] = DKEPT_4(folded[k], folded[k + 2]) + DCROSSED_4(folded[k], folded[k + 2]);
  return DKEPT_8(folded[0], folded[1]) + DCROSSED_8(folded[0], folded[1]);
}

/* The same sum over one vector. */
INLINE float NAME(lane_sum)(vector v) {
  float sum[LANES];
  for (int k = 0; k < LANES; k++) sum[k] = v[k];
  for (int half = LANES / 2; half > 0; half /= 2)
    for (int k = 0; k < half; k++) sum[k] += sum[k + half];
  return sum[0];
}
INLINE double NAME(double_sum)(doubles v) {
  double sum[DOUBLE_LANES];
  for (int k = 0; k < DOUBLE_LANES; k++) sum[k] = v[k];
  for (int half = DOUBLE_LANES / 2; half > 0; half /= 2)
    for (int k = 0; k < half; k++) sum[k] += sum[k + half];
  return sum[0];
}

/* Written as choices, because C's fmax and fmin treat NaN in a way that costs two more instructions. */
INLINE vector NAME(choose)(integers mask, vector yes, vector no) {
  return (vector)((mask & (integers)yes) | (~mask & (integers)no));
}
INLINE vector NAME(larger)(vector a, vector b) { return NAME(choose)(a > b, a, b); }
INLINE vector NAME(smaller)(vector a, vector b) { return NAME(choose)(a < b, a, b); }
INLINE doubles NAME(choose_double)(longs mask, doubles yes, doubles no) {
  return (doubles)((mask & (longs)yes) | (~mask & (longs)no));
}
