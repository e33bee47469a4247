"""One neuron in full: what it adds up, what a nudge of it moves, and what its weights are told."""

from dataclasses import dataclass

import numpy as np

from deltarule.inspection.explain.nudges import IMAGINARY, derivatives, losses_when_nudged, numeric_delta
from deltarule.inspection.gradcheck.equation_checks import Case, Check
from deltarule.nn.arrays import Array

NUDGE = 0.001  # small enough that what is predicted and what happens agree to three digits
MOST_TERMS = 5


@dataclass(frozen=True)
class Term:
    """A product in a sum: `number` is that of the neuron or input it comes from."""

    number: int
    left: float
    right: float
    product: float


@dataclass(frozen=True)
class LongSum:
    """A sum of products: its largest terms, what all the others come to, and the total."""

    largest: tuple[Term, ...]
    n_others: int
    others: float
    total: float

    @classmethod
    def of(cls, left: Array, right: Array) -> "LongSum":
        """The sum over left * right, both (n,)."""
        products = left * right
        order = np.argsort(-np.abs(products), kind="stable")
        largest, others = order[:MOST_TERMS], order[MOST_TERMS:]
        terms = (Term(int(n), left[n].item(), right[n].item(), products[n].item()) for n in largest)
        return cls(tuple(terms), len(others), products[others].sum().item(), products.sum().item())


@dataclass(frozen=True)
class Moved:
    """By how much a nudge moves something: as the derivative predicts, and in fact."""

    number: int
    predicted: float
    actual: float


@dataclass(frozen=True, eq=False)
class NeuronPass:
    """One neuron in full.

    weighted: the sum of what it reads (left) times its weights (right); with the bias that is z, and a = sigma(z).
    slope: sigma'(z); None in a softmax, where it is a matrix.
    back: the sum of weights (left) times delta (right) over the next layer; None in the last.
    next_layer: which z of the next layer a nudge of z by `nudge` moves, the most moved first; loss: how it moves C.
    delta, numeric_delta: dC/dz by backpropagation, and by complex step.
    gradient, numeric_gradient: dC/dw of all its weights, (fan_in,), likewise; gradient_error: how far they are apart.
    """

    layer: int
    neuron: int
    weighted: LongSum
    bias: float
    z: float
    a: float
    slope: float | None
    back: LongSum | None
    nudge: float
    next_layer: tuple[Moved, ...]
    loss: Moved
    delta: float
    numeric_delta: float
    gradient: Array
    numeric_gradient: Array
    gradient_error: float


def neuron_pass(case: Case, l: int, neuron: int) -> NeuronPass:
    """What the example is to one neuron of layer l."""
    network, ws = case.network, case.ws
    inputs, weights, z = ws.inputs[l][0], network.weights[l][:, neuron], ws.z[l][0]
    slopes = network.activations[l].derivative(ws.z[l], ws.a[l])[0]
    last = l + 1 == len(network.weights)
    back = None if last else LongSum.of(network.weights[l + 1][neuron], ws.delta[l + 1][0])
    gradient, delta = case.grads.weights[l][:, neuron], ws.delta[l][0, neuron].item()
    numeric = numeric_gradient(case, l, neuron)
    return NeuronPass(
        layer=l,
        neuron=neuron,
        weighted=LongSum.of(inputs, weights),
        bias=network.biases[l][neuron].item(),
        z=z[neuron].item(),
        a=ws.a[l][0, neuron].item(),
        slope=float(slopes[neuron]) if slopes.ndim == 1 else None,
        back=back,
        nudge=NUDGE,
        next_layer=() if last else moved_next(case, l, neuron, slopes),
        loss=Moved(0, delta * NUDGE, moved_loss(case, l, neuron)),
        delta=delta,
        numeric_delta=numeric_delta(case.in_complex, l, ws.z[l], case.y, np.array([neuron])).item(),
        gradient=gradient,
        numeric_gradient=numeric,
        gradient_error=Check.of("", gradient, numeric).relative_error,
    )


def moved_next(case: Case, l: int, neuron: int, slopes: Array) -> tuple[Moved, ...]:
    """What a nudge of a neuron in layer l does to the z of the layer behind it: those that it moves most.

    slopes: sigma'(z) of the layer, (fan_out,), or its Jacobian (fan_out, fan_out).
    """
    W, z = case.network.weights[l + 1], case.ws.z[l].copy()
    z[0, neuron] += NUDGE
    a = np.empty_like(z)
    case.network.activations[l].forward(z, out=a)
    actual = (a @ W + case.network.biases[l + 1] - case.ws.z[l + 1])[0]
    predicted = NUDGE * (slopes[neuron] * W[neuron] if slopes.ndim == 1 else slopes[:, neuron] @ W)
    most = np.argsort(-np.abs(predicted), kind="stable")[:MOST_TERMS]
    return tuple(Moved(int(k), predicted[k].item(), actual[k].item()) for k in most)


def moved_loss(case: Case, l: int, neuron: int) -> float:
    """What a nudge of a neuron in layer l does to C."""
    nudges = np.zeros((2, case.ws.z[l].shape[1]))
    nudges[1, neuron] = NUDGE
    before, after = losses_when_nudged(case.network, l, case.ws.z[l][0], nudges, case.y)
    return (after - before).item()


def numeric_gradient(case: Case, l: int, neuron: int) -> Array:
    """dC/dw of all weights of a neuron, (fan_in,), by complex step."""
    inputs = case.ws.inputs[l][0]
    nudges = np.zeros((len(inputs), case.ws.z[l].shape[1]), np.complex128)
    nudges[:, neuron] = IMAGINARY * inputs  # a weight that moves by e moves z by e times what comes in through it
    return derivatives(losses_when_nudged(case.in_complex, l, case.ws.z[l][0], nudges, case.y))
