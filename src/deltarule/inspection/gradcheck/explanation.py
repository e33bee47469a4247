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
ZERO = ("never-filled", "bias-forgotten", "bias-all-axes-zero")  # slips that leave zeros, to the last bit


class Option(NamedTuple):
    """One explanation of an array: what it costs to believe it, and the slips with their values; none where right."""

    cost: float
    slips: tuple[tuple[str, Mapping[str, Any]], ...] = ()


def is_alike(found: Array, expected: Array, least: float = 0.0) -> bool:
    """Whether two arrays agree to five digits; `least`: a norm to which they are compared at least."""
    return bool(np.linalg.norm(found - expected) <= ALIKE * max(float(np.linalg.norm(expected)), least))


def ratio(found: Sequence[Array], expected: Sequence[Array]) -> float | None:
    """The number by which all of `expected` must be multiplied to be `found`; None where there is none."""
    size = sum(float(np.vdot(each, each)) for each in expected)
    if not (size > 0.0 and math.isfinite(size)):
        return None
    factor = sum(float(np.vdot(mine, each)) for mine, each in zip(found, expected, strict=True)) / size
    fits = factor != 0.0 and all(is_alike(mine, factor * each) for mine, each in zip(found, expected, strict=True))
    return (1.0 if abs(factor - 1.0) <= ALIKE else factor) if fits else None


def named_factors(problem: Problem) -> dict[float, str]:
    """The factors that have a name: keys of mistakes.toml by their size."""
    n, k = float(problem.sample_weight.sum()), problem.network.layer_sizes[-1]
    names = {1.0: "", n: "undivided", 1.0 / n: "divided-twice", 2.0: "factor-two", 0.5: "factor-two"}
    more = {1.0 / k: "by-outputs", 2.0 / k: "by-outputs", float(k): "times-outputs"}
    return more | names


def factor_slips(factor: float, problem: Problem) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """The slips that make a factor: its sign, and a named number or any."""
    size = abs(factor)
    names = [key for value, key in named_factors(problem).items() if abs(size / value - 1.0) <= ALIKE]
    keys = [*(["sign"] if factor < 0.0 else []), *(names[:1] or ["factor"])]
    return tuple((key, {"factor": size}) for key in keys if key)


def conventions(problem: Problem) -> list[float]:
    """Factors by which losses differ that are used everywhere: sums and means, with the half or without it."""
    n, k = float(problem.sample_weight.sum()), problem.network.layer_sizes[-1]
    return [u * v for u in (1.0, n) for v in (1.0, 2.0, 1.0 / k, 2.0 / k, 0.5)]


def fit(found: Sequence[Array], slip: Sequence[Slip], problem: Problem) -> tuple[float, Mapping[str, Any]] | None:
    """How a slip explains arrays, one Slip for each: with a named factor, or with a rate. None: not at all."""
    if slip[0].along is not None:
        along = [each.along for each in slip if each.along is not None]
        size = sum(float(np.vdot(each, each)) for each in along)
        off = [mine - each.array for mine, each in zip(found, slip, strict=True)]
        rate = sum(float(np.vdot(a, b)) for a, b in zip(off, along, strict=True)) / size if size else math.nan
        moved = [each.array + rate * way for each, way in zip(slip, along, strict=True)]
        if sum(map(np.size, found)) > 3 and all(is_alike(mine, each) for mine, each in zip(found, moved, strict=True)):
            return 1.0, {**slip[0].values, "rate": rate, "factor": rate}
        return None
    factor = ratio(found, [each.array for each in slip])
    if factor is None or any(key == "factor" for key, _ in factor_slips(factor, problem)):
        return None
    return factor, slip[0].values


def explanation(found: Array, right: Array, slips: Iterable[Slip], problem: Problem) -> Option:
    """The best explanation of one array."""
    size = float(np.linalg.norm(right))
    if is_alike(found, right):
        return Option(0.0)
    if not np.isfinite(found).all():
        return Option(NAMED, (("not-finite", {}),))
    factor = ratio([found], [right])
    by_factor = () if factor is None else factor_slips(factor, problem)
    if by_factor and all(key != "factor" for key, _ in by_factor):
        return Option(NAMED, by_factor)
    for slip in slips:
        if slip.key in ZERO or not found.any():
            if slip.key in ZERO and not found.any():
                return Option(NAMED, ((slip.key, slip.values),))
        elif slip.along is None and is_alike(found, slip.array, 0.01 * size):
            return Option(NAMED, ((slip.key, slip.values),))
        elif fitting := fit([found], [slip], problem):
            more = factor_slips(fitting[0], problem)
            return Option(NAMED + 0.3 * len(more), ((slip.key, fitting[1]), *more))
    if by_factor and found.size > 1:
        return Option(ANY_FACTOR, by_factor)
    if single := single_slip(found, right):
        return Option(NAMED, (single,))
    return Option(UNKNOWN, (("off", {}),))


def single_slip(found: Array, right: Array) -> tuple[str, Mapping[str, Any]] | None:
    """The one bias, weight, or neuron that is wrong."""
    wrong = np.abs(found - right) > ALIKE * np.linalg.norm(right)
    where = np.argwhere(wrong)
    if len(where) == 1 and wrong.size > 1 and wrong.ndim <= 2:
        place = tuple(int(i) for i in where[0])
        key = "one-bias" if wrong.ndim == 1 else "one-weight"
        at = {"neuron": place[-1], "row": place[0], "yours": found[place], "right": right[place]}
        return key, at
    for axis, what in ((0, "neuron"), (1, "input")) if wrong.ndim == 2 else ():
        lines = np.flatnonzero(wrong.any(axis=axis))
        if len(lines) == 1 and wrong.shape[1 - axis] > 1:
            return "one-neuron", {"what": what, "neuron": int(lines[0])}
    return None
