"""The values that z, a, delta, dC/dW and dC/db have after the usual mistakes, and which mistake explains an array.

Each value is computed from the arrays that the program had before it, right or wrong. A Slip's key is a row of
mistakes.toml. The right value comes first, with the key ""; then the likelier mistakes, since the first that fits wins.
A value with another shape than the program's array is skipped.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from deltarule.inspection.gradcheck.catalog import TEXTS
from deltarule.inspection.gradcheck.numeric_gradient import ALIKE, Problem, relative_error
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
NAMED, ANY_FACTOR, UNKNOWN = 1.0, 1.6, 2.5  # costs of an explanation
ZERO = ("never-filled", "bias-forgotten", "bias-all-axes-zero")  # slips that leave exact zeros
Named = tuple[str, Mapping[str, Any]]  # the key of a slip, and the values for its sentence
Fitting = tuple[float, Mapping[str, Any]]  # the factor with which a slip explains an array, and the slip's values


class Slip(NamedTuple):
    """What an array is after the mistake `key` ("" for none): `array`, or `array` + rate * `along` with any rate."""

    key: str
    array: Array
    values: Mapping[str, Any] = {}
    along: Array | None = None


@dataclass(frozen=True, eq=False)
class Flow:
    """A forward pass, right or wrong, and the backward pass so far, by layer.

    stepped: the program's own dC/dW by layer, with which it may already have updated the weights.
    """

    problem: Problem
    activations: tuple[Activation, ...]
    z: Sequence[Array]
    a: Sequence[Array]
    deltas: Mapping[int, Array] = field(default_factory=dict)
    stepped: Mapping[int, Array] = field(default_factory=dict)

    @cached_property
    def inputs(self) -> list[Array]:
        """The inputs of each layer and, as the last entry, the outputs of the network."""
        return [self.problem.ws.inputs[0], *self.a]

    @cached_property
    def targets(self) -> Array:
        """The targets of the outputs, one-hot for classes."""
        return self.problem.network.loss.targets(self.a[-1], self.problem.y)

    @property
    def weights(self) -> Sequence[Array]:
        """The weights of the network."""
        return self.problem.network.weights

    def is_last(self, l: int) -> bool:
        """Whether layer l is the output layer."""
        return l + 1 == len(self.weights)

    def image(self, name: str, l: int, slip: Slip) -> Slip:
        """The slip in delta of layer l, as it shows in `name`: in "dW" by BP4, in "db" by BP3, or in "delta" itself."""

        def of(delta: Array) -> Array:
            return delta if name == "delta" else self.inputs[l].T @ delta if name == "dW" else delta.sum(axis=0)

        return slip._replace(array=of(slip.array), along=None if slip.along is None else of(slip.along))

    def others(self, l: int, arrays: Sequence[Array] | Mapping[int, Array]) -> Iterator[tuple[int, Array]]:
        """Yield the number and the array of each other layer whose array has the shape of layer l's."""
        pairs = arrays.items() if isinstance(arrays, Mapping) else enumerate(arrays)
        yield from ((k, array) for k, array in pairs if k != l and array.shape == arrays[l].shape)

    def times_slope(self, l: int, error: Array) -> Array:
        """dC/dz of layer l, computed from `error`, its dC/da."""
        delta = np.array(error)
        self.activations[l].backward(delta, self.z[l], self.a[l])
        return delta

    def error(self, loss: Loss, targets: Array | None = None) -> Array:
        """dC/da of the outputs."""
        return loss.gradient(self.a[-1], self.problem.y if targets is None else targets, self.problem.shares)

    def errors(self, l: int) -> list[Array]:
        """What may be dC/da of layer l: the right one; and for the last layer also a - t, which many programs use."""
        if self.is_last(l):
            return [self.error(self.problem.network.loss), self.error(SQUARES, self.targets)]
        return [self.deltas[l + 1] @ self.weights[l + 1].T]

    def output_delta(self, loss: Loss, targets: Array | None = None) -> Array:
        """dC/dz of the outputs."""
        if isinstance(self.activations[-1], loss.shortcut_for):
            return self.error(SQUARES, self.targets if targets is None else targets)
        return self.times_slope(len(self.z) - 1, self.error(loss, targets))


def losses_for(flow: Flow) -> list[Loss]:
    """The network's loss, and the other known losses that are defined for its outputs."""
    a, own = flow.a[-1], flow.problem.network.loss
    fitting = [SQUARES, *([CrossEntropy()] if (a > 0.0).all() else [])]
    fitting += [BinaryCrossEntropy()] if ((a > 0.0) & (a < 1.0)).all() else []
    return [own, *(each for each in fitting if each != own)]


def sums(flow: Flow, l: int) -> Iterator[Slip]:
    """Yield z of layer l: the right one, then one for each mistake."""
    W, b, inputs = flow.weights[l], flow.problem.network.biases[l], flow.inputs[l]
    yield Slip("", inputs @ W + b)
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


def activations(flow: Flow, l: int) -> Iterator[Slip]:
    """Yield a Slip for a of layer l, right and after each mistake; `activation` in its values replaces the layer's."""
    z, own = flow.z[l], flow.problem.network.activations[l]
    yield Slip("", own.value(z))
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


def right_deltas(flow: Flow, l: int) -> Iterator[Slip]:
    """Yield the right delta of layer l; if the program uses another activation, also with sigma' of the right one."""
    z, a, own, error = flow.z[l], flow.a[l], flow.problem.network.activations[l], flow.errors(l)[0]
    yield Slip("", flow.output_delta(flow.problem.network.loss) if flow.is_last(l) else flow.times_slope(l, error))
    if not isinstance(own, Softmax) and not np.allclose(a, own.value(z)):
        yield Slip("", error * own.derivative(z, own.value(z)))
        yield from (Slip("", error * FROM_A[kind](own, a)) for kind in FROM_A if type(own) is kind)


def wrong_deltas(flow: Flow, l: int) -> Iterator[Slip]:
    """Yield delta of layer l after each mistake in sigma', or in the error dC/da."""
    if flow.is_last(l):
        yield from wrong_output_deltas(flow, l)
    for error in flow.errors(l):
        yield from wrong_slopes(flow, l, error)
    if flow.is_last(l):
        own = flow.problem.network.loss
        yield from (Slip(key, flow.output_delta(own, targets)) for key, targets in wrong_targets(flow))
    else:
        for slip in wrong_errors(flow, l):
            along = None if slip.along is None else flow.times_slope(l, slip.along)
            yield slip._replace(array=flow.times_slope(l, slip.array), along=along)


def wrong_errors(flow: Flow, l: int) -> Iterator[Slip]:
    """Yield dC/da of the hidden layer l after each mistake in it."""
    W, behind = flow.weights[l + 1], flow.deltas[l + 1]
    if W.shape[0] == W.shape[1]:
        yield Slip("not-transposed", behind @ W)
        yield Slip("no-weights", behind)
    yield from (Slip("error-before-slope", error @ W.T) for error in flow.errors(l + 1))
    if l + 1 in flow.stepped:
        yield Slip("updated-weights", behind @ W.T, {}, -behind @ flow.stepped[l + 1].T)
    yield from (Slip("weights-of-layer", behind @ each.T, {"other": k}) for k, each in flow.others(l + 1, flow.weights))
    yield from (Slip("delta-of-layer", each @ W.T, {"other": k}) for k, each in flow.others(l + 1, flow.deltas))


def wrong_slopes(flow: Flow, l: int, error: Array) -> Iterator[Slip]:
    """Yield delta of layer l, computed from dC/da, after each mistake in sigma'."""
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
    yield from (Slip("slope-half", error * part(a), {"half": half}) for half, part in PARTS_OF_A.items())
    for name, slope in other_slopes(own, z, a):
        yield Slip("slope-of-another", error * slope, {"activation": name})
    for k, there in flow.others(l, flow.z) if not isinstance(own, Softmax) else ():
        values = {"used": "sigma'(z)", "other": k, "meant": l}
        yield Slip("of-another-layer", error * own.derivative(there, own.value(there)), values)


def other_slopes(own: Activation, z: Array, a: Array) -> Iterator[tuple[str, Array]]:
    """Yield the name and sigma' of every other element-wise activation: computed from z and, if possible, from a."""
    for other in (each for each in OTHERS[:-1] if type(each) is not type(own)):
        name = type(other).__name__
        yield name, other.derivative(z, other.value(z))
        if type(other) in FROM_A:
            yield f"{name}, by a", FROM_A[type(other)](other, a)


def known_slopes(own: Activation, z: Array, a: Array) -> Iterator[tuple[str, Array]]:
    """Yield what programs use as sigma', right or wrong: the formula's name in sentences, and its values."""
    whole: dict[str, Callable[[Array], Array]] = {"1": np.ones_like, "0": np.zeros_like, **PARTS_OF_A}
    whole |= {TEXTS[kind.__name__]: partial(FROM_A[kind], None) for kind in (Sigmoid, Tanh)}
    for name, formula in whole.items():
        yield name, formula(a)
        yield name.replace("a", "z"), formula(z)
    yield from ((f"the derivative of {name}", slope) for name, slope in other_slopes(own, z, a))


def wrong_output_deltas(flow: Flow, l: int) -> Iterator[Slip]:
    """Yield delta of the outputs after each mistake that only they can have: another loss, or a distorted a - t."""
    own, difference, shares = flow.problem.network.loss, flow.errors(l)[1], flow.problem.shares[:, np.newaxis]
    if isinstance(flow.activations[l], own.shortcut_for):
        yield Slip("shortcut-slope", flow.times_slope(l, difference))
        yield Slip("shortcut-slope", difference * FROM_A[type(flow.activations[l])](None, flow.a[l]))
    for loss in losses_for(flow)[1:]:
        key = "delta-a-minus-t" if isinstance(flow.activations[-1], loss.shortcut_for) else "loss-of-gradient"
        yield Slip(key, flow.output_delta(loss), {"fits": loss, "kind": loss})
    squared, absolute, sign = difference**2 / shares, np.abs(difference), shares * np.sign(difference)
    for key, error in (("error-squared", squared), ("error-absolute", absolute), ("error-sign-only", sign)):
        yield from (Slip(key, each) for each in (flow.times_slope(l, error), error))


def wrong_targets(flow: Flow) -> Iterator[tuple[str, Array]]:
    """Yield the key of each mistake in the targets, and the targets after it."""
    y, targets = flow.problem.y, flow.targets
    if targets.shape[1] > 1:
        yield from (("targets-shifted", np.roll(targets, step, axis=1)) for step in (1, -1))
    if y.ndim == 1:
        yield "targets-not-one-hot", np.broadcast_to(y[:, np.newaxis], targets.shape).astype(targets.dtype)
    yield "targets-forgotten", np.zeros_like(targets)
    yield "targets-inverted", 1.0 - targets
    for other in (targets[::-1], np.roll(targets, 1, axis=0), np.roll(targets, -1, axis=0)):
        yield "targets-of-other-samples", other


def weight_gradients(flow: Flow, l: int) -> Iterator[Slip]:
    """Yield dC/dW of layer l, right and after each mistake, from its inputs and delta, without the penalty's part."""
    inputs, delta, penalty = flow.inputs[l], flow.deltas[l], flow.problem.penalty_gradient.weights[l]
    right = inputs.T @ delta
    yield Slip("", right)
    yield Slip("never-filled", np.zeros_like(right))
    if penalty.any():
        yield Slip("no-penalty", right - penalty)
        yield Slip("penalty-factor", right - penalty, {}, penalty)
    if right.shape == right.T.shape:
        yield Slip("weights-transposed", (right + penalty).T - penalty, {"shapes": ""})
    else:
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


def bias_gradients(flow: Flow, l: int) -> Iterator[Slip]:
    """Yield dC/db of layer l, right and after each mistake, from its delta."""
    delta = flow.deltas[l]
    right = delta.sum(axis=0)
    yield Slip("", right)
    is_zero = abs(right.sum()) <= 1e-12 * np.abs(right).sum()  # as after a softmax
    yield Slip("bias-all-axes-zero" if is_zero else "bias-forgotten", np.zeros_like(right))
    yield Slip("bias-all-axes", np.full_like(right, right.sum()))
    yield Slip("bias-wrong-axis", delta.sum(axis=1))
    yield from (Slip("bias-shifted", np.roll(right, step)) for step in (1, -1))
    yield from (Slip("error-for-delta", error.sum(axis=0)) for error in flow.errors(l))
    for k, other in flow.others(l, flow.deltas):
        yield Slip("of-another-layer", other.sum(axis=0), {"used": "delta", "other": k, "meant": l})
    if l in flow.stepped:
        yield Slip("bias-from-weights", flow.stepped[l].sum(axis=0))
    yield Slip("bias-penalty", right, {}, flow.problem.network.biases[l])
    yield from (Slip("one-sample", delta[i], {"which": which}) for which, i in (("last", -1), ("first", 0)))


# Each yields the right value of an array of layer l, given the arrays before it in `flow`, then those after mistakes;
# the mistakes in delta are in `wrong_deltas`.
HYPOTHESES: dict[str, Callable[[Flow, int], Iterator[Slip]]] = {"z": sums, "a": activations, "delta": right_deltas}
HYPOTHESES |= {"dW": weight_gradients, "db": bias_gradients}


class Option(NamedTuple):
    """One explanation of an array: its cost, the slips in it (none if it is right), and the array's relative error."""

    cost: float
    slips: tuple[Named, ...] = ()
    error: float = 0.0


def is_alike(found: Array, expected: Array, least: float = 0.0) -> bool:
    """Whether two arrays agree to five digits, relative to a norm of at least `least`."""
    return found.shape == expected.shape and relative_error(found, expected, least) <= ALIKE


def factor_slips(factor: float, problem: Problem) -> tuple[Named, ...]:
    """The slips that explain a factor: "sign" if it is below 0, and the name of its size, or "factor" for any other."""
    size, n, k = abs(factor), float(problem.sample_weight.sum()), problem.network.layer_sizes[-1]
    named = {1.0 / k: "by-outputs", 2.0 / k: "by-outputs", float(k): "times-outputs", 1.0: "", n: "undivided"}
    named |= {1.0 / n: "divided-twice", 2.0: "factor-two", 0.5: "factor-two"}
    names = [key for value, key in named.items() if abs(size / value - 1.0) <= ALIKE]
    keys = [*(["sign"] if factor < 0.0 else []), *(names[:1] or ["factor"])]
    return tuple((key, {"factor": size}) for key in keys if key)


def has_name(slips: Iterable[Named]) -> bool:
    """Whether the slips that explain a factor name its size, such as the number of samples."""
    return all(key != "factor" for key, _ in slips)


def fit(found: Sequence[Array], slips: Sequence[Slip], problem: Problem, *, by_any: bool = False) -> Fitting | None:
    """The factor and values with which slips, one per array, explain `found`, or None. by_any: by any factor at all."""
    is_free = slips[0].along is not None
    if any(mine.shape != each.array.shape for mine, each in zip(found, slips, strict=True)):
        return None
    ways = [each.array if each.along is None else each.along for each in slips]
    rests = [mine - each.array for mine, each in zip(found, slips, strict=True)] if is_free else found
    size, product, power = (
        sum(float(np.vdot(one, other)) for one, other in zip(first, second, strict=True))
        for first, second in ((ways, ways), (ways, rests), (rests, rests))
    )
    if not (0.0 < size < math.inf) or size * power - product**2 > 1e-6 * size * power:  # most are not parallel
        return None
    rate = product / size
    made = [each.array + rate * way if is_free else rate * way for each, way in zip(slips, ways, strict=True)]
    if not all(map(is_alike, found, made)):
        return None
    if is_free:
        is_sure = sum(map(np.size, found)) > 3
        return (1.0, {**slips[0].values, "rate": rate, "factor": rate}) if is_sure else None
    factor = 1.0 if abs(rate - 1.0) <= ALIKE else rate
    is_named = factor != 0.0 and has_name(factor_slips(factor, problem))
    return (factor, slips[0].values) if is_named or (by_any and factor != 0.0) else None


def explanation(flow: Flow, quantity: str, l: int, found: Array) -> Option:
    """The best explanation of an array that a program computed, `found`: right, or one of the known mistakes."""
    known = HYPOTHESES[quantity](flow, l)
    right = next(known).array
    if is_alike(found, right):
        return Option(0.0)
    cost, named = best_slips(found, right, (each for each in known if each.array.shape == found.shape), flow.problem)
    if found.shape == right.shape:
        return Option(cost, named, relative_error(found, right))
    words = f" (its shape is {found.shape}, the layer's is {right.shape})"
    values = {"shape": found.shape, "right": right.shape, "shapes": words}
    return Option(cost, tuple((key, {**values, **theirs}) for key, theirs in named), 1.0)


def best_slips(found: Array, right: Array, slips: Iterable[Slip], problem: Problem) -> tuple[float, tuple[Named, ...]]:
    """The cost of the best explanation of a wrong array, `found`, and the slips that it consists of."""
    if not np.isfinite(found).all():
        return NAMED, (("not-finite", {}),)
    scaled = fit([found], [Slip("", right)], problem, by_any=True)
    by_factor = () if scaled is None else factor_slips(scaled[0], problem)
    if by_factor and has_name(by_factor):
        return NAMED, by_factor
    for slip in slips:
        if slip.key in ZERO or not found.any():
            if slip.key in ZERO and not found.any():
                return NAMED, ((slip.key, slip.values),)
        elif slip.along is None and is_alike(found, slip.array, 0.01 * float(np.linalg.norm(right))):
            return NAMED, ((slip.key, slip.values),)
        elif fitting := fit([found], [slip], problem):
            more = factor_slips(fitting[0], problem)
            return NAMED + 0.3 * len(more), ((slip.key, fitting[1]), *more)
    if found.shape != right.shape:
        return NAMED, (("bias-number" if found.size == right.ndim == 1 else "shape", {}),)
    if by_factor and found.size > 1:
        return ANY_FACTOR, by_factor
    wrong = np.argwhere(np.abs(found - right) > ALIKE * np.linalg.norm(right))
    if len(wrong) == 1 and right.size > 1:
        place = tuple(wrong[0].tolist())
        values = {"neuron": place[-1], "place": list(place), "yours": found[place], "right": right[place]}
        return NAMED, (("one-bias" if right.ndim == 1 else "one-number", values),)
    if right.ndim == 2 and right.shape[1] > 1 and len({*wrong[:, 1].tolist()}) == 1:
        return NAMED, (("one-neuron", {"neuron": wrong[0, 1]}),)
    return UNKNOWN, (("off", {}),)
