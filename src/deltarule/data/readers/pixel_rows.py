"""Reads a CSV of pixels, one image per row: finds the column of labels and the scale of the pixels."""

import math
import re
import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltarule.data.dataset import Dataset, Splits
from deltarule.data.readers.csv import Cells, Dialect, Row, dialect_of, is_number, number_in, open_text, read_rows
from deltarule.data.reading import How, Reading, refuse
from deltarule.errors import DataError, SettingError, closest, sentence

BYTES = frozenset(map(str, range(256)))
PIXEL = re.compile(r"pix|p?\d|\d+x\d+", re.IGNORECASE)  # the name of a pixel
PIXELS = "integers from 0 to 255, or numbers from 0 to 1, equally many in every line,"
LABELS = frozenset(["label", "labels", "class", "target", "digit", "y", "category"])
INDICES = frozenset(["", "id", "index", "imageid", "unnamed: 0", "#"])
FEWEST_COUNTED = 9  # a first line with at least so many numbers that count 0, 1, 2, ... or 1, 2, 3, ... is a header
FEWEST_BINARY = 100  # with at least so many pixels, all 0 or 1, the scale is 0 to 1, not 0 to 255
MOST_GUESSED = 100  # the most classes in a column without a name
ROUNDED = 0.05  # pixels from 0 to 1 count as multiples of 1 / 255 if they differ by less than this share of it


def read_pixel_rows(path: Path, how: How) -> Reading:
    """Read images from a CSV, one per row, and, if it has labels, examples to learn from.

    The label is the column that `how` or the header names (label, class, target, digit, y, or one named unlike the
    pixels), else the first cell of a row that is one cell longer than a square image (785 = 1 + 28 x 28). Rows exactly
    as long as a square image, as in Kaggle's test.csv, have no label. A column that numbers the rows is skipped. A
    pixel is an integer from 0 to 255, or lies in 0 to 1.

    Raises SettingError if it is not clear which column is the label, DataError, naming lines and columns (counted from
    1), if the file contains anything but pixels and labels.
    """
    dialect = dialect_of(path, is_whole=False)
    line, first = (read_rows(path, dialect, 1) or [(0, [""])])[0]
    first = [cell.strip() for cell in first]
    header, n_above = (first, line) if is_header(first) else ([], dialect.n_above)
    table, texts = read_bytes(path, dialect, n_above), dict[int, tuple[str, ...]]()
    if table is None or (table.dtype != np.uint8 and n_beside(table.shape[1]) is None):
        table, texts = read_other_pixels(path, header)
    width = table.shape[1]
    if header and len(header) != width:
        raise DataError(sentence("readers.header", path=path, width=width, n_names=len(header)))
    label, index = find_label(path, header, table, how.label, texts)
    beside = [at for at in (label, index) if at is not None]
    pixels, scale = as_pixels(np.delete(table, beside, axis=1) if beside else table)
    labels = np.zeros(0) if label in (None, *texts) else table[:, label]
    if not scale or set(texts) - {label} or not np.isin(labels, range(256)).all():
        problems = wrong_pixels(read_rows(path, dialect_of(path)), bool(header), label if label in texts else None)
        refuse_other_cells(path, header, problems)
    report = {"holds": "pixels", "label": None if label is None else label + 1, "pixels": scale}
    report |= {"separator": dialect.separator, "encoding": dialect.encoding.removesuffix("-sig")}
    report |= {} if index is None else {"passed over": index + 1}
    names = [*map(repr, header)] or [f"column {number}" for number in range(1, width + 1)]
    where = "none" if label is None else f"{names[label]}, column {label + 1} of {width}"
    passed_over = "" if index is None else f"; {names[index]} is a running number, skipped"
    passed_over += f"; lines above skipped: {dialect.n_above}" if dialect.n_above else ""
    how.announce(f"{path}: labels: {where}; {pixels.shape[1]:,} pixels {scale} an image{passed_over}")
    if label is None:
        return Reading(pixels, report=report)
    side = math.isqrt(pixels.shape[1])
    class_names = texts.get(label, ())
    examples = Dataset(pixels, table[:, label].astype(np.int64), "classes", class_names, (side, side), str(path))
    return Reading(pixels, Splits(examples), report)


def refuse_other_cells(path: Path, header: Sequence[str], problems: Iterator[str]) -> None:
    """Raise DataError if there are `problems` with cells; if the `header` is a table's, it says how to read one."""
    named = [name for name in header if name.casefold() in LABELS]
    if header and not (named and any(map(PIXEL.match, header))) and (got := next(problems, "")):
        raise DataError(sentence("readers.table_for_pixels", path=str(path), got=got, last=[*header, *named][-1]))
    refuse(path, PIXELS, problems)


def is_header(cells: Sequence[str]) -> bool:
    """Whether the first line names columns: most of its cells are not numbers, or they count up from 0 or 1."""
    numbers = [*filter(is_number, cells)]
    counts = [[*map(str, range(first, first + len(numbers)))] for first in (0, 1)]
    return 2 * len(numbers) < len(cells) or (len(numbers) >= FEWEST_COUNTED and numbers in counts)


def read_bytes(path: Path, dialect: Dialect, n_above: int) -> NDArray[Any] | None:
    """Read the cells below `n_above` lines, as uint8 or else float64, by NumPy's fast parser; None if it cannot."""
    for dtype in (np.uint8, np.float64):
        try:
            with open_text(path, dialect.encoding) as file, warnings.catch_warnings(action="error"):
                for _ in range(n_above):
                    file.readline()
                return np.loadtxt(file, dtype, delimiter=dialect.separator, comments=None, ndmin=2)
        except (ValueError, Warning):
            continue
    return None


def read_other_pixels(path: Path, header: Sequence[str]) -> tuple[NDArray[Any], dict[int, tuple[str, ...]]]:
    """Read a CSV that `read_bytes` cannot: floats (rows, columns), indices for strings; and the strings, by column.

    Raises DataError if more than one column contains strings, or a cell is missing.
    """
    dialect = dialect_of(path)
    rows = read_rows(path, dialect)
    body = [cells for _, cells in rows[bool(header) :]]
    if len(header) == 1 and body and len(body[0]) > 1:
        raise DataError(sentence("tables.preamble", path=path, line=rows[0][0], n=1, m=len(body[0])))
    is_even = len({len(cells) for _, cells in rows}) == 1 and n_beside(len(rows[0][1])) is not None
    cells = [Cells("", written, dialect) for written in zip(*body, strict=True)] if is_even else []
    texts = {k: tuple(each.as_texts.texts) for k, each in enumerate(cells) if each.numbers.values is None}
    has_number = any(number_in(text) is not None for each in texts.values() for text in each)
    if not cells or len(texts) > 1 or has_number or any(each.is_missing.any() for each in cells):
        refuse_other_cells(path, header, wrong_pixels(rows, bool(header), None))
        raise DataError(f"{path}: rows of integers from 0 to 255 were expected: got none")
    columns = [each.as_texts.codes if k in texts else each.numbers.values for k, each in enumerate(cells)]
    return np.array(columns, float).T, texts


def as_pixels(numbers: NDArray[Any]) -> tuple[NDArray[Any], str]:
    """Turn numbers into pixels: uint8 for 0 to 255 and for multiples of 1 / 255; and say their scale, "" if none."""
    low, high = numbers.min(initial=0), numbers.max(initial=0)
    is_whole = numbers.dtype == np.uint8 or bool((numbers == np.rint(numbers)).all())
    if not 0 <= low <= high <= 255 or (high > 1 and not is_whole):
        return numbers, ""
    if is_whole and not (high == 1 and numbers.size >= FEWEST_BINARY):
        return numbers.astype(np.uint8, copy=False), "from 0 to 255"
    shares = np.rint(numbers * 255.0)
    is_rounded = np.abs(shares - numbers * 255.0).max() < ROUNDED
    return (shares.astype(np.uint8) if is_rounded else numbers), "from 0 to 1"


def find_label(
    path: Path, names: Sequence[str], table: NDArray[Any], asked: str | None, texts: Collection[int]
) -> tuple[int | None, int | None]:
    """Find the column of labels and the one that numbers the rows, counted from 0; None for one that is not there.

    names: the columns' names, if the file has a header. asked: the label's name, or its number counted from 1. texts:
    the columns of strings.

    Raises DataError if the other columns do not form a square, SettingError if it is not clear which is the label.
    """
    width, folded = table.shape[1], [name.casefold() for name in names]
    if asked is not None and asked not in names and asked not in map(str, range(1, width + 1)):
        raise SettingError(sentence("readers.no_label", path=path, asked=asked, offer=closest(asked, names)))
    known = [at for at, name in enumerate(folded) if name in LABELS] if asked is None else []
    known = known or ([] if asked is None else [names.index(asked) if asked in names else int(asked) - 1])
    if len(known) > 1:
        raise DataError(sentence("readers.labels", path=path, n_labels=len(known)))
    n_others = n_beside(width)
    stems = [re.sub(r"\d+", "", name) for name in folded]
    (commonest, n_common), *_ = Counter(stems).most_common(1) or [("", 0)]
    odd = [at for at, stem in enumerate(stems) if stem != commonest] if n_common == width - (n_others or 0) else []
    called = [at for at in odd if folded[at] in INDICES]
    unknown = (at for at in (*called, *odd, 0) if at not in known)
    counting = next((at for at in unknown if at in called or counts_rows(table[:, at])), None)
    index = counting if n_others == 2 or (n_others and counting in called) else None
    if n_others is None or (known and not n_others) or (n_others == 2 and index is None):
        raise DataError(sentence("readers.no_square", path=path, width=width))
    label = next((at for at in (*known, *texts, *odd) if at != index), None)
    if n_others == 0 or (n_others == 1 and index is not None):
        return None, index
    if label is None:
        label = 0 if index != 0 else 1
        is_whole = [np.array_equal(table[:, at], np.rint(table[:, at])) for at in (label, -1)]
        label = width - 1 if is_whole == [False, True] else label
        highest = table.max(axis=0)
        others = [at for at in np.flatnonzero((highest > 0) & (highest < MOST_GUESSED)) if at not in (label, index)]
        others = [] if highest[label] > 1 and len(others) > 1 and highest[others].max() == 1 else others  # of 0 and 1
        unlike = width - 1 if width - 1 in others and highest[label] >= MOST_GUESSED else None  # pixels are seldom few
        if (at := next(filter(lambda at: looks_like_label(table[:, at]), reversed(others)), unlike)) is not None:
            raise SettingError(sentence("readers.which_label", path=path, first=label + 1, last=at + 1))
    return label, index


def n_beside(width: int) -> int | None:
    """How many cells of a row are not pixels of a square image: 0, 1 or 2 (a label, a row's number); else None."""
    return next((n for n in (0, 1, 2) if math.isqrt(max(width - n, 0)) ** 2 == width - n > 3 * (n > 0)), None)


def counts_rows(numbers: NDArray[Any]) -> bool:
    """Whether a column counts the rows from 0 or 1."""
    return len(numbers) > 1 and numbers[0] in (0, 1) and bool((np.diff(numbers.astype(float)) == 1).all())


def looks_like_label(numbers: NDArray[Any]) -> bool:
    """Whether a column may contain classes: all whole numbers from 0 or 1 to the highest, each twice or more."""
    different, counts = np.unique(numbers, return_counts=True)
    return counts_rows(different) and bool(counts.min() > 1)


def wrong_pixels(rows: Sequence[Row], has_header: bool, label: int | None) -> Iterator[str]:
    """Yield what is wrong with each row or cell of a CSV of pixels, except cells in the column `label`."""
    for k, (line, cells) in enumerate(rows):
        if len(cells) != len(rows[0][1]):
            yield f"line {line}: {len(cells)} cells instead of {len(rows[0][1])}"
        elif k >= has_header and not BYTES.issuperset(cells):
            for column, cell in enumerate(cells, start=1):
                value = number_in(cell)
                if column - 1 != label and (value is None or not 0 <= value <= 255 or value % 1):
                    yield f"line {line}, column {column}: {cell[:40]!r}"
