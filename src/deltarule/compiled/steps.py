"""Many steps in one call, where nobody has to see each, by a team of threads.

These are the steps that the Trainer's loop takes with the other twins, and the same kernels. A small network's step
takes less time than Python takes to ask for it. In a larger one two threads that share a step are faster than one
thread with two in its BLAS: everything else is shared, too.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from deltarule.compiled import blas, team
from deltarule.compiled.activations import code
from deltarule.compiled.losses import loss_code
from deltarule.compiled.network import ALIKE
from deltarule.compiled.optimizers import rule, two
from deltarule.compiled.stepping import Room, Samples, Shape, Team, Update, Vectors, Work, run
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.nn.optimizers import Optimizer
from deltarule.nn.parameters import Parameters
from deltarule.nn.penalties import L1, L2, Penalty
from deltarule.parts import missing_kernels

APART = 16  # numbers between what two threads write, who would else wait for one another's line of the cache
RANK_ROWS = 5  # of a batch, at least, for each thread

_last = threading.local()


def can_take_steps(network: Network, optimizer: Optimizer, penalty: Penalty) -> bool:
    """Whether everything that a step is made of is deltarule's own, nothing is dropped, and there is a BLAS."""
    parts = [*network.activations, network.loss, optimizer, *([] if type(penalty) is Penalty else [penalty])]
    return not missing_kernels(*parts) and not any(network.dropout) and blas.available()


def take_steps(
    network: Network,
    optimizer: Optimizer,
    penalty: Penalty,
    vectors: tuple[Parameters, Parameters | None],
    data: tuple[Array, Array, Array | None],
    plan: Any,
) -> tuple[Array, int, int]:
    """A step for each learning rate, on batches cut from an order; stop before one from a loss that is too high.

    vectors: where the gradient is left, and the average of the parameters that is to be moved along, or None.
    data: inputs (n_samples, features), classes (n_samples,) int64, and sample weights (n_samples,) float64 or None.
    plan: the training room's Plan.

    Returns the losses, of which the last may be too high and its step not taken; how many samples were answered
    rightly, each by the network as it was before its step; and how many updates there were, none from a batch of zero
    weight.
    """
    inputs, classes, weights = data
    params, (grads, average) = network.parameters, vectors
    moments = two(optimizer.moment_vectors(params, grads), params)
    moved = params.vector[:0] if average is None else average.vector
    l1, l2 = (penalty.strength if type(penalty) is kind else 0.0 for kind in (L1, L2))
    losses = np.empty(len(plan.learning_rates))
    n_ranks = max(1, min(team.most(), plan.batch_size // RANK_ROWS))
    n_losses, right, updates = by_team(
        n_ranks,
        Vectors(params.vector, grads.vector, *moments, moved),
        layout(network),
        Samples(np.asarray(inputs), 1.0 / 255.0 if inputs.dtype == np.uint8 else 1.0, classes, as_weights(weights)),
        (loss_code(network), Update(rule(optimizer), optimizer.steps, l1, l2)),
        Work(plan, losses, np.zeros((n_ranks, APART))),
        room_for(network, plan.batch_size, n_ranks),
    )
    optimizer.steps += updates
    return losses[:n_losses], right, updates


def by_team(n_ranks: int, *arguments: Any) -> tuple[int, int, int]:
    """What `run` says, having run in so many threads at once."""
    meeting = np.zeros(team.CELLS, np.int64)
    with blas.one_thread(), ThreadPoolExecutor(n_ranks) as pool:
        running: list[Future[tuple[int, int, int]]] = []
        try:
            running.extend(pool.submit(run, Team(rank, n_ranks, meeting), *arguments) for rank in range(n_ranks))
        finally:  # an interruption in between must not leave the others waiting
            meeting[team.FORSAKEN] = len(running) < n_ranks
    return running[0].result()


def as_weights(weights: Array | None) -> Array:
    """Sample weights as kernels know them."""
    return ALIKE if weights is None else np.ascontiguousarray(weights, np.float64)


def layout(network: Network) -> Shape:
    """Where the layers of a network lie in its vector of parameters."""
    sizes = np.array(network.layer_sizes)
    pieces = np.concatenate([sizes[:-1] * sizes[1:], sizes[1:]])
    codes = np.array([code(activation) for activation in network.activations], np.float64)
    return Shape(sizes, (np.cumsum(pieces) - pieces).reshape(2, -1), codes)


def room_for(network: Network, batch_size: int, n_ranks: int) -> Room:
    """Room to compute in: where it fits, that of this thread's last call, since new pages take time."""
    kind = network.layer_sizes, batch_size, n_ranks, network.dtype
    if getattr(_last, "kind", None) != kind:
        _last.kind, _last.room = kind, new_room(*kind)
    room: Room = _last.room
    return room


def new_room(layer_sizes: Sequence[int], batch_size: int, n_ranks: int, dtype: np.dtype[Any]) -> Room:
    """Room with nothing in it yet."""
    n_neurons, fan_out, n_owned = sum(layer_sizes[1:]), layer_sizes[1], -(-layer_sizes[0] // n_ranks)
    z, a, delta = np.empty((3, batch_size * n_neurons), dtype)
    return Room(
        inputs=np.empty((n_ranks, batch_size * n_owned), dtype),
        parts=np.empty((n_ranks, batch_size * fan_out), dtype),
        z=z,
        a=a,
        delta=delta,
        sums=np.empty((n_ranks, n_neurons + APART), dtype),
        runs=np.empty((n_ranks, n_owned, 2), np.int64),
        counts=np.empty((n_ranks, APART), np.int64),
        taken=np.empty((n_ranks, n_owned * fan_out), dtype),
    )
