"""Many steps in one call, where nobody has to see each: by a team of threads, or packed where a network is small.

These are the steps that the Trainer's loop takes with the other twins, and the same kernels. A small network's step
takes less time than Python takes to ask for it. In a larger one two threads that share a step are faster than one
thread with two in its BLAS: everything else is shared, too.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from deltarule.compiled import blas, team
from deltarule.compiled.activations import SOFTMAX, code
from deltarule.compiled.losses import described
from deltarule.compiled.network import ALIKE
from deltarule.compiled.optimizers import CODES, rule, two
from deltarule.compiled.packed import PADDING
from deltarule.compiled.stepping import run
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.nn.optimizers import Optimizer
from deltarule.nn.parameters import Parameters
from deltarule.nn.penalties import L1, L2, Penalty

SMALL_LAYER = 64  # neurons; in larger layers the BLAS is faster than loops that spare the zeros
RANK_ROWS = 5  # of a batch, at least, for each thread

_last = threading.local()


def can_take_steps(network: Network, optimizer: Optimizer, penalty: Penalty) -> bool:
    """Whether everything that a step is made of is deltarule's own, nothing is dropped, and there is a BLAS."""
    known = all(code(activation) is not None for activation in network.activations) and described(network) is not None
    known = known and type(optimizer) in CODES and type(penalty) in (Penalty, L1, L2) and not any(network.dropout)
    return known and blas.available()


def take_steps(
    network: Network,
    optimizer: Optimizer,
    penalty: Penalty,
    vectors: tuple[Parameters, Parameters | None],
    data: tuple[Array, Array, Array | None],
    plan: tuple[Array, int, Array, Array, float],
) -> tuple[Array, int]:
    """A step for each learning rate, on batches cut from an order; stop before one from a loss that is too high.

    vectors: where the gradient is left, and the average of the parameters that is to be moved along, or None.
    data: inputs (n_samples, features), classes (n_samples,) int64, and sample weights (n_samples,) float64 or None.
    plan: the order, indices of samples, whose last batch may be short; the batch size; the learning rates, (steps,)
        float64; the share of its distance that the average moves at each step, (steps,); the highest loss from which a
        step is taken.

    Returns the losses, of which the last may be too high and its step not taken, and how many samples were answered
    rightly, each by the network as it was before its step.
    """
    inputs, classes, weights = data
    order, batch_size, learning_rates, paces, highest_loss = plan
    params, (grads, average) = network.parameters, vectors
    moments = two(optimizer.remembered(params, grads), params)
    kept = (params.vector, grads.vector, *moments, params.vector[:0] if average is None else average.vector)
    shape = laid_out(network)
    l1, l2 = (penalty.strength if type(penalty) is kind else 0.0 for kind in (L1, L2))
    decay = float(getattr(optimizer, "weight_decay", 0.0))
    losses = np.empty(len(learning_rates))
    n_ranks = max(1, min(team.most(), batch_size // RANK_ROWS))
    wide = tuple(padded(vector, network, shape) for vector in kept)
    n_losses, right = by_team(
        n_ranks,
        wide,
        shape,
        (np.asarray(inputs), 1.0 / 255.0 if inputs.dtype == np.uint8 else 1.0, classes, as_weights(weights)),
        (described(network), (rule(optimizer), optimizer.steps, decay, l1, l2)),
        (order, batch_size, learning_rates, paces, highest_loss, losses, np.zeros((n_ranks, 2))),
        room_for(network, shape, batch_size, n_ranks),
    )
    for vector, result in zip(kept, wide, strict=True):
        unpad(result, network, shape, vector)
    losses = losses[:n_losses]
    optimizer.steps += int(np.count_nonzero(losses <= highest_loss))
    return losses, right


def by_team(n_ranks: int, *arguments: Any) -> tuple[int, int]:
    """What `run` says, having run in so many threads at once."""
    meeting = np.zeros(team.CELLS, np.int64)
    with blas.one_thread(), ThreadPoolExecutor(n_ranks) as pool:
        running: list[Future[tuple[int, int]]] = []
        try:
            running.extend(pool.submit(run, (rank, n_ranks, meeting), *arguments) for rank in range(n_ranks))
        finally:  # an interruption in between must not leave the others waiting
            meeting[team.FORSAKEN] = len(running) < n_ranks
    return running[0].result()


def as_weights(weights: Array | None) -> Array:
    """Sample weights as kernels know them."""
    return ALIKE if weights is None else np.ascontiguousarray(weights, np.float64)


def laid_out(network: Network) -> tuple[Array, Array, Array, Array, bool]:
    """The `shape` of compiled.stepping."""
    sizes = np.array(network.layer_sizes)
    codes = np.array([code(activation) for activation in network.activations], np.float64)
    widths, packed = sizes[1:].copy(), bool(sizes[1] <= SMALL_LAYER)
    if packed and len(codes) > 1 and codes[0, 0] != SOFTMAX:  # a softmax would see the padding, a loss too
        widths[0] = -(-widths[0] // PADDING) * PADDING
    pieces = np.concatenate([sizes[:-1] * widths, widths])
    starts = (np.cumsum(pieces) - pieces).reshape(2, -1)
    return sizes, widths, starts, codes, packed


def padded(vector: Array, network: Network, shape: Any) -> Array:
    """A vector of parameters with the padding that a packed network needs; others, and empty ones, as they are."""
    sizes, widths, _, _, packed = shape
    if not packed or not vector.size:
        return vector
    wide = np.zeros((sizes[:-1] * widths).sum() + widths.sum(), vector.dtype)
    for narrow, broad in pieces_of(vector, wide, network, shape):
        broad[...] = narrow
    return wide


def unpad(wide: Array, network: Network, shape: Any, vector: Array) -> None:
    """Put what `padded` has made back into the vector it was made of."""
    if wide is not vector:
        for narrow, broad in pieces_of(vector, wide, network, shape):
            narrow[...] = broad


def pieces_of(vector: Array, wide: Array, network: Network, shape: Any) -> Iterator[tuple[Array, Array]]:
    """Weights and biases of every layer, as they lie in a vector and in a padded one."""
    sizes, widths, starts, _, _ = shape
    narrow = Parameters(network.layer_sizes, vector)
    for l, (W, b) in enumerate(zip(narrow.weights, narrow.biases, strict=True)):
        rows = wide[starts[0, l] : starts[0, l] + sizes[l] * widths[l]].reshape(sizes[l], widths[l])
        yield W, rows[:, : sizes[l + 1]]
        yield b, wide[starts[1, l] : starts[1, l] + sizes[l + 1]]


def room_for(network: Network, shape: Any, batch_size: int, n_ranks: int) -> tuple[Any, ...]:
    """The `room` of compiled.stepping: where it fits, that of this thread's last call, since new pages take time."""
    dtype = network.parameters.vector.dtype
    kind = tuple(shape[0].tolist()), tuple(shape[1].tolist()), batch_size, n_ranks, dtype
    if getattr(_last, "kind", None) != kind:
        _last.kind, _last.room = kind, new_room(shape, batch_size, n_ranks, dtype)
    room: tuple[Any, ...] = _last.room
    if shape[-1]:
        room[4][:] = 0  # where neurons are padded there must be no error left
    return room


def new_room(shape: Any, batch_size: int, n_ranks: int, dtype: np.dtype[Any]) -> tuple[Any, ...]:
    """Empty arrays for it."""
    sizes, widths, _, _, packed = shape
    owned = -(-sizes[0] // n_ranks)
    inputs = np.empty((n_ranks, 0 if packed else batch_size * owned), dtype)
    parts = np.empty((n_ranks, batch_size * widths[0]), dtype)
    z, a, delta = (np.zeros(batch_size * widths.sum(), dtype) for _ in range(3))
    listed = (n_ranks, batch_size, owned if packed else 0)
    lists = np.empty(listed, dtype), np.empty(listed, np.int32), np.empty(listed[:2], np.int64)
    return inputs, parts, z, a, delta, np.empty((n_ranks, widths.sum()), dtype), lists
