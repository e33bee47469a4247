"""A CSV: rows of pixels, one image a row, or columns of numbers and texts below a header.

Commas, semicolons or tabs part its cells. NumPy reads pixels, and columns that hold either numbers or plain texts;
Python's csv module reads others, a few rows at a time. A number takes 8 bytes, a text that occurs often is kept once.
"""

import csv
import math
import os
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np
from numpy.typing import NDArray

from deltarule.data.dataset import Dataset, Splits
from deltarule.data.file_guards import refuse_special
from deltarule.data.readers.reading import How, Reading
from deltarule.data.reporting import refuse
from deltarule.errors import DataError, SettingError

SEPARATORS = ",;\t"
MISSING = frozenset(["", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "null"])  # words for no cell
CELLS_TOGETHER = 2**16  # are in memory as texts
BYTES = frozenset(map(str, range(256)))
# What np.loadtxt takes besides: "+7", " 007".
UNUSUAL_BYTE = re.compile(r"\s*\+?0*([0-9]{1,2}|1[0-9]{2}|2[0-4][0-9]|25[0-5])\s*")

PathLike = str | os.PathLike[str]


class Texts(NamedTuple):
    """Cells of text: the place of each, (n_rows,), among different `texts`; where it is missing, -1 or that of ""."""

    codes: NDArray[np.intp]
    texts: Sequence[str]


class Places:
    """The different texts of a column, each with its place, in the order in which they are first seen."""

    def __init__(self) -> None:
        self.places = defaultdict[str, int](count().__next__)

    def find(self, cell: str) -> int:
        """The place of a cell's text."""
        return self.places[cell.strip()]

    def texts(self, codes: NDArray[Any]) -> Texts:
        """The column of these places."""
        return Texts(codes.astype(np.intp), ["" if each in MISSING else each for each in self.places])


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of a CSV or a DataFrame.

    name: what messages call it: its path, where it is a file. names: of all its columns, no two the same.
    cells: of those columns that were read: Texts, or numbers, (n_rows,) float64, NaN where they are missing.
    rows: the line that each row ends in or, in a DataFrame, its number.
    """

    name: str
    names: Sequence[str]
    cells: dict[str, Any]
    rows: NDArray[np.intp]
    is_file: bool = True

    def keep(self, rows: NDArray[np.bool_]) -> "Table":
        """The table of some of its rows."""
        cells = {
            name: Texts(each.codes[rows], each.texts) if isinstance(each, Texts) else each[rows]
            for name, each in self.cells.items()
        }
        return Table(self.name, self.names, cells, self.rows[rows], self.is_file)

    def place(self, row: int) -> str:
        """Where a row is, for a message: its line in the CSV, its number in the DataFrame."""
        return f"line {self.rows[row]}" if self.is_file else f"row {self.rows[row]} (counted from 0)"


@contextmanager
def open_text(path: PathLike) -> Iterator[TextIO]:
    """The file's text; bytes that are not UTF-8 become a character that no number contains."""
    refuse_special(path)
    try:
        with Path(path).open(encoding="utf-8-sig", errors="replace", newline=None) as file:
            yield file
    except OSError as error:
        raise DataError(f"{path}: expected a CSV file, but it cannot be read: {error.strerror}") from error


def separator_of(file: TextIO) -> str:
    """What parts the cells of the first line: a comma, else a semicolon or a tab. Leaves the file at its start."""
    first = next((line for line in file if line.strip()), "")
    file.seek(0)
    return next((each for each in SEPARATORS if each in first), ",")


@contextmanager
def open_rows(path: PathLike) -> Iterator[Iterator[tuple[int, list[str]]]]:
    """The rows of a CSV that are not blank, each with the number, counted from 1, of the line that it ends in."""
    with open_text(path) as file:
        reader = csv.reader(file, delimiter=separator_of(file), skipinitialspace=True)
        try:
            yield ((reader.line_num, cells) for cells in reader if any(cells) or len(cells) > 1)
        except csv.Error as error:
            raise DataError(f"{path}: a CSV was expected: line {reader.line_num} is not such ({error})") from error


def read_columns(
    path: PathLike, *, text: Collection[str] = (), only: Collection[str] | None = None, without: Collection[str] = ()
) -> Table:
    """The columns of a CSV with a header.

    text: columns whose cells stay as they are written, so that 007 is not 7; others do where one is not a number.
    only: the columns to read, None for all. without: columns not to read.

    Raises SettingError where columns share a name, DataError where lines are of other lengths than the header.
    """
    with open_rows(path) as rows:
        header_line, names = next(rows, (1, [""]))
        header = [name.strip() for name in names]
        first = next(rows, (0, []))[1]
    refuse_duplicates(str(path), header)
    wanted = {name: at for at, name in enumerate(header) if name not in without and (only is None or name in only)}
    texts = wanted.keys() & set(text)
    guesses = {name for name, cell in zip(header, first, strict=False) if as_numbers([cell]) is None}
    table = load_plain(path, header_line, header, wanted, wanted.keys() & (texts | guesses))
    return table or parse_rows(path, header, wanted, texts)


def load_plain(
    path: PathLike, header_line: int, header: list[str], wanted: dict[str, int], texts: Collection[str]
) -> Table | None:
    """The wanted columns by NumPy's parser, several times as fast as `parse_rows`; None for what needs the latter.

    That is a text in a column that is not among `texts`, a quoted cell, or a line of another length.
    """
    lines: list[int] = []

    def plain_lines(file: TextIO, separator: str) -> Iterator[str]:
        for line, row in enumerate(file, start=header_line + 1):
            row = row.rstrip("\n")
            if not row:
                continue
            if '"' in row or row.isspace():
                raise ValueError
            if "n" in row or "N" in row or 2 * separator in f"{separator}{row}{separator}":  # as in all of MISSING
                row = separator.join("nan" if cell.strip() in MISSING else cell for cell in row.split(separator))
            lines.append(line)
            yield row

    places = {name: Places() for name in texts}
    converters: dict[str | int, Callable[[str], int]] = {
        at: len for at, name in enumerate(header) if name not in wanted
    }
    converters |= {wanted[name]: places[name].find for name in texts}
    with open_text(path) as file:
        separator = separator_of(file)
        for _ in range(header_line):
            file.readline()
        try:
            with warnings.catch_warnings(action="error"):
                numbers = np.loadtxt(
                    plain_lines(file, separator), delimiter=separator, comments=None, converters=converters, ndmin=2
                )
        except (ValueError, Warning):
            return None
    if numbers.shape != (len(lines), len(header)):
        return None
    columns = np.ascontiguousarray(numbers.T)
    cells = {name: places[name].texts(columns[at]) if name in places else columns[at] for name, at in wanted.items()}
    return Table(str(path), header, cells, np.array(lines, np.intp))


def parse_rows(path: PathLike, header: list[str], wanted: dict[str, int], texts: Collection[str]) -> Table:
    """The wanted columns by Python's csv module; those of `texts` stay as they are written."""
    parts: dict[str, list[NDArray[Any]]] = defaultdict(list)
    lines: list[int] = []
    places = {name: Places() for name in texts}
    late = set()  # columns of numbers that turned into texts: how the first cells were written is lost
    with open_rows(path) as rows:
        next(rows, None)
        while chunk := list(islice(rows, max(1, CELLS_TOGETHER // len(header)))):
            if any(len(cells) != len(header) for _, cells in chunk):
                refuse_widths(path, len(header))
            lines += [line for line, _ in chunk]
            columns = list(zip(*(cells for _, cells in chunk), strict=True))
            for name, at in wanted.items():
                part: NDArray[Any] | None = None if name in places else as_numbers(columns[at])
                if part is None:
                    if name not in places:
                        places[name] = Places()
                        late |= {name} if parts[name] else set()
                    part = np.fromiter(map(places[name].find, columns[at]), np.intp, len(chunk))
                parts[name].append(part)
    cells: dict[str, Any] = {}
    for name in wanted:
        column = np.concatenate(parts[name]) if parts[name] else np.empty(0)
        cells[name] = places[name].texts(column) if name in places else column
    if late:
        cells |= parse_rows(path, header, {name: wanted[name] for name in late}, late).cells
    return Table(str(path), header, cells, np.array(lines, np.intp))


def as_numbers(cells: Sequence[str]) -> NDArray[np.float64] | None:
    """Cells as numbers, NaN where they are missing; None where one is a text."""
    if "_" in "".join(cells):
        return None
    try:
        return np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        with suppress(ValueError):
            known = ("nan" if cell.strip() in MISSING else cell for cell in cells)
            return np.fromiter(map(float, known), np.float64, len(cells))
        return None


def number_in(cell: str) -> float | None:
    """The value of a cell, or None for one that is not a number. Python alone reads 1_000 as a number."""
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def refuse_duplicates(name: str, header: Sequence[str]) -> None:
    """Raise SettingError, naming them, where columns share a name."""
    twice = sorted(column for column, times in Counter(header).items() if times > 1)
    if twice:
        raise SettingError(f"{name}: columns of different names were expected: got {', '.join(map(repr, twice))} twice")


def refuse_widths(path: PathLike, width: int) -> None:
    """Raise DataError where lines have other numbers of cells than the header."""
    with open_rows(path) as rows:
        problems = (
            f"line {line}: {len(cells)} cells instead of {width}" for line, cells in rows if len(cells) != width
        )
        refuse(path, "as many cells in every line as in the header", problems)


def read_pixel_rows(path: Path, _: How) -> Reading:
    """Images from a CSV, one a row, and examples to learn from where it has labels.

    The label is the column called "label" or, without such a header, the first of a row that is one cell longer than
    a square image (785 = 1 + 28 x 28). Rows exactly as long as a square image, as in Kaggle's test.csv, have no label.
    Every cell is an integer from 0 to 255. A byte order mark, CRLF and blank lines are accepted.

    Raises DataError, naming lines and columns (counted from 1), where the file holds anything else.
    """
    with open_text(path) as file:
        separator = separator_of(file)
        header = _header_of_pixels(file, separator)
        try:
            with warnings.catch_warnings(action="error"):
                table = np.loadtxt(file, np.uint8, delimiter=separator, comments=None, ndmin=2)
        except (ValueError, Warning) as error:
            is_other = bool(header) and "label" not in header
            of_else = " (or, for a table of something else, --target COLUMN, or dr.read_table(path, target))"
            advice = of_else if is_other else ""
            expected = f"integers from 0 to 255, equally many in every line{advice},"
            refuse(path, expected, _pixel_problems(file, separator))
            raise DataError(f"{path}: rows of integers from 0 to 255 were expected: got none ({error})") from error
    width = table.shape[1]
    if header and len(header) != width:
        raise DataError(f"{path}: as many cells a line as the header were expected: got {width} for {len(header)}")
    label_column = _label_column(header, width, str(path))
    report = {"holds": "pixels", "label": label_column and label_column + 1}
    if label_column is None:
        return Reading(table, report=report)
    pixels, labels = np.delete(table, label_column, axis=1), table[:, label_column].astype(np.int64)
    side = math.isqrt(width)
    return Reading(pixels, Splits(Dataset(pixels, labels, "classes", (), (side, side), str(path))), report)


def _header_of_pixels(file: TextIO, separator: str) -> list[str]:
    """The names in the first line, leaving the file behind it; none, and the file at its start, if that holds data."""
    names = [cell.strip().strip('"') for cell in file.readline().split(separator)]
    if number_in(names[0]) is None and names != [""]:
        return names
    file.seek(0)
    return []


def _label_column(header: list[str], width: int, name: str) -> int | None:
    """Where the label stands in a row of `width` cells, None for pixels only."""
    if header.count("label") > 1:
        raise DataError(f"{name}: one column called 'label' was expected: got {header.count('label')}")
    has_label, has_none = (math.isqrt(cells) ** 2 == cells > 0 for cells in (width - 1, width))
    if has_label:
        return header.index("label") if "label" in header else 0
    if has_none and "label" not in header:
        return None
    raise DataError(
        f"{name}: a label and the pixels of a square image were expected, such as 785 cells a line: got {width}; "
        "for a table of other numbers name its target column (--target)"
    )


def _pixel_problems(file: TextIO, separator: str) -> Iterator[str]:
    """What is wrong with a CSV of pixels, cell by cell: slow, so only asked when NumPy has refused the file."""
    file.seek(0)
    has_header = bool(_header_of_pixels(file, separator))
    file.seek(0)
    width = 0
    for line, text in enumerate(file, start=1):
        cells = text.rstrip("\n").split(separator)
        if cells == [""]:
            continue
        width = width or len(cells)
        if len(cells) != width:
            yield f"line {line}: {len(cells)} cells instead of {width}"
        elif (line > 1 or not has_header) and not BYTES.issuperset(cells):
            for column, cell in enumerate(cells, start=1):
                if cell not in BYTES and not UNUSUAL_BYTE.fullmatch(cell):
                    yield f"line {line}, column {column}: {cell[:40]!r}"
