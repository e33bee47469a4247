"""A check for every equation of the registry, to be run on any network and any examples.

Each check compares the result of the library's code with one that other code computes: a sum written out, a derivative
by nudging, a definition. Everything is float64.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from deltarule.inspection.gradcheck.numeric_gradient import CENTRAL_DIFFERENCES, COMPLEX_STEP, Problem
from deltarule.nn.arrays import Array
from deltarule.nn.network import with_meaning
from deltarule.nn.optimizers import SGD

MOST = 256  # numbers of a quantity to nudge; the gradient check nudges all of them
EXACT = 1e-12  # for derivatives by complex step, and for the same sum in another order
DIFFERENCE = 1e-6  # for derivatives by difference, which loses half the digits


@dataclass(frozen=True)
class Check:
    """The difference between the code's result and the right one.

    says: what is compared with what.
    relative_error: the norm of the difference over the norm of the right result.
    absolute_error: the norm of the difference. In a saturated network a derivative of 1e-15 may be nothing but
        rounding; so a check passes if either error is at most `tolerance`.
    """

    says: str
    relative_error: float
    absolute_error: float
    tolerance: float = EXACT

    @classmethod
    def of(cls, says: str, found: Array | complex, expected: Array | complex, tolerance: float = EXACT) -> "Check":
        """The Check that compares `found` with `expected`: two arrays of one shape, or two numbers."""
        error = np.linalg.norm(np.ravel(found) - np.ravel(expected)).item()
        return cls(says, error / (np.linalg.norm(np.ravel(expected)).item() or 1.0), error, tolerance)

    @property
    def ok(self) -> bool:
        """Whether the check passes."""
        return min(self.relative_error, self.absolute_error) <= self.tolerance


def sample_indices(size: int) -> Array:
    """The indices of at most MOST numbers out of `size`, evenly spaced."""
    return np.unique(np.linspace(0, size - 1, min(size, MOST)).astype(np.intp))


def check_loss(problem: Problem) -> list[Check]:
    """Check three things about the loss C: it is a mean over samples, a function of the outputs, and smooth."""
    network, X, y = problem.network, problem.X, problem.y
    alone = [Problem.of(network, X[[i]], y[[i]]).loss for i in range(len(X))]
    mirror = with_meaning(network, parameters=network.parameters.copy())
    mirror.weights[0][:] = network.weights[0][::-1]
    weight = np.zeros(network.parameters.size)
    weight[np.abs(problem.grads.weight_block).argmax()] = 1.0
    difference, slope = (problem.slope_along(weight, method) for method in (CENTRAL_DIFFERENCES, COMPLEX_STEP))
    same = "the same outputs from another network and other inputs"
    return [
        Check.of("the loss of a batch against the mean over its samples", problem.loss, sum(alone) / len(X)),
        Check.of(same, Problem.of(mirror, X[:, ::-1], y).loss, problem.loss),
        Check.of("a small step along a weight against the derivative", difference, slope, DIFFERENCE),
    ]


def check_sums(problem: Problem, l: int) -> Check:
    """Check z and a of layer l: z against sums written out, and a against sigma of these."""
    network, ws = problem.network, problem.ws
    z = np.einsum("ik,kj->ij", ws.inputs[l], network.weights[l]) + network.biases[l]
    expected, found = np.stack([z, network.activations[l].value(z)]), np.stack([ws.z[l], ws.a[l]])
    return Check.of(f"layer {l}: z and a against the sums written out", found, expected)


def check_delta(problem: Problem, l: int) -> Check:
    """Check delta of layer l against the change of C when z is nudged."""
    neurons = sample_indices(problem.network.layer_sizes[l + 1])
    expected = problem.shares[:, None] * problem.numeric_delta(l, neurons)
    return Check.of(f"layer {l}: delta against nudges of z", problem.delta[l][:, neurons], expected)


def check_shortcut(problem: Problem) -> list[Check]:
    """Check the shortcut delta = a - t against the general BP1, for outputs that were not rounded to 0 or 1."""
    network, z, a = problem.network, problem.ws.z[-1], problem.ws.a[-1]
    inside = ((a > 0.0) & (a < 1.0)).all(axis=1)
    z, a, y, shares = z[inside], a[inside], problem.y[inside], problem.shares[inside]
    general = network.loss.gradient(a, y, shares)
    network.activations[-1].backward(general, z, a)
    return [Check.of("a - t against dC/da sigma'(z)", network.loss.shortcut(a, y, shares), general)]


def check_gradient(problem: Problem, l: int, name: Literal["weights", "biases"]) -> Check:
    """Check the gradient by the biases (BP3) or by the weights (BP4) of layer l against nudges of them."""
    gradient = getattr(problem.grads, name)[l].ravel()
    chosen, first = sample_indices(gradient.size), problem.network.weights[l].size if name == "biases" else 0
    says = f"layer {l}: dC/d{name[0]} against nudges of {name}"
    return Check.of(says, gradient[chosen], problem.slopes(l, first + chosen))


def check_update(problem: Problem) -> list[Check]:
    """Check that a step of SGD is -r times the gradient g, and that C falls by r |g|^2 if r is small."""
    start, gradient, rate = problem.network.parameters, problem.grads.vector, 0.01
    moved = start.copy()
    SGD().step(moved, problem.grads, rate)
    fall = problem.slope_along(-gradient, COMPLEX_STEP)
    return [
        Check.of("dC/dr of a step against -|g|^2", fall, -(gradient @ gradient)),
        Check.of("a step of SGD against the definition", moved.vector, start.vector - rate * gradient),
    ]


def in_layers(check: Callable[[Problem, int], Check], layers: slice = slice(None)) -> Callable[[Problem], list[Check]]:
    """Turn a check of one layer into a function that checks several layers, by default all of them."""
    return lambda problem: [check(problem, l) for l in range(len(problem.network.weights))[layers]]


CHECKS: dict[str, Callable[[Problem], list[Check]]] = {
    "forward": in_layers(check_sums),
    "C": check_loss,
    "BP1": in_layers(check_delta, slice(-1, None)),
    **dict.fromkeys(("BP1-softmax", "BP1-sigmoid", "BP1-exponential"), check_shortcut),
    "BP2": in_layers(check_delta, slice(-1)),
    "BP3": in_layers(partial(check_gradient, name="biases")),
    "BP4": in_layers(partial(check_gradient, name="weights")),
    "update": check_update,
}
