"""Many steps in one call, where nobody has to see each, by a team of threads.

These are the steps that the Trainer's loop takes with the other twins, and the same kernels. A small network's step
takes less time than Python takes to ask for it. In a larger one two threads that share a step are faster than one
thread with two in its BLAS: everything else is shared, too.
"""

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
from deltarule.nn.penalties import L1, L2, Penalty
from deltarule.parts import missing_kernels

APART = 16  # numbers between what two threads write, who would else wait for one another's line of the cache
RANK_ROWS = 5  # of a batch, at least, for each thread


def can_take_steps(network: Network, optimizer: Optimizer, penalty: Penalty) -> bool:
    """Whether everything that a step is made of is deltarule's own, nothing is dropped, and there is a BLAS."""
    parts = [*network.activations, network.loss, optimizer, *([] if type(penalty) is Penalty else [penalty])]
    return not missing_kernels(*parts) and not any(network.dropout) and blas.available()


def take_steps(network: Network, optimizer: Optimizer, plan: Any) -> tuple[Array, int, int]:
    """Take the steps of the training room's Plan, in its buffers; stop before one from a loss that is too high.

    Returns the losses, of which the last may be too high and its step not taken; how many samples were answered
    rightly, each by the network as it was before its step; and how many updates there were, none from a batch of zero
    weight.
    """
    params, grads, n_steps = network.parameters, plan.buffers.grads, len(plan.learning_rates)
    moments = two(optimizer.moment_vectors(params, grads), params)
    moved = plan.average.moving_vector(params)
    l1, l2 = (plan.penalty.strength if type(plan.penalty) is kind else 0.0 for kind in (L1, L2))
    losses = np.empty(n_steps)
    n_ranks = max(1, min(team.most(), plan.batch_size // RANK_ROWS))
    unit = 1.0 / 255.0 if plan.inputs.dtype == np.uint8 else 1.0
    n_losses, right, updates = by_team(
        n_ranks,
        Vectors(params.vector, grads.vector, *moments, moved),
        layout(network),
        Samples(np.asarray(plan.inputs), unit, plan.targets, as_weights(plan.sample_weight)),
        (loss_code(network), Update(rule(optimizer), optimizer.steps, l1, l2)),
        Work(
            *(plan.order, plan.batch_size, plan.learning_rates, plan.average.paces(n_steps), plan.highest_loss),
            *(losses, np.zeros((n_ranks, APART))),
        ),
        plan.buffers.scratch(new_room, network.layer_sizes, plan.batch_size, n_ranks, network.dtype),
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


def new_room(layer_sizes: Sequence[int], batch_size: int, n_ranks: int, dtype: np.dtype[Any]) -> Room:
    """Room to compute in, with nothing in it yet."""
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
