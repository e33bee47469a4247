"""Which mistake makes a gradient wrong: every usual one leaves its own mark, and is looked for by it."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from deltarule.errors import ShapeError
from deltarule.inspection.gradcheck.numeric_gradient import Method, Problem, by_layer
from deltarule.inspection.gradcheck.premises import Part, parts
from deltarule.nn.activations import Activation
from deltarule.nn.arrays import Array
from deltarule.nn.losses import Loss, sample_shares
from deltarule.nn.network import Network, backward, loss_and_gradient, with_parameters
from deltarule.nn.parameters import Parameters
from deltarule.randomness import generator

ALIKE = 1e-5  # two gradients are the same mistake when they agree to so many digits


def relative_error(found: Array, expected: Array, least: float = 0.0) -> float:
    """The norm of the difference over that of `expected`, `least` at least; inf for what is no number."""
    size = max(float(np.linalg.norm(expected)), least, np.finfo(np.float64).tiny)
    error = float(np.linalg.norm(found - expected)) / size
    return math.inf if math.isnan(error) else error


def is_like(found: Array, expected: Array) -> bool:
    """Whether two gradients are the same, and more than zeros."""
    return bool(np.any(expected)) and relative_error(found, expected) <= ALIKE


def as_layers(given: Any, network: Network) -> list[Array]:
    """A gradient, Parameters or (all dC/dW, all dC/db), as (fan_in + 1, fan_out) a layer, the biases in the last row.

    Raises ShapeError where a part has the wrong shape, and says what that looks like.
    """
    if isinstance(given, Parameters):
        return by_layer(given)
    all_weights, all_biases = given
    if len(all_weights) != len(network.weights) or len(all_biases) != len(network.biases):
        raise ShapeError(
            f"a gradient has dC/dW and dC/db for each of {len(network.weights)} layers: "
            f"got {len(all_weights)} and {len(all_biases)}; return those of every layer, the first one first"
        )
    layers = []
    for l, (W, b) in enumerate(zip(network.weights, network.biases, strict=True)):
        dW, db = np.asarray(all_weights[l], np.float64), np.asarray(all_biases[l], np.float64)
        if dW.shape != W.shape:
            hint = "it is transposed" if dW.shape == W.T.shape else "it is inputs^T delta"
            raise ShapeError(f"dC/dW of layer {l} must have shape {W.shape}: got {dW.shape}; {hint}")
        if db.size != b.size:
            hint = "a sum over all axes instead of the batch's" if db.size == 1 else "sum delta over axis 0, the batch"
            raise ShapeError(f"dC/db of layer {l} must have shape {b.shape}: got {db.shape}; {hint}")
        layers.append(np.vstack([dW, db.reshape(1, -1)]))
    return layers


def likely_mistakes(
    problem: Problem, found: Sequence[Array], expected: Sequence[Array], method: Method, is_own: bool
) -> tuple[str, ...]:
    """What is likely to be wrong with the gradient `found`, where `expected` is right; both as `by_layer` returns them.

    is_own: the gradient is not deltarule's, so that the user's own backward pass may be at fault.
    """
    said = list(part_mistakes(problem, method))
    if is_own and not said:
        said = list(whole_mistakes(problem, found, expected)) or list(layer_mistakes(problem, found, expected))
    return tuple(dict.fromkeys(said))


def part_mistakes(problem: Problem, method: Method) -> Iterator[str]:
    """Activations and losses whose derivative is not that of their value."""
    for part in parts(problem):
        if isinstance(part.owner, Loss):
            yield from loss_mistakes(problem, part, part.owner, method)
        else:
            yield from activation_mistakes(part, part.owner, method)


def slopes(part: Part, upstream: Array, method: Method) -> Array:
    """d(sum of upstream * function) / d point, column by column: like `point`."""

    def slope(column: Array) -> Array:
        slope = method.slope(lambda step: part.function(part.point + step * column))
        return (upstream * slope).reshape(len(slope), -1).sum(axis=1)

    return np.stack([slope(column) for column in np.eye(part.point.shape[1])], axis=1)


def activation_mistakes(part: Part, activation: Activation, method: Method) -> Iterator[str]:
    """How `derivative` or `backward` of an activation differs from the slope of `value`."""
    upstream = generator(0, "upstream").standard_normal(part.point.shape) * part.matters
    found, a = upstream.copy(), np.empty_like(part.point)
    activation.forward(part.point, out=a)
    activation.backward(found, part.point, a)
    expected = slopes(part, upstream, method)
    found, expected = found * part.matters, expected * part.matters
    if relative_error(found, expected, 1e-8) <= method.tolerance:
        return
    named = factor_in_words(found, expected, {})
    if named is not None and "sign" in named:
        named += "; where it is a sigmoid, value is 1 / (1 + e^-z), and not 1 / (1 + e^z)"
    if named is None:
        worst = np.unravel_index(np.abs(found - expected).argmax(), found.shape)
        got, right = (array[worst] / upstream[worst] for array in (found, expected))
        named = f"at z = {part.point[worst]:.4g} it says {got:.6g}, where the slope of value is {right:.6g}"
    yield f"{part.name}.derivative is not the derivative of value: {named}"


def loss_mistakes(problem: Problem, part: Part, loss: Loss, method: Method) -> Iterator[str]:
    """How `sample_gradients` of a loss differs from the slope of `sample_losses`."""
    a, targets = problem.ws.a[-1], loss.targets(problem.ws.a[-1], problem.y)
    if problem.network.has_shortcut:
        found, name = a - targets, "a - t, the shortcut,"
    else:
        found, name = loss.sample_gradients(a, targets), "sample_gradients"
    if np.shape(found) != a.shape:
        yield f"{part.name}.{name} must have the outputs' shape {a.shape}: got {np.shape(found)}; sum over nothing"
        return
    expected = slopes(part, np.ones(1), method)
    found, expected = found * part.matters, expected * part.matters
    if relative_error(found, expected, 1e-8) > method.tolerance:
        named = (
            factor_in_words(found, expected, counts_of(problem))
            or f"it is {found[0]}, where the slope is {expected[0]}"
        )
        yield f"{part.name}.{name} is not the derivative of sample_losses: {named}"


def counts_of(problem: Problem) -> dict[str, float]:
    """The numbers that a gradient is often multiplied or divided by in vain."""
    n_samples = float(np.count_nonzero(problem.sample_weight))
    return {"the number of samples": n_samples, "the number of outputs": float(problem.ws.a[-1].shape[1])}


def factor_in_words(found: Array, expected: Array, counts: dict[str, float]) -> str | None:
    """By which factor `found` differs from `expected` throughout, and where that may come from; None for no factor."""
    factor = float((found * expected).sum() / max((expected * expected).sum(), np.finfo(np.float64).tiny))
    if factor == 0.0 or not is_like(found, factor * expected) or abs(factor - 1.0) <= ALIKE:
        return None
    words = ["its sign is reversed"] if factor < 0.0 else []
    size = abs(factor)
    if abs(size - 1.0) > ALIKE:
        words.append(f"it is {size:.6g} times what it should be")
        near = [(name, count) for name, count in counts.items() if count != 1.0]
        words += [f"{name} is a factor too many" for name, count in near if abs(size / count - 1.0) <= ALIKE]
        words += [f"it is divided by {name} once too often" for name, count in near if abs(size * count - 1.0) <= ALIKE]
    return ", ".join(words)


def whole_mistakes(problem: Problem, found: Sequence[Array], expected: Sequence[Array]) -> Iterator[str]:
    """A mistake that explains all layers at once."""
    whole, right = (np.concatenate([part.ravel() for part in layers]) for layers in (found, expected))
    if relative_error(whole, right) <= ALIKE:
        digits = -math.log10(relative_error(whole, right))
        yield f"the whole gradient is right to {digits:.0f} digits, as in float32: compute all of it in float64"
        return
    named = factor_in_words(whole, right, counts_of(problem))
    if named is not None:
        yield f"the whole gradient: {named}"
        return
    bare = with_parameters(problem.network, problem.network.parameters.copy())
    for b in bare.biases:
        b[:] = 0.0
    _, grads = loss_and_gradient(bare, problem.X, problem.y, sample_weight=problem.sample_weight)
    problem.penalty.add_gradient(bare.parameters, grads)
    if is_like(whole, np.concatenate([part.ravel() for part in by_layer(grads)])):
        yield "the forward pass forgets the biases: it is z = inputs @ weights + biases"


def layer_mistakes(problem: Problem, found: Sequence[Array], expected: Sequence[Array]) -> Iterator[str]:
    """Mistakes layer by layer, from the last, where backpropagation begins, to the first."""
    grads, extra = problem.network.parameters.zeros_like(), problem.network.parameters.zeros_like()
    backward(problem.network, problem.y, problem.ws, grads, sample_weight=problem.sample_weight)
    problem.penalty.add_gradient(problem.network.parameters, extra)
    all_right_behind = True
    for l, penalty in reversed(list(enumerate(by_layer(extra)))):
        if relative_error(found[l], expected[l]) <= ALIKE:
            continue
        named = list(block_mistakes(problem, l, found[l], expected[l], penalty))
        if not named and all_right_behind:
            equation = "BP1" if l == len(found) - 1 else f"BP2 from layer {l + 1} to layer {l}"
            off = f"off by {relative_error(found[l], expected[l]):.2g} times its size"
            named = [f"the gradient is {off}, and right in every layer behind it: look at {equation}, then BP3 and BP4"]
        yield from (f"layer {l}: {sentence}" for sentence in named)
        all_right_behind = False


def block_mistakes(problem: Problem, l: int, found: Array, expected: Array, penalty: Array) -> Iterator[str]:
    """What is wrong with one layer's (fan_in + 1, fan_out)."""
    if not np.isfinite(found).all():
        yield "the gradient is no finite number: it was never filled, or divided by 0"
    elif not found.any():
        yield "the gradient is never filled: all of it is 0"
    elif penalty.any() and is_like(found, expected - penalty):
        yield "the penalty's part of the gradient is missing"
    else:
        for sentence, delta in wrong_deltas(problem, l):
            if is_like(found, np.vstack([problem.ws.inputs[l].T @ delta, delta.sum(axis=0)]) + penalty):
                yield sentence
                return
        yield from weight_mistakes(problem, found[:-1], expected[:-1])
        yield from bias_mistakes(problem, l, found[-1], expected[-1])


def wrong_deltas(problem: Problem, l: int) -> Iterator[tuple[str, Array]]:
    """Errors delta that come of a usual slip in BP1 or BP2, and the slip; `problem.ws` holds the right ones."""
    network, ws = problem.network, problem.ws
    if l == len(network.weights) - 1 and network.has_shortcut:
        delta = ws.delta[l].copy()
        network.activations[l].backward(delta, ws.z[l], ws.a[l])
        yield "a - t is dC/dz already: BP1 must not multiply it by sigma'(z) once more", delta
        return
    if l == len(network.weights) - 1:
        shares = sample_shares(len(problem.X), problem.sample_weight)
        yield "BP1 lacks the factor sigma'(z)", network.loss.gradient(ws.a[l], problem.y, shares)
        return
    behind = network.weights[l + 1]
    yield "BP2 lacks the factor sigma'(z)", ws.delta[l + 1] @ behind.T
    if behind.shape[0] == behind.shape[1]:
        delta = ws.delta[l + 1] @ behind
        network.activations[l].backward(delta, ws.z[l], ws.a[l])
        yield f"BP2 needs the transposed matrix: delta @ weights[{l + 1}].T, not delta @ weights[{l + 1}]", delta


def weight_mistakes(problem: Problem, found: Array, expected: Array) -> Iterator[str]:
    """What is wrong with dC/dW, if anything."""
    if relative_error(found, expected) <= ALIKE:
        return
    named = factor_in_words(found, expected, counts_of(problem))
    if not found.any():
        yield "dC/dW is never filled: all of it is 0"
    elif named is not None:
        yield f"dC/dW: {named}"
    elif found.shape[0] == found.shape[1] and is_like(found, expected.T):
        yield "dC/dW is transposed: it is inputs.T @ delta"


def bias_mistakes(problem: Problem, l: int, found: Array, expected: Array) -> Iterator[str]:
    """What is wrong with dC/db, if anything."""
    if relative_error(found, expected) <= ALIKE:
        return
    named = factor_in_words(found, expected, counts_of(problem))
    if not found.any():
        yield "the bias is forgotten: all of dC/db is 0, where it is delta.sum(axis=0)"
    elif named is not None:
        yield f"dC/db: {named}"
    elif is_like(found, np.full_like(found, expected.sum())):
        yield "dC/db is summed over the wrong axis: over all of them, where it is delta.sum(axis=0)"
    elif len(problem.X) == len(found) and is_like(found, problem.ws.delta[l].sum(axis=1)):
        yield "dC/db is summed over the wrong axis: over the outputs, where it is delta.sum(axis=0), over the batch"
