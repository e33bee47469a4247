"""Which mistake makes a gradient wrong, in words.

Activations and losses come first: is the derivative of each the slope of its value? Then the whole gradient, and after
it every layer, from the last, where backpropagation begins. A mistake is known by the gradient that it would leave.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

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


def likely_mistakes(
    problem: Problem, found: Parameters, expected: Parameters, method: Method, is_own: bool
) -> tuple[str, ...]:
    """What is likely to be wrong with the gradient `found`, where `expected` is right.

    is_own: the gradient is not deltarule's, so that the user's own backward pass may be at fault.
    """
    mistakes = list(formula_mistakes(problem, method))
    if is_own and not mistakes:
        whole = whole_mistake(problem, found.vector, expected.vector)
        mistakes = [whole] if whole else list(layer_mistakes(problem, by_layer(found), by_layer(expected)))
    return tuple(dict.fromkeys(mistakes))


def whole_mistake(problem: Problem, found: Array, expected: Array) -> str:
    """What is wrong with all of the gradient, (n_parameters,); "" where it is something else."""
    error = relative_error(found, expected)
    if error <= ALIKE:
        digits = round(-math.log10(error))
        return f"the whole gradient is right to {digits} digits, as in float32: compute all of it in float64"
    if factor := factor_words(found, expected, counts_of(problem)):
        return f"the whole gradient: {factor}"
    bare = with_parameters(problem.network, problem.network.parameters.copy())
    for b in bare.biases:
        b[:] = 0.0
    forgets_biases = is_alike(found, replace(problem, network=bare).grads.vector)
    return "the forward pass forgets the biases: it is z = inputs @ weights + biases" if forgets_biases else ""


def layer_mistakes(problem: Problem, found: Sequence[Array], expected: Sequence[Array]) -> Iterator[str]:
    """Mistakes of the layers, from the last to the first; both gradients as `by_layer` returns them."""
    extra, all_right_behind = problem.network.parameters.zeros_like(), True
    problem.penalty.add_gradient(problem.network.parameters, extra)
    for l, penalty in reversed(list(enumerate(by_layer(extra)))):
        error = relative_error(found[l], expected[l])
        if error <= ALIKE:
            continue
        mistakes = [layer_mistake(problem, l, found[l], expected[l], penalty)]
        if not any(mistakes):
            mistakes = [weights_mistake(problem, found[l][:-1], expected[l][:-1])]
            mistakes.append(biases_mistake(problem, l, found[l][-1], expected[l][-1]))
        if not any(mistakes) and all_right_behind:
            equation = "BP1" if l + 1 == len(found) else f"BP2 from layer {l + 1} to layer {l}"
            off = f"off by {error:.2g} times its size, and right in every layer behind it"
            mistakes = [f"the gradient is {off}: look at {equation}, then BP3 and BP4"]
        yield from (f"layer {l}: {each}" for each in mistakes if each)
        all_right_behind = False


def layer_mistake(problem: Problem, l: int, found: Array, expected: Array, penalty: Array) -> str:
    """What is wrong with dC/dW and dC/db of a layer alike; "" where it is something else."""
    if not np.isfinite(found).all():
        return "the gradient is no finite number: it was never filled, or divided by 0"
    if not found.any():
        return "the gradient is never filled: all of it is 0"
    if is_alike(found, expected - penalty):
        return "the penalty's part of the gradient is missing"
    inputs = problem.ws.inputs[l]
    for words, delta in wrong_deltas(problem, l):
        if is_alike(found, np.vstack([inputs.T @ delta, delta.sum(axis=0)]) + penalty):  # what BP3 and BP4 make of it
            return words
    return ""


def wrong_deltas(problem: Problem, l: int) -> Iterator[tuple[str, Array]]:
    """What the usual mistakes in BP1 and BP2 make of delta in layer l, with the words for each."""
    network, ws = problem.network, problem.ws

    def times_slope(delta: Array) -> Array:
        delta = delta.copy()
        network.activations[l].backward(delta, ws.z[l], ws.a[l])
        return delta

    if l + 1 < len(network.weights):
        W, behind = network.weights[l + 1], problem.delta[l + 1]
        yield "BP2 lacks the factor sigma'(z)", behind @ W.T
        if W.shape[0] == W.shape[1]:
            right, wrong = f"delta @ weights[{l + 1}].T", f"delta @ weights[{l + 1}]"
            yield f"BP2 needs the transposed matrix: {right}, not {wrong}", times_slope(behind @ W)
    elif network.has_shortcut:
        yield "a - t is dC/dz already: BP1 must not multiply it by sigma'(z) once more", times_slope(problem.delta[l])
    else:
        yield "BP1 lacks the factor sigma'(z)", problem.output_gradient


def weights_mistake(problem: Problem, found: Array, expected: Array) -> str:
    """What is wrong with dC/dW of a layer; "" where nothing is, or something else."""
    if relative_error(found, expected) <= ALIKE:
        return ""
    if not found.any():
        return "dC/dW is never filled: all of it is 0"
    if factor := factor_words(found, expected, counts_of(problem)):
        return f"dC/dW: {factor}"
    return "dC/dW is transposed: it is inputs.T @ delta" if is_alike(found, expected.T) else ""


def biases_mistake(problem: Problem, l: int, found: Array, expected: Array) -> str:
    """What is wrong with dC/db of layer l; "" where nothing is, or something else."""
    if relative_error(found, expected) <= ALIKE:
        return ""
    if not found.any():
        return "the bias is forgotten: all of dC/db is 0, where it is delta.sum(axis=0)"
    if factor := factor_words(found, expected, counts_of(problem)):
        return f"dC/db: {factor}"
    if is_alike(found, np.full_like(found, expected.sum())):
        return "dC/db is summed over the wrong axis: over all of them, where it is delta.sum(axis=0)"
    over_outputs = "over the outputs, where it is delta.sum(axis=0), over the batch"
    wrong = is_alike(found, problem.delta[l].sum(axis=1))
    return f"dC/db is summed over the wrong axis: {over_outputs}" if wrong else ""


def is_alike(found: Array, mistaken: Array) -> bool:
    """Whether a gradient is the one that a mistake leaves, which is more than zeros."""
    has_numbers = mistaken.shape == found.shape and bool(mistaken.any())
    return has_numbers and relative_error(found, mistaken) <= ALIKE


def counts_of(problem: Problem) -> dict[str, int]:
    """What a gradient may have been multiplied with, or divided by, once too often."""
    n_samples, n_outputs = int(np.count_nonzero(problem.sample_weight)), problem.network.layer_sizes[-1]
    return {"the number of samples": n_samples, "the number of outputs": n_outputs}


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
    factor = factor_words(found, expected, counts_of(problem))
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
