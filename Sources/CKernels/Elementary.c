/* Elementary functions that give the same bits everywhere.
 *
 * The C library picks its versions by processor, and their last bits differ between versions and systems.
 * What is computed here is made of additions, multiplications, divisions, roots and fused multiply-adds
 * alone, each of which IEEE 754 rounds in one way. */

#include "CKernels.h"

#include <math.h>

#pragma STDC FP_CONTRACT OFF

/* With the processor's own fused multiply-add where it has one; the C library's is as exact, and slower. */
#if defined(__x86_64__) && defined(__ELF__)
#define ELEMENTARY __attribute__((target_clones("fma", "default")))
#else
#define ELEMENTARY
#endif
#define INLINE static inline __attribute__((always_inline))

#define FUSED(a, b, c) __builtin_fma(a, b, c)

/* An unevaluated sum, of which the second is within half a unit in the last place of the first (Dekker 1971). */
typedef struct {
  double high, low;
} pair;

/* a + b, exactly (Knuth's two-sum). */
INLINE pair sum_of(double a, double b) {
  const double sum = a + b, part = sum - a;
  return (pair){sum, (a - (sum - part)) + (b - part)};
}

INLINE pair product_of(double a, double b) {
  const double product = a * b;
  return (pair){product, FUSED(a, b, -product)};
}

INLINE pair plus(pair a, pair b) {
  const pair high = sum_of(a.high, b.high), low = sum_of(a.low, b.low);
  const pair middle = sum_of(high.high, high.low + low.high);
  return sum_of(middle.high, middle.low + low.low);
}

INLINE pair times(pair a, pair b) {
  const pair product = product_of(a.high, b.high);
  return sum_of(product.high, product.low + (a.high * b.low + a.low * b.high));
}

INLINE pair over(pair a, pair b) {
  const double first = a.high / b.high;
  const pair rest = plus(a, times((pair){-first, 0}, b));
  const double second = rest.high / b.high;
  const pair more = plus(rest, times((pair){-second, 0}, b));
  return plus(sum_of(first, second), (pair){more.high / b.high, 0});
}

static const pair LN2 = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};
static const pair LN10 = {0x1.26bb1bbb55516p1, -0x1.f48ad494ea3e9p-53};
static const pair HALF_PI = {0x1.921fb54442d18p0, 0x1.1a62633145c07p-54};
static const pair THIRD = {0x1.5555555555555p-2, 0x1.5555555555555p-56};

/* Σ c[k] x^k by Horner's rule. */
#define POLYNOMIAL(x, coefficients) \
  horner(x, coefficients, (int)(sizeof(coefficients) / sizeof((coefficients)[0])))
INLINE double horner(double x, const double *coefficient, const int count) {
  double sum = coefficient[count - 1];
#pragma clang loop unroll(full)
  for (int k = count - 2; k >= 0; k--) sum = FUSED(sum, x, coefficient[k]);
  return sum;
}

/* 1/n! */
#define F2 0.5
#define F3 (1 / 6.0)
#define F4 (1 / 24.0)
#define F5 (1 / 120.0)
#define F6 (1 / 720.0)
#define F7 (1 / 5040.0)
#define F8 (1 / 40320.0)
#define F9 (1 / 362880.0)
#define F10 (1 / 3628800.0)
#define F11 (1 / 39916800.0)
#define F12 (1 / 479001600.0)
#define F13 (1 / 6227020800.0)
#define F14 (1 / 87178291200.0)
#define F15 (1 / 1307674368000.0)
#define F16 (1 / 20922789888000.0)
#define F17 (1 / 355687428096000.0)
#define F18 (1 / 6402373705728000.0)
#define F19 (1 / 121645100408832000.0)

/* (eʳ − 1 − r)/r² for |r| ≤ 0.35: what is left out is below 1e-18. */
static const double EXPONENTIAL[] = {F2, F3, F4, F5, F6, F7, F8, F9, F10, F11, F12, F13, F14, F15};
/* (sin r − r)/r³ and (cos r − 1 + r²/2)/r⁴ in r², for |r| ≤ π/4. */
static const double SINE[] = {-F3, F5, -F7, F9, -F11, F13, -F15, F17, -F19};
static const double COSINE[] = {F4, -F6, F8, -F10, F12, -F14, F16, -F18};
/* (artanh s/s − 1)/s², and the same without its first term, in s² for |s| ≤ 0.1716. */
static const double AREA_TANGENT[] = {1 / 3.0,  1 / 5.0,  1 / 7.0,  1 / 9.0,  1 / 11.0, 1 / 13.0,
                                      1 / 15.0, 1 / 17.0, 1 / 19.0, 1 / 21.0, 1 / 23.0, 1 / 25.0};
static const double AREA_TANGENT_TAIL[] = {1 / 5.0,  1 / 7.0,  1 / 9.0,  1 / 11.0, 1 / 13.0, 1 / 15.0,
                                           1 / 17.0, 1 / 19.0, 1 / 21.0, 1 / 23.0, 1 / 25.0, 1 / 27.0};
/* (arctan t/t − 1)/t² in t², for |t| ≤ 0.2. */
static const double ARC_TANGENT[] = {-1 / 3.0,  1 / 5.0,   -1 / 7.0,  1 / 9.0,   -1 / 11.0, 1 / 13.0,
                                     -1 / 15.0, 1 / 17.0,  -1 / 19.0, 1 / 21.0,  -1 / 23.0, 1 / 25.0};

/* Adding and taking away 1.5 · 2⁵² rounds to a whole number, ties to even. */
INLINE double nearest(double x) { return (x + 0x1.8p52) - 0x1.8p52; }

INLINE double two_to_the(int n) {
  const union {
    uint64_t bits;
    double value;
  } power = {.bits = (uint64_t)(n + 1023) << 52};
  return power.value;
}

/* x = 2ⁿ m with m between √½ and √2; x positive and finite. */
INLINE double split(double x, double *exponent) {
  union {
    double value;
    uint64_t bits;
  } number = {.value = x};
  int n = 0;
  if (x < 0x1p-1022) number.value *= 0x1p54, n = -54;
  n += (int)(number.bits >> 52) - 1023;
  number.bits = (number.bits & ~(UINT64_C(0xfff) << 52)) | (UINT64_C(1023) << 52);
  if (number.value > 0x1.6a09e667f3bcdp0) number.value *= 0.5, n++;
  *exponent = n;
  return number.value;
}

INLINE double exponential(pair x) {
  if (!(x.high > -746)) return x.high != x.high ? x.high : 0;
  if (!(x.high < 710)) return __builtin_inf();
  const double power = nearest(x.high * 0x1.71547652b82fep0);
  const pair rest = plus(x, times((pair){-power, 0}, LN2));
  const double r = rest.high;
  const pair sum = sum_of(1, r);
  const double mantissa =
      sum.high + (sum.low + (FUSED(r * r, POLYNOMIAL(r, EXPONENTIAL), rest.low) + rest.low * r));
  /* In two steps where the power alone is out of range. */
  const int half = (int)power / 2;
  return mantissa * two_to_the(half) * two_to_the((int)power - half);
}

/* ln x to about 100 bits: 2 artanh((m − 1)/(m + 1)) + n ln 2. */
INLINE pair long_logarithm(double x) {
  double exponent;
  const double m = split(x, &exponent);
  const pair s = over((pair){m - 1, 0}, sum_of(m, 1)), square = times(s, s);
  const double tail = square.high * square.high * POLYNOMIAL(square.high, AREA_TANGENT_TAIL);
  const pair half = plus(s, times(s, plus(times(square, THIRD), (pair){tail, 0})));
  return plus(times((pair){exponent, 0}, LN2), (pair){2 * half.high, 2 * half.low});
}

INLINE double special_logarithm(double x) {
  return x == 0 ? -__builtin_inf() : x < 0 ? __builtin_nan("") : x;
}

INLINE int has_logarithm(double x) { return x > 0 && x < __builtin_inf(); }

ELEMENTARY double filigree_exp(double x) { return exponential((pair){x, 0}); }

ELEMENTARY double filigree_expm1(double x) {
  if (!(x > -0.35 && x < 0.35)) return exponential((pair){x, 0}) - 1;
  return FUSED(x * x, POLYNOMIAL(x, EXPONENTIAL), x);
}

/* With f = m − 1 and s = f/(2 + f): ln(1 + f) = f − (f²/2 − s (f²/2 + R)), R = 2 (s²/3 + s⁴/5 + …). */
ELEMENTARY double filigree_log(double x) {
  if (!has_logarithm(x)) return special_logarithm(x);
  double exponent;
  const double f = split(x, &exponent) - 1, s = f / (2 + f), square = s * s;
  const double half = 0.5 * f * f, rest = 2 * square * POLYNOMIAL(square, AREA_TANGENT);
  /* ln 2 in two parts of which the first, of 33 bits, times an exponent is exact. */
  const double small = FUSED(s, half + rest, exponent * 0x1.a39ef35793c76p-33);
  return exponent * 0x1.62e42fee00000p-1 - ((half - small) - f);
}

ELEMENTARY double filigree_log1p(double x) {
  const pair shifted = sum_of(1, x);
  if (!has_logarithm(shifted.high)) return special_logarithm(shifted.high);
  const pair result = plus(long_logarithm(shifted.high), (pair){shifted.low / shifted.high, 0});
  return result.high + result.low;
}

ELEMENTARY double filigree_log10(double x) {
  if (!has_logarithm(x)) return special_logarithm(x);
  const pair result = over(long_logarithm(x), LN10);
  return result.high + result.low;
}

ELEMENTARY double filigree_log2(double x) {
  if (!has_logarithm(x)) return special_logarithm(x);
  const pair result = over(long_logarithm(x), LN2);
  return result.high + result.low;
}

/* By squaring, in pairs; where that leaves the range, by logarithm. */
INLINE double whole_power(double x, long n) {
  pair result = {1, 0}, factor = {x, 0};
  unsigned long left = n < 0 ? -(unsigned long)n : (unsigned long)n;
  for (; left; left >>= 1) {
    if (left & 1) result = times(result, factor);
    if (left > 1) factor = times(factor, factor);
  }
  const double size = result.high < 0 ? -result.high : result.high;
  if (size > 0x1p-900 && size < 0x1p900) {
    if (n < 0) result = over((pair){1, 0}, result);
    return result.high + result.low;
  }
  const double magnitude = x < 0 ? -x : x;
  const int odd = n & 1;
  if (!has_logarithm(magnitude)) {
    if (x != x || n == 0) return n == 0 ? 1 : x;
    const double limit = (magnitude == 0) == (n > 0) ? 0 : __builtin_inf();
    return odd && x < 0 ? -limit : limit;
  }
  const double value = exponential(times((pair){(double)n, 0}, long_logarithm(magnitude)));
  return odd && x < 0 ? -value : value;
}

ELEMENTARY double filigree_pow_whole(double x, long n) { return whole_power(x, n); }

ELEMENTARY double filigree_pow(double x, double y) {
  if (y == nearest(y) && y >= -1024 && y <= 1024) return whole_power(x, (long)y);
  if (!has_logarithm(x) || !(y > -__builtin_inf() && y < __builtin_inf())) {
    if (x != x || y != y) return x + y;
    if (x < 0) return __builtin_nan("");
    if (x == 1) return 1;
    /* Of 0, ∞ and infinite powers: towards 0 or towards ∞. */
    return (x > 1) == (y > 0) ? __builtin_inf() : 0;
  }
  const pair logarithm = long_logarithm(x);
  const double size = y * logarithm.high;
  return size > -1000 && size < 1000 ? exponential(times((pair){y, 0}, logarithm))
                                     : exponential((pair){size, 0});
}

typedef struct {
  double sine, cosine;
} circular;

INLINE circular sine_and_cosine(double x) {
  if (!(x > -__builtin_inf() && x < __builtin_inf()))
    return (circular){__builtin_nan(""), __builtin_nan("")};
  const double turns = nearest(x * 0x1.45f306dc9c883p-1);
  const pair rest = plus((pair){x, 0}, times((pair){-turns, 0}, HALF_PI));
  const double r = rest.high, low = rest.low, square = r * r;
  const double sine = r + FUSED(r * square, POLYNOMIAL(square, SINE), low);
  const double tail = FUSED(square * square, POLYNOMIAL(square, COSINE), -(r * low));
  const pair sum = sum_of(1, -0.5 * square);
  const double cosine = sum.high + (sum.low + (tail - 0.5 * FUSED(r, r, -square)));
  switch ((int64_t)turns & 3) {
    case 0: return (circular){sine, cosine};
    case 1: return (circular){cosine, -sine};
    case 2: return (circular){-sine, -cosine};
    default: return (circular){-cosine, sine};
  }
}

ELEMENTARY double filigree_sin(double x) { return sine_and_cosine(x).sine; }
ELEMENTARY double filigree_cos(double x) { return sine_and_cosine(x).cosine; }
ELEMENTARY double filigree_tan(double x) {
  const circular both = sine_and_cosine(x);
  return both.sine / both.cosine;
}

/* For 0 ≤ x ≤ 1: four times the quarter angle, halved twice by tan(a/2) = t/(1 + √(1 + t²)). */
INLINE double small_arc(double x) {
  const double half = x / (1 + __builtin_elementwise_sqrt(FUSED(x, x, 1)));
  const double quarter = half / (1 + __builtin_elementwise_sqrt(FUSED(half, half, 1)));
  const double square = quarter * quarter;
  return 4 * FUSED(quarter * square, POLYNOMIAL(square, ARC_TANGENT), quarter);
}

ELEMENTARY double filigree_atan(double x) {
  const double size = x < 0 ? -x : x;
  const double angle = size > 1 ? HALF_PI.high - (small_arc(1 / size) - HALF_PI.low) : small_arc(size);
  return x < 0 ? -angle : angle;
}

ELEMENTARY double filigree_tanh(double x) {
  const double size = x < 0 ? -x : x;
  if (!(size < 20)) return x != x ? x : x < 0 ? -1 : 1;
  const double t = 2 * size;
  const double shrunk = t < 0.35 ? FUSED(t * t, POLYNOMIAL(-t, EXPONENTIAL), -t)
                                 : exponential((pair){-t, 0}) - 1;
  const double value = -shrunk / (2 + shrunk);
  return x < 0 ? -value : value;
}
