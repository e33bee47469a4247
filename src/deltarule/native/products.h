/* Products of matrices: one kernel for forward pass, backward pass and gradient.

   Every output is one chain of fused multiply-adds over k in ascending order, from +0; it may rest in memory and go on. So
   no tile, no order of tiles, no width of a vector and no number of threads changes a bit. */
#ifndef PRODUCTS_H
#define PRODUCTS_H
#include "numbers.h"

#if defined __AVX512F__
#include <immintrin.h>
#define TILE_ROWS 14 /* 28 sums, 2 of the right operand, 1 of the left: 31 of 32 registers */
#elif defined __AVX2__
#include <immintrin.h>
#define TILE_ROWS 6 /* 12 + 2 + 1 of 16 */
#elif defined __wasm__
#define VECTOR_BYTES 16
#define TILE_ROWS 4 /* browsers keep few vectors in registers */
#else
#include <arm_neon.h>
#define TILE_ROWS 14
#endif
#define PANEL (2 * LANES) /* columns of a tile */

typedef REAL vector __attribute__((vector_size(VECTOR_BYTES)));
typedef REAL vector_anywhere __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(REAL)), may_alias));

#if defined __AVX512F__ && REAL_BITS == 32
#define multiply_add _mm512_fmadd_ps
#define all_lanes _mm512_set1_ps
#elif defined __AVX512F__
#define multiply_add _mm512_fmadd_pd
#define all_lanes _mm512_set1_pd
#elif defined __AVX2__ && REAL_BITS == 32
#define multiply_add _mm256_fmadd_ps
#define all_lanes _mm256_set1_ps
#elif defined __AVX2__
#define multiply_add _mm256_fmadd_pd
#define all_lanes _mm256_set1_pd
#elif defined __wasm__
#define multiply_add(a, b, c) ((a) * (b) + (c))
#define all_lanes(x) ((x) - (vector){0})
#elif REAL_BITS == 32
#define multiply_add(a, b, c) vfmaq_f32(c, a, b)
#define all_lanes vdupq_n_f32
#else
#define multiply_add(a, b, c) vfmaq_f64(c, a, b)
#define all_lanes vdupq_n_f64
#endif

inlined vector load(const REAL *p) { return *(const vector_anywhere *)p; }
inlined void store(REAL *p, vector v) { *(vector_anywhere *)p = v; }

/* A matrix as kernels see it: element (i, j) lies at p[i * row + j * column]. */
typedef struct { const REAL *p; int64_t row, column; } Matrix;

/* out (rows x n_vectors * LANES) = a (rows x n) b (n x ...), or, to go on, out += ...; b.column and out's are 1. */
inlined void tile(const int rows, const int n_vectors, int64_t n, Matrix a, Matrix b, REAL *out, int64_t out_row, int go_on) {
    vector sums[TILE_ROWS][2];
    const vector zero = {0};
#pragma GCC unroll 14
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (int v = 0; v < n_vectors; v++)
            sums[r][v] = go_on ? load(out + r * out_row + v * LANES) : zero;
    for (int64_t k = 0; k < n; k++) {
        vector right[2];
        right[0] = load(b.p);
        if (n_vectors == 2)
            right[1] = load(b.p + LANES);
        b.p += b.row;
#pragma GCC unroll 14
        for (int r = 0; r < rows; r++) {
            vector left = all_lanes(a.p[r * a.row]);
#pragma GCC unroll 2
            for (int v = 0; v < n_vectors; v++)
                sums[r][v] = multiply_add(left, right[v], sums[r][v]);
        }
        a.p += a.column;
    }
#pragma GCC unroll 14
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (int v = 0; v < n_vectors; v++)
            store(out + r * out_row + v * LANES, sums[r][v] + 0); /* so that a zero has one sign */
}

/* The same for any number of rows up to TILE_ROWS, and of columns up to PANEL: a copy of the kernel for each. */
static __attribute__((noinline)) void multiply_tile(int rows, int n_columns, int64_t n, Matrix a, Matrix b, REAL *out, int64_t out_row, int go_on) {
#define KERNEL(R)                                                                                                        \
    case R:                                                                                                              \
        if (n_columns <= LANES)                                                                                          \
            tile(R, 1, n, a, b, out, out_row, go_on);                                                                    \
        else                                                                                                             \
            tile(R, 2, n, a, b, out, out_row, go_on);                                                                    \
        return;
    switch (rows) {
        KERNEL(1) KERNEL(2) KERNEL(3) KERNEL(4) KERNEL(5) KERNEL(6)
#if TILE_ROWS > 6
        KERNEL(7) KERNEL(8) KERNEL(9) KERNEL(10) KERNEL(11) KERNEL(12) KERNEL(13) KERNEL(14)
#endif
    }
#undef KERNEL
}

#endif
