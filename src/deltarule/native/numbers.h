/* Numbers: REAL is float or double, a vector holds LANES of them; and functions of one number.

   A file that includes this is compiled once for each REAL and each instruction set; the width of a vector is all that
   differs. Loops over arrays are plain C, which compilers turn into vector code: every operation here is one that
   IEEE 754 defines to the last bit (no fast-math, no contraction; a fused multiply-add is written where it is meant), so
   the bits are the same in every lane, on every processor. */
#ifndef NUMBERS_H
#define NUMBERS_H
#include <stdint.h>
#include <string.h>

#if REAL_BITS == 32
typedef float REAL;
typedef uint32_t BITS;
#define SIGNIFICAND 23 /* bits, the leading one not counted */
#define BIAS 127
#define TINY 1.17549435e-38f /* the smallest normal number */
#define LOWEST_EXPONENT (-87.33654f) /* below it e^x is denormal */
#define EXP_TERMS 7
#define LOG_TERMS 5
#define fused __builtin_fmaf
#define root __builtin_sqrtf
#define size_of __builtin_fabsf
#else
typedef double REAL;
typedef uint64_t BITS;
#define SIGNIFICAND 52
#define BIAS 1023
#define TINY 2.2250738585072014e-308
#define LOWEST_EXPONENT (-708.3964185322641)
#define EXP_TERMS 13
#define LOG_TERMS 11
#define fused __builtin_fma
#define root __builtin_sqrt
#define size_of __builtin_fabs
#endif
#ifndef inlined
#define inlined static inline __attribute__((always_inline))
#endif

#define EACH for (int64_t j = 0; j < n; j++)
#define EACH_LANE for (int64_t j = 0; j < whole_vectors(n); j++)

#if defined __AVX512F__
#define VECTOR_BYTES 64
#elif defined __AVX2__
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif
#define LANES ((int)(VECTOR_BYTES / sizeof(REAL)))

/* n, or as much more as fills the last vector. */
inlined int64_t whole_vectors(int64_t n) { return (n + LANES - 1) / LANES * LANES; }

/* ln 2 in two pieces: the first has few enough bits that n ln 2 is exact for every exponent n. */
#define LN2_HIGH ((REAL)(REAL_BITS == 32 ? 0.693359375 : 0x1.62e42feep-1))
#define LN2_LOW ((REAL)(REAL_BITS == 32 ? -2.12194440054690583e-4 : 1.90821492927058770002e-10))
#define SHIFTER ((REAL)(REAL_BITS == 32 ? 0x1.8p23 : 0x1.8p52)) /* x + SHIFTER - SHIFTER is x, rounded to an integer */

inlined BITS bits_of(REAL x) { BITS b; memcpy(&b, &x, sizeof b); return b; }
inlined REAL from_bits(BITS b) { REAL x; memcpy(&x, &b, sizeof x); return x; }
inlined REAL larger(REAL a, REAL b) { return a > b ? a : b; }
inlined REAL smaller(REAL a, REAL b) { return a < b ? a : b; }

/* x = n ln 2 + r with |r| <= ln 2 / 2. Returns e^r - 1, from Taylor's series; n comes as the bits of SHIFTER + n. */
inlined REAL reduced_exponential(REAL x, BITS *n) {
    static const REAL inverse[14] = {1, 1, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320,
        1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
    REAL shifted = fused(x, (REAL)1.4426950408889634, SHIFTER), whole = shifted - SHIFTER;
    REAL r = fused(-whole, LN2_LOW, fused(-whole, LN2_HIGH, x)), sum = inverse[EXP_TERMS];
#pragma GCC unroll 16
    for (int k = EXP_TERMS - 1; k > 1; k--)
        sum = fused(sum, r, inverse[k]);
    *n = bits_of(shifted);
    return fused(r * r, sum, r);
}

/* 2^n, for the bits of SHIFTER + n; n as of a normal number. */
inlined REAL power_of_2(BITS n) { return from_bits((n + BIAS) << SIGNIFICAND); }

/* e^x: 0 where it would be no normal number, infinity where it is too large, NaN for NaN. */
inlined REAL exponential(REAL x) {
    BITS n;
    REAL top = (REAL)(REAL_BITS == 32 ? 89.0 : 710.0), inside = smaller(larger(x, LOWEST_EXPONENT), top);
    REAL part = reduced_exponential(inside, &n);
    REAL half = power_of_2(n - 1), result = fused(part, half, half) * 2; /* 2^n itself may be too large */
    result = x < LOWEST_EXPONENT ? 0 : result;
    return x != x ? x : result;
}

/* e^x - 1 for x that is not above 0 or not large: exact near 0, where e^x - 1 written so would lose its digits. */
inlined REAL exponential_minus_1(REAL x) {
    BITS n;
    REAL part = reduced_exponential(larger(x, (REAL)-45), &n), power = power_of_2(n);
    return x != x ? x : fused(part, power, power - 1);
}

/* tanh x = m / (m + 2) with m = e^(2 |x|) - 1. */
inlined REAL tangent(REAL x) {
    REAL m = exponential_minus_1(smaller(2 * size_of(x), (REAL)45)), t = m / (m + 2);
    t = x < 0 ? -t : t;
    return x != x ? x : t;
}

/* 1 / (1 + e^-x), and its derivative e / (1 + e)^2 with e = e^-|x|: right in both tails. */
inlined REAL sigmoid(REAL x) {
    REAL e = exponential(-size_of(x));
    return (x < 0 ? e : 1) / (1 + e);
}
inlined REAL sigmoid_slope(REAL x) {
    REAL e = exponential(-size_of(x));
    return e / ((1 + e) * (1 + e));
}

/* The derivative of x sigmoid(x): left of 0 (1 + x + e^x) e^x / (1 + e^x)^2, and at -x 1 minus as much. Where 1 + x + e^x
   crosses 0, at FLAT, its digits cancel; those of t + e^FLAT (e^t - 1) with t = x - FLAT do not. */
#define FLAT ((REAL)(REAL_BITS == 32 ? -1.2784645557403564 : -1.2784645427610737))
#define FLAT_REST ((REAL)(REAL_BITS == 32 ? 1.297928265020314e-08 : -1.0946994183093437e-16))
inlined REAL silu_slope(REAL x) {
    REAL left = -size_of(x), e = exponential(left), t = left - FLAT - FLAT_REST;
    REAL slope = e * fused((REAL)0.27846454276107380, exponential_minus_1(t), t) / ((1 + e) * (1 + e));
    return x > 0 ? 1 - slope : slope;
}

/* ln x for a normal x > 0: x = 2^n m, and with s = (m - 1) / (m + 1) ln m = 2 (s + s^3 / 3 + s^5 / 5 + ...). */
inlined REAL logarithm_plus(REAL x, REAL small) { /* ln x + small, where small is far below ln x */
    BITS offset = bits_of(x) - bits_of((REAL)0.70710678118654752);
    BITS n = offset >> SIGNIFICAND; /* counted from 0 below: x < sqrt(1/2) wraps around, as unsigned numbers do */
    n = (n ^ ((BITS)1 << (REAL_BITS - SIGNIFICAND - 1))) - ((BITS)1 << (REAL_BITS - SIGNIFICAND - 1)); /* its sign */
    REAL m = from_bits(bits_of(x) - (n << SIGNIFICAND)), whole = from_bits(bits_of(SHIFTER) + n) - SHIFTER;
    REAL s = (m - 1) / (m + 1), square = s * s, sum = (REAL)1 / (2 * LOG_TERMS + 1);
#pragma GCC unroll 16
    for (int k = LOG_TERMS - 1; k > 0; k--)
        sum = fused(sum, square, (REAL)1 / (2 * k + 1));
    /* m - 1 is exact, s is not: ln m = (m - 1) - s (m - 1 - 2 s^2 (1/3 + s^2 / 5 + ...)) */
    REAL high = m - 1, low = s * fused(-2 * square, sum, high);
    return fused(whole, LN2_HIGH, high) - (low - fused(whole, LN2_LOW, small));
}
inlined REAL logarithm(REAL x) { return logarithm_plus(x, 0); }

/* ln(1 + x) for x >= 0; what 1 + x loses by rounding counts 1 / (1 + x). */
inlined REAL logarithm_of_1_plus(REAL x) {
    REAL whole = 1 + x;
    return logarithm_plus(whole, (x - (whole - 1)) / whole);
}

#endif
