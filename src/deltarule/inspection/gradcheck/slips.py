"""What the usual mistakes leave in the place of z, a, delta, dC/dW and dC/db: the hypotheses, as data.

Each is computed from what the program has at that line, right or wrong, as its own line would. Keys are those of
mistakes.toml; "" is no mistake. The first that fits is believed, so the likelier stands first.
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
BENT = (ReLU, LeakyReLU, ELU)


class Slip(NamedTuple):
    """An array as a mistake leaves it: `array`, or `array` + r `along` with any r, which is then told as `rate`."""

    key: str
    array: Array
    values: Mapping[str, Any] = {}
    along: Array | None = None


@dataclass(frozen=True, eq=False)
class Flow:
    """A forward pass, right or wrong, and the deltas that a backward pass has carried so far, by layer."""

    problem: Problem
    activations: tuple[Activation, ...]
    z: Sequence[Array]
    a: Sequence[Array]
    deltas: Mapping[int, Array] = field(default_factory=dict)
    stepped: Mapping[int, Array] = field(default_factory=dict)  # the program's own dC/dW, which an update would use

    @property
    def inputs(self) -> list[Array]:
        """What each layer reads, and behind it the outputs."""
        return [self.problem.ws.inputs[0], *self.a]

    @property
    def weights(self) -> Sequence[Array]:
        """The network's."""
        return self.problem.network.weights

    @property
    def targets(self) -> Array:
        """t, one-hot."""
        return self.problem.network.loss.targets(self.a[-1], self.problem.y)

    def others(self, l: int, arrays: Sequence[Array] | Mapping[int, Array]) -> Iterator[tuple[int, Array]]:
        """Arrays of other layers that have the shape of layer l's."""
        pairs = arrays.items() if isinstance(arrays, Mapping) else enumerate(arrays)
        yield from ((m, array) for m, array in pairs if m != l and array.shape == arrays[l].shape)

    def times_slope(self, l: int, error: Array) -> Array:
        """dC/dz of layer l by dC/da."""
        delta = np.array(error)
        self.activations[l].backward(delta, self.z[l], self.a[l])
        return delta

    def error(self, l: int) -> Array:
        """dC/da of layer l by the delta of the layer behind it; for the outputs, by the loss."""
        if l + 1 < len(self.weights):
            return self.deltas[l + 1] @ self.weights[l + 1].T
        return loss_error(self, self.problem.network.loss)


def loss_error(flow: Flow, loss: Loss, targets: Array | None = None) -> Array:
    """dC/da of the outputs."""
    return loss.gradient(flow.a[-1], flow.problem.y if targets is None else targets, flow.problem.shares)


def delta_of_loss(flow: Flow, loss: Loss, targets: Array | None = None) -> Array:
    """delta of the outputs."""
    if isinstance(flow.activations[-1], loss.shortcut_for):
        return loss.shortcut(flow.a[-1], flow.problem.y if targets is None else targets, flow.problem.shares)
    return flow.times_slope(len(flow.z) - 1, loss_error(flow, loss, targets))


def losses_for(flow: Flow) -> list[Loss]:
    """The network's loss, and the named ones that can be taken of its outputs."""
    a, own = flow.a[-1], flow.problem.network.loss
    fitting = [Quadratic(), *([CrossEntropy()] if (a > 0.0).all() else [])]
    fitting += [BinaryCrossEntropy()] if ((a > 0.0) & (a < 1.0)).all() else []
    return [own, *(each for each in fitting if each != own)]


# The forward pass


def wrong_z(flow: Flow, l: int) -> Iterator[Slip]:
    """z of layer l, where z and a in front of it are as they are in `flow`."""
    W, b, x = flow.weights[l], flow.problem.network.biases[l], flow.inputs[l]
    yield Slip("no-bias", x @ W)
    yield Slip("bias-subtracted", x @ W - b)
    if l > 0:
        yield Slip("forward-skips-activation", flow.z[l - 1] @ W + b)
    if W.shape[0] == W.shape[1]:
        yield Slip("forward-not-transposed", x @ W.T + b)
    for m, inputs in enumerate(flow.inputs[:l]):
        if inputs.shape == x.shape:
            yield Slip("forward-of-another-layer", inputs @ W + b, {"other": f"a[{m - 1}]" if m else "X"})
    for m, other in flow.others(l, flow.weights):
        yield Slip("forward-weights-of-layer", x @ other + b, {"other": m})


def wrong_a(flow: Flow, l: int) -> Iterator[Slip]:
    """a of layer l, by its z in `flow`. `activation` among the values is what takes the place of the layer's own."""
    z, own = flow.z[l], flow.problem.network.activations[l]
    yield Slip("no-activation", z, {"activation": Identity()})
    if isinstance(own, Sigmoid):
        yield Slip("sigmoid-minus", 1.0 - own.value(z))
    if isinstance(own, Softmax):
        e = np.exp(z)
        yield Slip("softmax-axis", e / e.sum(axis=0))
        yield Slip("softmax-of-all", e / e.sum())
    else:
        yield Slip("activation-twice", own.value(own.value(z)))
    for other in OTHERS:
        if type(other) is not type(own) or isinstance(own, LeakyReLU):
            yield Slip("another-activation", other.value(z), {"activation": other})


# BP1 and BP2


def wrong_slopes(flow: Flow, l: int, error: Array) -> Iterator[Slip]:
    """delta of layer l where sigma' is mistaken, by the error dC/da."""
    own, z, a = flow.activations[l], flow.z[l], flow.a[l]
    whole = flow.times_slope(l, error)
    yield Slip("no-slope", error)
    if isinstance(own, Softmax):
        yield Slip("softmax-diagonal", error * a * (1.0 - a))
        yield Slip("slope-twice", whole * a * (1.0 - a))
    else:
        yield Slip("slope-of-a", error * own.derivative(a, own.value(a)))
    yield Slip("slope-twice", flow.times_slope(l, whole))
    if type(own) in FROM_A:
        yield Slip("slope-fed-z", error * FROM_A[type(own)](own, z))
    if isinstance(own, BENT):
        below = np.exp(np.minimum(z, 0.0)) if isinstance(own, ELU) else 1.0
        yield Slip("slope-below-zero", error * (z > 0.0), {"what": "slope"}, error * (z <= 0.0) * below)
    yield Slip("mask-of-error", np.maximum(error, 0.0))
    yield Slip("mask-inverted", error * (z <= 0.0))
    for half, factor in (("a", a), ("1 - a", 1.0 - a), ("a^2", a * a), ("1 + a", 1.0 + a), ("z", z)):
        yield Slip("slope-half", error * factor, {"half": half})
    for other in OTHERS[:-1]:
        slope = other.derivative(z, other.value(z))
        if type(other) is not type(own):
            yield Slip("slope-of-another", error * slope, {"activation": type(other).__name__})
            if type(other) in FROM_A:
                by_a = error * FROM_A[type(other)](other, a)
                yield Slip("slope-of-another", by_a, {"activation": f"{type(other).__name__}, by a"})
    for m, z_m in flow.others(l, flow.z):
        values = {"used": "sigma'(z)", "other": m, "meant": l}
        if not isinstance(own, Softmax):
            yield Slip("of-another-layer", error * own.derivative(z_m, own.value(z_m)), values)


def right_deltas(flow: Flow, l: int) -> Iterator[Slip]:
    """delta of layer l without a mistake; by the network's own sigma', too, where a is not its sigma of z."""
    own, z, a, error = flow.problem.network.activations[l], flow.z[l], flow.a[l], flow.error(l)
    is_output = l + 1 == len(flow.weights)
    yield Slip("", delta_of_loss(flow, flow.problem.network.loss) if is_output else flow.times_slope(l, error))
    if not np.allclose(a, own.value(z)):
        if is_output and flow.problem.network.has_shortcut:
            yield Slip("", loss_error(flow, Quadratic(), flow.targets))
        if not isinstance(own, Softmax):
            yield Slip("", error * own.derivative(z, own.value(z)))
            if type(own) in FROM_A:
                yield Slip("", error * FROM_A[type(own)](own, a))


def wrong_deltas(flow: Flow, l: int) -> Iterator[Slip]:
    """delta of layer l with one mistake."""
    yield from output_deltas(flow) if l + 1 == len(flow.weights) else hidden_deltas(flow, l)


def output_deltas(flow: Flow) -> Iterator[Slip]:
    """delta of the outputs, mistaken."""
    own, l, t = flow.problem.network.loss, len(flow.z) - 1, flow.targets
    right, difference = delta_of_loss(flow, own), loss_error(flow, Quadratic(), t)
    if isinstance(flow.activations[l], own.shortcut_for):
        yield Slip("shortcut-slope", flow.times_slope(l, right))
        yield Slip("shortcut-slope", right * FROM_A[type(flow.activations[l])](None, flow.a[l]))
    for loss in losses_for(flow)[1:]:
        key = "delta-a-minus-t" if isinstance(flow.activations[-1], loss.shortcut_for) else "loss-of-gradient"
        yield Slip(key, delta_of_loss(flow, loss), {"fits": words(loss), "loss": words(own), "kind": loss})
    for error in (flow.error(l), difference):
        yield from wrong_slopes(flow, l, error)
    for key, targets, values in wrong_targets(flow.problem.y, t):
        yield Slip(key, delta_of_loss(flow, own, targets), values)
        yield Slip(key, loss_error(flow, Quadratic(), targets), values)
    shares = flow.problem.shares[:, np.newaxis]
    for key, error in (
        ("error-squared", difference**2 / shares),
        ("error-absolute", np.abs(difference)),
        ("error-sign-only", shares * np.sign(difference)),
    ):
        yield Slip(key, flow.times_slope(l, error))
        yield Slip(key, error)


def wrong_targets(y: Array, t: Array) -> Iterator[tuple[str, Array, dict[str, Any]]]:
    """Targets as they are mistaken, with the key and what it is told."""
    for step in (1, -1) if t.shape[1] > 1 else ():
        yield "targets-shifted", np.roll(t, step, axis=1), {}
    if y.ndim == 1:
        yield "targets-not-one-hot", np.broadcast_to(y[:, np.newaxis], t.shape).astype(t.dtype), {}
    yield "targets-forgotten", np.zeros_like(t), {}
    yield "targets-inverted", 1.0 - t, {}
    for other in (t[::-1], np.roll(t, 1, axis=0), np.roll(t, -1, axis=0)):
        yield "targets-of-other-samples", other, {}


def hidden_deltas(flow: Flow, l: int) -> Iterator[Slip]:
    """delta of hidden layer l, by those behind it, mistaken."""
    yield from wrong_slopes(flow, l, flow.error(l))
    for slip in wrong_errors(flow, l):
        along = None if slip.along is None else flow.times_slope(l, slip.along)
        yield slip._replace(array=flow.times_slope(l, slip.array), along=along)


def wrong_errors(flow: Flow, l: int) -> Iterator[Slip]:
    """dC/da of hidden layer l where it is carried back by mistake."""
    W, behind = flow.weights[l + 1], flow.deltas[l + 1]
    if W.shape[0] == W.shape[1]:
        yield Slip("not-transposed", behind @ W)
        yield Slip("no-weights", behind)
    before = [flow.error(l + 1)]
    if l + 2 == len(flow.weights):
        before.append(loss_error(flow, Quadratic(), flow.targets))
    for error in before:
        yield Slip("error-before-slope", error @ W.T)
    if l + 1 in flow.stepped:
        yield Slip("updated-weights", behind @ W.T, {}, -behind @ flow.stepped[l + 1].T)
    for m, other in flow.others(l + 1, flow.weights):
        yield Slip("weights-of-layer", behind @ other.T, {"other": m})
    for m, other in flow.others(l + 1, flow.deltas):
        yield Slip("delta-of-layer", other @ W.T, {"other": m})


def twice_wrong_deltas(flow: Flow, l: int) -> Iterator[Slip]:
    """delta where two slips meet in one line: the keys stand side by side, with a blank between them."""
    errors = wrong_errors(flow, l) if l + 1 < len(flow.weights) else wrong_output_errors(flow)
    for error in errors:
        for slope in wrong_slopes(flow, l, error.array):
            if error.along is None and slope.along is None:
                yield Slip(f"{error.key} {slope.key}", slope.array, {**error.values, **slope.values})


def wrong_output_errors(flow: Flow) -> Iterator[Slip]:
    """dC/da of the outputs where the targets are mistaken."""
    for key, targets, values in wrong_targets(flow.problem.y, flow.targets):
        yield Slip(key, loss_error(flow, Quadratic(), targets), values)


# BP3 and BP4


def wrong_weights(flow: Flow, l: int, penalty: Array) -> Iterator[Slip]:
    """dC/dW of layer l by its inputs and its delta, without the penalty's part."""
    x, delta = flow.inputs[l], flow.deltas[l]
    right = x.T @ delta
    yield Slip("never-filled", np.zeros_like(right))
    if penalty.any():
        yield Slip("no-penalty", right - penalty)
        yield Slip("penalty-factor", right - penalty, {}, penalty)
    if x.shape[1] == delta.shape[1]:
        yield Slip("weights-transposed", right.T)
    for m, inputs in enumerate(flow.inputs):
        if m != l and inputs.shape == x.shape:
            values = {"used": "a" if m else "X, the input", "other": m - 1, "meant": l - 1}
            yield Slip("of-another-layer", inputs.T @ delta, values)
    if l > 0:
        yield Slip("z-for-a", flow.z[l - 1].T @ delta)
    for m, other in flow.others(l, flow.deltas):
        yield Slip("of-another-layer", x.T @ other, {"used": "delta", "other": m, "meant": l})
    for error in errors_for_delta(flow, l):
        yield Slip("error-for-delta", x.T @ error)
    yield Slip("sum-before-product", np.outer(x.sum(axis=0), delta.sum(axis=0)))
    for which, i in (("last", -1), ("first", 0)):
        yield Slip("one-sample", np.outer(x[i], delta[i]), {"which": which})


def wrong_biases(flow: Flow, l: int, dW: Array | None) -> Iterator[Slip]:
    """dC/db of layer l by its delta."""
    delta, b = flow.deltas[l], flow.problem.network.biases[l]
    right = delta.sum(axis=0)
    is_zero = abs(right.sum()) <= 1e-12 * np.abs(right).sum()  # as behind a softmax
    yield Slip("bias-all-axes-zero" if is_zero else "bias-forgotten", np.zeros_like(right))
    yield Slip("bias-all-axes", np.full_like(right, right.sum()))
    if len(delta) == len(right):
        yield Slip("bias-wrong-axis", delta.sum(axis=1))
    for step in (1, -1):
        yield Slip("bias-shifted", np.roll(right, step))
    for error in errors_for_delta(flow, l):
        yield Slip("error-for-delta", error.sum(axis=0))
    for m, other in flow.others(l, flow.deltas):
        yield Slip("of-another-layer", other.sum(axis=0), {"used": "delta", "other": m, "meant": l})
    if dW is not None:
        yield Slip("bias-from-weights", dW.sum(axis=0))
    yield Slip("bias-penalty", right, {}, b)
    for which, i in (("last", -1), ("first", 0)):
        yield Slip("one-sample", delta[i], {"which": which})


def errors_for_delta(flow: Flow, l: int) -> list[Array]:
    """dC/da of layer l, in the forms that programs have it."""
    last = l + 1 == len(flow.weights)
    return [flow.error(l), *([loss_error(flow, Quadratic(), flow.targets)] if last else [])]


def words(loss: Loss) -> str:
    """A loss as a sentence calls it."""
    names = {Quadratic: "squared error", CrossEntropy: "cross-entropy", BinaryCrossEntropy: "binary cross-entropy"}
    return names.get(type(loss), type(loss).__name__)
