"""The twins of `Optimizer.step` and of a penalty: each update rule is one pass over the vector, AdamW's decay in it.

A moment that has faded below FADED becomes 0. In pixels that see ink once in a thousand images it would else shrink
to a denormal number, with which processors compute a hundred times more slowly.
"""

from collections import namedtuple
from collections.abc import Sequence
from typing import Any

import numpy as np

from deltarule.compiled.kernels import kernel, number
from deltarule.nn.arrays import Array
from deltarule.nn.optimizers import Optimizer
from deltarule.nn.parameters import Parameters
from deltarule.parts import kernel_values

SGD, MOMENTUM, NESTEROV, ADAGRAD, RMSPROP, ADAM = range(6)
FADED = 1e-30


# An optimizer as kernels know it: its code; b1, b2, e of the rules below, and the weights' decay.
Rule = namedtuple("Rule", "code beta_1 beta_2 epsilon weight_decay")


def rule(optimizer: Optimizer) -> Rule | None:
    """The rule of an optimizer; None for one without a kernel, a user's own for instance."""
    known = kernel_values(optimizer)
    return None if known is None else Rule(*known)


def step(optimizer: Optimizer, params: Parameters, grads: Parameters, learning_rate: float) -> None:
    """The twin of `Optimizer.step`; an optimizer that is not deltarule's own takes its own step."""
    known = rule(optimizer)
    if known is None:
        optimizer.step(params, grads, learning_rate)
        return
    moments = two(optimizer.moment_vectors(params, grads), params)
    optimizer.steps += 1
    p, g, n_weights = params.vector, grads.vector, params.weight_block.size
    decay = learning_rate * known.weight_decay
    update(p, g, moments, known, learning_rate, optimizer.steps, (decay, n_weights))


def two(moments: Sequence[Array], params: Parameters) -> tuple[Array, Array]:
    """The moments, and an empty vector for each that a rule does without."""
    empty = params.vector[:0]
    first, second = (*moments, empty, empty)[:2]
    return first, second


@kernel
def update(p: Any, g: Any, moments: Any, rule: Any, learning_rate: float, steps: int, decay: Any) -> None:
    """One step on one vector: parameters p, their gradient g and two moments, (size,) or empty.

    rule: what `rule` returns. steps: how many there have been, this one included. decay: by how much of themselves the
    weights shrink before, and how many weights there are.
    """
    code, beta_1, beta_2, epsilon, _ = rule
    first, second = moments
    one, zero, faded = number(1.0, p), number(0.0, p), number(FADED, p)
    rate, b1, b2, e = number(learning_rate, p), number(beta_1, p), number(beta_2, p), number(epsilon, p)
    if decay[0] > 0.0:
        kept = number(1.0 - decay[0], p)
        for k in range(decay[1]):
            p[k] *= kept
    if code == SGD:
        for k in range(p.shape[0]):
            p[k] -= rate * g[k]
    elif code in (MOMENTUM, NESTEROV):
        ahead, now = (b1, one) if code == NESTEROV else (one, zero)
        for k in range(p.shape[0]):
            v = b1 * first[k] + g[k]
            v = v if abs(v) > faded else zero
            first[k] = v
            p[k] -= rate * (ahead * v + now * g[k])
    elif code == ADAGRAD:
        for k in range(p.shape[0]):
            first[k] += g[k] * g[k]
            p[k] -= rate * g[k] / (np.sqrt(first[k]) + e)
    elif code == RMSPROP:
        for k in range(p.shape[0]):
            s = b1 * first[k] + (one - b1) * g[k] * g[k]
            s = s if s > faded else zero
            first[k] = s
            p[k] -= rate * g[k] / (np.sqrt(s) + e)
    else:
        corrected = number(learning_rate / (1.0 - beta_1**steps), p)
        root = number(1.0 / np.sqrt(1.0 - beta_2**steps), p)
        for k in range(p.shape[0]):
            m = b1 * first[k] + (one - b1) * g[k]
            s = b2 * second[k] + (one - b2) * g[k] * g[k]
            m = m if abs(m) > faded else zero
            s = s if s > faded else zero
            first[k], second[k] = m, s
            p[k] -= corrected * m / (np.sqrt(s) * root + e)


@kernel
def penalize(w: Any, g: Any, l1: float, l2: float) -> None:
    """Add to the gradient of the weights what L1 or L2 adds. w, g: (n_weights,)."""
    if l1 > 0.0 or l2 > 0.0:
        linear, square = number(l1, w), number(l2, w)
        for k in range(len(w)):
            g[k] += square * w[k] + linear * np.sign(w[k])
