/* The engine as the page has it, in WebAssembly: steps, and what it asks of one layer besides (static/engine/). */

/* There is no fused multiply-add, so bits are not those of other processors; and no second thread. */
#define __builtin_fma(a, b, c) ((a) * (b) + (c))
#define __builtin_fmaf __builtin_fma
#define inlined static inline /* for size */
#include "step.c"

#if REAL_BITS == 64
int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*work)(void *), void *given) { return 1; }
int pthread_join(pthread_t thread, void **made) { return 0; }
int sched_yield(void) { return 0; }

/* A text in JSON: the fields of a Call in their order, which are reals, the codes, the parts with their settings. */
const char *description(void) { return DESCRIPTION; }

/* a: z at first. */
void activate_layer(int kind, double c, double *a, int n) { activate(kind, c, a, a, n); }

/* delta: dC/da at first, then dC/dz. */
void derive_layer(int kind, double c, const double *z, const double *a, double *delta, int n) { derive(kind, c, z, a, delta, n); }

/* t: the targets of a call's first sample, as its loss wants them. */
void targets_of(const Call *call, double *t, int n) { read_targets(call, 0, t, n); }
#endif
