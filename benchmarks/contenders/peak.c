/* Multiplications and additions in registers, and nothing else: what a core can do at most. */

#ifdef __AVX512F__
#define BYTES 64
#else
#define BYTES 32
#endif
enum { N_CHAINS = 12 }; /* as many as hide the latency of a fused multiply-add, and fit into the registers */

typedef float vector __attribute__((vector_size(BYTES)));

/* At least so many operations, an addition or a multiplication each; what they come to is of no use. */
float peak(double flops, float factor, float offset) {
    vector chain[N_CHAINS], factors = (vector){} + factor, offsets = (vector){} + offset, sum = {};
    for (int i = 0; i < N_CHAINS; i++) chain[i] = offsets;
    for (long n = (long)(flops / (N_CHAINS * 2.0 * BYTES / sizeof(float))) + 1; n > 0; n--)
#pragma GCC unroll N_CHAINS
        for (int i = 0; i < N_CHAINS; i++) chain[i] = chain[i] * factors + offsets;
    for (int i = 0; i < N_CHAINS; i++) sum += chain[i];
    return sum[0];
}
