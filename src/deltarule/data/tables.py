"""CSV and DataFrames: tables of pixels, one image a row, and tables with a column to learn."""

import math
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Literal, TextIO, get_args

import numpy as np
from numpy.typing import NDArray

from deltarule.data.announcing import Announce, to_stderr
from deltarule.data.cells import coded, described, whole_rows
from deltarule.data.columns import Column, filled_by
from deltarule.data.csv_text import number_in, opened_text
from deltarule.data.dataset import Dataset
from deltarule.data.frames import Table, opened_table
from deltarule.data.problems import refuse
from deltarule.data.targets import Goal, known_targets, targets_to_learn
from deltarule.errors import DataError, SettingError, closest
from deltarule.public import public

Missing = Literal["error", "drop", "mean"]
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
    with opened_text(path) as file:
        header = _header(file)
        try:
            with warnings.catch_warnings(action="error"):
                table = np.loadtxt(file, np.uint8, delimiter=",", comments=None, ndmin=2)
        except (ValueError, Warning) as error:
            refuse(path, f"integers from 0 to 255, equally many in every line{_advice(header)},", _pixel_problems(file))
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


def _header(file: TextIO) -> list[str]:
    """The names in the first line, leaving the file behind it; none, and the file at its start, if that holds data."""
    names = [cell.strip().strip('"') for cell in file.readline().split(",")]
    if number_in(names[0]) is None and names != [""]:
        return names
    file.seek(0)
    return []


def _advice(header: list[str]) -> str:
    """Words for those whose CSV has a header as other tables have it."""
    return (
        " (or, for a table of something else, --target COLUMN, or dr.read_table(path, target))"
        if header and "label" not in header
        else ""
    )


def _label_column(header: list[str], width: int, name: str) -> int | None:
    """Where the label stands in a row of `width` cells, None for pixels only."""
    if header.count("label") > 1:
        raise DataError(f"{name}: one column called 'label' was expected: got {header.count('label')}")
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


def read_numbers(path: str | os.PathLike[str], target: str | None) -> NDArray[np.float64]:
    """The inputs in a CSV with a header, (n_samples, features): every column but `target`, which may be there.

    Raises DataError where a cell holds no finite number.
    """
    with opened_text(path) as file:
        header, *lines = file.read().splitlines() or [""]
    columns = [k for k, name in enumerate(header.split(",")) if name.strip() != target]
    if not any(map(str.strip, lines)):
        raise DataError(f"{path}: a header and rows of numbers were expected: got no rows")
    try:
        numbers = np.loadtxt(lines, delimiter=",", comments=None, quotechar='"', usecols=columns, ndmin=2)
    except ValueError as error:
        raise DataError(f"{path}: a header and rows of numbers were expected: {error} (counted from 0)") from error
    if not np.isfinite(numbers).all():
        row, column = np.argwhere(~np.isfinite(numbers))[0]
        raise DataError(f"{path}: finite numbers were expected: got {numbers[row, column]} in row {row} (from 0)")
    return numbers


@public('read_table("houses.csv", "price")')
def read_table(
    source: Any,
    target: str,
    *,
    task: Goal | None = None,
    missing: Missing = "error",
    without: Sequence[str] = (),
    announce: Announce = to_stderr,
) -> Dataset:
    """A table to learn from: the column `target` is what to learn, every other column is an input.

    source: a pandas DataFrame, or the path of a CSV with a header, its cells parted by commas, semicolons or tabs.
    task: "classes", where every distinct text in the target column is a class (in the order of numbers where all are
        numbers, else of the alphabet), or "values", where the target is a number. None takes classes for text and for
        few different whole numbers, else values, and says so.
    missing: what becomes of rows that lack a cell. "error" refuses them, "drop" leaves them out. "mean" keeps them: a
        missing number counts as its column's mean, a missing text as none of the categories; only rows without a
        target are left out.
    without: columns to leave out, such as running numbers.
    announce: is told how the target was understood, and how many cells are missing.

    A column of text has at most 100 categories, the different texts in it; a column of what is true or false is text.

    Returns a Dataset whose `columns` say what its inputs are: numbers, and the places of texts among their categories.
    Raises SettingError where there is no such column; DataError, naming column and line, where a cell or a column is of
    no use, where the target is the same everywhere, or where a class has only one example; MissingExtraError without
    pandas.

    >>> from pandas import DataFrame
    >>> flowers = DataFrame({"size": [1.5, 2.0, 4.0, 3.5], "color": list("rrbb"), "kind": list("xxyy")})
    >>> table = read_table(flowers, "kind", announce=lambda text: None)
    >>> table.inputs.tolist(), table.columns[1].categories, table.class_names
    ([[1.5, 1.0], [2.0, 1.0], [4.0, 0.0], [3.5, 0.0]], ('b', 'r'), ('x', 'y'))
    """
    table = opened_table(source, text=(target,))
    if missing not in get_args(Missing):
        raise SettingError(f"missing cells can be an error, drop or mean: got {missing!r}")
    names = _input_names(table, target, without)
    checked = [target] if missing == "mean" else [target, *names]
    advice = "choose what becomes of them: --missing drop leaves such rows out, --missing mean fills them in"
    table = whole_rows(table, checked, or_refuse=advice if missing == "error" else None, announce=announce)
    goal, class_names, targets = targets_to_learn(table, target, task, announce)
    columns = tuple(described(table, name) for name in names)
    rows = coded(table, columns)
    if missing == "mean":
        columns = filled_by([Column(each.name, each.categories, 0.0) for each in columns], rows)
        _announce_filled(table, columns, np.isnan(rows).sum(axis=0), announce)
    return Dataset(rows, targets, goal, class_names, name=table.name, columns=columns)


def read_known_table(
    source: Any,
    target: str,
    *,
    task: Goal,
    class_names: Sequence[str],
    columns: Sequence[Column],
    missing: Missing = "error",
    announce: Announce = to_stderr,
) -> Dataset:
    """A table like one that was learned from: its columns, by name, and its classes are counted as they were there.

    source, target, task, missing, announce: as for `read_table`; columns, class_names: those of the Model, or of the
    Dataset, that was made from that table.

    Raises as `read_table`, and DataError where a column is missing, held numbers and holds text, or where a category or
    a class has never been seen.
    """
    table = _known(source, [target], columns)
    if target not in table.names:
        raise SettingError(f"{table.name}: a column called {target!r} was expected: got {closest(target, table.names)}")
    names = [column.name for column in columns if missing == "drop" or column.fill is None]
    advice = "fill them in, or leave these rows out"
    table = whole_rows(table, [target, *names], or_refuse=advice if missing == "error" else None, announce=announce)
    rows = coded(table, columns)
    targets = known_targets(table, target, task, class_names)
    return Dataset(rows, targets, task, tuple(class_names), name=table.name, columns=tuple(columns))


def read_rows(
    source: Any, columns: Sequence[Column], *, target: str | None = None, announce: Announce = to_stderr
) -> NDArray[np.float64]:
    """The rows of a table, (n_samples, columns), for a model of these columns: see `data/columns.py`.

    source: a DataFrame or a CSV. target: a column that may be there, too. Others are passed over, which is said.

    Raises DataError as `read_known_table`.
    """
    table = _known(source, [], columns)
    known = [column.name for column in columns]
    extra = [name for name in table.names if name not in known and name != target]
    if not len(table.frame):
        raise DataError(f"{table.name}: a header and rows were expected: got no rows")
    rows = coded(table, columns)
    may_not = [column.name for column in columns if column.fill is None]
    advice = "fill them in, or train with --missing mean a model that answers such rows, too"
    whole_rows(table, may_not, or_refuse=advice, announce=announce)
    if extra:
        announce(f"{table.name}: what was not learned from is passed over: {', '.join(map(repr, extra))}")
    return rows


def _known(source: Any, text: Sequence[str], columns: Sequence[Column]) -> Table:
    return opened_table(source, text=[*text, *(column.name for column in columns if column.categories)])


def _input_names(table: Table, target: str, without: Sequence[str]) -> list[str]:
    """The columns to learn from, once target and columns are known to be there."""
    for name in (target, *without):
        if name not in table.names:
            offer = closest(name, table.names)
            raise SettingError(f"{table.name}: one column called {name!r} was expected: got none; {offer}")
    names = [name for name in table.names if name != target and name not in without]
    if "" in names:
        raise SettingError(
            f"{table.name}: a name for every column was expected: got none for column {table.names[''] + 1}; give it "
            "one, or leave it out: --without ''"
        )
    if not names or not len(table.frame):
        got = f"{len(table.frame)} rows of {len(names)} inputs"
        raise DataError(f"{table.name}: rows of a target and at least one input were expected: got {got}")
    return names


def _announce_filled(table: Table, columns: Sequence[Column], counts: NDArray[np.int64], announce: Announce) -> None:
    """Say how many cells are missing, and what they count as."""
    for kind, how in ((False, "the mean of their column"), (True, "none of the categories")):
        filled = [
            (each.name, n) for each, n in zip(columns, counts, strict=True) if n and bool(each.categories) is kind
        ]
        if filled:
            cells = ", ".join(f"{n:,} in {name!r}" for name, n in filled)
            announce(f"{table.name}: missing cells count as {how}: {cells}")
