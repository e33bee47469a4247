/* What Python asks for in one call, and gets back: fields of 8 bytes each, pointers of 4
   (WebAssembly's) included. codes.py reads them here. */
#ifndef CALL_H
#define CALL_H
#include <stdint.h>

enum InputKind { PIXELS, FLOATS, DOUBLES };              /* PIXELS: uint8, which count as value / 255 */
enum TargetKind { CLASSES, BYTES, FLOAT_TARGETS, DOUBLE_TARGETS, NO_TARGETS }; /* CLASSES: int64, one a sample */

typedef struct {
    /* The network. sizes: (layers + 1,). activations, settings: (layers,). dropout: (layers - 1,). */
    int64_t n_layers;
    _Alignas(8) const int64_t *sizes, *activations;
    _Alignas(8) const double *settings, *dropout;
    int64_t loss, has_shortcut;
    double smoothing;
    /* (size,) each, all weights layer by layer, then all biases; those that there are none of are NULL. */
    _Alignas(8) void *parameters, *gradient, *first, *second, *average;
    /* The samples: where they lie, and bytes from row to row and from column to column. sample_weight: or NULL. */
    _Alignas(8) const void *inputs;
    int64_t input_kind, input_row, input_column;
    _Alignas(8) const void *targets;
    int64_t target_kind, target_row, target_column;
    _Alignas(8) const double *sample_weight;
    /* The steps: each takes the next batch_size samples of order. keys: of dropout, (steps, layers - 1, 2). */
    _Alignas(8) const int64_t *order;
    int64_t n_order, batch_size, n_steps, is_evaluation;
    _Alignas(8) const uint64_t *keys;
    /* The updates. rates, paces, strengths, epsilons: (steps,), the last two or NULL. steps: taken before. */
    int64_t rule, penalty, steps;
    double beta_1, beta_2, epsilon, weight_decay, strength, clip, highest_loss;
    _Alignas(8) const double *rates, *paces, *strengths, *epsilons;
    /* The machine. stop: not 0 as soon as somebody wants the call to end. */
    int64_t n_threads;
    _Alignas(8) const uint8_t *stop;
    /* Results: (steps,) each. outputs: (n_order, outputs) or NULL. z, a, delta: of the last piece, (layers,) arrays. */
    _Alignas(8) double *losses, *weights, *penalties;
    _Alignas(8) int64_t *n_right;
    _Alignas(8) void *outputs;
    _Alignas(8) void **z, **a, **delta;
    _Alignas(8) void *room;
    int64_t n_losses, n_taken, n_updates, n_last;
} Call;

#endif
