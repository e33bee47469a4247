"""Many steps in one call, where Python has to see none of them, by a team of threads that share every step.

These are the steps that the loop takes with the other twins, and the same kernels. A small network's step takes less
time than Python takes to ask for it. In a larger one two threads that share a step are faster than one thread with two
in its BLAS: everything else is shared, too.

A step has three parts, and nobody begins one before all have ended what it needs:
inputs   A thread owns some of the inputs, and so some rows of the first layer's weights: its part of z is theirs alone.
samples  A thread takes some of the batch's samples through all the other layers, forward and back: BP1, BP2.
learning A thread owns some rows of every layer's weights, and some biases: gradient (BP3, BP4), penalty, update.
So no gradients have to be added up, and the large first layer stays in the caches of those who own it.
"""

from collections import namedtuple
from collections.abc import Sequence
from concurrent.futures import Future, wait
from threading import Thread
from typing import Any

import numpy as np

from deltarule.compiled import blas, team
from deltarule.compiled.activations import IDENTITY, activate, derive
from deltarule.compiled.blas import multiply
from deltarule.compiled.kernels import kernel, number
from deltarule.compiled.losses import loss_code, output_error, total_loss
from deltarule.compiled.memory import borrow, fetch_rows
from deltarule.compiled.network import ALIKE
from deltarule.compiled.optimizers import penalize, rule, two, update
from deltarule.compiled.team import meet, share
from deltarule.compiled.zeros import columns_in_use, put_rows, take_columns, take_rows
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.nn.optimizers import Optimizer
from deltarule.nn.penalties import L1, L2, Penalty
from deltarule.parts import kernel_values, missing_kernels

APART = 16  # numbers between what two threads write, who would else wait for one another's line of the cache
RANK_ROWS = 5  # of a batch, at least, for each thread
WIDE = 2**17  # weights


# What the kernels are given; Numba knows the type of every part of a named tuple.

# Which thread it is, of how many, and where they meet: an array as compiled.team has it.
Team = namedtuple("Team", "rank size meeting")

# The layers, and where they lie in a vector of parameters. sizes: of the layers, (layers + 1,). starts: where a layer's
# weights begin, and where its biases, (2, layers). activations: as compiled.activations has them, (layers, 2).
Shape = namedtuple("Shape", "sizes starts activations")

# What is learned from: inputs (n_samples, features), each number times `unit`; classes; weights, or none.
Samples = namedtuple("Samples", "inputs unit classes weights")

# Parameters, their gradient, an optimizer's two moments, the average: (size,) each, or empty.
Vectors = namedtuple("Vectors", "parameters gradient first second average")

# How parameters change: an optimizer's rule, how many steps it has taken, the strengths of L1 and L2.
Update = namedtuple("Update", "rule steps l1 l2")

# Which steps to take, as the training room's Plan says, and what becomes of them. paces: the share of its distance that
# the average moves at each update, (steps,). losses: (steps,). judged: each thread's part of a step's loss and of its
# right answers, (n_ranks, 2 or more).
Work = namedtuple("Work", "order batch_size learning_rates paces highest_loss losses judged")

# Arrays to compute in; n_owned is the most inputs that any of n_ranks threads owns.
# inputs: those in use, (n_ranks, batch_size * n_owned). parts: of the first z, (n_ranks, batch_size * fan_out).
# z, a, delta: of all layers, (batch_size * neurons,). sums: of delta, for the biases, (n_ranks, neurons or more).
# runs: of the inputs in use, (n_ranks, n_owned, 2). counts: how many runs and inputs, (n_ranks, 2 or more).
# taken: the first weights that these inputs meet, later their gradient, (n_ranks, n_owned * fan_out).
Room = namedtuple("Room", "inputs parts z a delta sums runs counts taken")


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
    weights = ALIKE if plan.sample_weight is None else np.ascontiguousarray(plan.sample_weight, np.float64)
    n_losses, right, updates = by_team(
        n_ranks,
        Vectors(params.vector, grads.vector, *moments, moved),
        layout(network),
        Samples(np.asarray(plan.inputs), unit, plan.targets, weights),
        (loss_code(network), Update(rule(optimizer), optimizer.steps, l1, l2)),
        Work(
            *(plan.order, plan.batch_size, plan.learning_rates, plan.average.paces(n_steps)),
            *(plan.highest_loss, losses, np.zeros((n_ranks, APART))),
        ),
        plan.buffers.scratch(new_room, network.layer_sizes, plan.batch_size, n_ranks, network.dtype),
    )
    optimizer.steps += updates
    return losses[:n_losses], right, updates


def by_team(n_ranks: int, *arguments: Any) -> tuple[int, int, int]:
    """What `run` says, having run in so many threads at once; an interruption goes on when none changes parameters."""
    meeting = np.zeros(team.CELLS, np.int64)
    parts: list[Future[tuple[int, int, int]]] = [Future() for _ in range(n_ranks)]

    def take_part(rank: int) -> None:
        if parts[rank].set_running_or_notify_cancel():
            try:
                parts[rank].set_result(run(Team(rank, n_ranks, meeting), *arguments))
            except BaseException as error:
                meeting[team.FORSAKEN] = 1  # the others must not wait for this one
                parts[rank].set_exception(error)

    with blas.one_thread():
        try:
            for rank in range(n_ranks):
                Thread(target=take_part, args=(rank,)).start()
            wait(parts)
        except BaseException:
            forsake(parts, meeting)
            raise
    first, *_ = [part.result() for part in parts]
    return first


def forsake(parts: Sequence[Future[Any]], meeting: Array) -> None:
    """Keep threads that have not begun from beginning, and wait, a tenth of a second, until the others are done."""
    try:
        begun = [part for part in parts if not part.cancel()]
        meeting[team.FORSAKEN] |= len(begun) < len(parts)
        wait(begun)
    except BaseException:  # a second interruption
        forsake(parts, meeting)
        raise


def layout(network: Network) -> Shape:
    """Where the layers of a network lie in its vector of parameters."""
    sizes = np.array(network.layer_sizes)
    pieces = np.concatenate([sizes[:-1] * sizes[1:], sizes[1:]])
    codes = np.array([kernel_values(activation) for activation in network.activations], np.float64)
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


@kernel
def run(team: Any, vectors: Any, shape: Any, samples: Any, rules: Any, work: Any, room: Any) -> Any:
    """One thread's part in all steps: how many losses, how many right answers, how many updates.

    A batch of zero weight has the loss 0 and no update.
    """
    team, vectors, shape, room = borrow(team), borrow(vectors), borrow(shape), borrow(room)
    samples, work = borrow(samples), borrow(work)
    inputs, unit, classes, weights = samples
    order, batch_size, learning_rates, paces, highest_loss, losses, judged = work
    right, updates = 0, 0
    for step in range(len(losses)):
        rows = order[step * batch_size : (step + 1) * batch_size]
        y, importance = classes[rows], weights[rows] if len(weights) else weights
        weight = importance.sum() if len(weights) else float(len(rows))
        read(team, inputs, rows, unit, shape, vectors.parameters, room)
        soon = order[(step + 1) * batch_size : (step + 2) * batch_size]
        fetch_rows(inputs, soon, share(shape.sizes[0], team.rank, team.size))
        if not meet(team.meeting, team.size):
            return step, right, updates
        mine = share(len(rows), team.rank, team.size)
        forward(team, len(rows), shape, vectors.parameters, room)
        judge((y, importance, weight if weight > 0.0 else 1.0), mine, shape, rules[0], room, judged[team.rank])
        backward(team, len(rows), shape, vectors.parameters, rules[0][2], room)
        if not meet(team.meeting, team.size):
            return step, right, updates
        total, answered = 0.0, 0.0
        for other in range(team.size):  # all threads add up in one order, and so come to the same
            total += judged[other, 0]
            answered += judged[other, 1]
        losses[step] = total
        if not total <= highest_loss:
            return step + 1, right, updates
        right += int(answered)
        if weight > 0.0:
            now = learning_rates[step], paces[updates], updates + 1
            learn(team, len(rows), shape, vectors, rules[1], now, room)
            updates += 1
    return len(losses), right, updates


@kernel
def matrix(vector: Any, start: int, n_columns: int, n_rows: int) -> Any:
    """A piece of a vector as a matrix."""
    return vector[start : start + n_rows * n_columns].reshape(n_rows, n_columns)


@kernel
def weights_of(vector: Any, shape: Any, l: int) -> Any:
    """W of layer l, (fan_in, fan_out)."""
    return matrix(vector, shape.starts[0, l], shape.sizes[l + 1], shape.sizes[l])


@kernel
def neurons_of(buffer: Any, shape: Any, l: int, rows: Any) -> Any:
    """What layer l says of the samples from rows[0] up to rows[1] of a batch, (samples, fan_out)."""
    width, before = shape.sizes[l + 1], shape.starts[1, l] - shape.starts[1, 0]
    batch_size = len(buffer) // shape.sizes[1:].sum()
    return matrix(buffer, batch_size * before + rows[0] * width, width, rows[1] - rows[0])


@kernel
def cross(team: Any, n_samples: int, shape: Any, p: Any, source: Any, target: Any, layers: Any) -> None:
    """One's part of target = source times the weights between two layers. layers: the source's, the target's.

    Threads share the samples, or, where the weights are many, the neurons: every thread would have to rearrange all
    weights, as a BLAS does before it multiplies; but it costs two meetings.
    """
    before, after = layers
    weights, width = weights_of(p, shape, max(before, after)), shape.sizes[after + 1]
    is_by_neurons = team.size > 1 and weights.size >= WIDE
    rows, neurons = share(n_samples, team.rank, team.size), (0, width)
    if is_by_neurons:
        rows, neurons = (0, n_samples), share(width, team.rank, team.size)
        meet(team.meeting, team.size)
    given = neurons_of(source, shape, before, rows)
    made = neurons_of(target, shape, after, rows)[:, neurons[0] : neurons[1]]
    if before < after:
        multiply(given, weights[:, neurons[0] : neurons[1]], made, False, False)
    else:
        multiply(given, weights[neurons[0] : neurons[1]], made, False, True)
    if is_by_neurons:
        meet(team.meeting, team.size)


@kernel
def read(team: Any, inputs: Any, rows: Any, unit: float, shape: Any, p: Any, room: Any) -> None:
    """One's inputs of a batch, and what they add to the first layer's z."""
    first, last = share(shape.sizes[0], team.rank, team.size)
    width, counts = shape.sizes[1], room.counts[team.rank]
    counts[0], counts[1] = columns_in_use(inputs, rows, (first, last), room.runs[team.rank])
    runs, n = room.runs[team.rank, : counts[0]], counts[1]
    x = matrix(room.inputs[team.rank], 0, n, len(rows))
    for i in range(len(rows)):
        take_columns(inputs[rows[i], first:last], unit, runs, x[i])
    weights, begin = p, shape.starts[0, 0] + first * width
    if n < last - first:
        take_rows(p[begin:], width, runs, room.taken[team.rank])
        weights, begin = room.taken[team.rank], 0
    multiply(x, matrix(weights, begin, width, n), matrix(room.parts[team.rank], 0, width, len(rows)), False, False)


@kernel
def forward(team: Any, n_samples: int, shape: Any, p: Any, room: Any) -> None:
    """z and a of every layer, for one's samples; the first z from everybody's part of it."""
    sizes, starts, codes = shape
    mine = share(n_samples, team.rank, team.size)
    for l in range(len(codes)):
        z, a = neurons_of(room.z, shape, l, mine), neurons_of(room.a, shape, l, mine)
        if l == 0:
            begin, end = mine[0] * sizes[1], mine[1] * sizes[1]
            whole = room.z[begin:end]
            whole[:] = room.parts[0, begin:end]
            for other in range(1, len(room.parts)):
                part = room.parts[other, begin:end]
                for j in range(len(whole)):
                    whole[j] += part[j]
        else:
            cross(team, n_samples, shape, p, room.a, room.z, (l - 1, l))
        biases = p[starts[1, l] : starts[1, l] + sizes[l + 1]]
        activate(z, biases, int(codes[l, 0]), codes[l, 1], a)


@kernel
def judge(truth: Any, mine: Any, shape: Any, loss: Any, room: Any, judged: Any) -> None:
    """One's part of the loss, how many right answers, and dC/da, or dC/dz by the shortcut, in the last delta."""
    l, (y, importance, divisor) = len(shape.activations) - 1, truth
    z, a, delta = (
        neurons_of(room.z, shape, l, mine),
        neurons_of(room.a, shape, l, mine),
        neurons_of(room.delta, shape, l, mine),
    )
    y, importance = y[mine[0] : mine[1]], importance[mine[0] : mine[1]]
    output_error(a, y, importance, divisor, loss, delta)
    right = 0
    for i in range(len(a)):
        right += a[i].argmax() == y[i]
    judged[0], judged[1] = total_loss(z, a, y, importance, divisor, loss), right


@kernel
def backward(team: Any, n_samples: int, shape: Any, p: Any, shortcut: bool, room: Any) -> None:
    """BP1, BP2, and what one's samples add to BP3."""
    sizes, starts, codes = shape
    mine = share(n_samples, team.rank, team.size)
    for l in range(len(codes) - 1, -1, -1):
        z, a = neurons_of(room.z, shape, l, mine), neurons_of(room.a, shape, l, mine)
        delta = neurons_of(room.delta, shape, l, mine)
        if l < len(codes) - 1:
            cross(team, n_samples, shape, p, room.delta, room.delta, (l + 1, l))
        kind = IDENTITY if shortcut and l == len(codes) - 1 else int(codes[l, 0])
        bias = starts[1, l] - starts[1, 0]
        derive(delta, z, a, kind, codes[l, 1], room.sums[team.rank, bias : bias + sizes[l + 1]])


@kernel
def learn(team: Any, n_samples: int, shape: Any, vectors: Any, rule: Any, now: Any, room: Any) -> None:
    """BP4, the rest of BP3, and the update of what one owns."""
    sizes, starts, codes = shape
    all_rows, g = (0, n_samples), vectors.gradient
    for l in range(len(codes)):
        first, last = share(sizes[l], team.rank, team.size)
        width, delta = sizes[l + 1], neurons_of(room.delta, shape, l, all_rows)
        begin, end = starts[0, l] + first * width, starts[0, l] + last * width
        gradient = g[begin:end]
        if l == 0:
            n_runs, n = room.counts[team.rank, 0], room.counts[team.rank, 1]
            taken = room.taken[team.rank] if n < last - first else gradient
            multiply(matrix(room.inputs[team.rank], 0, n, n_samples), delta, matrix(taken, 0, width, n), True, False)
            if n < last - first:
                put_rows(taken, width, room.runs[team.rank, :n_runs], gradient)
        else:
            below = neurons_of(room.a, shape, l - 1, all_rows)[:, first:last]
            multiply(below, delta, matrix(gradient, 0, width, last - first), True, False)
        change(vectors, begin, end, True, rule, now)
    first, last = share(sizes[1:].sum(), team.rank, team.size)
    sums = g[starts[1, 0] + first : starts[1, 0] + last]
    sums[:] = 0
    for other in range(team.size):
        for j in range(len(sums)):
            sums[j] += room.sums[other, first + j]
    change(vectors, starts[1, 0] + first, starts[1, 0] + last, False, rule, now)


@kernel
def change(vectors: Any, first: int, last: int, are_weights: bool, rule: Any, now: Any) -> None:
    """Penalty, update and average of one piece of the parameters. now: learning rate, the average's pace, the step."""
    optimizer, steps, l1, l2 = rule
    rate, pace, step = now
    p, g, one, two, average = vectors
    p, g, average = p[first:last], g[first:last], average[first:last]
    decay = 0.0
    if are_weights:
        penalize(p, g, l1, l2)
        decay = rate * optimizer.weight_decay
    update(p, g, (one[first:last], two[first:last]), optimizer, rate, steps + step, (decay, last - first))
    if len(average):
        towards = number(pace, p)
        for k in range(len(p)):
            average[k] += towards * (p[k] - average[k])
