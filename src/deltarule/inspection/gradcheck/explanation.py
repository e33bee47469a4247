"""Which slip explains one array, or two that are made alike: by comparing it with what each slip would leave."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from deltarule.inspection.gradcheck.formulas import ALIKE
from deltarule.inspection.gradcheck.numeric_gradient import Problem
from deltarule.inspection.gradcheck.slips import Slip
from deltarule.nn.arrays import Array

NAMED, ANY_FACTOR, UNKNOWN = 1.0, 1.6, 2.5  # what an explanation costs
A_FEW = 500  # numbers
ZERO = ("never-filled", "bias-forgotten", "bias-all-axes-zero")  # slips that leave zeros, to the last bit


class Option(NamedTuple):
    """One explanation of an array: what it costs to believe it, and the slips with their values; none where right."""

    cost: float
    slips: tuple[tuple[str, Mapping[str, Any]], ...] = ()


class Fitting(NamedTuple):
    """By which factor a slip explains an array, and what its sentence needs."""

    factor: float
    values: Mapping[str, Any]


def is_alike(found: Array, expected: Array, least: float = 0.0) -> bool:
    """Whether two arrays agree to five digits; `least`: a norm to which they are compared at least."""
    return bool(np.linalg.norm(found - expected) <= ALIKE * max(float(np.linalg.norm(expected)), least))


def factor_slips(factor: float, problem: Problem) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """The slips that make a factor: its sign, and a number that has a name, or any."""
    size, n, k = abs(factor), float(problem.sample_weight.sum()), problem.network.layer_sizes[-1]
    named = {1.0 / k: "by-outputs", 2.0 / k: "by-outputs", float(k): "times-outputs", 1.0: "", n: "undivided"}
    named |= {1.0 / n: "divided-twice", 2.0: "factor-two", 0.5: "factor-two"}
    names = [key for value, key in named.items() if abs(size / value - 1.0) <= ALIKE]
    keys = [*(["sign"] if factor < 0.0 else []), *(names[:1] or ["factor"])]
    return tuple((key, {"factor": size}) for key in keys if key)


def conventions(problem: Problem) -> list[float]:
    """Factors by which losses differ that are used everywhere: sums and means, with the half or without it."""
    n, k = float(problem.sample_weight.sum()), problem.network.layer_sizes[-1]
    return [scale * each for scale in (1.0, n) for each in (1.0, 2.0, 1.0 / k, 2.0 / k, 0.5)]


def fit(found: Sequence[Array], slips: Sequence[Slip], problem: Problem, *, by_any: bool = False) -> Fitting | None:
    """How a slip, one for each array, explains arrays: by a factor that has a name, by any, or by a rate; or None."""
    is_free = slips[0].along is not None
    start = [each.array if is_free else 0.0 for each in slips]
    ways = [each.array if each.along is None else each.along for each in slips]
    every = 1 + sum(map(np.size, found)) // A_FEW
    if every > 1:  # most slips can be told from a few numbers
        mine, way = (np.concatenate([np.ravel(each)[::every] for each in arrays]) for arrays in (found, ways))
        mine = mine - np.concatenate([np.ravel(each.array)[::every] for each in slips]) if is_free else mine
        square = (way * way).sum()
        if square > 0.0 and np.abs(mine - (way * mine).sum() / square * way).max() > 0.01 * np.abs(mine).max():
            return None
    size = sum(float(np.vdot(way, way)) for way in ways)
    if not (0.0 < size < math.inf):
        return None
    rate = sum(float(np.vdot(way, mine - at)) for way, mine, at in zip(ways, found, start, strict=True)) / size
    if not all(is_alike(mine, at + rate * way) for way, mine, at in zip(ways, found, start, strict=True)):
        return None
    if is_free:
        is_sure = sum(map(np.size, found)) > 3
        return Fitting(1.0, {**slips[0].values, "rate": rate, "factor": rate}) if is_sure else None
    factor = 1.0 if abs(rate - 1.0) <= ALIKE else rate
    is_named = factor != 0.0 and all(key != "factor" for key, _ in factor_slips(factor, problem))
    return Fitting(factor, slips[0].values) if is_named or (by_any and factor != 0.0) else None


def explanation(found: Array, right: Array, slips: Iterable[Slip], problem: Problem) -> Option:
    """The best explanation of one array."""
    size = float(np.linalg.norm(right))
    if is_alike(found, right):
        return Option(0.0)
    if not np.isfinite(found).all():
        return Option(NAMED, (("not-finite", {}),))
    scaled = fit([found], [Slip("", right)], problem, by_any=True)
    by_factor = () if scaled is None else factor_slips(scaled.factor, problem)
    if by_factor and all(key != "factor" for key, _ in by_factor):
        return Option(NAMED, by_factor)
    for slip in slips:
        if slip.key in ZERO or not found.any():
            if slip.key in ZERO and not found.any():
                return Option(NAMED, ((slip.key, slip.values),))
        elif slip.along is None and is_alike(found, slip.array, 0.01 * size):
            return Option(NAMED, ((slip.key, slip.values),))
        elif fitting := fit([found], [slip], problem):
            more = factor_slips(fitting.factor, problem)
            return Option(NAMED + 0.3 * len(more), ((slip.key, fitting.values), *more))
    if by_factor and found.size > 1:
        return Option(ANY_FACTOR, by_factor)
    if single := single_slip(found, right):
        return Option(NAMED, (single,))
    return Option(UNKNOWN, (("off", {}),))


def single_slip(found: Array, right: Array) -> tuple[str, Mapping[str, Any]] | None:
    """The one bias, weight, or neuron that is wrong."""
    wrong = np.argwhere(np.abs(found - right) > ALIKE * np.linalg.norm(right))
    if len(wrong) == 1 and right.size > 1:
        place = tuple(wrong[0].tolist())
        values = {"neuron": place[-1], "place": list(place), "yours": found[place], "right": right[place]}
        return "one-bias" if right.ndim == 1 else "one-number", values
    if right.ndim == 2 and right.shape[1] > 1 and len({*wrong[:, 1].tolist()}) == 1:
        return "one-neuron", {"neuron": wrong[0, 1]}
    return None
