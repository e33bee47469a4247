/* a^L of a few samples, one after the other: the same bits as `forward` gives them in a batch, without its tiles. */
#include <stdlib.h>

#define ROW_VECTORS 8 /* sums that are kept in registers */

/* z (n_vectors * LANES) = x W; used: which n of the inputs are not 0. W: where the columns begin, far apart row by row. */
inlined void row_times(const int n_vectors, int64_t n, const REAL *x, const int64_t *used, const REAL *W, int64_t far, REAL *z) {
    vector sums[ROW_VECTORS] = {0};
    for (int64_t k = 0; k < n; k++) {
        vector left = all_lanes(x[used[k]]);
#pragma GCC unroll 8
        for (int v = 0; v < n_vectors; v++)
            sums[v] = multiply_add(left, load(W + used[k] * far + v * LANES), sums[v]);
    }
#pragma GCC unroll 8
    for (int v = 0; v < n_vectors; v++)
        store(z + v * LANES, sums[v] + 0);
}

/* The same for a layer's columns, z being a vector longer. end: of what may be read; columns behind which too little
   is left for a vector are multiplied one by one. */
static void row_times_matrix(int64_t n, const REAL *x, const int64_t *used, const REAL *W, const REAL *end, int64_t n_columns, REAL *z) {
    int64_t c = 0;
    for (; c + ROW_VECTORS * LANES <= n_columns; c += ROW_VECTORS * LANES)
        row_times(ROW_VECTORS, n, x, used, W + c, n_columns, z + c);
    for (; c < n_columns && (n == 0 || W + used[n - 1] * n_columns + c + LANES <= end); c += LANES)
        row_times(1, n, x, used, W + c, n_columns, z + c);
    for (; c < n_columns; c++) {
        REAL sum = 0;
        for (int64_t k = 0; k < n; k++)
            sum = fused(x[used[k]], W[used[k] * n_columns + c], sum);
        z[c] = sum + 0;
    }
}

/* inputs: (n_rows, inputs) of that kind, side by side. outputs: (n_rows, outputs). */
void NAMED(answer_, SUFFIX)(const Call *call, const void *inputs, int64_t kind, int64_t n_rows, REAL *outputs) {
    int64_t n_layers = call->n_layers, n = 0, n_weights = 0, size = 0;
    for (int64_t l = 0; l <= n_layers; l++)
        n = call->sizes[l] > n ? call->sizes[l] : n;
    for (int64_t l = 0; l < n_layers; l++) {
        n_weights += call->sizes[l] * call->sizes[l + 1];
        size += (call->sizes[l] + 1) * call->sizes[l + 1];
    }
    int64_t *room = malloc((n + LANES) * (sizeof(int64_t) + 2 * sizeof(REAL))), *used = room;
    REAL *a = (REAL *)(used + n + LANES), *z = a + n + LANES;
    for (int64_t i = 0; i < n_rows; i++) {
        const REAL *W = call->parameters, *b = W + n_weights, *end = W + size;
        n = call->sizes[0];
        if (kind == PIXELS)
            EACH a[j] = (REAL)((const uint8_t *)inputs)[i * n + j] / 255;
        else if (kind == FLOATS)
            EACH a[j] = (REAL)((const float *)inputs)[i * n + j];
        else
            EACH a[j] = (REAL)((const double *)inputs)[i * n + j];
        for (int64_t l = 0; l < n_layers; l++) {
            int64_t n_used = 0;
            EACH {
                used[n_used] = j;
                n_used += a[j] != 0;
            }
            row_times_matrix(n_used, a, used, W, end, call->sizes[l + 1], z);
            W += n * call->sizes[l + 1];
            n = call->sizes[l + 1];
            EACH z[j] += b[j];
            b += n;
            activate((int)call->activations[l], (REAL)call->settings[l], z, a, n);
        }
        memcpy(outputs + i * n, a, n * sizeof(REAL));
    }
    free(room);
}
