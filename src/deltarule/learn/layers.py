"""The layers of a learner's network: its weight matrices and biases in order, and the layout of its arrays."""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from deltarule.learn.recording import Event, InitialParameter
from deltarule.learn.roles import number_in
from deltarule.nn.arrays import Array


@dataclass(frozen=True, eq=False)
class OwnLayer:
    """A layer of the program: its own initial weights and biases. is_out_first: whether its W is (fan_out, fan_in)."""

    weights: InitialParameter
    biases: InitialParameter | None
    is_out_first: bool

    @property
    def W(self) -> Array:  # noqa: N802  # mathematics
        """The weights, (fan_in, fan_out)."""
        return self.weights.value.T if self.is_out_first else self.weights.value

    @property
    def b(self) -> Array:
        """The biases, (fan_out,); zeros if the layer has none."""
        return np.zeros(self.W.shape[1]) if self.biases is None else self.biases.value.ravel()

    def upright(self, array: Array) -> Array:
        """Turn an array from the layout of the program's W to (fan_in, fan_out), or back."""
        return array.T if self.is_out_first else array


def chains(starts: Sequence[InitialParameter]) -> list[list[OwnLayer]]:
    """The ways to read a program's weights as successive layers whose sizes fit, the longest chain first."""
    weights = [each for each in starts if each.kind == "weights" and each.value.ndim == 2]
    biases = [each for each in starts if each.kind == "biases" or (each.kind == "weights" and each.value.ndim == 1)]
    biases.sort(key=lambda each: each.kind)  # "biases" before vectors of "weights"
    numbered = sorted(weights, key=lambda each: number_in(each.name) or 0)
    found: list[list[OwnLayer]] = []
    for order in (weights, numbered, weights[::-1]):
        for is_out_first in (True, False):
            for chain in chains_in(order, is_out_first):
                layers = [OwnLayer(each, bias_of(each, biases, weights, is_out_first), is_out_first) for each in chain]
                found.append(layers)
    unique = {tuple((id(each.weights), each.is_out_first) for each in chain): chain for chain in found}
    return sorted(unique.values(), key=len, reverse=True)


def chains_in(weights: Sequence[InitialParameter], is_out_first: bool) -> Iterator[list[InitialParameter]]:
    """Cut a sequence of weight matrices into chains in which each fan_out equals the next fan_in."""
    into, out = (1, 0) if is_out_first else (0, 1)
    while weights:
        chain = [weights[0]]
        for each in weights[1:]:
            if each.value.shape[into] != chain[-1].value.shape[out]:
                break
            chain.append(each)
        yield chain
        weights = weights[len(chain) :]


def bias_of(
    weights: InitialParameter,
    biases: Sequence[InitialParameter],
    all_weights: Sequence[InitialParameter],
    is_out_first: bool,
) -> InitialParameter | None:
    """The bias that belongs to a weight matrix, by its size, then by its number or position; None if none fits."""
    size = weights.value.shape[0 if is_out_first else 1]
    fitting = [each for each in biases if each.value.size == size]
    number, place = number_in(weights.name), next(n for n, each in enumerate(all_weights) if each is weights)
    same_number = [each for each in fitting if number is not None and number_in(each.name) == number]
    same_place = [each for each in fitting if place < len(biases) and each is biases[place]]
    after = [each for each in fitting if each.where.line >= weights.where.line]
    same_line = [each for each in after if each.where.function == weights.where.function]
    return next(iter([*same_number, *same_place, *same_line, *after, *fitting]), None)


class Trace:
    """The events of a run, to search for arrays by their shape."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self._by_size: dict[int, list[Event]] = {}
        for each in events:
            self._by_size.setdefault(each.value.size, []).append(each)
        self._by_shape: dict[tuple[int, ...], list[tuple[Event, Array]]] = {}  # in the order of their times

    def arrays(self, rows: int, columns: int, after: int = -1) -> list[tuple[Event, Array]]:
        """The events later than `after`, each with its value as (rows, columns), transposed if necessary."""
        return self._pairs((rows, columns), rows * columns, lambda value: views(value, rows, columns), after)

    def like(self, shape: tuple[int, ...], after: int = -1) -> list[tuple[Event, Array]]:
        """The events later than `after` whose values have exactly this shape, each with its value."""
        size = math.prod(shape)
        return self._pairs((*shape, -1), size, lambda value: (value,) if value.shape == shape else (), after)

    def of_size(self, size: int, after: int = -1) -> list[tuple[Event, Array]]:
        """The events later than `after` whose values are vectors of this size, each with its value as (size,)."""
        return self._pairs(
            (size, -2), size, lambda value: (value.ravel(),) if max(value.shape, default=1) == size else (), after
        )

    def _pairs(
        self, key: tuple[int, ...], size: int, forms: Callable[[Array], Iterable[Array]], after: int
    ) -> list[tuple[Event, Array]]:
        if key not in self._by_shape:
            events = self._by_size.get(size, [])
            self._by_shape[key] = [(each, view) for each in events for view in forms(each.value)]
        pairs = self._by_shape[key]
        return pairs[bisect_right(pairs, after, key=lambda pair: pair[0].time) :]


def views(value: Array, rows: int, columns: int) -> Iterator[Array]:
    """Each way to read an array as (rows, columns): as it is, transposed, or reshaped if it is one row or column."""
    if value.size != rows * columns:
        return
    if value.ndim == 2 and value.shape == (rows, columns):
        yield value
        if rows == columns:
            yield value.T
    elif value.ndim == 2 and value.shape == (columns, rows):
        yield value.T
    elif rows == 1 or columns == 1:
        if sum(size > 1 for size in value.shape) <= 1:
            yield value.reshape(rows, columns)
    elif value.ndim == 3 and value.shape == (rows, columns, 1):
        yield value[:, :, 0]
