"""Which mistake makes a gradient wrong. Every usual one is a row: words for it, and the mark that it leaves.

Activations and losses come first: is the derivative of each the slope of its value? Then the whole gradient, and after
it every layer, from the last, where backpropagation begins. Of each table the first row counts whose mark shows.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from deltarule.inspection.gradcheck.numeric_gradient import Method, Problem, by_layer, relative_error
from deltarule.inspection.gradcheck.premises import Formula, formulas
from deltarule.nn.activations import Activation
from deltarule.nn.arrays import Array
from deltarule.nn.losses import Loss
from deltarule.nn.network import with_parameters
from deltarule.nn.parameters import Parameters
from deltarule.randomness import generator

ALIKE = 1e-5  # two gradients are the same mistake when they agree to so many digits


@dataclass(frozen=True, eq=False)
class Evidence:
    """A wrong gradient, or a part of it, beside what it should be, `expected`; both of the same shape.

    name: what it is called. l: the layer that it is of. penalty: the penalty's part of it.
    """

    problem: Problem
    name: str
    found: Array
    expected: Array
    l: int = 0
    penalty: Array | float = 0.0

    @property
    def error(self) -> float:
        """How far it is from what it should be."""
        return relative_error(self.found, self.expected)

    @property
    def digits(self) -> int:
        """How many of its digits are right."""
        return round(-math.log10(self.error))

    @cached_property
    def factor(self) -> str:
        """By which factor it is wrong throughout, in words; "" where there is no such factor."""
        n_samples, n_outputs = np.count_nonzero(self.problem.sample_weight), self.problem.ws.a[-1].shape[1]
        counts = {"the number of samples": int(n_samples), "the number of outputs": n_outputs}
        return factor_words(self.found, self.expected, counts)

    @property
    def is_hidden(self) -> bool:
        """Whether it is of a hidden layer."""
        return self.l + 1 < len(self.problem.delta)

    @property
    def has_shortcut(self) -> bool:
        """Whether its delta is a - t."""
        return not self.is_hidden and self.problem.network.has_shortcut

    def is_like(self, mistaken: Array) -> bool:
        """Whether it is the same as this gradient, which is more than zeros."""
        if mistaken.shape != self.found.shape or not mistaken.any():
            return False
        return relative_error(self.found, mistaken) <= ALIKE

    def comes_of(self, delta: Array) -> bool:
        """Whether it is what BP3 and BP4 make of this delta."""
        return self.is_like(np.vstack([self.problem.ws.inputs[self.l].T @ delta, delta.sum(axis=0)]) + self.penalty)

    def times_slope(self, delta: Array) -> Array:
        """Delta times sigma'(z)."""
        delta, ws = delta.copy(), self.problem.ws
        self.problem.network.activations[self.l].backward(delta, ws.z[self.l], ws.a[self.l])
        return delta


def forgets_biases(it: Evidence) -> bool:
    """Whether the gradient is that of the network without its biases."""
    bare = with_parameters(it.problem.network, it.problem.network.parameters.copy())
    for b in bare.biases:
        b[:] = 0.0
    return it.is_like(replace(it.problem, network=bare).grads.vector)


def goes_forward(it: Evidence) -> bool:
    """Whether the errors come back through the matrix that is not transposed, which fits where it is square."""
    W = it.problem.network.weights[it.l + 1] if it.is_hidden else np.empty((0, 1))
    return W.shape[0] == W.shape[1] and it.comes_of(it.times_slope(it.problem.delta[it.l + 1] @ W))


Rows = dict[str, Callable[[Evidence], bool]]  # the words are filled in from the evidence, `it`

FACTOR: Rows = {"{it.name}: {it.factor}": lambda it: bool(it.factor)}
NEVER_FILLED: Rows = {"{it.name} is never filled: all of it is 0": lambda it: not it.found.any()}
OF_THE_WHOLE: Rows = {
    "{it.name} is right to {it.digits} digits, as in float32: compute all of it in float64":
        lambda it: it.error <= ALIKE,
    **FACTOR,
    "the forward pass forgets the biases: it is z = inputs @ weights + biases": forgets_biases,
}  # fmt: skip
OF_A_LAYER: Rows = {
    "the gradient is no finite number: it was never filled, or divided by 0":
        lambda it: not np.isfinite(it.found).all(),
    **NEVER_FILLED,
    "the penalty's part of the gradient is missing":
        lambda it: bool(np.any(it.penalty)) and it.is_like(it.expected - it.penalty),
    "a - t is dC/dz already: BP1 must not multiply it by sigma'(z) once more":
        lambda it: it.has_shortcut and it.comes_of(it.times_slope(it.problem.delta[-1])),
    "BP1 lacks the factor sigma'(z)":
        lambda it: not it.is_hidden and not it.has_shortcut and it.comes_of(it.problem.output_gradient),
    "BP2 lacks the factor sigma'(z)":
        lambda it: it.is_hidden and it.comes_of(it.problem.delta[it.l + 1] @ it.problem.network.weights[it.l + 1].T),
    "BP2 needs the transposed matrix: delta @ weights[{behind}].T, not delta @ weights[{behind}]": goes_forward,
}  # fmt: skip
OF_WEIGHTS: Rows = {
    **NEVER_FILLED,
    **FACTOR,
    "dC/dW is transposed: it is inputs.T @ delta": lambda it: it.is_like(it.expected.T),
}
OF_BIASES: Rows = {
    "the bias is forgotten: all of dC/db is 0, where it is delta.sum(axis=0)": lambda it: not it.found.any(),
    **FACTOR,
    "dC/db is summed over the wrong axis: over all of them, where it is delta.sum(axis=0)":
        lambda it: it.is_like(np.full_like(it.found, it.expected.sum())),
    "dC/db is summed over the wrong axis: over the outputs, where it is delta.sum(axis=0), over the batch":
        lambda it: it.is_like(it.problem.delta[it.l].sum(axis=1)),
}  # fmt: skip


def likely_mistakes(
    problem: Problem, found: Parameters, expected: Parameters, method: Method, is_own: bool
) -> tuple[str, ...]:
    """What is likely to be wrong with the gradient `found`, where `expected` is right.

    is_own: the gradient is not deltarule's, so that the user's own backward pass may be at fault.
    """
    mistakes = list(formula_mistakes(problem, method))
    if is_own and not mistakes:
        whole = Evidence(problem, "the whole gradient", found.vector, expected.vector)
        mistakes = first_mistake(OF_THE_WHOLE, whole) or list(
            layer_mistakes(problem, by_layer(found), by_layer(expected))
        )
    return tuple(dict.fromkeys(mistakes))


def first_mistake(rows: Rows, it: Evidence) -> list[str]:
    """The words of the first row whose mark the gradient bears; none where it bears none."""
    words = next((words for words, mark in rows.items() if mark(it)), None)
    return [] if words is None else [words.format(it=it, behind=it.l + 1)]


def layer_mistakes(problem: Problem, found: Sequence[Array], expected: Sequence[Array]) -> Iterator[str]:
    """Mistakes of the layers, from the last to the first."""
    extra, all_right_behind = problem.network.parameters.zeros_like(), True
    problem.penalty.add_gradient(problem.network.parameters, extra)
    for l, penalty in reversed(list(enumerate(by_layer(extra)))):
        it = Evidence(problem, "the gradient", found[l], expected[l], l, penalty)
        if it.error <= ALIKE:
            continue
        mistakes = first_mistake(OF_A_LAYER, it)
        if not mistakes:
            for rows, name, part in ((OF_WEIGHTS, "dC/dW", slice(-1)), (OF_BIASES, "dC/db", -1)):
                half = Evidence(problem, name, found[l][part], expected[l][part], l)
                mistakes += first_mistake(rows, half) if half.error > ALIKE else []
        if not mistakes and all_right_behind:
            equation = f"BP2 from layer {l + 1} to layer {l}" if it.is_hidden else "BP1"
            off = f"off by {it.error:.2g} times its size, and right in every layer behind it"
            mistakes = [f"the gradient is {off}: look at {equation}, then BP3 and BP4"]
        yield from (f"layer {l}: {each}" for each in mistakes)
        all_right_behind = False


def formula_mistakes(problem: Problem, method: Method) -> Iterator[str]:
    """Activations and losses whose derivative is not that of their value."""
    for formula in formulas(problem):
        if isinstance(formula.owner, Loss):
            words = loss_mistake(problem, formula, formula.owner, method)
        else:
            words = activation_mistake(formula, formula.owner, method)
        if words:
            yield f"{formula.name}.{words}"


def slopes(formula: Formula, upstream: Array, method: Method) -> Array:
    """d(sum of upstream * function) / d point, column by column: like `point`."""

    def slope(column: Array) -> Array:
        slope = method.slope(lambda step: formula.function(formula.point + step * column))
        return (upstream * slope).reshape(len(slope), -1).sum(axis=1)

    return np.stack([slope(column) for column in np.eye(formula.point.shape[1])], axis=1) * formula.matters


def activation_mistake(formula: Formula, activation: Activation, method: Method) -> str:
    """How `derivative` or `backward` of an activation differs from the slope of `value`; "" where it does not."""
    upstream = generator(0, "upstream").standard_normal(formula.point.shape) * formula.matters
    found, a = upstream.copy(), np.empty_like(formula.point)
    activation.forward(formula.point, out=a)
    activation.backward(found, formula.point, a)
    found, expected = found * formula.matters, slopes(formula, upstream, method)
    if relative_error(found, expected, 1e-8) <= method.tolerance:
        return ""
    reason = factor_words(found, expected, {})
    if "sign" in reason:
        reason += "; where it is a sigmoid, value is 1 / (1 + e^-z), and not 1 / (1 + e^z)"
    if not reason:
        worst = np.unravel_index(np.abs(found - expected).argmax(), found.shape)
        got, right = (array[worst] / upstream[worst] for array in (found, expected))
        reason = f"at z = {formula.point[worst]:.4g} it says {got:.6g}, where the slope of value is {right:.6g}"
    return f"derivative is not the derivative of value: {reason}"


def loss_mistake(problem: Problem, formula: Formula, loss: Loss, method: Method) -> str:
    """How `sample_gradients` of a loss differs from the slope of `sample_losses`; "" where it does not."""
    a, targets = problem.ws.a[-1], loss.targets(problem.ws.a[-1], problem.y)
    if problem.network.has_shortcut:
        found, name = a - targets, "a - t, the shortcut,"
    else:
        found, name = loss.sample_gradients(a, targets), "sample_gradients"
    if np.shape(found) != a.shape:
        return f"{name} must have the outputs' shape {a.shape}: got {np.shape(found)}; sum over nothing"
    found, expected = found * formula.matters, slopes(formula, np.ones(1), method)
    if relative_error(found, expected, 1e-8) <= method.tolerance:
        return ""
    factor = Evidence(problem, name, found, expected).factor
    reason = factor or f"it is {found[0]}, where the slope is {expected[0]}"
    return f"{name} is not the derivative of sample_losses: {reason}"


def factor_words(found: Array, expected: Array, counts: dict[str, int]) -> str:
    """By which factor `found` differs from `expected` throughout, and which of the counts explains it; "" for none."""
    factor = float((found * expected).sum() / max((expected * expected).sum(), np.finfo(np.float64).tiny))
    if factor == 0.0 or abs(factor - 1.0) <= ALIKE or relative_error(found, factor * expected) > ALIKE:
        return ""
    words = ["its sign is reversed"] if factor < 0.0 else []
    size = abs(factor)
    if abs(size - 1.0) > ALIKE:
        words.append(f"it is {size:.6g} times what it should be")
        near = [(name, count) for name, count in counts.items() if count != 1]
        words += [f"{name} is a factor too many" for name, count in near if abs(size / count - 1.0) <= ALIKE]
        words += [f"it is divided by {name} once too often" for name, count in near if abs(size * count - 1.0) <= ALIKE]
    return ", ".join(words)
