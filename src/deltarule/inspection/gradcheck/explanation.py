"""Which slip explains one array, or two that are made alike: by comparing it with what each slip would leave."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from deltarule.inspection.gradcheck.numeric_gradient import ALIKE, Problem, relative_error
from deltarule.inspection.gradcheck.slips import Slip
from deltarule.nn.arrays import Array

NAMED, ANY_FACTOR, UNKNOWN = 1.0, 1.6, 2.5  # what an explanation costs
ZERO = ("never-filled", "bias-forgotten", "bias-all-axes-zero")  # slips that leave zeros, to the last bit
Named = tuple[str, Mapping[str, Any]]  # a slip, and what its sentence needs
Fitting = tuple[float, Mapping[str, Any]]  # by which factor a slip explains an array, and the same


class Option(NamedTuple):
    """One explanation of an array: what it costs to believe it, the slips, none where it is right, and its error."""

    cost: float
    slips: tuple[Named, ...] = ()
    error: float = 0.0


def is_alike(found: Array, expected: Array, least: float = 0.0) -> bool:
    """Whether two arrays agree to five digits; `least`: a norm to which they are compared at least."""
    return found.shape == expected.shape and relative_error(found, expected, least) <= ALIKE


def factor_slips(factor: float, problem: Problem) -> tuple[Named, ...]:
    """The slips that make a factor: its sign, and a number that has a name, or any."""
    size, n, k = abs(factor), float(problem.sample_weight.sum()), problem.network.layer_sizes[-1]
    named = {1.0 / k: "by-outputs", 2.0 / k: "by-outputs", float(k): "times-outputs", 1.0: "", n: "undivided"}
    named |= {1.0 / n: "divided-twice", 2.0: "factor-two", 0.5: "factor-two"}
    names = [key for value, key in named.items() if abs(size / value - 1.0) <= ALIKE]
    keys = [*(["sign"] if factor < 0.0 else []), *(names[:1] or ["factor"])]
    return tuple((key, {"factor": size}) for key in keys if key)


def has_name(slips: Iterable[Named]) -> bool:
    """Whether the slips of a factor are numbers that have names."""
    return all(key != "factor" for key, _ in slips)


def fit(found: Sequence[Array], slips: Sequence[Slip], problem: Problem, *, by_any: bool = False) -> Fitting | None:
    """How a slip, one for each array, explains arrays: by a factor that has a name, by any, or by a rate; or None."""
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


def explanation(found: Array, hypotheses: Iterable[Slip], problem: Problem) -> Option:
    """The best explanation of one array; of the hypotheses the first is what is right."""
    slips = iter(hypotheses)
    right = next(slips).array
    if is_alike(found, right):
        return Option(0.0)
    cost, named = best_slips(found, right, (each for each in slips if each.array.shape == found.shape), problem)
    if found.shape == right.shape:
        return Option(cost, named, relative_error(found, right))
    words = f" (its shape is {found.shape}, the layer's is {right.shape})"
    values = {"shape": found.shape, "right": right.shape, "shapes": words}
    return Option(cost, tuple((key, {**values, **theirs}) for key, theirs in named), 1.0)


def best_slips(found: Array, right: Array, slips: Iterable[Slip], problem: Problem) -> tuple[float, tuple[Named, ...]]:
    """The slips that explain an array that is wrong, and what it costs to believe that."""
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
