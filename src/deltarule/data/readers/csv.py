"""A CSV: rows of pixels, one image a row, or columns of numbers and texts below a header.

Commas, semicolons or tabs part its cells. NumPy's parser, which is written in C, reads them; Python's csv module reads
only the lines with quoted or missing cells, for it takes several times as long.
"""

import csv
import math
import re
import warnings
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, count, islice
from pathlib import Path
from typing import Any, NamedTuple, SupportsIndex, TextIO

import numpy as np
from numpy.typing import NDArray

from deltarule.atomic import AnyPath
from deltarule.data.dataset import Dataset, Splits
from deltarule.data.reading import How, Reading, open_file, refuse
from deltarule.errors import DataError, SettingError, sentence

Names = Collection[str]
SEPARATORS = ",;\t"
MISSING = frozenset(["", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "null"])  # words for no cell
NO_CSV = (b"PK\3\4", b"\xd0\xcf\x11\xe0", b"PAR1", b"\x80\x04", b"\x80\x05", b'{"', b"[{")  # Excel, Parquet ...
BYTES = frozenset(map(str, range(256)))
# What np.loadtxt takes besides: "+7", " 007".
UNUSUAL_BYTE = re.compile(r"\s*\+?0*([0-9]{1,2}|1[0-9]{2}|2[0-4][0-9]|25[0-5])\s*")


class Texts(NamedTuple):
    """Cells of text: the place of each, (n_rows,), among different `texts`, in order; -1 where the cell is missing."""

    codes: NDArray[np.intp]
    texts: Sequence[str]


class Table(NamedTuple):
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

    def place(self, row: SupportsIndex) -> str:
        """Where a row is, for a message: its line in the CSV, its number in the DataFrame."""
        return f"line {self.rows[row]}" if self.is_file else f"row {self.rows[row]} (counted from 0)"


@contextmanager
def open_text(path: AnyPath) -> Iterator[tuple[TextIO, str]]:
    """The text of a CSV, and what parts the cells of its first line: a comma, else a semicolon or a tab.

    Bytes that are not UTF-8 become a character that no number contains.
    """
    with open_file(path, "a CSV file") as file:
        head = file.read(4)
    if head.startswith(NO_CSV):
        kind = {".json": "json", ".parquet": "parquet", ".pkl": "pickle"}.get(Path(path).suffix, "excel")
        raise DataError(sentence("readers.no_text", path=str(path), kind=kind))
    encoding = "utf-16" if head[:2] in (BOM_UTF16_LE, BOM_UTF16_BE) else "utf-8-sig"  # Excel writes both
    with open_file(path, "a CSV file", "r", encoding=encoding, errors="replace", newline=None) as file:
        first = next((line for line in file if line.strip()), "")
        file.seek(0)
        yield file, next((each for each in SEPARATORS if each in first), ",")


@contextmanager
def open_rows(path: AnyPath) -> Iterator[Iterator[tuple[int, list[str]]]]:
    """The rows of a CSV that are not blank, each with the number, counted from 1, of the line that it ends in."""
    with open_text(path) as (file, separator):
        reader = csv.reader(file, delimiter=separator, skipinitialspace=True)
        try:
            yield ((reader.line_num, cells) for cells in reader if any(cells) or len(cells) > 1)
        except csv.Error as error:
            raise DataError(f"{path}: a CSV was expected: line {reader.line_num} is not such ({error})") from error


def read_columns(
    path: AnyPath, *, text: Names = (), only: Names | None = None, without: Names = (), needs_header: bool = True
) -> Table:
    """The columns of a CSV with a header.

    text: columns whose cells stay as they are written, so that 007 is not 7; others do where one is not a number.
    only: the columns to read, None for all. without: columns not to read. needs_header: whether a first line of numbers
        is one, too; else it is a row, and columns are called by their numbers.

    Raises SettingError where columns share a name, DataError where lines are of other lengths than the header.
    """
    with open_rows(path) as rows:
        header_line, names = next(rows, (1, [""]))
        header = [name.strip() for name in names]
        first = next(rows, (0, []))[1]
    if not needs_header and None not in map(number_in, names):
        header_line, first, header = 0, names, [str(number) for number in range(1, len(names) + 1)]
    refuse_duplicates(str(path), header)
    wanted = {name: at for at, name in enumerate(header) if name not in without and (only is None or name in only)}
    if not first:
        return Table(str(path), header, {name: np.empty(0) for name in wanted}, np.empty(0, np.intp))
    texts = {at for at, cell in enumerate(first) if number_in(cell) is None and cell.strip() not in MISSING}
    for all_are_texts in (False, True):
        lines = [header_line]
        as_text = [at for name, at in wanted.items() if all_are_texts or name in text or at in texts]
        places = {at: defaultdict[str, int](count().__next__) for at in as_text}
        converters: dict[int, Any] = dict.fromkeys({*range(len(header))} - {*wanted.values()}, len)
        converters |= {at: lambda cell, known=known: known[cell.strip()] for at, known in places.items()}
        how: dict[str, Any] = {"comments": None, "quotechar": '"', "converters": converters, "ndmin": 2}
        try:
            with open_text(path) as (file, separator), warnings.catch_warnings(action="error"):
                numbers = np.loadtxt(plain_rows(file, separator, lines), delimiter=separator, **how)
        except (ValueError, Warning, csv.Error):
            continue
        if numbers.shape[1] == len(header):
            break
    else:
        with open_rows(path) as rows:
            lengths = ((line, len(cells)) for line, cells in rows if len(cells) != len(header))
            problems = (f"line {line}: {length} cells instead of {len(header)}" for line, length in lengths)
            refuse(path, "as many cells in every line as in the header", problems)
        raise DataError(f"{path}: a CSV was expected: its cells cannot be read")
    columns = np.ascontiguousarray(numbers.T)  # four times as fast as to read it column by column
    cells: dict[str, Any] = {}
    for name, at in wanted.items():
        cells[name] = columns[at]
        if at in places:
            known = ["" if each == "nan" else each for each in places[at]]
            cells[name] = cells_of(columns[at].astype(np.intp), known, is_text=name in text)
    return Table(str(path), header, cells, np.array(lines[1:], np.intp))


def plain_rows(file: TextIO, separator: str, lines: list[int]) -> Iterator[str]:
    """The rows as NumPy's parser takes them, what is missing as nan.

    lines: begins with the last one of the header, and gets the one that each row ends in.
    """
    line = lines[0]
    for row in islice(file, line, None):
        line += 1
        framed = separator + row.rstrip("\n") + separator
        # Every word for a missing cell has an n in it
        if '"' in row or "n" in row or "N" in row or 2 * separator in framed or row.isspace():
            reader = csv.reader(chain([row], file), delimiter=separator, skipinitialspace=True)
            cells = next(reader)
            line += reader.line_num - 1
            if not any(cells) and len(cells) < 2:
                continue
            known = ("nan" if cell.strip() in MISSING else cell.replace('"', '""') for cell in cells)
            row = separator.join(f'"{cell}"' for cell in known)
        lines.append(line)
        yield row


def cells_of(codes: NDArray[np.intp], texts: Sequence[str], *, is_text: bool) -> Texts | NDArray[np.float64]:
    """The cells of a column, of which each is one of these texts, "" or -1 where it is missing: as a Table has them.

    is_text: whether they stay as they are written, even where all are numbers. Then those in no row are left out, and
    the others are in the order of numbers where all are such.
    """
    numbers = [number_in(text) if text else math.nan for text in texts]
    if not is_text and None not in numbers:
        return np.array([*numbers, math.nan], float)[codes]
    values = dict(zip(texts, numbers, strict=True))
    found = sorted({texts[k] for k in np.unique(codes[codes >= 0])} - {""})
    if None not in map(values.get, found):
        found.sort(key=lambda text: (values[text], text))
    place = {text: k for k, text in enumerate(found)}
    return Texts(np.array([*(place.get(text, -1) for text in texts), -1], np.intp)[codes], found)


def number_in(cell: str) -> float | None:
    """The value of a cell, or None for one that is not a number. Python alone reads 1_000 and foreign digits."""
    try:
        return float(cell) if "_" not in cell and cell.strip().isascii() else None
    except ValueError:
        return None


def refuse_duplicates(name: str, header: Sequence[str]) -> None:
    """Raise SettingError, naming them, where columns share a name."""
    twice = sorted(column for column, times in Counter(header).items() if times > 1)
    if twice:
        raise SettingError(f"{name}: columns of different names were expected: got {', '.join(map(repr, twice))} twice")


def read_pixel_rows(path: Path, _: How) -> Reading:
    """Images from a CSV, one a row, and examples to learn from where it has labels.

    The label is the column called "label" or, without such a header, the first of a row that is one cell longer than
    a square image (785 = 1 + 28 x 28). Rows exactly as long as a square image, as in Kaggle's test.csv, have no label.
    Every cell is an integer from 0 to 255. A byte order mark, CRLF and blank lines are accepted.

    Raises DataError, naming lines and columns (counted from 1), where the file holds anything else.
    """
    with open_text(path) as (file, separator):
        header = [cell.strip().strip('"') for cell in file.readline().split(separator)]
        if header == [""] or number_in(header[0]) is not None:  # it holds data
            header = []
            file.seek(0)
        try:
            with warnings.catch_warnings(action="error"):
                table = np.loadtxt(file, np.uint8, delimiter=separator, comments=None, ndmin=2)
        except (ValueError, Warning) as error:
            problems = _pixel_problems(file, separator, bool(header))
            if len(header) > 1 and "label" not in header and (got := next(problems, "")):
                says = sentence("readers.table_for_pixels", path=str(path), got=got, last=header[-1])
                raise DataError(says) from error
            refuse(path, "integers from 0 to 255, equally many in every line,", problems)
            raise DataError(f"{path}: rows of integers from 0 to 255 were expected: got none ({error})") from error
    width = table.shape[1]
    if header and len(header) != width:
        raise DataError(sentence("readers.header", path=path, width=width, n_names=len(header)))
    has_label, has_none = (math.isqrt(cells) ** 2 == cells > 0 for cells in (width - 1, width))
    is_named = "label" in header
    if header.count("label") > 1:
        raise DataError(sentence("readers.labels", path=path, n_labels=header.count("label")))
    if not has_label and (is_named or not has_none):
        raise DataError(sentence("readers.no_square", path=path, width=width))
    if not has_label:
        return Reading(table, report={"holds": "pixels", "label": None})
    label = header.index("label") if is_named else 0
    pixels, labels = np.delete(table, label, axis=1), table[:, label].astype(np.int64)
    side = math.isqrt(width)
    examples = Splits(Dataset(pixels, labels, "classes", (), (side, side), str(path)))
    return Reading(pixels, examples, {"holds": "pixels", "label": label + 1})


def _pixel_problems(file: TextIO, separator: str, has_header: bool) -> Iterator[str]:
    """What is wrong with a CSV of pixels, cell by cell: slow, so only asked when NumPy has refused the file."""
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
