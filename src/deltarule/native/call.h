/* What Python asks for in one call, and gets back: fields in the order of StepCall in engine_call.py, each 8 bytes. */
#ifndef CALL_H
#define CALL_H
#include <stdint.h>

enum InputKind { PIXELS, FLOATS, DOUBLES };              /* PIXELS: uint8, which count as value / 255 */
enum TargetKind { CLASSES, BYTES, FLOAT_TARGETS, DOUBLE_TARGETS, NO_TARGETS }; /* CLASSES: int64, one a sample */

typedef struct {
    /* The network. sizes: (layers + 1,). activations, settings: (layers,). dropout: (layers - 1,). */
    int64_t n_layers;
    const int64_t *sizes, *activations;
    const double *settings, *dropout;
    int64_t loss, has_shortcut;
    double smoothing;
    /* (size,) each, all weights layer by layer, then all biases; those that there are none of are NULL. */
    void *parameters, *gradient, *first, *second, *average;
    /* The samples: where they lie, and bytes from row to row and from column to column. sample_weight: or NULL. */
    const void *inputs;
    int64_t input_kind, input_row, input_column;
    const void *targets;
    int64_t target_kind, target_row, target_column;
    const double *sample_weight;
    /* The steps: each takes the next batch_size samples of order. keys: of dropout, (steps, layers - 1, 2). */
    const int64_t *order;
    int64_t n_order, batch_size, n_steps, is_evaluation;
    const uint64_t *keys;
    /* The updates. rates, paces, strengths, epsilons: (steps,), the last two or NULL. steps: taken before. */
    int64_t rule, penalty, steps;
    double beta_1, beta_2, epsilon, weight_decay, strength, clip, highest_loss;
    const double *rates, *paces, *strengths, *epsilons;
    /* The machine. stop: not 0 as soon as somebody wants the call to end. */
    int64_t n_threads;
    const uint8_t *stop;
    /* Results: (steps,) each. outputs: (n_order, outputs) or NULL. z, a, delta: of the last piece, (layers,) arrays. */
    double *losses, *weights, *penalties;
    int64_t *n_right;
    void *outputs;
    void **z, **a, **delta;
    void *room;
    int64_t n_losses, n_taken, n_updates, n_last;
} Call;

#endif
