"""The columns of a table, and how its rows become a network's inputs: text one-hot, missing cells filled in.

A row is float64, with a cell for each column: a number or, for a string, its index among the column's categories
(infinity if it is not among them). A missing cell is NaN.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltarule.errors import DataError, ShapeError, sentence
from deltarule.public import public

MOST_NAMED = 12
PLAIN = {"strategy": "mean", "indicator": False}
NO_CATEGORY = np.inf  # stands for a string that is not among a column's categories


@public()
@dataclass(frozen=True)
class Column:
    """A column of a table, with what is needed to turn its cells into inputs of a network.

    categories: the different strings in its cells; () for a column of numbers.
    fill: the input for a missing cell: the mean or the median in a column of numbers, 0 for each category in one of
        text. None if no cell may be missing.
    strategy: "mean" or "median": what `fill` is; "most_frequent": `fill` is the index of the category to fill in.
    indicator: whether the column has one more input, which is 1 if the cell is missing.

    >>> Column("color", ("blue", "red")).input_names
    ('color=blue', 'color=red')
    """

    name: str
    categories: tuple[str, ...] = ()
    fill: float | None = None
    strategy: str = "mean"
    indicator: bool = False

    @property
    def input_names(self) -> tuple[str, ...]:
        """The names of the column's inputs: its own or, for text, "name=category" for each; perhaps an indicator."""
        names = tuple(f"{self.name}={category}" for category in self.categories) or (self.name,)
        return (*names, f"{self.name} is missing") if self.indicator else names

    @property
    def fills(self) -> tuple[float | None, ...]:
        """What each of the column's inputs, except the indicator, is for a missing cell."""
        if self.strategy == "most_frequent":
            return tuple(float(place == self.fill) for place in range(len(self.categories)))
        return (self.fill,) * (len(self.categories) or 1)

    @property
    def binary(self) -> tuple[bool, ...]:
        """For each of the column's inputs, whether it is always 0 or 1: those of categories and the indicator are."""
        return (bool(self.categories),) * (len(self.input_names) - self.indicator) + (True,) * self.indicator

    @property
    def fields(self) -> dict[str, Any]:
        """The fields to save in a file: name, categories, fill; strategy and indicator only if not the default."""
        return {key: value for key, value in asdict(self).items() if key not in PLAIN or value != PLAIN[key]}


def input_names(columns: Sequence[Column]) -> tuple[str, ...]:
    """The names of all inputs of a network that these columns become, in order."""
    return tuple(name for column in columns for name in column.input_names)


def encode(columns: Sequence[Column], rows: NDArray[Any]) -> NDArray[np.float64]:
    """Turn the `rows` of a table, (n_samples, columns), into inputs of a network, (n_samples, inputs).

    Raises ShapeError if `rows` has another number of columns; DataError, naming the column, for a missing cell where
    none may be missing, and for a cell that is not the index of a category.

    >>> encode([Column("size"), Column("color", ("blue", "red"))], np.array([[2.5, 1.0]])).tolist()
    [[2.5, 0.0, 1.0]]
    """
    if rows.ndim != 2 or rows.shape[1] != len(columns):
        raise ShapeError(f"rows of {len(columns)} cells, one a column, were expected: got an array {rows.shape}")
    missing = np.isnan(rows)
    if not missing.any() and not any(column.categories or column.indicator for column in columns):
        return rows.astype(np.float64, copy=False)
    inputs = []
    for column, cells, is_missing in zip(columns, rows.T, missing.T, strict=True):
        block = cells[:, np.newaxis]
        if column.categories:
            codes = np.arange(len(column.categories))
            block = (block == codes).astype(np.float64)
            _check_cells(column, ~is_missing & ~np.isin(cells, [NO_CATEGORY, *codes]), cells)
        if is_missing.any():
            _check_cells(column, is_missing & (column.fill is None), cells)
            block = np.where(is_missing[:, np.newaxis], np.array(column.fills, float), block)
        inputs += [block, is_missing[:, np.newaxis]] if column.indicator else [block]
    return np.concatenate(inputs, axis=1, dtype=np.float64)


def _check_cells(column: Column, wrong: NDArray[np.bool_], cells: NDArray[Any]) -> None:
    if wrong.any():
        row = wrong.argmax()
        what = f"0 to {len(column.categories) - 1}, the places of its categories," if column.categories else "a number"
        got = "none" if np.isnan(cells[row]) else f"{cells[row]:g}"
        raise DataError(sentence("tables.cell", what=what, column=column, got=got, row=row))


def refill(columns: Sequence[Column], rows: NDArray[Any]) -> tuple[Column, ...]:
    """The columns, `fill` of each one of numbers set to its mean or median in these training `rows`, if it has any."""
    filled = []
    for column, cells in zip(columns, rows.T if columns else (), strict=True):
        known = cells[~np.isnan(cells)]
        if column.fill is not None and not column.categories and known.size:
            middle = np.median(known) if column.strategy == "median" else known.mean(dtype=np.float64)
            column = replace(column, fill=float(middle))
        filled.append(column)
    return tuple(filled)


def columns_in_words(columns: Sequence[Column]) -> str:
    """Say in a phrase how many columns these are, how many inputs they become, and which hold numbers or text."""
    n_inputs = len(input_names(columns))
    numbers = [column.name for column in columns if not column.categories]
    texts = [f"{each.name} ({len(each.categories)} categories)" for each in columns if each.categories]
    kinds = [f"{names_in_words(names)} as {what}" for what, names in (("numbers", numbers), ("text", texts)) if names]
    are, inputs = "is" if len(columns) == 1 else "are", "input" if n_inputs == 1 else "inputs"
    return f"{len(columns):,}, which {are} {n_inputs:,} {inputs}: {'; '.join(kinds)}"


def names_in_words(names: Sequence[str]) -> str:
    """Join the first 12 names with commas, and add the number of the rest."""
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def unseen_categories(columns: Sequence[Column], inputs: NDArray[Any]) -> list[str]:
    """The names of the 0-or-1 inputs that are 0 in every row of `inputs`, (n_samples, inputs), which `encode` made."""
    is_binary = [each for column in columns for each in column.binary]
    return [name for k, name in enumerate(input_names(columns)) if is_binary[k] and not inputs[:, k].any()]
