"""Checks of activations and losses at the values of a batch: which samples are on kinks, and wrong derivatives."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deltarule.errors import SettingError, ShapeError, sentence
from deltarule.inspection.gradcheck.catalog import TEXTS, mistake_of
from deltarule.inspection.gradcheck.numeric_gradient import (
    CENTRAL_DIFFERENCES,
    COMPLEX_STEP,
    Method,
    Problem,
    relative_error,
)
from deltarule.inspection.gradcheck.slips import OTHERS, Slip, factor_slips, fit, is_alike, known_slopes
from deltarule.nn.activations import Activation
from deltarule.nn.arrays import Array
from deltarule.randomness import generator

KINK = 1e-2  # left and right slopes that differ by this much, and by this share of the larger, make a kink


@dataclass(frozen=True, eq=False)
class Formula:
    """An activation or a loss, and the values of the batch at which it is checked.

    owner: the Activation or Loss. function: its formula, (batch, neurons) -> (batch, neurons) or (batch,).
    point: z of a layer, or the outputs (or z, if the loss is computed from it).
    matters: (batch, neurons), False for what has no effect on the loss: samples left out, neurons dropped.
    names: of the derivative's method and the function's. stated: d(sum of upstream * function) / d point by the former.
    """

    layer: int
    owner: Any
    function: Callable[[Array], Array]
    point: Array
    matters: Array
    names: tuple[str, str]
    upstream: Array
    stated: Array

    @property
    def name(self) -> str:
        """The name of the activation or loss in messages."""
        return type(self.owner).__name__

    def slope(self, direction: Array, method: Method) -> Array:
        """The numeric derivative of the function along a direction, an array like `point`."""
        return method.slope(lambda step: self.function(self.point + step * direction))

    def slopes(self, method: Method) -> Array:
        """The numeric d(sum of upstream * function) / d point, to compare with `stated`; an array like `point`."""
        columns = [self.upstream * self.slope(column, method) for column in np.eye(self.point.shape[1])]
        return np.stack([each.reshape(len(each), -1).sum(axis=1) for each in columns], axis=1) * self.matters


def formulas(problem: Problem) -> Iterator[Formula]:
    """Yield every formula on the way to the loss: the activations from the first layer on, and the loss itself."""
    network, ws, last = problem.network, problem.ws, len(problem.network.weights) - 1
    counts = (problem.sample_weight > 0.0)[:, np.newaxis]
    for l, (activation, z) in enumerate(zip(network.activations, ws.z, strict=True)):
        if l < last or not network.has_shortcut:
            stays = np.ones_like(z) if ws.masks is None or l == last else ws.masks[l]
            upstream, a = generator(0, "upstream").standard_normal(z.shape), np.empty_like(z)
            stated = upstream.copy()
            activation.forward(z, out=a)
            activation.backward(stated, z, a)
            names, matters = ("derivative", "value"), counts & (stays > 0.0)
            yield Formula(l, activation, activation.value, z, matters, names, upstream, stated)
    loss, a, point = network.loss, ws.a[-1], ws.z[-1] if network.has_shortcut else ws.a[-1]
    targets = loss.targets(a, problem.y)
    losses = loss.sample_losses_from_z if network.has_shortcut else loss.sample_losses
    names = ("a - t, the shortcut," if network.has_shortcut else "sample_gradients"), "sample_losses"
    stated = a - targets if network.has_shortcut else loss.sample_gradients(a, targets)
    matters = counts & (point == point)
    yield Formula(last, loss, lambda at: losses(at, targets), point, matters, names, np.ones(1), stated)


def check_axis(problem: Problem) -> None:
    """Raise ShapeError unless `sample_losses` of the network's loss returns one number per sample."""
    loss, a = problem.network.loss, problem.ws.a[-1]
    n_rows = len(a) - 1 if len(a) == a.shape[1] > 1 else len(a)  # so that there are not as many samples as outputs
    shape = np.shape(loss.sample_losses(a[:n_rows], loss.targets(a, problem.y)[:n_rows]))
    if shape != (n_rows,):
        raise ShapeError(sentence("gradcheck.sample_losses", name=type(loss).__name__, n_rows=n_rows, shape=shape))


def without_kinks(problem: Problem) -> tuple[Problem, tuple[str, ...]]:
    """The problem without samples on a kink, and a sentence on each of these. SettingError if no sample is left."""
    found: dict[int, list[str]] = {}
    for formula in formulas(problem):
        for sample, neuron in np.argwhere(formula.matters & kinks(formula)).tolist():
            is_of_layer = isinstance(formula.owner, Activation)
            what = f"neuron {neuron} of layer {formula.layer}" if is_of_layer else f"output {neuron}"
            where = f"{what}, {formula.name} at {formula.point[sample, neuron]:.3g}"
            found.setdefault(sample, []).append(where)
    if not found:
        return problem, ()
    said = [
        f"sample {sample} is left out: it is on a kink, where there is no derivative ({places[0]}"
        + (f", and {len(places) - 1} more)" if places[1:] else ")")
        for sample, places in sorted(found.items())
    ]
    weights = problem.sample_weight.copy()
    weights[list(found)] = 0.0
    if not weights.any():
        raise SettingError(sentence("gradcheck.kinks", said=said[0]))
    return replace(problem, sample_weight=weights), tuple(said)


def kinks(formula: Formula) -> Array:
    """Where the slopes to the left and to the right differ, at the step of a central difference: bool, like `point`."""
    reach = CENTRAL_DIFFERENCES.step * np.maximum(1.0, np.abs(formula.point))
    found, middle = np.zeros(formula.point.shape, bool), formula.function(formula.point)
    outputs = np.eye(formula.point.shape[1], dtype=bool)  # they share one loss; every neuron has its own output
    for column in [outputs.any(axis=0)] if isinstance(formula.owner, Activation) else outputs:
        step = reach * column
        size = reach if middle.ndim == 2 else reach[:, column].ravel()
        right = (formula.function(formula.point + step) - middle) / size
        left = (middle - formula.function(formula.point - step)) / size
        jump = np.abs(right - left) > KINK * np.maximum(1.0, np.maximum(np.abs(left), np.abs(right)))
        found |= (jump if jump.ndim == 2 else jump[:, np.newaxis]) & column
    return found


def best_method(problem: Problem) -> tuple[Method, list[str]]:
    """The method to check with, and notes: the complex step; or central differences if a formula allows only these."""
    reason = "cannot take complex numbers: central differences were used instead, accurate to 5 digits"
    for formula in formulas(problem):
        if not takes_complex_numbers(formula):
            return CENTRAL_DIFFERENCES, [f"{formula.name} {reason}"]
    return COMPLEX_STEP, []


def takes_complex_numbers(formula: Formula) -> bool:
    """Whether a complex step through a formula gives the same slope as real numbers."""
    direction = generator(0, "direction").standard_normal(formula.point.shape) * formula.matters
    expected = formula.slope(direction, CENTRAL_DIFFERENCES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            found = formula.slope(direction, COMPLEX_STEP)
    except (TypeError, ValueError, np.exceptions.ComplexWarning):
        return False
    return bool(np.linalg.norm(found - expected) <= 1e-4 * max(1.0, float(np.linalg.norm(expected))))


def forward_mistakes(problem: Problem) -> Iterator[str]:
    """Yield a sentence on each activation whose `forward` differs from its `value`; likewise on a custom network."""
    network, X = problem.network, problem.X
    for l, activation in enumerate(network.activations):
        z, a = problem.ws.z[l], np.empty_like(problem.ws.z[l])
        activation.forward(z, out=a)
        value = activation.value(z)
        if not is_alike(a, value):
            worst = np.unravel_index(np.abs(a - value).argmax(), a.shape)
            at = f"at z = {z[worst]:.4g} it says {a[worst]:.6g}, and value {value[worst]:.6g}"
            yield f"{type(activation).__name__}.forward differs from value: {at}"
    method = getattr(type(network), "forward", None)
    if method is not None and problem.ws.masks is None:
        found, a = np.asarray(method(network, X)), problem.ws.a[-1]
        if not is_alike(found, a):
            error = relative_error(found, a)
            yield f"{type(network).__name__}.forward is off by {error:.2g} times the outputs' size"


def formula_mistakes(problem: Problem, method: Method) -> Iterator[str]:
    """Yield a sentence on each activation or loss whose derivative is not the derivative of its value."""
    for formula in formulas(problem):
        name, of = formula.names
        if (got := np.shape(formula.stated)) != (needed := formula.point.shape):
            yield f"{formula.name}.{name} must have the outputs' shape {needed}: got {got}; sum over nothing"
            continue
        found, right = formula.stated * formula.matters, formula.slopes(method)
        if relative_error(found, right, 1e-8) > method.tolerance:
            reason = difference(problem, formula, found, right)
            yield f"{formula.name}.{name} is not the derivative of {of}: {reason}"


def difference(problem: Problem, formula: Formula, found: Array, right: Array) -> str:
    """How a derivative, `found`, differs from the right one, in words: a factor, another formula, or else numbers."""
    is_activation, z = isinstance(formula.owner, Activation), formula.point
    if scaled := fit([found], [Slip("", right)], problem, by_any=True):
        slips = factor_slips(scaled[0], problem)
        named = [("factor" if is_activation and key != "sign" else key, values) for key, values in slips]
        says = ", ".join(mistake_of(key, array="it", **values).says.removeprefix("it: ") for key, values in named)
        is_minus = is_activation and scaled[0] < 0.0
        return says + is_minus * "; where it is a sigmoid, value is 1 / (1 + e^-z), and not 1 / (1 + e^z)"
    if not is_activation:
        return f"it is {found[0]}, where the slope is {right[0]}"
    a = formula.function(z)
    value = next((type(each).__name__ for each in OTHERS if is_alike(a, each.value(z))), "")
    known = f", and value is {value}, whose derivative is {TEXTS[value]}" if value in TEXTS else ""
    of_a = "sigma'(a), where sigma'(z) is needed", replace(formula, point=a).slope(np.ones_like(a), CENTRAL_DIFFERENCES)
    for name, slope in (*known_slopes(formula.owner, z, a), of_a):
        if is_alike(found, formula.upstream * slope * formula.matters):
            return f"it is {name}{known}"
    worst = np.unravel_index(np.abs(found - right).argmax(), found.shape)
    got, slope = (array[worst] / formula.upstream[worst] for array in (found, right))
    return f"at z = {z[worst]:.4g} it says {got:.6g}, where the slope of value is {slope:.6g}"
