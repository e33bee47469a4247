"""Many steps in one call, for networks so small that a step takes less time than Python takes to ask for it.

These are the steps that the Trainer's loop takes with the other twins, and the same kernels; only the matrix products
are others. Most inputs of such networks are 0 (four of five of MNIST's pixels, half of what a ReLU says), so a batch is
packed first: into lists of the inputs that are not 0, by sample and by input.
"""

from typing import Any

import numpy as np

from deltarule.compiled.activations import IDENTITY, activate, code, derive
from deltarule.compiled.kernels import kernel, number
from deltarule.compiled.losses import described, output_error, total_loss
from deltarule.compiled.network import ALIKE
from deltarule.compiled.optimizers import CODES, rule, two, update
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.nn.optimizers import Optimizer
from deltarule.nn.parameters import Parameters
from deltarule.nn.penalties import L1, L2, Penalty

UNROLLED = 4  # rows that are added at once: every list of them ends in so many zeros


def can_take_steps(network: Network, optimizer: Optimizer, penalty: Penalty) -> bool:
    """Whether everything that a step is made of is deltarule's own, and nothing is dropped."""
    known = all(code(activation) is not None for activation in network.activations) and described(network) is not None
    return known and type(optimizer) in CODES and type(penalty) in (Penalty, L1, L2) and not any(network.dropout)


def take_steps(
    network: Network,
    optimizer: Optimizer,
    penalty: Penalty,
    grads: Parameters,
    data: tuple[Array, Array, Array | None],
    plan: tuple[Array, int, Array, float],
) -> tuple[Array, int]:
    """A step for each learning rate, on batches cut from an order; stop before one from a loss that is too high.

    data: inputs (n_samples, features), classes (n_samples,) int64, and sample weights (n_samples,) float64 or None.
    plan: the order, indices of samples, whose last batch may be short; the batch size; the learning rates, (steps,)
        float64; the highest loss from which a step is taken.

    Returns the losses, of which the last may be too high and its step not taken, and how many samples were answered
    rightly, each by the network as it was before its step.
    """
    inputs, classes, weights = data
    order, batch_size, learning_rates, highest_loss = plan
    first, second = two(optimizer.remembered(network.parameters, grads), network.parameters)
    codes = np.array([code(activation) for activation in network.activations], np.float64)
    unit = 1.0 / 255.0 if inputs.dtype == np.uint8 else 1.0
    l1, l2 = (penalty.strength if type(penalty) is kind else 0.0 for kind in (L1, L2))
    losses = np.empty(len(learning_rates))
    n_losses, right = run(
        (network.parameters.vector, grads.vector, first, second),
        np.array(network.layer_sizes),
        codes,
        (np.asarray(inputs), unit, classes, ALIKE if weights is None else weights),
        described(network),
        (rule(optimizer), optimizer.steps, float(getattr(optimizer, "weight_decay", 0.0)), l1, l2),
        (order, batch_size, learning_rates, highest_loss, losses),
    )
    losses = losses[:n_losses]
    optimizer.steps += int(np.count_nonzero(losses <= highest_loss))
    return losses, right


@kernel
def run(vectors: Any, sizes: Any, codes: Any, data: Any, loss: Any, optimizer: Any, plan: Any) -> Any:
    """The loop: forward, loss, backward, penalty, update. How many losses it came to, and the right answers."""
    p, g, first, second = vectors
    inputs, unit, classes, weights = data
    rule, steps, weight_decay, l1, l2 = optimizer
    order, batch_size, learning_rates, highest_loss, losses = plan
    n_weights, right = (sizes[:-1] * sizes[1:]).sum(), 0
    params, grads = views(p, sizes), views(g, sizes)
    z, a, delta = layers(p, sizes, batch_size), layers(p, sizes, batch_size), layers(p, sizes, batch_size)
    lists = [packing(p, sizes[l], batch_size) for l in range(len(codes))]
    for step in range(len(losses)):
        rows = order[step * batch_size : (step + 1) * batch_size]
        if len(rows) < len(z[0]):  # the last batch of an epoch
            z, a, delta = shortened(z, len(rows)), shortened(a, len(rows)), shortened(delta, len(rows))
        y, share = classes[rows], weights[rows] if len(weights) else weights
        divisor = share.sum() if len(weights) else float(len(rows))
        pack(inputs, rows, unit, lists[0])
        forward(params, codes, lists, z, a)
        losses[step] = total_loss(z[-1], a[-1], y, share, divisor, loss)
        if not losses[step] <= highest_loss:
            return step + 1, right
        for i in range(len(rows)):
            right += a[-1][i].argmax() == y[i]
        output_error(a[-1], y, share, divisor, loss, delta[-1])
        backward(params, grads, codes, loss[2], lists, (z, a, delta))
        penalize(p[:n_weights], g[:n_weights], l1, l2)
        rate = learning_rates[step]
        update(p, g, (first, second), rule, rate, steps + step + 1, (rate * weight_decay, n_weights))
    return len(losses), right


@kernel
def views(vector: Any, sizes: Any) -> Any:
    """The weights and the biases of every layer, as in Parameters: two lists of views."""
    weights, biases, start, bias = [vector[:0].reshape(0, 1)], [vector[:0]], 0, (sizes[:-1] * sizes[1:]).sum()
    for l in range(len(sizes) - 1):
        end = start + sizes[l] * sizes[l + 1]
        weights.append(vector[start:end].reshape(sizes[l], sizes[l + 1]))
        biases.append(vector[bias : bias + sizes[l + 1]])
        start, bias = end, bias + sizes[l + 1]
    return weights[1:], biases[1:]


@kernel
def layers(like: Any, sizes: Any, batch_size: int) -> Any:
    """Room for what every layer says, (batch_size, fan_out) each."""
    return [np.empty((batch_size, n), like.dtype) for n in sizes[1:]]


@kernel
def shortened(buffers: Any, n_rows: int) -> Any:
    """The first rows of each."""
    return [buffer[:n_rows] for buffer in buffers]


@kernel
def packing(like: Any, fan_in: int, batch_size: int) -> Any:
    """Lists for `pack`: numbers, the row each belongs to, and how long each list is; by sample and by input."""
    by_sample, by_input = (batch_size, fan_in + UNROLLED), (fan_in, batch_size + UNROLLED)
    return (
        (np.empty(by_sample, like.dtype), np.empty(by_sample, np.int32), np.empty(batch_size, np.int64)),
        (np.empty(by_input, like.dtype), np.empty(by_input, np.int32), np.empty(fan_in, np.int64)),
    )


@kernel
def pack(x: Any, rows: Any, unit: float, lists: Any) -> None:
    """List what is not 0 in unit x[rows], (batch, fan_in), by sample and by input."""
    (values, places, lengths), (values_of, samples_of, n_samples) = lists
    factor = number(unit, values)
    n_samples[:] = 0
    for i in range(len(rows)):
        source, value, place, n = x[rows[i]], values[i], places[i], 0
        for k in range(len(source)):
            place[n] = k  # written in any case, and kept by counting on: no branch that a processor could mispredict
            n += source[k] != 0
        for q in range(n):
            k = place[q]
            value[q] = factor * values.dtype.type(source[k])
            values_of[k, n_samples[k]] = value[q]
            samples_of[k, n_samples[k]] = i
            n_samples[k] += 1
        lengths[i] = n
        value[n : n + UNROLLED] = 0
        place[n : n + UNROLLED] = 0
    for k in range(len(n_samples)):
        values_of[k, n_samples[k] : n_samples[k] + UNROLLED] = 0
        samples_of[k, n_samples[k] : n_samples[k] + UNROLLED] = 0


@kernel
def add_rows(lists: Any, matrix: Any, out: Any) -> None:
    """out[i] = sum over the list of i of a number times a row of `matrix`: a product with what `pack` has packed."""
    values, places, lengths = lists
    for i in range(len(out)):
        value, place, total = values[i], places[i], out[i]
        total[:] = 0
        for q in range(0, lengths[i], UNROLLED):
            v0, v1, v2, v3 = value[q], value[q + 1], value[q + 2], value[q + 3]
            row0, row1, row2, row3 = matrix[place[q]], matrix[place[q + 1]], matrix[place[q + 2]], matrix[place[q + 3]]
            for j in range(len(total)):
                total[j] += v0 * row0[j] + v1 * row1[j] + v2 * row2[j] + v3 * row3[j]


@kernel
def forward(params: Any, codes: Any, lists: Any, z: Any, a: Any) -> None:
    """z and a of every layer, for inputs that are packed."""
    weights, biases = params
    for l in range(len(codes)):
        if l > 0:
            pack(a[l - 1], np.arange(len(z[0])), 1.0, lists[l])
        add_rows(lists[l][0], weights[l], z[l])
        activate(z[l], biases[l], int(codes[l, 0]), codes[l, 1], a[l])


@kernel
def backward(params: Any, grads: Any, codes: Any, shortcut: bool, lists: Any, passed: Any) -> None:
    """BP1 to BP4, with dC/da in the last delta, or dC/dz where there is a shortcut. passed: z, a, delta."""
    z, a, delta = passed
    last = len(codes) - 1
    for l in range(last, -1, -1):
        if l < last:
            carry_back(delta[l + 1], params[0][l + 1], delta[l])
        kind = IDENTITY if shortcut and l == last else int(codes[l, 0])
        derive(delta[l], z[l], a[l], kind, codes[l, 1], grads[1][l])
        add_rows(lists[l][1], delta[l], grads[0][l])


@kernel
def carry_back(delta: Any, weights: Any, out: Any) -> None:
    """out = delta weights^T."""
    for i in range(len(out)):
        error, row = delta[i], out[i]
        for k in range(len(row)):
            line, total = weights[k], number(0.0, out)
            for j in range(len(line)):
                total += error[j] * line[j]
            row[k] = total


@kernel
def penalize(w: Any, g: Any, l1: float, l2: float) -> None:
    """Add to the gradient of the weights what L1 or L2 adds."""
    if l1 > 0.0 or l2 > 0.0:
        linear, square = number(l1, w), number(l2, w)
        for k in range(len(w)):
            g[k] += square * w[k] + linear * np.sign(w[k])
