/* How a gradient becomes a step: the rules of nn/optimizers.py, on n parameters that lie side by side. */
#ifndef UPDATES_H
#define UPDATES_H
#include "numbers.h"

enum Rule { SGD, MOMENTUM, NESTEROV, ADAGRAD, RMSPROP, ADAM };
enum Penalty { NO_PENALTY, L1, L2 };

/* What a step's updates have in common. rate, root: Adam's corrections are in them. pace: the share of its distance that
   the average moves. kept: what AdamW leaves of a weight. */
typedef struct {
    int rule, penalty;
    REAL rate, beta_1, beta_2, epsilon, root, pace, kept, strength;
} Update;

/* A moment that has faded becomes 0 before it is a denormal number, with which processors take a hundred times as long. */
inlined REAL unless_faded(REAL moment) { return size_of(moment) < (REAL)0x1p-100 ? 0 : moment; }

static void penalize(const Update *u, const REAL *restrict w, REAL *restrict g, int64_t n) {
    REAL c = u->strength;
    if (u->penalty == L2)
        EACH g[j] = fused(c, w[j], g[j]);
    else if (u->penalty == L1)
        EACH g[j] += w[j] > 0 ? c : w[j] < 0 ? -c : 0;
}

/* p: parameters; g: their gradient; v, s: the rule's moments; average: or NULL. */
inlined void change(const Update *u, REAL *restrict p, const REAL *restrict g, REAL *restrict v, REAL *restrict s,
                    REAL *restrict average, int64_t n, int are_weights) {
    REAL rate = u->rate, b1 = u->beta_1, b2 = u->beta_2, e = u->epsilon;
    if (are_weights && u->kept != 1)
        EACH p[j] *= u->kept;
    switch (u->rule) {
    case SGD: EACH p[j] = fused(-rate, g[j], p[j]); break;
    case MOMENTUM: /* v = m v + g;  p -= r v */
        EACH {
            v[j] = unless_faded(fused(b1, v[j], g[j]));
            p[j] = fused(-rate, v[j], p[j]);
        }
        break;
    case NESTEROV: /* p -= r (g + m v) */
        EACH {
            v[j] = unless_faded(fused(b1, v[j], g[j]));
            p[j] = fused(-rate, fused(b1, v[j], g[j]), p[j]);
        }
        break;
    case ADAGRAD: /* s = s + g^2;  p -= r g / (sqrt(s) + e) */
        EACH {
            v[j] = fused(g[j], g[j], v[j]);
            p[j] -= rate * g[j] / (root(v[j]) + e);
        }
        break;
    case RMSPROP: /* s = b s + (1 - b) g^2 */
        EACH {
            v[j] = unless_faded(fused(b1, v[j], (1 - b1) * g[j] * g[j]));
            p[j] -= rate * g[j] / (root(v[j]) + e);
        }
        break;
    case ADAM: /* p -= r m^ / (sqrt(s^) + e) */
        EACH {
            v[j] = unless_faded(fused(b1, v[j], (1 - b1) * g[j]));
            s[j] = unless_faded(fused(b2, s[j], (1 - b2) * g[j] * g[j]));
            p[j] -= rate * v[j] / fused(root(s[j]), u->root, e);
        }
    }
    if (average)
        EACH average[j] = fused(u->pace, p[j] - average[j], average[j]);
}

#endif
