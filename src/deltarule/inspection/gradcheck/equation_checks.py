"""A check for every equation of the registry, to be run on any network and any examples.

What the code computes is compared with something that knows nothing of the lines that compute it: a sum written out, a
derivative by nudging, a definition. Everything is computed in float64. Where a quantity has more than MOST numbers, as
many of them are nudged; the gradient check takes them all.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from deltarule.inspection.explain.nudges import IMAGINARY, derivatives, losses_when_nudged, numeric_delta
from deltarule.nn.arrays import Array
from deltarule.nn.losses import sample_shares
from deltarule.nn.network import Network, backward, forward, loss_value, with_parameters
from deltarule.nn.optimizers import SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSProp
from deltarule.nn.parameters import Parameters
from deltarule.nn.workspace import Workspace

MOST = 256
EXACT = 1e-12  # for derivatives by complex step, and for the same sum in another order
DIFFERENCE = 1e-6  # for derivatives by difference, which loses half the digits


@dataclass(frozen=True)
class Check:
    """How far what the code computes is from what it should be.

    says: what is compared with what.
    relative_error: the norm of the difference over the norm of what it should be.
    absolute_error: that norm of the difference. Where a saturated network leaves a derivative of 1e-15, all of it may
        be rounding; so a check is passed when either error is at most `tolerance`.
    """

    says: str
    relative_error: float
    absolute_error: float
    tolerance: float = EXACT

    @classmethod
    def of(cls, says: str, found: Array | complex, expected: Array | complex, tolerance: float = EXACT) -> "Check":
        """Compare two arrays of one shape, or two numbers."""
        error = np.linalg.norm(np.ravel(found) - np.ravel(expected)).item()
        return cls(says, error / (np.linalg.norm(np.ravel(expected)).item() or 1.0), error, tolerance)

    @property
    def ok(self) -> bool:
        """Whether it is passed."""
        return min(self.relative_error, self.absolute_error) <= self.tolerance


@dataclass(frozen=True, eq=False)
class Case:
    """A network in float64, a batch, and what forward and backward pass have made of them.

    X: (batch, features), uint8 pixels or floats. y: as `backward` takes it. loss: C.
    """

    network: Network
    X: Array
    y: Array
    ws: Workspace
    grads: Parameters
    loss: float

    @classmethod
    def of(cls, network: Network, X: Array, y: Array) -> "Case":
        """Take the batch through the network, and back."""
        network = network.astype(np.float64)
        ws, grads = network.workspace(len(X)), network.parameters.zeros_like()
        forward(network, X, ws)
        backward(network, y, ws, grads)
        return cls(network, X, y, ws, grads, loss_value(network, y, ws))

    @cached_property
    def in_complex(self) -> Network:
        """The same network in complex numbers, through which an imaginary nudge passes."""
        return self.network.astype(np.complex128)

    def value_at(self, change: Array) -> complex:
        """C of the batch when the vector of all parameters is moved by `change`, which may be complex."""
        moved = Parameters(self.network.layer_sizes, self.network.parameters.vector + change)
        return value_of(with_parameters(self.network, moved), self.X, self.y)

    def numeric_gradient(self, l: int, neurons: Array, z: Array) -> Array:
        """dC/de of parameters of some neurons in layer l, (n,); z (batch, n) is theirs after each was moved by e."""
        gradient, shares = np.zeros(len(neurons)), sample_shares(len(self.X))
        for i, share in enumerate(shares):
            nudges = np.zeros((len(neurons), self.ws.z[l].shape[1]), np.complex128)
            nudges[np.arange(len(neurons)), neurons] = z[i] - self.ws.z[l][i, neurons]
            gradient += share * derivatives(
                losses_when_nudged(self.in_complex, l, self.ws.z[l][i], nudges, self.y[[i]])
            )
        return gradient


def value_of(network: Network, X: Array, y: Array) -> complex:
    """C of a batch, by the forward pass alone."""
    ws = network.workspace(len(X))
    forward(network, X, ws)
    return loss_value(network, y, ws)


def some(size: int) -> Array:
    """The indices of at most MOST numbers out of `size`, evenly spread."""
    return np.unique(np.linspace(0, size - 1, min(size, MOST)).astype(np.intp))


def check_loss(case: Case) -> list[Check]:
    """The three conditions on C."""
    network, X, y = case.network, case.X, case.y
    alone = [value_of(network, X[[i]], y[[i]]) for i in range(len(X))]
    mirrored = with_parameters(network, network.parameters.copy())
    mirrored.weights[0][:] = network.weights[0][::-1]
    along, step = np.zeros(network.parameters.size), 1e-5
    along[np.abs(case.grads.weight_block).argmax()] = 1.0
    difference = (case.value_at(step * along) - case.value_at(-step * along)) / (2 * step)
    slope = derivatives(np.array(case.value_at(IMAGINARY * along)))
    return [
        Check.of("the loss of a batch against the mean over its samples", case.loss, sum(alone) / len(X)),
        Check.of(
            "the same outputs from another network and other inputs", value_of(mirrored, X[:, ::-1], y), case.loss
        ),
        Check.of("a small step along a weight against the derivative", difference, slope, DIFFERENCE),
    ]


def check_forward(case: Case) -> list[Check]:
    """Every z as a sum written out, and sigma of it, layer by layer."""
    checks = []
    for l, activation in enumerate(case.network.activations):
        z = np.einsum("ik,kj->ij", case.ws.inputs[l], case.network.weights[l]) + case.network.biases[l]
        expected, found = np.stack([z, activation.value(z)]), np.stack([case.ws.z[l], case.ws.a[l]])
        checks.append(Check.of(f"layer {l}: z and a against the sums written out", found, expected))
    return checks


def check_delta(case: Case, layers: range) -> list[Check]:
    """Delta of these layers against what nudging z does to C."""
    checks, shares = [], sample_shares(len(case.X))
    for l in layers:
        neurons = some(case.network.layer_sizes[l + 1])
        expected = shares[:, None] * numeric_delta(case.in_complex, l, case.ws.z[l], case.y, neurons)
        checks.append(Check.of(f"layer {l}: delta against nudges of z", case.ws.delta[l][:, neurons], expected))
    return checks


def check_output_delta(case: Case) -> list[Check]:
    """BP1, by whichever way the network takes."""
    last = len(case.network.weights) - 1
    return check_delta(case, range(last, last + 1))


def check_hidden_delta(case: Case) -> list[Check]:
    """BP2 in every hidden layer."""
    return check_delta(case, range(len(case.network.weights) - 1))


def check_shortcut(case: Case) -> list[Check]:
    """The shortcut against the general BP1, where no output was rounded to 0 or 1."""
    network, z, a = case.network, case.ws.z[-1], case.ws.a[-1]
    inside = ((a > 0.0) & (a < 1.0)).all(axis=1)
    z, a, y, shares = z[inside], a[inside], case.y[inside], sample_shares(len(a))[inside]
    general = network.loss.gradient(a, y, shares)
    network.activations[-1].backward(general, z, a)
    return [Check.of("a - t against dC/da sigma'(z)", network.loss.shortcut(a, y, shares), general)]


def check_biases(case: Case) -> list[Check]:
    """BP3 in every layer."""
    checks = []
    for l, b in enumerate(case.network.biases):
        neurons = some(b.size)
        z = case.ws.inputs[l] @ case.network.weights[l][:, neurons] + (b[neurons] + IMAGINARY)
        expected = case.numeric_gradient(l, neurons, z)
        checks.append(Check.of(f"layer {l}: dC/db against nudges of biases", case.grads.biases[l][neurons], expected))
    return checks


def check_weights(case: Case) -> list[Check]:
    """BP4 in every layer."""
    checks = []
    for l, W in enumerate(case.in_complex.weights):
        chosen = some(W.size)
        sources, neurons = np.unravel_index(chosen, W.shape)
        columns = W[:, neurons]  # (fan_in, n): for each of the weights, all that lead to the same neuron
        columns[sources, np.arange(len(chosen))] += IMAGINARY
        expected = case.numeric_gradient(l, neurons, case.ws.inputs[l] @ columns + case.network.biases[l][neurons])
        found = case.grads.weights[l].ravel()[chosen]
        checks.append(Check.of(f"layer {l}: dC/dw against nudges of weights", found, expected))
    return checks


# Were the gradient g the same at every step, step n of an optimizer would be -r g times this: the sums of the series
# that its formula runs through, worked out on paper. size is |g|.
STEPS: dict[type[Optimizer], Callable[..., Array | float]] = {
    SGD: lambda rule, n, size: 1.0,
    Momentum: lambda rule, n, size: (1.0 - rule.momentum**n) / (1.0 - rule.momentum),
    Nesterov: lambda rule, n, size: (1.0 - rule.momentum ** (n + 1)) / (1.0 - rule.momentum),
    AdaGrad: lambda rule, n, size: 1.0 / (math.sqrt(n) * size + rule.epsilon),
    RMSProp: lambda rule, n, size: 1.0 / (math.sqrt(1.0 - rule.decay**n) * size + rule.epsilon),
    Adam: lambda rule, n, size: 1.0 / (size + rule.epsilon),
    AdamW: lambda rule, n, size: 1.0 / (size + rule.epsilon),
}


def check_update(case: Case) -> list[Check]:
    """A step along the gradient lowers C by r |g|^2; and every optimizer walks as its definition says."""
    gradient, rate, n_steps = case.grads.vector, 0.01, 5
    fall = derivatives(np.array(case.value_at(-IMAGINARY * gradient)))
    checks = [Check.of("dC/dr of a step against -|g|^2", fall, -(gradient @ gradient))]
    chosen = some(gradient.size)
    for kind, factor in STEPS.items():
        rule, start = kind(), Parameters((len(chosen) - 1, 1), case.network.parameters.vector[chosen])
        params, grads, expected = start.copy(), Parameters(start.layer_sizes, gradient[chosen]), start.vector.copy()
        for n in range(1, n_steps + 1):
            rule.step(params, grads, rate)
            expected[:-1] *= 1.0 - rate * getattr(rule, "weight_decay", 0.0)
            expected -= rate * gradient[chosen] * factor(rule, n, np.abs(gradient[chosen]))
        says = f"{n_steps} steps of {kind.__name__} against the definition"
        checks.append(Check.of(says, params.vector - start.vector, expected - start.vector))
    return checks


CHECKS: dict[str, Callable[[Case], list[Check]]] = {
    "forward": check_forward,
    "C": check_loss,
    "BP1": check_output_delta,
    "BP1-softmax": check_shortcut,
    "BP1-sigmoid": check_shortcut,
    "BP2": check_hidden_delta,
    "BP3": check_biases,
    "BP4": check_weights,
    "update": check_update,
}
