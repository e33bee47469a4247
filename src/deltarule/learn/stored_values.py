"""Find arrays, and weights and biases, in the values that a program stores, including lists and dicts."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from deltarule.learn.roles import first_row, parameter_kind
from deltarule.nn.arrays import Array
from deltarule.randomness import generator

MOST_NUMBERS = 15_000_000
NUMBERS = "biuf"
MOST_ITEMS = 12
NUMERIC, LISTED = (np.ndarray, np.generic, float, int), (float, int, list)  # for each of thousands of values


def arrays_by_name(name: str, value: Any) -> Iterator[tuple[str, Array]]:
    """The arrays stored under a name, as (name, array); for a list or a dict of arrays, the name includes the key."""
    items: Iterable[tuple[Any, Any]] = ()
    if name and isinstance(value, dict):
        items = value.items()
    elif name and isinstance(value, list | tuple) and len(value) < MOST_ITEMS:
        items = enumerate(value)
    arrays = [(f"{name}[{key!r}]", each) for key, each in items if isinstance(each, np.ndarray) and each.ndim]
    for path, each in arrays or [(name, value)]:
        if (array := array_of(each)) is not None:
            yield path, array


def array_of(value: Any) -> Array | None:
    """An array, a number or a list of numbers as a new float64 or complex array; None for other values."""
    if isinstance(value, (list, tuple)) and value and isinstance(value[0], LISTED) and len(value) < 1000:
        try:
            value = np.asarray(value)
        except ValueError:  # lists of arrays, or of different lengths
            return None
    if not isinstance(value, NUMERIC):
        return None
    array = np.asarray(value)
    if array.dtype.kind in NUMBERS and 0 < array.size <= MOST_NUMBERS // 5:
        return array.astype(np.float64)
    return array.copy() if array.dtype.kind == "c" else None  # asarray makes plain arrays of np.matrix


def parameters_in(text: str, value: Any) -> Iterator[tuple[str, str, Array]]:
    """The weights and biases in a stored array, list or dict, as (name, kind, array)."""
    if isinstance(value, np.ndarray):
        if value.ndim and value.dtype.kind in "fi" and (kind := parameter_kind(text)):
            yield text, kind, np.asarray(value)
    elif isinstance(value, dict):
        container = text.rpartition(".")[2].partition("[")[0].casefold().strip("_")
        for key, each in value.items():
            name = f"{text}[{key!r}]"
            if isinstance(each, np.ndarray) and each.ndim and each.dtype.kind in "fi":
                kind = parameter_kind(str(key)) or parameter_kind(text)
                if kind and first_row("containers", container) != "others":
                    yield name, kind, np.asarray(each)
    elif isinstance(value, list) and (kind := parameter_kind(text)):
        for n, each in enumerate(value):
            if isinstance(each, np.ndarray) and each.ndim and each.dtype.kind == "f":
                yield f"{text}[{n}]", kind, np.asarray(each)


def rows_off_zero(rows: list[Any], kind: str) -> list[Any]:
    """Add random numbers to inputs in lists; targets stay: second in a pair, or last in a row if kind is "pairs"."""
    in_pairs = all(isinstance(row, list | tuple) and row and isinstance(row[0], list | tuple) for row in rows)
    inputs = [row[0] for row in rows] if in_pairs else rows
    numbers = [
        all(type(number) in (int, float) for number in each) for each in inputs if isinstance(each, list | tuple)
    ]
    if not rows or len(numbers) < len(rows) or not all(numbers):
        return rows
    rng = generator(0, "check X")
    new = [[number + float(rng.uniform(0.1, 0.4)) for number in each] for each in inputs]
    if kind == "pairs" and not in_pairs:
        return [[*row[:-1], old[-1]] for row, old in zip(new, rows, strict=True)]
    return [[row, *old[1:]] for row, old in zip(new, rows, strict=True)] if in_pairs else new
