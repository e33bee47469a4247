"""Reads a CSV as rows of cells, with or without a header, and the cells of a column as numbers or strings.

Commas, semicolons, tabs, bars or spaces separate the cells; `dialect_of` finds out which, and the encoding.
"""

import csv
import math
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from gzip import GzipFile
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple, TextIO
from unicodedata import category

import numpy as np
from numpy.typing import NDArray

from deltarule.atomic import AnyPath
from deltarule.data.reading import most_believed, open_stored
from deltarule.errors import DataError, sentence

Row = tuple[int, list[str]]  # the number of the line that it ends in, counted from 1, and its cells
SEPARATORS = ",;\t|"
SAID = re.compile(r'"?sep=."?\s*', re.IGNORECASE)  # the first line that Excel may write: sep=;
MOST_SAMPLED = 30  # lines that show the dialect of a file
# Bytes that show that a text is not in Windows-1252.
FOREIGN = re.compile(rb"[A-Za-z][\x80-\x91\x93-\x9f][A-Za-z]|[\x81\x8d\x8f\x90\x9d]|\xc3[\x80-\xbf]")
MISSING = frozenset(["", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "None"])  # a missing cell
NO_CSV = (b"PK\3\4", b"\xd0\xcf\x11\xe0", b"PAR1", b"\x80\x04", b"\x80\x05", b'{"', b"[{")  # Excel, Parquet ...
# THOUSANDS: 12,363.5. DECIMAL: 1.234,5 or 1 234,5. SPACED: 12'363.5 or 12 363.5. POINTED: 12.363.
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?", re.ASCII)
DECIMAL = re.compile(r"[+-]?(\d+|\d{1,3}([.\s]\d{3})+),\d+([eE][+-]?\d+)?", re.ASCII)
SPACED = re.compile("[+-]?[1-9]\\d{0,2}([ '\u2019\u00a0\u202f]\\d{3})+([.,]\\d+)?")
SPACES = dict.fromkeys(map(ord, " '\u2019\u00a0\u202f"))
MARKS = SPACES | {ord(","): None}
POINTED = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+", re.ASCII)
UNIT = re.compile(r"[+-]?[\d.,]+\s*([^\W\d_][^\d\s]{0,6})")  # behind a number: cm, km/h


class Dialect(NamedTuple):
    """How a CSV is written: its encoding, the separator of its cells, and the following peculiarities.

    is_padded: whether every line ends in an extra separator. is_named: whether each row begins with a name for which
    the header has no cell, as R's write.table writes them. point: what the point in 12.363 means, "decimal" or
    "thousands", by the other numbers; "" if they do not show it. n_above: the lines above the table: sep=; or comments.
    """

    encoding: str
    separator: str
    is_padded: bool = False
    is_named: bool = False
    point: str = "decimal"
    n_above: int = 0


FRAME = Dialect("", ";")  # for a DataFrame's strings: a comma in them may be decimal, as in a CSV with semicolons


def dialect_of(path: AnyPath, *, is_whole: bool = True) -> Dialect:
    """Find the dialect of a CSV by its first lines: its separator gives them equally many cells, mostly numbers.

    is_whole: as for `encoding_of`. Raises DataError if the file is not a CSV, or in an unknown encoding.
    """
    encoding = encoding_of(path, is_whole=is_whole)
    with open_text(path, encoding) as file:
        sampled = [*islice(file, MOST_SAMPLED)]
    n_above = count_above(sampled)
    lines = [line for line in sampled[n_above:] if line.strip()]
    best, found = (-1.0, 0.0, 0), Dialect(encoding, ",", n_above=n_above)
    candidates = [*filter("".join(lines[:1]).__contains__, SEPARATORS)]
    if not candidates or '" "' in lines[0]:
        candidates += [" ", *filter("".join(lines[1:2]).__contains__, SEPARATORS)]
    for each in candidates:
        header, *rows = [cells for _, cells in parse(path, lines, each)] or [[""]]
        ends = {cells[-1] for cells in rows or [header] if cells} == {""}
        names = header[:-1] if ends and header[-1] == "" else header
        is_named = {len(cells) - ends for cells in rows} == {len(names) + 1} != {2}
        width = max(len(rows[0]) - 1, len(names)) if ends and rows else len(header) + is_named
        alike = [cells for cells in rows if len(cells) == width + ends]
        numbers = [is_number(cell) for cells in alike for cell in cells] if [each] != candidates or each == " " else []
        score = len(alike) / max(len(rows), 1), sum(numbers) / max(len(numbers), 1), width
        is_prose = each == " " and (score[0] < 1.0 or not score[1] or not rows)
        if width > 1 and not is_prose and (score > best or not rows):
            is_padded = ends and len(names) + is_named == width > 0
            point = "decimal" if each == "," and '"' not in "".join(lines) else meaning_of_points(each, chain(*rows))
            best, found = score, Dialect(encoding, each, is_padded, is_named, point, n_above)
    return found


def count_above(lines: Sequence[str]) -> int:
    """Count the lines above a table: Excel's sep=; and comments, but not a header after #, as np.savetxt writes it."""
    n_above = next((k for k, line in enumerate(lines) if line[0] != "#" and (k or not SAID.fullmatch(line))), 0)
    if n_above and lines[n_above - 1][0] == "#":
        pairs = ([line.split(each) for line in lines[n_above - 1 : n_above + 1]] for each in SEPARATORS)
        n_above -= any(len(last) == len(row) > 1 and any(map(is_number, row)) for last, row in pairs)
    return n_above


def meaning_of_points(separator: str, cells: Iterable[str]) -> str:
    """What the point in 12.363 means, by all cells: "decimal", "thousands" or, if that is unclear, ""."""
    known = [cell.translate(SPACES) for cell in cells]
    is_decimal = [DECIMAL.fullmatch(cell) and not THOUSANDS.fullmatch(cell) for cell in known]
    is_grouped = any(is_decimal) or any(cell.count(".") > 1 and POINTED.fullmatch(cell) for cell in known)
    has_point = any("." in cell and number_in(cell) is not None and not POINTED.fullmatch(cell) for cell in known)
    if is_grouped:
        return "" if has_point else "thousands"
    return "decimal" if has_point or separator != ";" else ""


def encoding_of(path: AnyPath, *, is_whole: bool = True) -> str:
    """Find a CSV's encoding: UTF-16 by its first bytes, UTF-8 if all bytes fit, else Windows-1252 (older Excel).

    is_whole: whether to check the whole file, not only its first megabyte, which is enough if all cells are numbers.

    Raises DataError for another kind of file, for gzip that is made to fill the memory, and for bytes that show another
    encoding, such as accented letters of old Macs or of DOS.
    """
    with open_stored(path, "a CSV file") as file:
        is_compressed = isinstance(file, GzipFile)
        most = most_believed(Path(path).stat().st_size) if is_compressed else -1 if is_whole else 2**20
        content = file.read(most)
        if is_compressed and file.read(1):
            raise DataError(sentence("readers.gzip_bytes", path=path, most=most))
    head = content[:4]
    if head.startswith(NO_CSV):
        kind = {".json": "json", ".parquet": "parquet", ".pkl": "pickle"}.get(Path(path).suffix, "excel")
        raise DataError(sentence("readers.no_text", path=str(path), kind=kind))
    if head[:2] in (BOM_UTF16_LE, BOM_UTF16_BE):
        return "utf-16"
    if len(head) == 4 and b"\0\0" in (head[::2], head[1::2]) and head.strip(b"\0"):
        return "utf-16-be" if head[0] == 0 else "utf-16-le"
    try:
        if not content.isascii():
            getincrementaldecoder("utf-8")().decode(content)  # the content may end within a character
    except UnicodeDecodeError:
        if found := FOREIGN.search(content):
            raise DataError(sentence("readers.encoding", path=path, got=found[0])) from None
        return "cp1252"
    return "utf-8-sig" if head.startswith(BOM_UTF8) else "utf-8"  # the latter decodes faster


@contextmanager
def open_text(path: AnyPath, encoding: str) -> Iterator[TextIO]:
    """Open a CSV, compressed or not, as text. DataError for a byte that is not of this encoding: none is replaced."""
    with open_stored(path, "a CSV file") as file:
        text = TextIOWrapper(file, encoding=encoding, newline=None)
        try:
            yield text
        except UnicodeDecodeError as error:
            got = error.object[error.start : error.end]
            raise DataError(sentence("readers.encoding", path=path, got=got)) from error
        finally:
            text.detach()


def parse(path: AnyPath, lines: Iterable[str], separator: str) -> Iterator[Row]:
    """Yield the rows of cells in the `lines` of a CSV. DataError, naming `path`, if one cannot be read."""
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise DataError(f"{path}: a CSV was expected: line {reader.line_num} is not such ({error})") from error


def read_rows(path: AnyPath, dialect: Dialect, most: int | None = None) -> list[Row]:
    """Read the rows of a CSV that are not blank, at most the first `most`."""
    with open_text(path, dialect.encoding) as file:
        lines = chain(["\n"] * dialect.n_above, islice(file, dialect.n_above, None))
        rows: Iterable[Row] = parse(path, lines, dialect.separator)
        if dialect.is_padded:
            rows = ((line, cells if cells and cells[-1] else cells[:-1]) for line, cells in rows)
        found = [*islice((row for row in rows if row[1] and (len(row[1]) > 1 or any(row[1]))), most)]
    if dialect.is_named and found:
        found[0][1].insert(0, "")
    return found


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of the column called `name`, as they are `written` in a file or a DataFrame."""

    name: str
    written: Sequence[Any]
    dialect: Dialect

    @cached_property
    def numbers(self) -> "Numbers":
        """The numbers in the cells, (n_rows,): from Python's float if it reads all cells, else from `as_texts`."""
        if self.dialect is FRAME and {*map(type, self.written)} <= {int, float}:
            return Numbers(np.fromiter(self.written, float))
        with suppress(TypeError, ValueError):
            together = "".join(self.written)
            if together.isascii() and "_" not in together and self.dialect.point == "decimal":
                return Numbers(np.fromiter(map(float, self.written), float))
        codes, _, numbers = self.as_texts
        known = numbers.values
        return numbers if known is None else numbers._replace(values=np.array([*known, math.nan])[codes])

    @cached_property
    def as_texts(self) -> "Texts":
        """The different strings in the cells, except those that mean a missing cell, such as ? among numbers.

        Raises DataError if a column of a DataFrame contains neither numbers nor text, but dates for example.
        """
        try:
            known = {cell: text_of(cell) for cell in dict.fromkeys(self.written)}
        except (TypeError, UnicodeDecodeError) as error:
            got = str(error) if isinstance(error, TypeError) else "bytes that are not UTF-8"
            got = "lists or dicts" if got.startswith("unhashable") else got
            raise DataError(sentence("tables.dtype", name="the DataFrame", dtype=got, column=self.name)) from error
        absent = frozenset([""]) if self.dialect is FRAME else MISSING
        texts = sorted({text or "" for text in known.values()} - absent)
        numbers = Numbers.of(texts, self.dialect)
        if numbers.values is not None:
            pairs = sorted(pair for pair in zip(numbers.values, texts, strict=True) if not math.isnan(pair[0]))
            numbers, texts = numbers._replace(values=[value for value, _ in pairs]), [text for _, text in pairs]
        place = {text: k for k, text in enumerate(texts)}
        codes = {cell: place.get(text or "", -1) for cell, text in known.items()}
        return Texts(np.fromiter(map(codes.__getitem__, self.written), np.intp), texts, numbers)

    @property
    def is_missing(self) -> NDArray[np.bool_]:
        """Which cells are missing, (n_rows,)."""
        return self.as_texts.codes < 0 if self.numbers.values is None else np.isnan(self.numbers.values)


def text_of(cell: Any) -> str | None:
    """A cell of a file or a DataFrame as a string, None if it is missing; TypeError for dates."""
    if cell is None or type(cell).__name__ == "NAType" or cell != cell:
        return None
    if isinstance(cell, date | timedelta | complex):
        raise TypeError(type(cell).__name__)
    if isinstance(cell, bytes):
        return cell.decode()
    return str(int(cell) if isinstance(cell, float) and cell.is_integer() else cell).strip()


class Texts(NamedTuple):
    """The different `texts` in a column and, as `codes` (n_rows,), the index of each cell among them, -1 if missing.

    texts: in numeric order if all are numbers, else in alphabetical order. numbers: their values.
    """

    codes: NDArray[np.intp]
    texts: Sequence[str]
    numbers: "Numbers"


class Numbers(NamedTuple):
    """The `values` of cells or strings, NaN for a missing one; None unless all are numbers in a clear notation.

    written: how the numbers are written, in words, if not as Python writes them. is_doubtful: whether commas or points
    may mark thousands as well as decimals.
    """

    values: Any
    written: str = ""
    is_doubtful: bool = False

    @classmethod
    def of(cls, texts: Sequence[str], dialect: Dialect) -> "Numbers":
        """Read the numbers in the different `texts` of a column, in a CSV of this dialect.

        A comma that cannot mark thousands is decimal. One that may be either marks thousands in a comma-separated CSV.
        """
        plain = [value for value in map(number_in, texts) if value is not None]
        if len(plain) == len(texts) and dialect.point == "decimal":
            return cls(plain)
        written = list[str]()
        texts = ["" if text == "?" else text.replace("\u2212", "-") for text in texts]  # ? among strings is a string
        spaced = [text for text in texts if {*text} & {*" '\u2019\u00a0\u202f"}]
        if spaced and all(map(SPACED.fullmatch, spaced)):
            written.append("with spaces or marks at the thousands")
            texts = [text.translate(SPACES) for text in texts]
        cells = [text for text in texts if text]
        units = [UNIT.fullmatch(text) for text in cells]
        signs = {unit[1] if unit else text.strip("+-0123456789.,eE ") for unit, text in zip(units, cells, strict=True)}
        sign = signs.pop() if len(signs) == 1 else ""
        if sign and (all(units) or sign == "%" or category(sign[0]) == "Sc"):
            written.append("in percent, 6.45% as 6.45" if sign == "%" else f"in {sign}")
            texts, cells = ([text.replace(sign, "").strip() for text in each] for each in (texts, cells))
        commas = [text for text in cells if "," in text]
        if commas and all(map(THOUSANDS.fullmatch, commas)):
            written.append("with a comma at the thousands")
            doubt = dialect.separator != "," and all(text.count(",") == 1 and "." not in text for text in commas)
            texts = [text.replace(",", "") for text in texts]
        elif commas and all(map(DECIMAL.fullmatch, commas)):
            written.append("with a decimal comma")
            doubt = any("." in text and "," not in text for text in cells)
            texts = [re.sub("[.\\s]", "", text).replace(",", ".") for text in texts]
        elif commas:
            return cls(None)
        else:
            pointed = [text for text in cells if "." in text]
            is_grouped = bool(pointed) and all(map(POINTED.fullmatch, pointed))
            is_sure = dialect.point == "thousands" or any(text.count(".") > 1 for text in pointed)
            doubt = is_grouped and not is_sure and not dialect.point
            if is_grouped and is_sure:
                written.append("with a point at the thousands")
                texts = [text.replace(".", "") for text in texts]
        values = [number_in(text) if text else math.nan for text in texts]
        known = [value for value in values if value is not None]
        is_number = len(known) == len(values)
        return cls(known if is_number and not doubt else None, " and ".join(written), is_number and doubt)


def number_in(cell: str) -> float | None:
    """The number in a cell; None if there is none, and for 1_000 or non-ASCII digits, which Python's float reads."""
    try:
        return float(cell) if "_" not in cell and cell.strip().isascii() else None
    except ValueError:
        return None


def is_number(cell: str) -> bool:
    """Whether a cell is a number as people write it, perhaps with commas or spaces, or in percent."""
    return number_in(cell.rstrip("% ").translate(MARKS)) is not None
