/* What stands between two products: activations and losses, each with its derivative beside it. The formulas are those
   of nn/activations.py and nn/losses.py. Rows are samples, n numbers long. */
#ifndef LAYERS_H
#define LAYERS_H
#include "numbers.h"

/* The codes that Python passes for the parts; codes.py reads them here. */
enum Activation { IDENTITY, SIGMOID, TANH, RELU, LEAKY_RELU, ELU, SILU, EXP, SOFTMAX };
enum Loss { QUADRATIC, CROSS_ENTROPY, BINARY_CROSS_ENTROPY, POISSON };

/* a = sigma(z). c: the activation's setting, a slope for instance. a may be z. What lies behind n numbers, to the end of a
   vector, may be anything, and become so: a loop over whole vectors is the fastest. */
static void activate(int kind, REAL c, const REAL *z, REAL *a, int64_t n) {
    REAL most, sum = 0;
    switch (kind) {
    case IDENTITY: EACH a[j] = z[j]; break;
    case SIGMOID: EACH a[j] = sigmoid(z[j]); break;
    case TANH: EACH a[j] = tangent(z[j]); break;
    case RELU: EACH a[j] = z[j] <= 0 ? 0 : z[j]; break;
    case LEAKY_RELU: EACH a[j] = z[j] > 0 ? z[j] : c * z[j]; break;
    case ELU: EACH a[j] = z[j] > 0 ? z[j] : c * exponential_minus_1(smaller(z[j], 0)); break;
    case SILU: EACH a[j] = z[j] * sigmoid(z[j]); break;
    case EXP: EACH a[j] = exponential(z[j]); break;
    case SOFTMAX:
        most = z[0];
        EACH most = larger(most, z[j]);
        EACH_LANE a[j] = exponential(z[j] - most);
        EACH sum += a[j];
        EACH_LANE a[j] /= sum;
    }
}

/* delta *= sigma'(z), where a = sigma(z): dC/da becomes dC/dz. */
static void derive(int kind, REAL c, const REAL *restrict z, const REAL *restrict a, REAL *restrict delta, int64_t n) {
    REAL sum = 0;
    switch (kind) {
    case IDENTITY: break;
    case SIGMOID: EACH delta[j] *= sigmoid_slope(z[j]); break;
    case TANH: EACH delta[j] *= 4 * sigmoid_slope(2 * z[j]); break;
    case RELU: EACH delta[j] = z[j] > 0 ? delta[j] : 0; break;
    case LEAKY_RELU: EACH delta[j] *= z[j] > 0 ? 1 : c; break;
    case ELU: EACH delta[j] *= z[j] > 0 ? 1 : c * exponential(smaller(z[j], 0)); break;
    case SILU: EACH delta[j] *= silu_slope(z[j]); break;
    case EXP: EACH delta[j] *= a[j]; break;
    case SOFTMAX: /* sigma' is a matrix: delta_k becomes a_k (delta_k - sum_j delta_j a_j) */
        EACH sum += delta[j] * a[j];
        EACH delta[j] = a[j] * (delta[j] - sum);
    }
}

/* The sum of some numbers in double: 16 chains, whatever a vector holds, then these in order. */
static double sum_of(const REAL *terms, int64_t n) {
    double sums[16] = {0}, total = 0;
    int64_t j = 0;
    for (; j + 16 <= n; j += 16)
        for (int k = 0; k < 16; k++)
            sums[k] += terms[j + k];
    for (int k = 0; j + k < n; k++)
        sums[k] += terms[j + k];
    for (int k = 0; k < 16; k++)
        total += sums[k];
    return total;
}

/* C_i of one sample: from z where output and loss are a proven pair (from_z), so that no probability rounds to 0; else
   from a. t: its targets. terms: room for n numbers. */
static double cost_of(int loss, int from_z, const REAL *z, const REAL *a, const REAL *t, REAL *terms, int64_t n) {
    REAL others = 0;
    int64_t best = 0;
    switch (loss) {
    case QUADRATIC:
        EACH_LANE terms[j] = (a[j] - t[j]) * (a[j] - t[j]);
        return 0.5 * sum_of(terms, n);
    case CROSS_ENTROPY: /* ln sum_k e^(z_k) - sum_j t_j z_j, with the largest z taken from all */
        EACH best = z[j] > z[best] ? j : best;
        EACH_LANE terms[j] = exponential(z[j] - z[best]);
        EACH others += j == best ? 0 : terms[j];
        EACH_LANE terms[j] = t[j] * (z[j] - z[best]);
        return (double)logarithm_of_1_plus(others) - sum_of(terms, n);
    case BINARY_CROSS_ENTROPY:
        if (from_z)
            EACH_LANE terms[j] = larger(z[j], 0) - t[j] * z[j] + logarithm_of_1_plus(exponential(-size_of(z[j])));
        else
            EACH_LANE terms[j] = -(t[j] * logarithm(larger(a[j], TINY)) + (1 - t[j]) * logarithm(larger(1 - a[j], TINY)));
        return sum_of(terms, n);
    case POISSON:
        EACH_LANE terms[j] = t[j] * (logarithm(t[j] > 0 ? larger(t[j], TINY) : 1) - z[j]) - t[j] + exponential(z[j]);
        return sum_of(terms, n);
    }
    return 0;
}

/* BP1's dC_i/da, or a - t where that is dC_i/dz already (shortcut), times the sample's share of C. */
static void output_error(int loss, int shortcut, const REAL *a, const REAL *t, REAL share, REAL *delta, int64_t n) {
    if (loss == BINARY_CROSS_ENTROPY && !shortcut)
        EACH_LANE delta[j] = (a[j] - t[j]) / larger(a[j] * (1 - a[j]), TINY) * share;
    else
        EACH_LANE delta[j] = (a[j] - t[j]) * share;
}

#endif
