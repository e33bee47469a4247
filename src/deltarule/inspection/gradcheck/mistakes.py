"""Which mistake makes a gradient wrong, in words.

Activations and losses come first, which formulas.py checks. Then the whole gradient, and after it every layer, from the
last, where backpropagation begins. A mistake is known by the gradient that it would leave.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from deltarule.inspection.gradcheck.formulas import ALIKE, factor_words, formula_mistakes
from deltarule.inspection.gradcheck.numeric_gradient import Method, Problem, by_layer, relative_error
from deltarule.nn.arrays import Array
from deltarule.nn.network import with_parameters
from deltarule.nn.parameters import Parameters


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
    if factor := factor_words(found, expected, problem):
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
            mistakes = list(part_mistakes(problem, l, found[l], expected[l]))
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


def part_mistakes(problem: Problem, l: int, found: Array, expected: Array) -> Iterator[str]:
    """The usual mistakes in dC/dW and in dC/db of layer l."""
    never_filled = "dC/dW is never filled: all of it is 0"
    forgotten = "the bias is forgotten: all of dC/db is 0, where it is delta.sum(axis=0)"
    wrong_axis = "dC/db is summed over the wrong axis: over"
    of_weights = {"dC/dW is transposed: it is inputs.T @ delta": expected[:-1].T}
    of_biases = {
        f"{wrong_axis} all of them, where it is delta.sum(axis=0)": np.full_like(found[-1], expected[-1].sum()),
        f"{wrong_axis} the outputs, where it is delta.sum(axis=0), over the batch": problem.delta[l].sum(axis=1),
    }
    parts = (("dC/dW", slice(-1), never_filled, of_weights), ("dC/db", -1, forgotten, of_biases))
    for name, rows, words_for_zeros, mistaken in parts:
        mine, right = found[rows], expected[rows]
        if relative_error(mine, right) <= ALIKE:
            continue
        if not mine.any():
            yield words_for_zeros
        elif factor := factor_words(mine, right, problem):
            yield f"{name}: {factor}"
        else:
            yield from [words for words, gradient in mistaken.items() if is_alike(mine, gradient)][:1]


def is_alike(found: Array, mistaken: Array) -> bool:
    """Whether a gradient is the one that a mistake leaves, which is more than zeros."""
    has_numbers = mistaken.shape == found.shape and bool(mistaken.any())
    return has_numbers and relative_error(found, mistaken) <= ALIKE
