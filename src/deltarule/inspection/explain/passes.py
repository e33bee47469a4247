"""One example on its way through a network and back, in numbers: layer by layer, and one neuron in full."""

from dataclasses import dataclass

import numpy as np

from deltarule.inspection.gradcheck.equation_checks import Check
from deltarule.inspection.gradcheck.numeric_gradient import Problem
from deltarule.nn.arrays import Array

NUDGE = 0.001  # small enough that what is predicted and what happens agree to three digits
MOST_TERMS = 5
RATES = (0.001, 0.01, 0.1, 1.0)


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
        first, others = np.split(largest(products), [MOST_TERMS])
        terms = (Term(int(n), left[n].item(), right[n].item(), products[n].item()) for n in first)
        return cls(tuple(terms), len(others), products[others].sum().item(), products.sum().item())


@dataclass(frozen=True)
class Effect:
    """By how much a nudge moves the neuron of this number, or the loss: as the derivative predicts, and in fact."""

    number: int
    predicted: float
    actual: float


@dataclass(frozen=True)
class TrialStep:
    """How much a step of gradient descent changes the loss: as -rate |gradient|^2 predicts, and in fact."""

    rate: float
    predicted: float
    actual: float


@dataclass(frozen=True, eq=False)
class LayerPass:
    """A layer's numbers for the example: z, a, sigma'(z) and delta, each (fan_out,); the norms of its gradients.

    slope: sigma'(z); None after a softmax, where it is a matrix.
    """

    layer: int
    fan_in: int
    fan_out: int
    activation: str
    z: Array
    a: Array
    slope: Array | None
    delta: Array
    weights_gradient_norm: float
    biases_gradient_norm: float


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
    next_layer: tuple[Effect, ...]
    loss: Effect
    delta: float
    numeric_delta: float
    gradient: Array
    numeric_gradient: Array
    gradient_error: float

    @property
    def name(self) -> str:
        """What a text calls it."""
        return f"neuron {self.neuron} of layer {self.layer}"


def largest(values: Array) -> Array:
    """The indices of all values, from the largest to the smallest, signs aside."""
    return np.argsort(-np.abs(values), kind="stable")


def layer_pass(problem: Problem, l: int) -> LayerPass:
    """What one layer makes of the example."""
    fan_in, fan_out = problem.network.weights[l].shape
    z, a, activation = problem.ws.z[l], problem.ws.a[l], problem.network.activations[l]
    slope = activation.derivative(z, a)
    return LayerPass(
        layer=l,
        fan_in=fan_in,
        fan_out=fan_out,
        activation=type(activation).__name__,
        z=z[0],
        a=a[0],
        slope=slope[0].astype(np.float64) if slope.ndim == 2 else None,
        delta=problem.delta[l][0],
        weights_gradient_norm=np.linalg.norm(problem.grads.weights[l]).item(),
        biases_gradient_norm=np.linalg.norm(problem.grads.biases[l]).item(),
    )


def neuron_pass(problem: Problem, l: int, neuron: int) -> NeuronPass:
    """What the example is to one neuron of layer l."""
    network, ws = problem.network, problem.ws
    inputs, z = ws.inputs[l][0], ws.z[l][:, neuron]
    slopes = network.activations[l].derivative(ws.z[l], ws.a[l])[0]
    is_last = l + 1 == len(network.weights)
    gradient, delta = problem.grads.weights[l][:, neuron], problem.delta[l][0, neuron].item()
    # A weight that moves by e moves z by e times what comes in through it.
    numeric = problem.slopes(l, np.full(len(inputs), neuron), lambda step: z + step * inputs[np.newaxis])[:, 0]
    return NeuronPass(
        layer=l,
        neuron=neuron,
        weighted=LongSum.of(inputs, network.weights[l][:, neuron]),
        bias=network.biases[l][neuron].item(),
        z=z.item(),
        a=ws.a[l][0, neuron].item(),
        slope=float(slopes[neuron]) if slopes.ndim == 1 else None,
        back=None if is_last else LongSum.of(network.weights[l + 1][neuron], problem.delta[l + 1][0]),
        nudge=NUDGE,
        next_layer=() if is_last else effects_on_next_layer(problem, l, neuron, slopes),
        loss=Effect(0, delta * NUDGE, effect_on_loss(problem, l, neuron)),
        delta=delta,
        numeric_delta=problem.numeric_delta(l, np.array([neuron])).item(),
        gradient=gradient,
        numeric_gradient=numeric,
        gradient_error=Check.of("", gradient, numeric).relative_error,
    )


def effects_on_next_layer(problem: Problem, l: int, neuron: int, slopes: Array) -> tuple[Effect, ...]:
    """What a nudge of a neuron in layer l does to the z of the layer behind it: those that it moves most.

    slopes: sigma'(z) of the layer, (fan_out,), or its Jacobian (fan_out, fan_out).
    """
    W, z = problem.network.weights[l + 1], problem.ws.z[l].copy()
    z[0, neuron] += NUDGE
    actual = (problem.network.activations[l].value(z) @ W + problem.network.biases[l + 1] - problem.ws.z[l + 1])[0]
    predicted = NUDGE * (slopes[neuron] * W[neuron] if slopes.ndim == 1 else slopes[:, neuron] @ W)
    return tuple(Effect(int(k), predicted[k].item(), actual[k].item()) for k in largest(predicted)[:MOST_TERMS])


def effect_on_loss(problem: Problem, l: int, neuron: int) -> float:
    """What a nudge of a neuron in layer l does to C."""
    z = np.repeat(problem.ws.z[l][np.newaxis], 2, axis=0)
    z[1, 0, neuron] += NUDGE
    before, after = problem.losses_from(l, z)[:, 0]
    return (after - before).item()


def steps_of(problem: Problem) -> tuple[TrialStep, ...]:
    """Steps of gradient descent, from short to long, on the example alone."""
    gradient = problem.grads.vector
    fall = (gradient @ gradient).item()
    return tuple(TrialStep(rate, -rate * fall, problem.loss_at(-rate * gradient) - problem.loss) for rate in RATES)
