/* Gradient descent, step by step: nn/network.py and training/engine.py once more, for speed.

   A batch's row is a sample. Layer l makes n_l numbers out of the n_(l-1) that it reads; layers count from 0, as in
   Python. All weights lie as Parameters has them, W_l (n_(l-1), n_l) row by row. Threads share every step: each owns
   some of a layer's neurons, forward, back and in the update, so that their weights stay in its core's cache. It takes
   its share piece by piece, and then pieces of those that are behind, because another program has their cores.
   A step: forward, judge (the loss, BP1), backward (BP2), learn (BP3, BP4, the update). take_steps, below, does them. */
#include "call.h"
#include "layers.h"
#include "products.h"
#include "threads.h"
#include "updates.h"

#define PIECE 1024 /* samples; a larger batch is worked through in pieces, whose gradients add up */
#define DEPTH 800  /* k, at most, of a packed panel: it has to stay in the second-level cache */
#define BLOCK 4096 /* numbers that are summed in one go */
#define LAYERS_MOST 64
#define DELTAS 49152 /* so many of a piece's deltas stay in the second-level cache while weights are learned */
#define TILES 16 /* of weights, downwards, are learned in one go */
#define MOSTLY 0.9 /* of the columns in use: where there are more, none is left out */

typedef struct {
    int kind; /* enum Activation */
    REAL setting;
    int64_t fan_in, fan_out;
    int64_t weights, biases;          /* where they begin in a vector of parameters */
    REAL *z, *a, *output, *delta;     /* (piece, width): output is a, or a without the dropped neurons */
    REAL *mask;                       /* (piece, width), or NULL */
    int64_t width;                    /* of their rows, fan_out or more; what lies beyond is anything */
} Layer;

typedef struct {
    Call *call;
    Team team;
    Layer layers[LAYERS_MOST];
    int64_t size;                     /* of a vector of parameters */
    REAL pixels[256];                 /* what uint8 stands for */
    REAL *x;                          /* (piece, x_width): the inputs in use, side by side */
    int64_t x_width, n_used, *used;   /* which inputs these are */
    uint8_t *marks;                   /* (threads, inputs): which are not 0 in a thread's rows */
    double *costs, *shares, *partial; /* of samples, (piece,); of blocks */
    int64_t *hits;                    /* which samples were answered rightly, (piece,) */
    REAL *targets, *scratch;          /* a row, and a panel, for each thread */
    int64_t scratch_size;
    atomic_int halt, begun;
} Run;

/* One thread's view of a piece of a step. */
typedef struct { Run *run; int rank; int64_t step, first, n_rows; const int64_t *rows; } Part;

/* ---- The samples ---- */

static const uint8_t *input_row(const Call *call, int64_t sample) {
    return (const uint8_t *)call->inputs + sample * call->input_row;
}

/* Mark the inputs that are not 0 in a sample. */
static void mark(const Call *call, const uint8_t *row, uint8_t *marks) {
    int64_t n = call->sizes[0], far = call->input_column;
    if (call->input_kind == PIXELS && far == 1)
        EACH marks[j] |= row[j];
    else if (call->input_kind == PIXELS)
        EACH marks[j] |= row[j * far];
    else if (call->input_kind == FLOATS)
        EACH marks[j] |= *(const float *)(row + j * far) != 0;
    else
        EACH marks[j] |= *(const double *)(row + j * far) != 0;
}

/* Mark the inputs that are not 0 throughout one's samples; those of the first will do, where nearly all are marked. */
static void mark_inputs(Part p) {
    const Call *call = p.run->call;
    int64_t n = call->sizes[0], count = 0;
    uint8_t *marks = p.run->marks + p.rank * n;
    Range mine = share(p.n_rows, 1, p.rank, p.run->team.size);
    memset(marks, 0, n);
    mark(call, input_row(call, p.rows[0]), marks);
    EACH count += marks[j] != 0;
    for (int64_t i = mine.from; i < mine.to && count <= MOSTLY * n; i++)
        mark(call, input_row(call, p.rows[i]), marks);
}

/* List the inputs in use, from all threads' marks; all of them where nearly all are. Every thread makes the same list. */
static int64_t list_inputs(const Run *run, int64_t *used) {
    int64_t n = run->call->sizes[0], count = 0;
    for (int64_t j = 0; j < n; j++) {
        uint8_t mark = 0;
        for (int t = 0; t < run->team.size; t++)
            mark |= run->marks[t * n + j];
        used[count] = j;
        count += mark != 0;
    }
    if (count <= MOSTLY * n)
        return count;
    EACH used[j] = j;
    return n;
}

/* x: one's samples, the inputs in use side by side. */
static void gather(Part p) {
    Run *run = p.run;
    const Call *call = run->call;
    int64_t n = run->n_used, far = call->input_column, *used = run->used;
    Range mine = share(p.n_rows, 1, p.rank, run->team.size);
    for (int64_t i = mine.from; i < mine.to; i++) {
        const uint8_t *row = input_row(call, p.rows[i]);
        REAL *x = run->x + i * run->x_width;
        if (call->input_kind == DOUBLES && far == sizeof(double) && n == call->sizes[0])
            EACH x[j] = (REAL)((const double *)row)[j];
        else if (call->input_kind == FLOATS && far == sizeof(float) && n == call->sizes[0])
            EACH x[j] = (REAL)((const float *)row)[j];
        else if (call->input_kind == PIXELS)
            EACH x[j] = run->pixels[row[used[j] * far]];
        else if (call->input_kind == FLOATS)
            EACH x[j] = (REAL)*(const float *)(row + used[j] * far);
        else
            EACH x[j] = (REAL)*(const double *)(row + used[j] * far);
    }
}

/* Ask for the rows of a batch soon to come, without waiting: shuffled samples lie all over the memory. */
static void fetch_ahead(Part p) {
    const Call *call = p.run->call;
    int64_t soon = call->batch_size < 64 ? 4 : 1; /* the steps until then last longer than memory takes */
    int64_t next = (p.step + soon) * call->batch_size, n_rows = call->n_order - next, far = call->input_column;
    if (n_rows > call->batch_size)
        n_rows = call->batch_size;
    if (n_rows > PIECE)
        n_rows = PIECE;
    if (n_rows <= 0)
        return;
    Range mine = share(n_rows, 1, p.rank, p.run->team.size);
    for (int64_t i = mine.from; i < mine.to; i++) {
        const uint8_t *row = input_row(call, call->order[next + i]);
        for (int64_t b = 0; b < call->sizes[0] * far; b += 64)
            __builtin_prefetch(row + b, 0, 2);
        __builtin_prefetch((const uint8_t *)call->targets + call->order[next + i] * call->target_row);
    }
}

/* t of a sample, n numbers: a class as one 1 among zeros; smoothed as the loss wants it. */
static void read_targets(const Call *call, int64_t sample, REAL *t, int64_t n) {
    const uint8_t *row = (const uint8_t *)call->targets + sample * call->target_row;
    int64_t far = call->target_column;
    double keep = 1 - call->smoothing, add = call->smoothing / (call->loss == CROSS_ENTROPY ? (double)n : 2);
    if (call->target_kind == CLASSES) {
        EACH t[j] = (REAL)add;
        t[*(const int64_t *)row] = (REAL)(keep + add);
    } else if (call->target_kind == BYTES)
        EACH t[j] = (REAL)(keep * row[j * far] + add);
    else if (call->target_kind == FLOAT_TARGETS)
        EACH t[j] = (REAL)(keep * *(const float *)(row + j * far) + add);
    else
        EACH t[j] = (REAL)(keep * *(const double *)(row + j * far) + add);
}

/* ---- Dropout ---- */

/* Philox, a generator that counts (Salmon et al. 2011): block `count` of the stream `key`, four words as NumPy has them. */
static void philox(uint64_t count, const uint64_t *key, uint64_t *words) {
    uint64_t w0 = count, w1 = 0, w2 = 0, w3 = 0, k0 = key[0], k1 = key[1];
    for (int i = 0; i < 10; i++) {
        unsigned __int128 one = (unsigned __int128)w0 * 0xD2E7470EE14C6C93u, two = (unsigned __int128)w2 * 0xCA5A826395121157u;
        w0 = (uint64_t)(two >> 64) ^ w1 ^ k0;
        w1 = (uint64_t)two;
        w2 = (uint64_t)(one >> 64) ^ w3 ^ k1;
        w3 = (uint64_t)one;
        k0 += 0x9E3779B97F4A7C15u;
        k1 += 0xBB67AE8584CAA73Bu;
    }
    words[0] = w0, words[1] = w1, words[2] = w2, words[3] = w3;
}

/* Workspace.draw_masks for one's samples: 0 where a neuron is dropped, 1 / (1 - rate) where it stays. */
static void draw_masks(Part p) {
    const Call *call = p.run->call;
    Range mine = share(p.n_rows, 1, p.rank, p.run->team.size);
    for (int64_t l = 0; l + 1 < call->n_layers && call->keys; l++) {
        const uint64_t *key = call->keys + 2 * (p.step * (call->n_layers - 1) + l);
        Layer *layer = p.run->layers + l;
        float rate = (float)call->dropout[l];
        REAL stays = 1 / (REAL)(1 - call->dropout[l]);
        int64_t n = layer->fan_out, n_blocks = (n + 7) / 8;
        for (int64_t i = mine.from; i < mine.to; i++)
            for (int64_t b = 0; b < n_blocks; b++) {
                uint64_t words[4];
                philox((uint64_t)((p.first + i) * n_blocks + b + 1), key, words);
                for (int64_t j = 8 * b; j < n && j < 8 * b + 8; j++) {
                    uint32_t bits = (uint32_t)(words[(j % 8) / 2] >> (j % 2 * 32));
                    layer->mask[i * layer->width + j] = (float)(bits >> 8) * 0x1p-24f >= rate ? stays : 0;
                }
            }
    }
}

/* ---- Forward and backward ---- */

inlined int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* Which neurons of a layer are someone's own, and, where there are more threads than panels of neurons, which of n rows. */
typedef struct { Range neurons, rows; int across; } Own; /* across: so many threads share the neurons */

static Own own(Part p, int whose, const Layer *layer, int64_t n_rows, int64_t group) {
    if (THREADS_MOST == 1 || p.run->team.size == 1)
        return (Own){{0, layer->fan_out}, {0, n_rows}, 1};
    int size = p.run->team.size, panels = (int)((layer->fan_out + PANEL - 1) / PANEL), across = size < panels ? size : panels;
    int down = size / across, rank = whose / across;
    Own mine = {share(layer->fan_out, PANEL, whose % across, across), {0, 0}, across};
    if (rank < down)
        mine.rows = share(n_rows, group, rank, down);
    return mine;
}

/* Do something for all panels of a layer's neurons, with some rows of the batch: one's own first, then what others have
   not begun. */
static void for_panels(Part p, int64_t l, void (*act)(Part, int64_t l, Range rows, Range neurons)) {
    Team *team = &p.run->team;
    for (int i = 0, whose; (whose = next_share(team, p.rank, i)) >= 0; i++) {
        Own theirs = own(p, whose, p.run->layers + l, p.n_rows, TILE_ROWS);
        int64_t end = theirs.rows.from < theirs.rows.to ? theirs.neurons.to : 0, c;
        while ((c = theirs.neurons.from + take(team, whose) * PANEL) < end)
            act(p, l, theirs.rows, (Range){c, least(c + PANEL, end)});
    }
}

/* z^l = a^(l-1) W^l + b^l, and a^l = sigma(z^l), for a panel of neurons. A softmax waits for all of a row. */
static void forward_panel(Part p, int64_t l, Range all_rows, Range neurons) {
    Run *run = p.run;
    Layer *layer = run->layers + l;
    const REAL *W = (const REAL *)run->call->parameters + layer->weights, *b = (const REAL *)run->call->parameters + layer->biases;
    const REAL *end = (const REAL *)run->call->parameters + run->size, *input = l ? layer[-1].output : run->x; /* (n_rows, k) */
    int64_t n_k = l ? layer->fan_in : run->n_used, input_width = l ? layer[-1].width : run->x_width;
    int64_t width = layer->width, n_blocks = n_k / DEPTH + 1, depth = n_k / n_blocks + 1;
    int64_t c = neurons.from, n_columns = neurons.to - c, n_whole = whole_vectors(n_columns);
    REAL *packed = run->scratch + p.rank * run->scratch_size;           /* (depth, PANEL) */
    REAL *bias = packed + (DEPTH + 1) * PANEL;                          /* (PANEL,) */
    memcpy(bias, b + c, n_columns * sizeof(REAL));
    for (int64_t k0 = 0; k0 == 0 || k0 < n_k; k0 += depth) {
        int64_t n = least(depth, n_k - k0);
        for (int64_t k = 0; k < n; k++) {
            const REAL *row = W + (l ? k0 + k : run->used[k0 + k]) * layer->fan_out + c;
            if (row + PANEL <= end) /* what lies beyond the columns is multiplied, and nobody reads the product */
                store(packed + k * PANEL, load(row)), store(packed + k * PANEL + LANES, load(row + LANES));
            else
                memcpy(packed + k * PANEL, row, n_columns * sizeof(REAL));
        }
        for (int64_t i = all_rows.from; i < all_rows.to; i += TILE_ROWS) {
            int64_t n_rows = least(TILE_ROWS, all_rows.to - i);
            REAL *z = layer->z + i * width + c;
            multiply_tile((int)n_rows, (int)n_columns, n, (Matrix){input + i * input_width + k0, input_width, 1},
                          (Matrix){packed, PANEL, 1}, z, width, k0 > 0);
            if (k0 + n < n_k)
                continue;
            for (int64_t r = 0; r < n_rows; r++, z += width) {
                int64_t here = (i + r) * width + c;
                for (int64_t j = 0; j < n_whole; j++)
                    z[j] += bias[j];
                if (layer->kind == SOFTMAX)
                    continue;
                activate(layer->kind, layer->setting, z, layer->a + here, n_whole);
                if (layer->mask)
                    for (int64_t j = 0; j < n_columns; j++)
                        layer->output[here + j] = layer->a[here + j] * layer->mask[here + j];
            }
        }
    }
}

/* a^l of a hidden softmax, for one's samples. */
static void forward_softmax(Part p, Layer *layer) {
    Range mine = share(p.n_rows, 1, p.rank, p.run->team.size);
    for (int64_t i = mine.from; i < mine.to; i++) {
        REAL *a = layer->a + i * layer->width, *output = layer->output + i * layer->width;
        activate(SOFTMAX, 0, layer->z + i * layer->width, a, layer->fan_out);
        for (int64_t j = 0; j < layer->fan_out && layer->mask; j++)
            output[j] = a[j] * layer->mask[i * layer->width + j];
    }
}

/* The end of the way forward and the beginning of the way back, for one's samples: a^L, C and
   BP1  delta^L = dC/da^L * sigma'(z^L), which is a^L - t where output and loss are a proven pair. */
static void judge(Part p, double divisor) {
    Run *run = p.run;
    Call *call = run->call;
    Layer *last = run->layers + call->n_layers - 1;
    int64_t n = last->fan_out, spread = (n + PANEL) / PANEL * PANEL;
    REAL *t = run->targets + p.rank * 2 * spread, *terms = t + spread;
    int pair = (int)call->has_shortcut, loss = (int)call->loss;
    Range mine = share(p.n_rows, 1, p.rank, run->team.size);
    for (int64_t i = mine.from; i < mine.to; i++) {
        REAL *z = last->z + i * last->width, *a = last->a + i * last->width, *delta = last->delta + i * last->width;
        if (last->kind == SOFTMAX)
            activate(SOFTMAX, 0, z, a, n);
        if (call->outputs)
            memcpy((REAL *)call->outputs + (p.step * call->batch_size + p.first + i) * n, a, n * sizeof(REAL));
        if (call->target_kind == NO_TARGETS)
            continue;
        read_targets(call, p.rows[i], t, n);
        double weight = call->sample_weight ? call->sample_weight[p.rows[i]] : 1;
        run->costs[i] = weight / divisor * cost_of(loss, pair, z, a, t, terms, n);
        if (call->target_kind == CLASSES) {
            int64_t best = 0;
            EACH best = a[j] > a[best] ? j : best;
            run->hits[i] = best == *(const int64_t *)((const uint8_t *)call->targets + p.rows[i] * call->target_row);
        }
        if (call->is_evaluation)
            continue;
        output_error(loss, pair, a, t, (REAL)(weight / divisor), delta, n);
        if (!pair)
            derive(last->kind, last->setting, z, a, delta, n);
    }
}

/* delta *= sigma'(z), and the dropped neurons at 0, for some samples and n neurons from c on. */
static void derive_block(Layer *layer, Range rows, int64_t c, int64_t n) {
    for (int64_t i = rows.from; i < rows.to; i++) {
        int64_t here = i * layer->width + c;
        REAL *delta = layer->delta + here;
        if (layer->mask)
            EACH delta[j] *= layer->mask[here + j];
        derive(layer->kind, layer->setting, layer->z + here, layer->a + here, delta, n);
    }
}

/* BP2  delta^l = (delta^(l+1) (W^(l+1))^T) * sigma'(z^l), for a panel of neurons. */
static void backward_panel(Part p, int64_t l, Range all_rows, Range neurons) {
    Run *run = p.run;
    Layer *layer = run->layers + l, *above = layer + 1;
    const REAL *W = (const REAL *)run->call->parameters + above->weights;
    int64_t n_k = above->fan_out, n_blocks = n_k / DEPTH + 1, depth = n_k / n_blocks + 1, width = layer->width;
    int64_t c = neurons.from, n_columns = neurons.to - c;
    REAL *packed = run->scratch + p.rank * run->scratch_size; /* (depth, PANEL), of the transpose */
    for (int64_t k0 = 0; k0 < n_k; k0 += depth) {
        int64_t n = least(depth, n_k - k0);
        for (int64_t k = 0; k < n; k++)
            for (int64_t j = 0; j < n_columns; j++)
                packed[k * PANEL + j] = W[(c + j) * n_k + k0 + k];
        for (int64_t i = all_rows.from; i < all_rows.to; i += TILE_ROWS) {
            Range rows = {i, least(i + TILE_ROWS, all_rows.to)};
            multiply_tile((int)(rows.to - i), (int)n_columns, n, (Matrix){above->delta + i * above->width + k0, above->width, 1},
                          (Matrix){packed, PANEL, 1}, layer->delta + i * width + c, width, k0 > 0);
            if (k0 + n == n_k && layer->kind != SOFTMAX)
                derive_block(layer, rows, c, whole_vectors(n_columns));
        }
    }
}

/* ---- Gradient and update ---- */

static REAL *at(void *vector, int64_t place) { return vector ? (REAL *)vector + place : NULL; }

static void change_at(const Call *call, const Update *u, int64_t place, const REAL *g, int64_t n, int are_weights) {
    REAL *p = at(call->parameters, place), *v = at(call->first, place), *s = at(call->second, place), *average = at(call->average, place);
    if (n == PANEL)
        change(u, p, g, v, s, average, PANEL, are_weights);
    else
        change(u, p, g, v, s, average, n, are_weights);
}

/* Whether a step is p -= r g and nothing else, so that a gradient of 0 changes nothing. */
static int is_plain_descent(const Call *call, const Update *u) {
    return u->rule == SGD && u->penalty == NO_PENALTY && !call->average && u->kept == 1;
}

/* Ask for parameters and moments, which the update needs when their gradient is there. */
inlined void fetch_parameters(const Call *call, int64_t place, int64_t n) {
    for (int64_t b = 0; b < n * (int64_t)sizeof(REAL); b += 64) {
        __builtin_prefetch((const char *)at(call->parameters, place) + b, 1);
        if (call->first)
            __builtin_prefetch((const char *)at(call->first, place) + b, 1);
        if (call->second)
            __builtin_prefetch((const char *)at(call->second, place) + b, 1);
    }
}

/* Where row k of the weights that meet the inputs in use begins. */
inlined int64_t weight_row(const Run *run, const Layer *layer, int64_t k) {
    return layer->weights + (layer == run->layers ? run->used[k] : k) * layer->fan_out;
}

/* BP4  dC/dW^l = (a^(l-1))^T delta^l for some weights: those from rows `down` to some neurons.
   u: change the parameters at once, while the gradient is in the cache; NULL: add it to call->gradient. */
static void learn_weights(Part p, int64_t l, Range down, Range neurons, const Update *u) {
    Run *run = p.run;
    Call *call = run->call;
    Layer *layer = run->layers + l;
    const REAL *input = l ? layer[-1].output : run->x;
    int64_t input_width = l ? layer[-1].width : run->x_width;
    REAL *sums = run->scratch + p.rank * run->scratch_size;             /* (TILE_ROWS, PANEL) */
    int goes_on = !u && p.first > 0, is_plain = u && is_plain_descent(call, u);
    for (int64_t k = down.from; k < down.to; k += TILE_ROWS) {
        int64_t n_rows = least(TILE_ROWS, down.to - k);
        for (int64_t c = neurons.from; c < neurons.to; c += PANEL) {
            int64_t n = least(PANEL, neurons.to - c);
            for (int64_t r = 0; r < n_rows; r++) {
                int64_t place = weight_row(run, layer, k + r) + c;
                if (goes_on)
                    memcpy(sums + r * PANEL, at(call->gradient, place), n * sizeof(REAL));
                else if (u && !is_plain)
                    fetch_parameters(call, place, n);
            }
            multiply_tile((int)n_rows, (int)n, p.n_rows, (Matrix){input + k, 1, input_width},
                          (Matrix){layer->delta + c, layer->width, 1}, sums, PANEL, goes_on);
            for (int64_t r = 0; r < n_rows; r++) {
                int64_t place = weight_row(run, layer, k + r) + c;
                if (is_plain) {
                    REAL *restrict p_row = (REAL *)call->parameters + place, *restrict g = sums + r * PANEL;
                    EACH p_row[j] = fused(-u->rate, g[j], p_row[j]);
                } else if (u) {
                    penalize(u, at(call->parameters, place), sums + r * PANEL, n);
                    change_at(call, u, place, sums + r * PANEL, n, 1);
                } else
                    memcpy(at(call->gradient, place), sums + r * PANEL, n * sizeof(REAL));
            }
        }
    }
}

/* BP3  dC/db^l = sum over the batch of delta^l, for some neurons. */
static void learn_biases(Part p, int64_t l, Range neurons, const Update *u) {
    Call *call = p.run->call;
    Layer *layer = p.run->layers + l;
    for (int64_t c = neurons.from; c < neurons.to; c += PANEL) {
        int64_t n = least(PANEL, neurons.to - c);
        REAL total[PANEL] = {0}, *g = at(call->gradient, layer->biases + c);
        for (int64_t i = 0; i < p.n_rows; i++)
            for (int j = 0; j < PANEL; j++)
                total[j] += layer->delta[i * layer->width + c + j];
        if (u)
            change_at(call, u, layer->biases + c, total, n, 0);
        else
            EACH g[j] = p.first > 0 ? g[j] + total[j] : total[j];
    }
}

/* The weights that meet an input which is 0 in all samples: their gradient is 0. */
static void learn_nothing(Part p, const Update *u) {
    Run *run = p.run;
    Call *call = run->call;
    Layer *layer = run->layers;
    static const REAL zeros[PANEL];
    if (run->n_used == layer->fan_in || (u && is_plain_descent(call, u)))
        return;
    Own mine = own(p, p.rank, layer, layer->fan_in, 1);
    REAL *sums = run->scratch + p.rank * run->scratch_size;
    int64_t next = 0;
    for (int64_t k = 0; k < layer->fan_in; k++) {
        if (next < run->n_used && run->used[next] == k) {
            next++;
            continue;
        }
        for (int64_t c = mine.neurons.from; c < mine.neurons.to && mine.rows.from <= k && k < mine.rows.to; c += PANEL) {
            int64_t n = least(PANEL, mine.neurons.to - c), place = layer->weights + k * layer->fan_out + c;
            if (!u) {
                if (p.first == 0)
                    memset(at(call->gradient, place), 0, n * sizeof(REAL));
                continue;
            }
            memcpy(sums, zeros, sizeof zeros);
            penalize(u, at(call->parameters, place), sums, n);
            change_at(call, u, place, sums, n, 1);
        }
    }
}

/* From a gradient in memory: penalty, norm, clipping, update. Each thread takes the neurons that are its own. */
static void learn_from_memory(Part p, Update *u) {
    Run *run = p.run;
    Call *call = run->call;
    const Layer *last = run->layers + call->n_layers - 1;
    int64_t n_weights = run->layers[0].biases, size = last->biases + last->fan_out, n_blocks = (size + BLOCK - 1) / BLOCK;
    Range blocks = share(n_blocks, 1, p.rank, run->team.size);
    REAL *g = call->gradient;
    double square = 0;
    for (int64_t b = blocks.from; b < blocks.to; b++) {
        int64_t from = b * BLOCK, n = least(BLOCK, size - from);
        penalize(u, at(call->parameters, from), g + from, from < n_weights ? least(n, n_weights - from) : 0);
        double sums[16] = {0}, total = 0;
        for (int64_t j = 0; j < n; j += 16)
            for (int64_t k = 0; k < 16 && j + k < n; k++)
                sums[k] += (double)g[from + j + k] * g[from + j + k];
        for (int k = 0; k < 16; k++)
            total += sums[k];
        run->partial[b] = total;
    }
    meet(&run->team);
    for (int64_t b = 0; b < n_blocks; b++)
        square += run->partial[b];
    double norm = __builtin_sqrt(square);
    REAL factor = norm > call->clip ? (REAL)(call->clip / norm) : 1;
    for (int64_t l = 0; l < call->n_layers; l++) {
        const Layer *layer = run->layers + l;
        Own mine = own(p, p.rank, layer, layer->fan_in + 1, 1); /* the last row: the biases */
        for (int64_t k = mine.rows.from; k < mine.rows.to; k++)
            for (int64_t c = mine.neurons.from; c < mine.neurons.to; c += PANEL) {
                int64_t n = least(PANEL, mine.neurons.to - c);
                int64_t place = (k < layer->fan_in ? layer->weights + k * layer->fan_out : layer->biases) + c;
                EACH g[place + j] *= factor;
                change_at(call, u, place, g + place, n, k < layer->fan_in);
            }
    }
}

/* One's part of what a penalty costs: sums of w^2 or |w| over blocks of the weights. */
static void add_up_penalty(Part p) {
    Run *run = p.run;
    int64_t n_weights = run->layers[0].biases;
    Range blocks = share((n_weights + BLOCK - 1) / BLOCK, 1, p.rank, run->team.size);
    for (int64_t b = blocks.from; b < blocks.to; b++) {
        const REAL *w = at(run->call->parameters, b * BLOCK);
        double sums[16] = {0}, total = 0;
        for (int64_t j = 0; j < least(BLOCK, n_weights - b * BLOCK); j++)
            sums[j % 16] += run->call->penalty == L2 ? 0.5 * w[j] * w[j] : size_of(w[j]);
        for (int k = 0; k < 16; k++)
            total += sums[k];
        run->partial[b] = total;
    }
}

/* ---- Steps ---- */

static double integer_power(double x, int64_t n) {
    double result = 1;
    for (; n > 0; n >>= 1, x *= x)
        if (n & 1)
            result *= x;
    return result;
}

/* What the updates of a step have in common; updates: how many there have been, this one included. */
static Update update_of(const Call *call, int64_t step, int64_t updates) {
    double rate = call->rates[step], epsilon = call->epsilons ? call->epsilons[step] : call->epsilon;
    Update u = {(int)call->rule, (int)call->penalty, (REAL)rate, (REAL)call->beta_1, (REAL)call->beta_2, (REAL)epsilon, 1,
                (REAL)call->paces[updates - 1], (REAL)(1 - rate * call->weight_decay),
                (REAL)(call->strengths ? call->strengths[step] : call->strength)};
    if (call->rule == ADAM) {
        u.rate = (REAL)(rate / (1 - integer_power(call->beta_1, call->steps + updates)));
        u.root = (REAL)(1 / __builtin_sqrt(1 - integer_power(call->beta_2, call->steps + updates)));
    }
    return u;
}

/* Forward, loss and backward for a piece of a batch; its part of the loss. */
static double pass(Part p, double divisor) {
    Run *run = p.run;
    Call *call = run->call;
    Team *team = &run->team;
    int64_t last = call->n_layers - 1;
    double loss = 0;
    mark_inputs(p);
    meet(team);
    if (p.rank == 0)
        run->n_used = list_inputs(run, run->used);
    meet(team);
    gather(p);
    draw_masks(p);
    meet(team);
    for (int64_t l = 0; l <= last; l++) {
        for_panels(p, l, forward_panel);
        meet(team);
        if (l < last && run->layers[l].kind == SOFTMAX) {
            forward_softmax(p, run->layers + l);
            meet(team);
        }
    }
    judge(p, divisor);
    meet(team);
    for (int64_t i = 0; i < p.n_rows; i++) /* all threads, in one order */
        loss += run->costs[i];
    for (int64_t l = last - 1; l >= 0 && !call->is_evaluation; l--) {
        for_panels(p, l, backward_panel);
        meet(team);
        if (run->layers[l].kind == SOFTMAX) {
            derive_block(run->layers + l, share(p.n_rows, 1, p.rank, team->size), 0, run->layers[l].fan_out);
            meet(team);
        }
    }
    return loss;
}

/* BP3, BP4 and the update, for all layers: one's own pieces first, then what others have not begun. A piece is the biases
   of some neurons, whose deltas the cache holds, or some of the weights that lead to them. */
static void learn_all(Part p, const Update *u) {
    Run *run = p.run;
    int64_t wide = (DELTAS / (p.n_rows * PANEL) + 1) * PANEL, high = TILES * TILE_ROWS;
    for (int i = 0, whose; (whose = next_share(&run->team, p.rank, i)) >= 0; i++) {
        int64_t piece = take(&run->team, whose), before = 0; /* pieces of the layers before */
        for (int64_t l = 0; l < run->call->n_layers; l++) {
            Own theirs = own(p, whose, run->layers + l, l ? run->layers[l].fan_in : run->n_used, TILE_ROWS);
            int64_t n_wide = (theirs.neurons.to - theirs.neurons.from + wide - 1) / wide, has_biases = whose < theirs.across;
            int64_t n_high = (theirs.rows.to - theirs.rows.from + high - 1) / high + has_biases;
            for (; piece < before + n_wide * n_high; piece = take(&run->team, whose)) {
                int64_t c = theirs.neurons.from + (piece - before) / n_high * wide;
                int64_t k = theirs.rows.from + ((piece - before) % n_high - has_biases) * high;
                Range neurons = {c, least(c + wide, theirs.neurons.to)};
                if (k < theirs.rows.from)
                    learn_biases(p, l, neurons, u);
                else
                    learn_weights(p, l, (Range){k, least(k + high, theirs.rows.to)}, neurons, u);
            }
            before += n_wide * n_high;
        }
    }
    learn_nothing(p, u);
}

/* One thread's part in all steps. */
static void take_steps(Run *run, int rank) {
    Call *call = run->call;
    Team *team = &run->team;
    int64_t updates = 0;
    for (int64_t step = 0; step < call->n_steps; step++) {
        const int64_t *rows = call->order + step * call->batch_size;
        int64_t n_rows = least(call->batch_size, call->n_order - step * call->batch_size), right = 0;
        double weight = call->sample_weight ? 0 : (double)n_rows, loss = 0, penalty = 0;
        for (int64_t i = 0; i < n_rows && call->sample_weight; i++)
            weight += call->sample_weight[rows[i]];
        int is_whole = n_rows <= PIECE && call->clip == __builtin_inf() && step + 1 < call->n_steps; /* else keep the gradient */
        Part p = {run, rank, step, 0, 0, rows};
        for (p.first = 0; p.first < n_rows; p.first += PIECE, p.rows += PIECE) {
            if (rank == 0)
                run->halt = *(const volatile uint8_t *)call->stop;
            p.n_rows = least(PIECE, n_rows - p.first);
            loss += pass(p, weight > 0 ? weight : 1);
            for (int64_t i = 0; i < p.n_rows && rank == 0; i++)
                right += run->hits[i];
            if (run->halt)
                return;
            if (!is_whole && !call->is_evaluation)
                learn_all(p, NULL);
            if (p.first + PIECE < n_rows)
                meet(team);
        }
        p.first = 0;
        if (call->strengths)
            add_up_penalty(p);
        if (call->strengths || !is_whole)
            meet(team);
        if (call->strengths)
            for (int64_t b = 0; b * BLOCK < run->layers[0].biases; b++)
                penalty += run->partial[b];
        int is_lost = !(loss <= call->highest_loss);
        if (rank == 0) {
            call->losses[step] = loss;
            call->weights[step] = weight;
            call->n_right[step] = right;
            call->n_losses = step + 1;
            call->n_last = p.n_rows;
            if (call->strengths)
                call->penalties[step] = call->strengths[step] * penalty;
        }
        if (is_lost && is_whole)
            learn_all(p, NULL); /* for who wants to see what broke it */
        if (is_lost)
            return;
        fetch_ahead(p);
        if (weight > 0 && !call->is_evaluation) {
            Update u = update_of(call, step, ++updates);
            if (call->strengths)
                meet(team); /* `partial` is used again */
            if (is_whole)
                learn_all(p, &u);
            else
                learn_from_memory(p, &u);
        }
        meet(team);
        if (rank == 0) {
            call->n_taken = step + 1;
            call->n_updates = updates;
        }
    }
}

/* The next piece of room. */
static void *take_room(char *base, int64_t *bytes, int64_t size) {
    void *piece = base + *bytes;
    *bytes += (size + 63) / 64 * 64;
    return piece;
}

/* Where everything lies, one behind the other from `base` on; how many bytes that takes. */
static int64_t lay_out(Run *run, Call *call, char *base) {
    int64_t bytes = 0, most_wide = 0, piece = least(call->batch_size, PIECE), threads = call->n_threads;
    run->call = call;
    int64_t place = 0;
    for (int64_t l = 0; l < call->n_layers; l++) {
        Layer *layer = run->layers + l;
        int64_t n = call->sizes[l + 1], width = (n + PANEL - 1) / PANEL * PANEL + LANES;
        *layer = (Layer){.kind = (int)call->activations[l], .setting = (REAL)call->settings[l], .fan_in = call->sizes[l],
                         .fan_out = n, .weights = place, .width = width};
        place += call->sizes[l] * n;
        layer->z = take_room(base, &bytes, sizeof(REAL) * (piece * width));
        layer->a = layer->output = take_room(base, &bytes, sizeof(REAL) * (piece * width));
        layer->delta = take_room(base, &bytes, sizeof(REAL) * (piece * width));
        if (call->keys && l + 1 < call->n_layers) {
            layer->mask = take_room(base, &bytes, sizeof(REAL) * (piece * width));
            layer->output = take_room(base, &bytes, sizeof(REAL) * (piece * width));
        }
        most_wide = width > most_wide ? width : most_wide;
    }
    for (int64_t l = 0; l < call->n_layers; l++) {
        run->layers[l].biases = place;
        place += call->sizes[l + 1];
    }
    run->size = place;
    for (int k = 0; k < 256; k++)
        run->pixels[k] = (REAL)k / 255;
    run->x_width = (call->sizes[0] + PANEL - 1) / PANEL * PANEL + LANES;
    run->x = take_room(base, &bytes, sizeof(REAL) * (piece * run->x_width));
    run->used = take_room(base, &bytes, sizeof(int64_t) * (call->sizes[0] + 1));
    run->marks = take_room(base, &bytes, sizeof(uint8_t) * (threads * call->sizes[0]));
    run->costs = take_room(base, &bytes, sizeof(double) * (piece));
    run->hits = take_room(base, &bytes, sizeof(int64_t) * (piece));
    run->partial = take_room(base, &bytes, sizeof(double) * (place / BLOCK + 1));
    run->targets = take_room(base, &bytes, sizeof(REAL) * (threads * 2 * (most_wide + PANEL)));
    run->scratch_size = (DEPTH + TILE_ROWS) * PANEL;
    run->scratch = take_room(base, &bytes, sizeof(REAL) * (threads * run->scratch_size));
    return bytes;
}

/* Where everything lies in a call's room, from a cache's line on. */
static void take_the_room(Run *run, Call *call) { lay_out(run, call, (char *)call->room + (-(uintptr_t)call->room & 63)); }

typedef struct { Run *run; int rank; } Member;

/* Let a new thread begin on another core than this one, where it would wait for milliseconds. */
static void leave_core(pthread_t thread) {
#if defined __linux__
    cpu_set_t all, others;
    int core = sched_getcpu();
    if (core < 0 || sched_getaffinity(0, sizeof all, &all) || CPU_COUNT(&all) < 2)
        return;
    others = all;
    CPU_CLR(core, &others);
    pthread_setaffinity_np(thread, sizeof others, &others);
    pthread_setaffinity_np(thread, sizeof all, &all);
#endif
}

static void *take_part(void *given) {
    Member member = *(Member *)given;
    for (int looks = 0; !atomic_load(&member.run->begun); looks++)
        rest(looks); /* until all who come have come */
    take_steps(member.run, member.rank);
    return NULL;
}

#define JOINED(name, suffix) name##suffix
#define NAMED(name, suffix) JOINED(name, suffix)

/* How many bytes of room, all 0 at first, a call takes; -1 for a network that is too deep. */
int64_t NAMED(room_bytes_, SUFFIX)(Call *call) {
    Run run;
    return call->n_layers > LAYERS_MOST ? -1 : lay_out(&run, call, NULL) + 64;
}

/* Take the steps that the call asks for. */
void NAMED(run_, SUFFIX)(Call *call) {
    Run whole = {0}, *run = &whole;
    pthread_t threads[THREADS_MOST];
    Member members[THREADS_MOST];
    int n = 1;
    take_the_room(run, call);
    for (; n < call->n_threads && n < THREADS_MOST; n++) {
        members[n] = (Member){run, n};
        if (pthread_create(threads + n, NULL, take_part, members + n))
            break; /* then fewer take part: the bits are the same */
        leave_core(threads[n]);
    }
    run->team.size = n;
    atomic_store(&run->begun, 1);
    take_steps(run, 0);
    while (--n > 0)
        pthread_join(threads[n], NULL);
}

/* Show what a call's last piece of samples came to: z, a and delta of every layer, (samples, fan_out). */
void NAMED(show_, SUFFIX)(Call *call) {
    Run run;
    take_the_room(&run, call);
    for (int64_t l = 0; l < call->n_layers; l++) {
        const Layer *layer = run.layers + l;
        int64_t n = layer->fan_out;
        for (int64_t i = 0; i < call->n_last; i++) {
            memcpy((REAL *)call->z[l] + i * n, layer->z + i * layer->width, n * sizeof(REAL));
            memcpy((REAL *)call->a[l] + i * n, layer->a + i * layer->width, n * sizeof(REAL));
            memcpy((REAL *)call->delta[l] + i * n, layer->delta + i * layer->width, n * sizeof(REAL));
        }
    }
}
