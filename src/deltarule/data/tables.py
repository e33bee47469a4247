"""CSV: tables of pixels, one image a row, and tables of numbers with a target column."""

import csv
import math
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TextIO

import numpy as np
from numpy.typing import NDArray

from deltarule.data.dataset import Dataset
from deltarule.data.problems import refuse
from deltarule.errors import DataError, SettingError, closest

BYTES = frozenset(map(str, range(256)))
# What np.loadtxt takes besides: "+7", " 007".
UNUSUAL_BYTE = re.compile(r"\s*\+?0*([0-9]{1,2}|1[0-9]{2}|2[0-4][0-9]|25[0-5])\s*")


def read_pixel_rows(path: str | os.PathLike[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64] | None]:
    """Images from a CSV, one a row, and their labels where it has any.

    The label is the column called "label" or, without such a header, the first of a row that is one cell longer than
    a square image (785 = 1 + 28 x 28). Rows exactly as long as a square image, as in Kaggle's test.csv, have no label.
    Every cell is an integer from 0 to 255. A byte order mark, CRLF and blank lines are accepted.

    Returns pixels (n_samples, n_features) uint8 and labels (n_samples,) int64 or None. Raises DataError, naming lines
    and columns (counted from 1), where the file holds anything else.
    """
    with _text(path) as file:
        header = _header(file)
        try:
            with warnings.catch_warnings(action="error"):
                table = np.loadtxt(file, np.uint8, delimiter=",", comments=None, ndmin=2)
        except (ValueError, Warning) as error:
            refuse(path, "integers from 0 to 255, equally many in every line,", _pixel_problems(file))
            raise DataError(f"{path}: rows of integers from 0 to 255 were expected: got none ({error})") from error
    width = table.shape[1]
    if header and len(header) != width:
        raise DataError(f"{path}: as many cells a line as the header were expected: got {width} for {len(header)}")
    label_column = _label_column(header, width, str(path))
    if label_column is None:
        return table, None
    return np.delete(table, label_column, axis=1), table[:, label_column].astype(np.int64)


def read_pixels(path: str | os.PathLike[str]) -> Dataset:
    """The labeled square images of a CSV: see `read_pixel_rows`. Raises DataError also where there are no labels."""
    pixels, labels = read_pixel_rows(path)
    if labels is None:
        raise DataError(f"{path}: a label for each image was expected: got rows of pixels only; add a column 'label'")
    side = math.isqrt(pixels.shape[1])
    return Dataset(pixels, labels, "classes", (), (side, side), str(path))


@contextmanager
def _text(path: str | os.PathLike[str]) -> Iterator[TextIO]:
    """The file's text; what is no UTF-8 becomes a character that no number contains."""
    try:
        with Path(path).open(encoding="utf-8-sig", errors="replace", newline=None) as file:
            yield file
    except OSError as error:
        raise DataError(f"{path}: expected a CSV file, but it cannot be read: {error.strerror}") from error


def _header(file: TextIO) -> list[str]:
    """The names in the first line, leaving the file behind it; none, and the file at its start, if that holds data."""
    names = [cell.strip().strip('"') for cell in file.readline().split(",")]
    if _number(names[0]) is None and names != [""]:
        return names
    file.seek(0)
    return []


def _number(cell: str) -> float | None:
    """The value of a cell, or None for one that holds no number. Python alone reads 1_000 as a number."""
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def _label_column(header: list[str], width: int, name: str) -> int | None:
    """Where the label stands in a row of `width` cells, None for pixels only."""
    labeled, bare = (math.isqrt(cells) ** 2 == cells > 0 for cells in (width - 1, width))
    if labeled and "label" in header:
        return header.index("label")
    if labeled:
        return 0
    if bare and "label" not in header:
        return None
    raise DataError(
        f"{name}: a label and the pixels of a square image were expected, such as 785 cells a line: got {width}; "
        "for a table of other numbers name its target column (--target)"
    )


def _pixel_problems(file: TextIO) -> Iterator[str]:
    """What is wrong with a CSV of pixels, cell by cell: slow, so only asked when NumPy has refused the file."""
    file.seek(0)
    width = 0
    header = _header(file)
    file.seek(0)
    for line, text in enumerate(file, start=1):
        cells = text.rstrip("\n").split(",")
        if cells == [""]:
            continue
        width = width or len(cells)
        if len(cells) != width:
            yield f"line {line}: {len(cells)} cells instead of {width}"
        elif (line > 1 or not header) and not BYTES.issuperset(cells):
            for column, cell in enumerate(cells, start=1):
                if cell not in BYTES and not UNUSUAL_BYTE.fullmatch(cell):
                    yield f"line {line}, column {column}: {cell[:40]!r}"


def read_table(path: str | os.PathLike[str], target: str, *, task: Literal["classes", "values"] = "classes") -> Dataset:
    """A CSV with a header: the column `target` is what to learn, every other column a numeric input.

    task: "classes", where every distinct text in the target column is a class (in the order of numbers where all are
        numbers, else of the alphabet), or "values", where the target is a number.

    Returns a Dataset of float64 inputs. Raises SettingError where there is no such column, DataError, naming lines and
    columns (counted from 1), where a cell holds no finite number or a line is too long or too short.
    """
    lines = _csv_lines(path)
    header = [cell.strip() for cell in lines[0][1]] if lines else []
    if header.count(target) != 1:
        got = f"{header.count(target)} in the first line; {closest(target, header)}"
        raise SettingError(f"{path}: one column called {target!r} was expected: got {got}")
    goal = header.index(target)
    text_column = goal if task == "classes" else None
    problems = (words for line, cells in lines[1:] for words in _row_problems(line, cells, len(header), text_column))
    refuse(path, "finite numbers, and as many cells in every line as in the header,", problems)
    if len(lines) < 2 or len(header) < 2:
        got = f"{len(lines) - 1} rows of {len(header)} columns"
        raise DataError(f"{path}: rows of a target and at least one input were expected: got {got}")
    goals = [cells[goal].strip() for _, cells in lines[1:]]
    inputs = np.array([[float(cell) for k, cell in enumerate(cells) if k != goal] for _, cells in lines[1:]])
    if task == "values":
        return Dataset(inputs, np.array(goals, dtype=np.float64)[:, np.newaxis], "values", (target,), name=str(path))
    names = sorted(set(goals), key=None if any(_number(cell) is None for cell in goals) else float)
    place = {name: k for k, name in enumerate(names)}
    targets = np.array([place[cell] for cell in goals], dtype=np.int64)
    return Dataset(inputs, targets, "classes", tuple(names), name=str(path))


def _csv_lines(path: str | os.PathLike[str]) -> list[tuple[int, list[str]]]:
    """The lines of a CSV that are not blank, each with its number, counted from 1."""
    with _text(path) as file:
        reader = csv.reader(file)
        try:
            return [(reader.line_num, cells) for cells in reader if cells]
        except csv.Error as error:
            raise DataError(f"{path}: a CSV was expected: line {reader.line_num} is none ({error})") from error


def _row_problems(line: int, cells: list[str], width: int, text_column: int | None) -> Iterator[str]:
    """What is wrong with a row whose cells must be finite numbers, except for that in `text_column`."""
    if len(cells) != width:
        yield f"line {line}: {len(cells)} cells instead of {width}"
        return
    for k, cell in enumerate(cells):
        number = _number(cell)
        if not (cell.strip() if k == text_column else number is not None and math.isfinite(number)):
            yield f"line {line}, column {k + 1}: {cell[:40]!r}"
