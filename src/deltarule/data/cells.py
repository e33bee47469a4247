"""The cells of a table: numbers, texts and missing ones; what a column is, and rows as its Columns count them."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltarule.data.columns import Column
from deltarule.data.csv_text import number_in
from deltarule.data.frames import Table
from deltarule.data.reporting import Announce, refuse
from deltarule.errors import DataError, closest

MOST_CATEGORIES = 100  # more different texts are names or sentences, which say nothing one by one
MOST_NUMBERS = 20  # a column of text with more different numbers in it is one of numbers with something else in it


def texts_of(cells: Any) -> tuple[NDArray[np.intp], list[str]]:
    """Which of its texts each cell of a Series holds, -1 where it is missing, and these texts, in order.

    Numbers are in the order of numbers where all texts are numbers, else in that of the alphabet. A cell of blanks is
    missing; a whole number is written without a point.
    """
    codes, found = sys.modules["pandas"].factorize(cells)
    written = [_written(each) for each in found]
    texts = in_order(set(written) - {""})
    place = {text: k for k, text in enumerate(texts)}
    return np.array([*(place.get(text, -1) for text in written), -1])[codes], texts


def _written(cell: Any) -> str:
    is_whole = isinstance(cell, float | np.floating) and cell.is_integer()
    return str(int(cell)) if is_whole else str(cell).strip()


def in_order(texts: Iterable[str]) -> list[str]:
    """The texts sorted: as numbers where all of them are, else as text."""
    texts = sorted(texts)
    numbers = [number_in(text) for text in texts]
    known = [number for number in numbers if number is not None]
    return [text for _, text in sorted(zip(known, texts, strict=True))] if len(known) == len(texts) else texts


def is_numeric(cells: Any) -> bool:
    """Whether pandas holds a Series as numbers; what is true or false is no number."""
    return bool(cells.dtype.kind in "iuf")


def missing_cells(cells: Any) -> NDArray[np.bool_]:
    """Which cells of a Series are missing."""
    if is_numeric(cells):
        return np.asarray(cells.isna(), dtype=bool)
    return texts_of(cells)[0] < 0


def described(table: Table, name: str) -> Column:
    """What a column is: of numbers, or of text with these categories.

    Raises DataError, naming column and lines, where it is neither: dates, no value at all, too many different texts,
    numbers with something else among them.
    """
    cells = table.cells(name)
    if cells.dtype.kind in "mMc":
        got = f"{cells.dtype} in column {name!r}"
        raise DataError(f"{table.name}: numbers and text were expected: got {got}; make numbers of it, or leave it out")
    texts = [] if is_numeric(cells) else texts_of(cells)[1]
    if is_numeric(cells) and not cells.isna().all():
        return Column(name)
    if not texts:
        raise DataError(f"{table.name}: a value in every column was expected: got none in {name!r}; leave it out")
    numbers = sum(number_in(text) is not None for text in texts)
    if numbers == len(texts):
        return Column(name)
    if numbers > MOST_NUMBERS:
        refuse(table.name, f"numbers in column {name!r}, where most cells are numbers,", not_numbers(table, name))
    if len(texts) > MOST_CATEGORIES:
        raise DataError(
            f"{table.name}: at most {MOST_CATEGORIES} different texts a column were expected: got {len(texts):,} in "
            f"{name!r}, such as {texts[0]!r}; leave it out"
        )
    return Column(name, tuple(texts))


def not_numbers(table: Table, name: str) -> Iterator[str]:
    """The cells of a column that hold something, but no finite number."""
    cells = table.cells(name)
    if is_numeric(cells):
        for row in np.flatnonzero(np.isinf(numbers_of(cells))):
            yield f"{table.place(int(row))}, column {name!r}: {cells.iloc[row]}"
        return
    codes, texts = texts_of(cells)
    for k in np.flatnonzero([_finite(text) is None for text in texts]):
        rows = np.flatnonzero(codes == k)
        yield _problem(table, name, rows, texts[k])


def numbers_of(cells: Any) -> NDArray[np.float64]:
    """The numbers in a Series, (n_rows,), NaN where a cell is missing, or holds something else."""
    if is_numeric(cells):
        return np.asarray(cells.to_numpy(dtype=np.float64, na_value=np.nan))
    codes, texts = texts_of(cells)
    numbers = [_finite(text) for text in texts]
    return np.array([*(np.nan if each is None else each for each in numbers), np.nan])[codes]


def _finite(text: str) -> float | None:
    number = number_in(text)
    return number if number is not None and np.isfinite(number) else None


def _problem(table: Table, name: str, rows: NDArray[np.intp], text: str) -> str:
    more = f" (and {len(rows) - 1:,} more of them)" if len(rows) > 1 else ""
    return f"{table.place(int(rows[0]))}, column {name!r}: {text[:40]!r}{more}"


def coded(table: Table, columns: Sequence[Column]) -> NDArray[np.float64]:
    """The rows, (n_rows, columns), of a table as these columns count them, whatever the order of its own.

    Raises DataError where the table lacks a column, and, naming columns and lines, where a cell holds no number in a
    column of numbers, or a text that is not among the categories.
    """
    lacking = [column.name for column in columns if column.name not in table.names]
    if lacking:
        got = f"none called {', '.join(map(repr, lacking))}; {closest(lacking[0], table.names)}"
        raise DataError(f"{table.name}: the columns that were learned from were expected: got {got}")
    refuse(
        table.name, "cells like those learned from", (each for column in columns for each in _strange(table, column))
    )
    by_column = np.empty((len(columns), len(table.frame)))  # written and then turned: four times as fast
    for k, column in enumerate(columns):
        cells = table.cells(column.name)
        if column.categories:
            codes, texts = texts_of(cells)
            place = [float(column.categories.index(text)) for text in texts]
            by_column[k] = np.array([*place, np.nan])[codes]
        else:
            by_column[k] = numbers_of(cells)
    return np.ascontiguousarray(by_column.T)


def _strange(table: Table, column: Column) -> Iterator[str]:
    """What is wrong with the cells of a column that is known."""
    if not column.categories:
        for problem in not_numbers(table, column.name):
            yield f"{problem} is no number"
        return
    codes, texts = texts_of(table.cells(column.name))
    for text in sorted(set(texts) - set(column.categories)):
        rows = np.flatnonzero(codes == texts.index(text))
        yield f"{_problem(table, column.name, rows, text)} was never seen; {closest(text, column.categories)}"


def whole_rows(table: Table, names: Sequence[str], *, or_refuse: str | None, announce: Announce) -> Table:
    """The table without the rows that lack a cell in one of these columns; how many there were is said.

    or_refuse: words on what to do; given, such rows are an error that ends in them.
    """
    by_name = {name: missing_cells(table.cells(name)) for name in names}
    lacking = {name: missing for name, missing in by_name.items() if missing.any()}
    if not lacking:
        return table
    counts = ", ".join(f"{missing.sum():,} in {name!r}" for name, missing in lacking.items())
    if or_refuse is not None:
        name, missing = next(iter(lacking.items()))
        where = f"{name!r} first in {table.place(int(missing.argmax()))}"
        raise DataError(f"{table.name}: no missing cells were expected: got {counts}, {where}; {or_refuse}")
    left_out = np.logical_or.reduce(list(lacking.values()))
    if left_out.all():
        raise DataError(f"{table.name}: a row without missing cells was expected: got none; missing are {counts}")
    announce(
        f"{table.name}: {left_out.sum():,} of {len(left_out):,} rows are left out, because cells are missing: {counts}"
    )
    return table.keep(~left_out)
