"""What the usual mistakes leave in the place of z, a, delta, dC/dW and dC/db: the hypotheses, as data.

Each is computed from what the program has at that line, right or wrong, as its own line would. Keys are those of
mistakes.toml, or "" for what is right. The first that fits is believed, so the likelier stands first.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from deltarule.inspection.gradcheck.numeric_gradient import Problem
from deltarule.nn.activations import ELU, Activation, Identity, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
from deltarule.nn.arrays import Array
from deltarule.nn.losses import BinaryCrossEntropy, CrossEntropy, Loss, Quadratic

OTHERS = (Sigmoid(), Tanh(), ReLU(), LeakyReLU(), LeakyReLU(0.1), LeakyReLU(0.2), ELU(), SiLU(), Softmax())
FROM_A: dict[type, Callable[[Any, Array], Array]] = {  # sigma' by a = sigma(z)
    Sigmoid: lambda own, a: a * (1.0 - a),
    Tanh: lambda own, a: 1.0 - a * a,
    ReLU: lambda own, a: a > 0.0,
    LeakyReLU: lambda own, a: np.where(a > 0.0, 1.0, own.slope),
    ELU: lambda own, a: np.where(a > 0.0, 1.0, a + own.alpha),
    Softmax: lambda own, a: a * (1.0 - a),
}
PARTS_OF_A: dict[str, Callable[[Array], Array]] = {
    "a": lambda a: a,
    "1 - a": lambda a: 1.0 - a,
    "a^2": lambda a: a * a,
    "1 + a": lambda a: 1.0 + a,
}
SQUARES = Quadratic()


class Slip(NamedTuple):
    """An array as a mistake leaves it: `array`, or `array` + rate * `along` with any rate."""

    key: str
    array: Array
    values: Mapping[str, Any] = {}
    along: Array | None = None


@dataclass(frozen=True, eq=False)
class Flow:
    """A forward pass, right or wrong, and what a backward pass has made so far, by layer.

    stepped: the program's own dC/dW, by which it may have moved the weights already.
    """

    problem: Problem
    activations: tuple[Activation, ...]
    z: Sequence[Array]
    a: Sequence[Array]
    deltas: Mapping[int, Array] = field(default_factory=dict)
    stepped: Mapping[int, Array] = field(default_factory=dict)

    @property
    def inputs(self) -> list[Array]:
        """What each layer reads, and behind it the outputs."""
        return [self.problem.ws.inputs[0], *self.a]

    @property
    def weights(self) -> Sequence[Array]:
        """The network's."""
        return self.problem.network.weights

    def is_last(self, l: int) -> bool:
        """Whether layer l makes the outputs."""
        return l + 1 == len(self.weights)

    def targets(self) -> Array:
        """What the outputs should be, one-hot for classes."""
        return self.problem.network.loss.targets(self.a[-1], self.problem.y)

    def others(self, l: int, arrays: Sequence[Array] | Mapping[int, Array]) -> Iterator[tuple[int, Array]]:
        """Arrays of other layers that have the shape of layer l's."""
        pairs = arrays.items() if isinstance(arrays, Mapping) else enumerate(arrays)
        yield from ((k, array) for k, array in pairs if k != l and array.shape == arrays[l].shape)

    def times_slope(self, l: int, error: Array) -> Array:
        """dC/dz of layer l by dC/da."""
        delta = np.array(error)
        self.activations[l].backward(delta, self.z[l], self.a[l])
        return delta

    def error(self, loss: Loss, targets: Array | None = None) -> Array:
        """dC/da of the outputs."""
        return loss.gradient(self.a[-1], self.problem.y if targets is None else targets, self.problem.shares)

    def errors(self, l: int) -> list[Array]:
        """dC/da of layer l: the right one first, and a - t, which stands for it in many a last layer."""
        if self.is_last(l):
            return [self.error(self.problem.network.loss), self.error(SQUARES, self.targets())]
        return [self.deltas[l + 1] @ self.weights[l + 1].T]

    def output_delta(self, loss: Loss, targets: Array | None = None) -> Array:
        """dC/dz of the outputs."""
        if isinstance(self.activations[-1], loss.shortcut_for):
            return self.error(SQUARES, self.targets() if targets is None else targets)
        return self.times_slope(len(self.z) - 1, self.error(loss, targets))


def losses_for(flow: Flow) -> list[Loss]:
    """The network's loss, and the named ones that can be taken of its outputs."""
    a, own = flow.a[-1], flow.problem.network.loss
    fitting = [SQUARES, *([CrossEntropy()] if (a > 0.0).all() else [])]
    fitting += [BinaryCrossEntropy()] if ((a > 0.0) & (a < 1.0)).all() else []
    return [own, *(each for each in fitting if each != own)]


# The forward pass


def wrong_z(flow: Flow, l: int) -> Iterator[Slip]:
    """z of layer l, where z and a in front of it are as they are in `flow`."""
    W, b, inputs = flow.weights[l], flow.problem.network.biases[l], flow.inputs[l]
    yield Slip("no-bias", inputs @ W)
    yield Slip("bias-subtracted", inputs @ W - b)
    if l > 0:
        yield Slip("forward-skips-activation", flow.z[l - 1] @ W + b)
    if W.shape[0] == W.shape[1]:
        yield Slip("forward-not-transposed", inputs @ W.T + b)
    for k, other in enumerate(flow.inputs[:l]):
        if other.shape == inputs.shape:
            yield Slip("forward-of-another-layer", other @ W + b, {"other": f"a[{k - 1}]" if k else "X"})
    for k, other in flow.others(l, flow.weights):
        yield Slip("forward-weights-of-layer", inputs @ other + b, {"other": k})


def wrong_a(flow: Flow, l: int) -> Iterator[Slip]:
    """a of layer l, by its z in `flow`. `activation` among the values is what takes the place of the layer's own."""
    z, own = flow.z[l], flow.problem.network.activations[l]
    yield Slip("no-activation", z, {"activation": Identity()})
    if isinstance(own, Sigmoid):
        yield Slip("sigmoid-minus", 1.0 - own.value(z))
    if isinstance(own, Softmax):
        yield Slip("softmax-axis", np.exp(z) / np.exp(z).sum(axis=0))
        yield Slip("softmax-of-all", np.exp(z) / np.exp(z).sum())
    else:
        yield Slip("activation-twice", own.value(own.value(z)))
    for other in OTHERS:
        if type(other) is not type(own) or isinstance(own, LeakyReLU):
            yield Slip("another-activation", other.value(z), {"activation": other})


# BP1 and BP2


def right_deltas(flow: Flow, l: int) -> Iterator[Slip]:
    """delta of layer l without a mistake; by the network's own sigma', too, where a is not its sigma of z."""
    own, z, a, errors = flow.problem.network.activations[l], flow.z[l], flow.a[l], flow.errors(l)
    is_last = flow.is_last(l)
    yield Slip("", flow.output_delta(flow.problem.network.loss) if is_last else flow.times_slope(l, errors[0]))
    if np.allclose(a, own.value(z)):
        return
    if is_last and flow.problem.network.has_shortcut:
        yield Slip("", errors[1])
    if not isinstance(own, Softmax):
        yield Slip("", errors[0] * own.derivative(z, own.value(z)))
        yield from (Slip("", errors[0] * FROM_A[kind](own, a)) for kind in FROM_A if type(own) is kind)


def wrong_deltas(flow: Flow, l: int) -> Iterator[Slip]:
    """delta of layer l with one mistake."""
    if flow.is_last(l):
        yield from wrong_output_deltas(flow, l)
        return
    yield from wrong_slopes(flow, l, flow.errors(l)[0])
    for slip in wrong_errors(flow, l):
        along = None if slip.along is None else flow.times_slope(l, slip.along)
        yield slip._replace(array=flow.times_slope(l, slip.array), along=along)


def twice_wrong_deltas(flow: Flow, l: int) -> Iterator[Slip]:
    """delta where two slips meet in one line: their keys stand side by side, with a blank between them."""
    targets = wrong_targets(flow.problem.y, flow.targets()) if flow.is_last(l) else ()
    errors = (slip._replace(array=flow.error(SQUARES, slip.array)) for slip in targets)
    for error in errors if flow.is_last(l) else wrong_errors(flow, l):
        for slope in wrong_slopes(flow, l, error.array):
            if error.along is None and slope.along is None:
                yield Slip(f"{error.key} {slope.key}", slope.array, {**error.values, **slope.values})


def wrong_slopes(flow: Flow, l: int, error: Array) -> Iterator[Slip]:
    """delta of layer l where sigma' is mistaken, by the error dC/da."""
    own, z, a, whole = flow.activations[l], flow.z[l], flow.a[l], flow.times_slope(l, error)
    yield Slip("no-slope", error)
    if isinstance(own, Softmax):
        yield Slip("softmax-diagonal", error * a * (1.0 - a))
        yield Slip("slope-twice", whole * a * (1.0 - a))
    else:
        yield Slip("slope-of-a", error * own.derivative(a, own.value(a)))
    yield Slip("slope-twice", flow.times_slope(l, whole))
    if type(own) in FROM_A:
        yield Slip("slope-fed-z", error * FROM_A[type(own)](own, z))
    if isinstance(own, ReLU | LeakyReLU | ELU):
        below = np.exp(np.minimum(z, 0.0)) if isinstance(own, ELU) else 1.0
        yield Slip("slope-below-zero", error * (z > 0.0), {}, error * (z <= 0.0) * below)
    yield Slip("mask-of-error", np.maximum(error, 0.0))
    yield Slip("mask-inverted", error * (z <= 0.0))
    for half, part in PARTS_OF_A.items():
        yield Slip("slope-half", error * part(a), {"half": half})
    yield from wrong_derivatives(flow, l, error)


def wrong_derivatives(flow: Flow, l: int, error: Array) -> Iterator[Slip]:
    """delta of layer l where sigma' is another activation's, or taken in another layer."""
    own, z, a = flow.activations[l], flow.z[l], flow.a[l]
    for other in OTHERS[:-1]:
        if type(other) is not type(own):
            name = type(other).__name__
            yield Slip("slope-of-another", error * other.derivative(z, other.value(z)), {"activation": name})
            if type(other) in FROM_A:
                by_a = error * FROM_A[type(other)](other, a)
                yield Slip("slope-of-another", by_a, {"activation": f"{name}, by a"})
    for k, there in flow.others(l, flow.z) if not isinstance(own, Softmax) else ():
        values = {"used": "sigma'(z)", "other": k, "meant": l}
        yield Slip("of-another-layer", error * own.derivative(there, own.value(there)), values)


def wrong_output_deltas(flow: Flow, l: int) -> Iterator[Slip]:
    """delta of the outputs with one mistake."""
    own, difference, shares = flow.problem.network.loss, flow.errors(l)[1], flow.problem.shares[:, np.newaxis]
    right = flow.output_delta(own)
    if isinstance(flow.activations[l], own.shortcut_for):
        yield Slip("shortcut-slope", flow.times_slope(l, right))
        yield Slip("shortcut-slope", right * FROM_A[type(flow.activations[l])](None, flow.a[l]))
    for loss in losses_for(flow)[1:]:
        key = "delta-a-minus-t" if isinstance(flow.activations[-1], loss.shortcut_for) else "loss-of-gradient"
        yield Slip(key, flow.output_delta(loss), {"fits": loss, "kind": loss})
    for error in flow.errors(l):
        yield from wrong_slopes(flow, l, error)
    for slip in wrong_targets(flow.problem.y, flow.targets()):
        yield slip._replace(array=flow.output_delta(own, slip.array))
        yield slip._replace(array=flow.error(SQUARES, slip.array))
    squared, absolute, sign = difference**2 / shares, np.abs(difference), shares * np.sign(difference)
    for key, error in (("error-squared", squared), ("error-absolute", absolute), ("error-sign-only", sign)):
        yield from (Slip(key, each) for each in (flow.times_slope(l, error), error))


def wrong_targets(y: Array, targets: Array) -> Iterator[Slip]:
    """Targets as they are mistaken."""
    if targets.shape[1] > 1:
        yield from (Slip("targets-shifted", np.roll(targets, step, axis=1)) for step in (1, -1))
    if y.ndim == 1:
        yield Slip("targets-not-one-hot", np.broadcast_to(y[:, np.newaxis], targets.shape).astype(targets.dtype))
    yield Slip("targets-forgotten", np.zeros_like(targets))
    yield Slip("targets-inverted", 1.0 - targets)
    for other in (targets[::-1], np.roll(targets, 1, axis=0), np.roll(targets, -1, axis=0)):
        yield Slip("targets-of-other-samples", other)


def wrong_errors(flow: Flow, l: int) -> Iterator[Slip]:
    """dC/da of hidden layer l where it is carried back by mistake."""
    W, behind = flow.weights[l + 1], flow.deltas[l + 1]
    if W.shape[0] == W.shape[1]:
        yield Slip("not-transposed", behind @ W)
        yield Slip("no-weights", behind)
    for error in flow.errors(l + 1):
        yield Slip("error-before-slope", error @ W.T)
    if l + 1 in flow.stepped:
        yield Slip("updated-weights", behind @ W.T, {}, -behind @ flow.stepped[l + 1].T)
    for k, other in flow.others(l + 1, flow.weights):
        yield Slip("weights-of-layer", behind @ other.T, {"other": k})
    for k, other in flow.others(l + 1, flow.deltas):
        yield Slip("delta-of-layer", other @ W.T, {"other": k})


# BP3 and BP4


def wrong_weights(flow: Flow, l: int, penalty: Array) -> Iterator[Slip]:
    """dC/dW of layer l by its inputs and its delta, without the penalty's part."""
    inputs, delta = flow.inputs[l], flow.deltas[l]
    right = inputs.T @ delta
    yield Slip("never-filled", np.zeros_like(right))
    if penalty.any():
        yield Slip("no-penalty", right - penalty)
        yield Slip("penalty-factor", right - penalty, {}, penalty)
    if len(right) == right.shape[1]:
        yield Slip("weights-transposed", right.T)
    for k, other in flow.others(l, flow.inputs):
        values = {"used": "a" if k else "X, the input", "other": k - 1, "meant": l - 1}
        yield Slip("of-another-layer", other.T @ delta, values)
    if l > 0:
        yield Slip("z-for-a", flow.z[l - 1].T @ delta)
    for k, other in flow.others(l, flow.deltas):
        yield Slip("of-another-layer", inputs.T @ other, {"used": "delta", "other": k, "meant": l})
    yield from (Slip("error-for-delta", inputs.T @ error) for error in flow.errors(l))
    yield Slip("sum-before-product", np.outer(inputs.sum(axis=0), delta.sum(axis=0)))
    for which, i in (("last", -1), ("first", 0)):
        yield Slip("one-sample", np.outer(inputs[i], delta[i]), {"which": which})


def wrong_biases(flow: Flow, l: int, dW: Array | None) -> Iterator[Slip]:
    """dC/db of layer l by its delta."""
    delta, b = flow.deltas[l], flow.problem.network.biases[l]
    right = delta.sum(axis=0)
    is_zero = abs(right.sum()) <= 1e-12 * np.abs(right).sum()  # as behind a softmax
    yield Slip("bias-all-axes-zero" if is_zero else "bias-forgotten", np.zeros_like(right))
    yield Slip("bias-all-axes", np.full_like(right, right.sum()))
    if len(delta) == len(right):
        yield Slip("bias-wrong-axis", delta.sum(axis=1))
    yield from (Slip("bias-shifted", np.roll(right, step)) for step in (1, -1))
    yield from (Slip("error-for-delta", error.sum(axis=0)) for error in flow.errors(l))
    for k, other in flow.others(l, flow.deltas):
        yield Slip("of-another-layer", other.sum(axis=0), {"used": "delta", "other": k, "meant": l})
    if dW is not None:
        yield Slip("bias-from-weights", dW.sum(axis=0))
    yield Slip("bias-penalty", right, {}, b)
    yield from (Slip("one-sample", delta[i], {"which": which}) for which, i in (("last", -1), ("first", 0)))
