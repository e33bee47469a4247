"""gradcheck: is backpropagation's gradient the derivative of the loss? Checked in every parameter, in float64."""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, astuple, dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError, ShapeError, sentence
from deltarule.examples import check_data, examples_for
from deltarule.inspection.gradcheck import formulas
from deltarule.inspection.gradcheck.catalog import Judgement, Observed, Wrong
from deltarule.inspection.gradcheck.first_wrong import judgement
from deltarule.inspection.gradcheck.numeric_gradient import ALIKE, CENTRAL_DIFFERENCES, Method, Problem, relative_error
from deltarule.inspection.presentation import entry, table
from deltarule.model import Model, take_meaning
from deltarule.nn.network import Network, with_meaning
from deltarule.nn.parameters import Parameters
from deltarule.nn.penalties import Penalty
from deltarule.nn.workspace import as_floats
from deltarule.parts import Spec, resolve
from deltarule.public import public
from deltarule.randomness import generator
from deltarule.settings import brief, check_call
from deltarule.targets import check_weights

Gradient = Callable[..., tuple[Any, ...]]

N_DIRECTIONS = 8
MOST_WORK = 5e8  # numbers to compute, half a minute: with more, only random directions are checked
LEAST_NORM = 1e-9  # of a whole gradient: the loss is rounded, so anything less may be rounding


@dataclass(frozen=True)
class LayerCheck:
    """The difference between backpropagation and the numeric derivative in one layer.

    relative_error: norm of the difference / norm of the derivative, of the weights or the biases, whichever is larger.
    second_opinion: the same from central differences along random directions, by whole forward passes.
    """

    layer: int
    parameters: int
    relative_error: float
    second_opinion: float


@dataclass(frozen=True)
class WorstParameter:
    """The parameter with the largest difference relative to its layer: its name, gradient and numeric derivative."""

    name: str
    gradient: float
    numeric: float


@public()
@dataclass(frozen=True)
class GradientCheck:
    """The result of `gradcheck`.

    parameters, samples: how many were checked. method: "complex step", "central differences" or "random directions".
    tolerance: the largest relative error that rounding explains.
    per_layer: a LayerCheck for each layer. worst: the WorstParameter; None if only random directions were checked.
    kinks: neurons with a z at which the activation has no derivative; their samples were left out.
    notes: remarks. mistakes: sentences on what is probably wrong, if anything, in the order of computation.
    wrong: the mistakes of a custom gradient as objects, with an id, the equation, and what to write instead.
    """

    parameters: int
    samples: int
    method: str
    tolerance: float
    per_layer: tuple[LayerCheck, ...]
    worst: WorstParameter | None
    kinks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    mistakes: tuple[str, ...] = ()
    wrong: tuple[Wrong, ...] = ()

    @property
    def max_relative_error(self) -> float:
        """The largest relative error among all layers."""
        return max(each.relative_error for each in self.per_layer)

    @property
    def ok(self) -> bool:
        """Whether no mistake was found, and both checks agree with the gradient, up to rounding."""
        second = max(each.second_opinion for each in self.per_layer)
        agrees = self.max_relative_error <= self.tolerance and second <= CENTRAL_DIFFERENCES.tolerance
        return agrees and not self.mistakes

    def __bool__(self) -> bool:
        """The same as `ok`, so that `assert gradcheck(...)` fails for a wrong gradient."""
        return self.ok

    def to_json_dict(self) -> dict[str, Any]:
        """The result of the check as dicts, lists and numbers."""
        return {"ok": self.ok, "max_relative_error": self.max_relative_error} | asdict(self)

    def to_text(self, width: int = 80) -> str:
        """The result of the check as text, in lines of at most `width` characters."""
        has_right_numbers = self.max_relative_error <= self.tolerance
        verdict = "right" if self.ok else "right, and the program is WRONG" if has_right_numbers else "WRONG"
        error = f"largest relative error {self.max_relative_error:.1e}, tolerance {self.tolerance:.0e}"
        how = f"by {self.method}, {self.parameters:,} parameters, {self.samples} samples"
        lines = [entry("", each, width, indent=0) for each in (f"The gradient is {verdict}: {error}", how)]
        head = ["layer", "parameters", "relative error", "second opinion"]
        rows = map(astuple, self.per_layer)
        cells = [(f"{l}", f"{size:,}", f"{error:.1e}", f"{opinion:.1e}") for l, size, error, opinion in rows]
        lines += ["", *table(head, cells, left=0, indent=0)]
        said = [("kink", each) for each in self.kinks]
        said += [("note", each) for each in self.notes] + [("wrong", each) for each in self.mistakes]
        said += [("fix", each.mistake.fix) for each in self.wrong[:1]]
        if self.worst is not None:
            both = f"gradient {self.worst.gradient:.9g}, {self.method} {self.worst.numeric:.9g}"
            said.insert(0, ("worst", f"{self.worst.name}: {both}"))
        return "\n".join([*lines, "", *(entry(title, text, width) for title, text in said)]).rstrip()

    __str__ = to_text


@public("gradcheck(network, X, y)")
def gradcheck(
    net_or_model: Network | Model,
    X: Any,
    y: Any = None,
    *,
    sample_weight: Any = None,
    penalty: Penalty | Spec = Penalty(),
    gradient: Gradient | None = None,
) -> GradientCheck:
    """Compare the gradient of a batch's loss with numeric derivatives, parameter by parameter, in float64.

    X, y: a small batch, as for `fit`, or in a Model's own units; 8 samples are plenty. Dropout masks, if
        any, are fixed.
    sample_weight: (n_samples,), how much each sample counts. penalty: a part of the loss.
    gradient: the gradient to check, backpropagation's by default. Your own is called like `loss_and_gradient`,
        gradient(network, X, y), with sample_weight=... only if one is given, and returns (loss, Parameters) or
        (loss, (all dC/dW, all dC/db)), of the whole loss with penalty and without dropout; None for a loss that it
        does not compute. A third element, {"z": ..., "a": ..., "delta": ...} with a list of arrays (n, fan_out) each,
        one per layer or None, lets the check find mistakes in these, too. Your function must use the network it gets:
        if all biases are 0, random ones replace them, because code that forgets to add the biases would look right.

    All parameters are checked by the complex step, or by central differences if a custom activation or loss cannot take
    complex numbers; a very large network only along random directions. Central differences along random directions
    give a second opinion. For your own gradient, `mistakes` names each array that does not follow from those before
    it, or has a wrong shape, in the order of computation. A loss that is a constant times the network's is not a
    mistake: a note mentions it.

    Raises ShapeError, DataError or SettingError for arguments that do not fit.

    >>> network = Network((4, 5, 3))
    >>> gradcheck(network, np.eye(4), np.array([0, 1, 2, 0])).ok
    True
    """
    in_full = net_or_model.astype(np.float64) if isinstance(net_or_model, Network) else net_or_model
    network, data = examples_for(in_full, X, y, "the batch", "dr.gradcheck(network, {})")
    cost = resolve("penalty", penalty, "penalty")
    problem, notes = problem_of(network, data, sample_weight, cost, is_own=gradient is not None)
    with np.errstate(all="ignore"), one_thread():
        formulas.check_axis(problem)
        problem, kinks = formulas.without_kinks(problem)
        method, why = formulas.best_method(problem)
        counted = problem.take(problem.sample_weight > 0.0)
        observed = None if gradient is None else own_arrays(gradient, counted, is_weighted=sample_weight is not None)
        judged = Judgement() if observed is None else judgement(counted, observed)
        if judged.kind is not None and (judged.kind != network.loss or judged.factor != 1.0):
            problem = replace(problem, network=with_meaning(problem.network, loss=judged.kind), factor=judged.factor)
        check = compare(problem, problem.grads if observed is None else parameters_of(observed, problem), method)
        wrong = [*formulas.forward_mistakes(problem), *(() if check.ok else formulas.formula_mistakes(problem, method))]
        wrong = wrong or [str(each) for each in judged.wrong]
    said = (*notes, *why, *check.notes, *judged.notes)
    error = check.max_relative_error
    if observed is not None and not wrong and check.tolerance < error <= ALIKE:
        said += (f"the whole gradient is right to {-math.log10(error):.0f} digits, as in float32",)
        check = replace(check, tolerance=ALIKE)
    return replace(check, kinks=kinks, notes=said, mistakes=tuple(dict.fromkeys(wrong)), wrong=judged.wrong)


def one_thread() -> AbstractContextManager[Any]:
    """A context with matrix products in one thread: on busy cores, threads that wait for each other are far slower."""
    try:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
    except ImportError:
        return nullcontext()
    return threadpool_limits(1, "blas")


def problem_of(
    network: Network, data: Dataset, sample_weight: Any, penalty: Penalty, *, is_own: bool
) -> tuple[Problem, list[str]]:
    """The Problem to check, and notes on what had to change in the network. is_own: the user gave a gradient."""
    network, notes = network.astype(np.float64), []
    check_data(network, data)
    network.task = None  # the gradient does not depend on the task
    take_meaning(network, data)
    inputs = as_floats(data.inputs, np.float64)
    weights = check_weights(np.ones(len(inputs)) if sample_weight is None else sample_weight, len(inputs))
    if is_own:
        network.dropout = tuple(0.0 for _ in network.dropout)
        biases = network.parameters.vector[network.parameters.weight_block.size :]
        if not biases.any():
            biases[:] = generator(0, "biases").normal(0.0, 0.1, biases.shape)
            notes.append("all biases were 0, so that a forgotten one would not show: they were drawn from N(0, 0.01)")
    return Problem(network, inputs, data.loss_targets, weights, penalty), notes


def own_arrays(gradient: Gradient, problem: Problem, *, is_weighted: bool) -> Observed:
    """Call the user's gradient function and return its loss and arrays. SettingError or ShapeError if unusable."""
    more = {"sample_weight": problem.sample_weight} if is_weighted else {}
    if not callable(gradient):
        raise SettingError(f"gradient must be a function: got {brief(gradient)}; use gradient=my_gradient")
    check_call("gradient", gradient, ("network", "X", "y"), "def my_gradient", **more)
    returned: Any = gradient(problem.network, problem.X, problem.y, **more)
    n_layers, arrays = len(problem.network.weights), dict[str, Any]()
    if isinstance(returned, tuple) and len(returned) == 3 and isinstance(returned[2], Mapping):
        *returned, arrays = returned
        if unknown := sorted(set(arrays) - {"z", "a", "delta"}):
            raise SettingError(f"the arrays of a gradient are z, a and delta: got {unknown}; leave it out")
        arrays = {name: list(each)[-n_layers:] for name, each in arrays.items()}  # many have the inputs first in a
    match returned:
        case loss, Parameters(weights=W, biases=b):
            pass
        case loss, (W, b) if all(isinstance(each, Sequence) or np.ndim(each) > 2 for each in (W, b)):
            pass
        case _:
            is_pair = isinstance(returned, tuple) and len(returned) == 2
            got = f"a loss and {brief(returned[1])}" if is_pair else brief(returned)
            raise SettingError(sentence("gradcheck.returns", got=got))
    if len(W) != n_layers or len(b) != n_layers:
        raise ShapeError(sentence("gradcheck.layers", n_layers=n_layers, W=len(W), b=len(b)))
    W, b = ([np.array(array, np.float64) for array in each] for each in (W, b))
    return Observed(loss, weights=W, biases=b, **arrays)


def parameters_of(observed: Observed, problem: Problem) -> Parameters:
    """A user's gradient as Parameters. An array with the wrong number of values counts as 0."""
    grads = problem.network.parameters.zeros_like()
    for mine, array in zip(grads.weights + grads.biases, (*observed.weights, *observed.biases), strict=True):
        if array is not None and array.size == mine.size:
            mine[:] = array.reshape(mine.shape)
    return grads


def compare(problem: Problem, found: Parameters, method: Method) -> GradientCheck:
    """Compare the gradient `found` with numeric derivatives: in each parameter or, if too slow, random directions."""
    sizes = problem.network.layer_sizes  # a nudge changes the neurons after it, for every sample
    layers_moved = enumerate(pairwise(sizes), 2)
    moved = sum((fan_in + 1) * fan_out * sum(sizes[behind:]) for behind, (fan_in, fan_out) in layers_moved)
    in_full = len(problem.X) * moved <= MOST_WORK
    expected = problem.numeric_gradient(method) if in_full else None
    size = max(float(np.linalg.norm((expected or found).vector)), LEAST_NORM)
    layers = []
    for layer, (weights, biases) in enumerate(zip(found.weights, found.biases, strict=True)):
        opinion = error_along(problem, found, layer, CENTRAL_DIFFERENCES, size)
        if expected is None:
            error = error_along(problem, found, layer, method, size)
        else:
            pairs = ((weights, expected.weights[layer]), (biases, expected.biases[layer]))
            error = max(relative_error(mine, right, method.floor * size) for mine, right in pairs)
        layers.append(LayerCheck(layer, weights.size + biases.size, error, opinion))
    return GradientCheck(
        parameters=problem.network.parameters.size,
        samples=int(np.count_nonzero(problem.sample_weight)),
        method=method.name if in_full else f"{method.name} along random directions",
        tolerance=method.tolerance,
        per_layer=tuple(layers),
        worst=None if expected is None else worst_parameter(found, expected),
        notes=(sentence("gradcheck.sure"),) if size == LEAST_NORM else (),
    )


def error_along(problem: Problem, found: Parameters, l: int, method: Method, size: float) -> float:
    """The relative error of a layer's gradient along random directions, compared with numeric slopes along them."""
    said, slopes = [], []
    for n in range(N_DIRECTIONS):
        way, rng = problem.network.parameters.zeros_like(), generator(0, "direction", l, n)
        for part in (way.weights[l], way.biases[l]):
            part[:] = rng.standard_normal(part.shape)
        way.vector[:] /= np.linalg.norm(way.vector)
        said.append(np.vdot(found.weights[l], way.weights[l]) + np.vdot(found.biases[l], way.biases[l]))
        slopes.append(problem.slope_along(way.vector, method))
    n_parameters = found.weights[l].size + found.biases[l].size
    least = method.floor * size * np.sqrt(N_DIRECTIONS / n_parameters)
    return relative_error(np.array(said), np.array(slopes), least)


def worst_parameter(found: Parameters, expected: Parameters) -> WorstParameter:
    """The parameter whose gradient has the largest error, relative to the norm of its layer's derivative."""
    worst = []
    for l, (W, b) in enumerate(zip(expected.weights, expected.biases, strict=True)):
        size = max(math.hypot(np.linalg.norm(W), np.linalg.norm(b)), np.finfo(np.float64).tiny)
        for name, mine, right in (("weights", found.weights[l], W), ("biases", found.biases[l], b)):
            at = np.unravel_index(np.abs(mine - right).argmax(), right.shape)
            place = f"{name}[{l}][{', '.join(map(str, at))}]"
            worst.append((abs(mine[at] - right[at]) / size, WorstParameter(place, float(mine[at]), float(right[at]))))
    return max(worst, key=lambda each: each[0])[1]
