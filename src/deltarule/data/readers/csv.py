"""A CSV: columns of numbers and texts, below a header or without one.

Commas, semicolons, tabs, bars or spaces part its cells; `dialect_of` tells which, and the encoding. NumPy's parser,
which is written in C, reads them; Python's csv module reads only the lines with quoted or missing cells, for it takes
several times as long.
"""

import csv
import math
import re
import warnings
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from gzip import GzipFile
from io import TextIOWrapper
from itertools import chain, count, islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, SupportsIndex, TextIO
from unicodedata import category

import numpy as np
from numpy.typing import NDArray

from deltarule.atomic import AnyPath
from deltarule.data.reading import most_believed, open_stored, refuse
from deltarule.errors import DataError, SettingError, sentence

Names = Collection[str]
SEPARATORS = ",;\t|"
SAID = re.compile(r'"?sep=."?\s*', re.IGNORECASE)  # Excel's own first line
MOST_SAMPLED = 30  # lines that tell how a file is written
# Bytes that are not of Windows-1252.
FOREIGN = re.compile(rb"[A-Za-z][\x80-\x91\x93-\x9f][A-Za-z]|[\x81\x8d\x8f\x90\x9d]|\xc3[\x80-\xbf]")
MISSING = frozenset(["", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "null", "None"])  # words for no cell
NO_CSV = (b"PK\3\4", b"\xd0\xcf\x11\xe0", b"PAR1", b"\x80\x04", b"\x80\x05", b'{"', b"[{")  # Excel, Parquet ...
# 12,363.5 and 1.234,5 or 1 234,5; 12'363.5 or 12 363.5; 12.363
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?", re.ASCII)
DECIMAL = re.compile(r"[+-]?(\d+|\d{1,3}([.\s]\d{3})+),\d+([eE][+-]?\d+)?", re.ASCII)

SPACED = re.compile("[+-]?[1-9]\\d{0,2}([ '\u2019\u00a0\u202f]\\d{3})+([.,]\\d+)?")
SPACES = dict.fromkeys(map(ord, " '\u2019\u00a0\u202f"))
MARKS = SPACES | {ord(","): None}
POINTED = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+", re.ASCII)


class Texts(NamedTuple):
    """Cells of text: the place of each, (n_rows,), among different `texts`, in order; -1 where the cell is missing."""

    codes: NDArray[np.intp]
    texts: Sequence[str]


class Dialect(NamedTuple):
    """How a CSV is written.

    is_padded: whether every line ends in a separator that parts nothing. is_named: whether rows begin with a name for
    which the header has no cell, as R's write.table has them. point: what a point in 12.363 is, "decimal" or
    "thousands", as other numbers show; "" where they do not. n_above: lines above its table, sep=; or comments.
    """

    encoding: str
    separator: str
    is_padded: bool = False
    is_named: bool = False
    point: str = "decimal"
    n_above: int = 0


FRAME = Dialect("", ";")  # a DataFrame's texts: there a comma says nothing of numbers, as between semicolons


class Table(NamedTuple):
    """Columns of a CSV or a DataFrame.

    name: what messages call it: its path, where it is a file. names: of all its columns, no two the same.
    cells: of those columns that were read: Texts, or numbers, (n_rows,) float64, NaN where they are missing.
    rows: the line that each row ends in or, in a DataFrame, its number. dialect: of the CSV that it comes from.
    written: how numbers are, in words, by column, where that is not as Python has them.
    """

    name: str
    names: Sequence[str]
    cells: dict[str, Any]
    rows: NDArray[np.intp]
    dialect: Dialect = FRAME
    written: Mapping[str, str] = MappingProxyType({})

    @property
    def is_file(self) -> bool:
        """Whether it comes from a CSV."""
        return self.dialect is not FRAME

    def place(self, row: SupportsIndex) -> str:
        """Where a row is, for a message: its line in the CSV, its number in the DataFrame."""
        return f"line {self.rows[row]}" if self.is_file else f"row {self.rows[row]} (counted from 0)"


def dialect_of(path: AnyPath, *, is_whole: bool = True) -> Dialect:
    """How a CSV is written, by its first lines: what parts their cells alike, and makes most of them numbers.

    Raises DataError where it is not a CSV, or in an unknown encoding.
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
        with open_parsed(path, lines, each) as parsed:
            header, *rows = list(parsed) or [[""]]
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
    """How many lines stand above a table: Excel's sep=; and comments, but for a header as NumPy's savetxt writes it."""
    n_above = next((k for k, line in enumerate(lines) if line[0] != "#" and (k or not SAID.fullmatch(line))), 0)
    if n_above and lines[n_above - 1][0] == "#":
        pairs = ([line.split(each) for line in lines[n_above - 1 : n_above + 1]] for each in SEPARATORS)
        n_above -= any(len(last) == len(row) > 1 and any(map(is_number, row)) for last, row in pairs)
    return n_above


def meaning_of_points(separator: str, cells: Iterable[str]) -> str:
    """What the point in 12.363 is, as a Dialect has it, by other cells; only semicolons leave it open."""
    known = [cell.translate(SPACES) for cell in cells]
    is_decimal = [DECIMAL.fullmatch(cell) and not THOUSANDS.fullmatch(cell) for cell in known]
    is_grouped = any(is_decimal) or any(cell.count(".") > 1 and POINTED.fullmatch(cell) for cell in known)
    has_point = any("." in cell and number_in(cell) is not None and not POINTED.fullmatch(cell) for cell in known)
    if is_grouped:
        return "" if has_point else "thousands"
    return "decimal" if has_point or separator != ";" else ""


def encoding_of(path: AnyPath, *, is_whole: bool = True) -> str:
    """UTF-16 as its first bytes tell; UTF-8, where all bytes are such; else Windows-1252, as older Excel writes it.

    is_whole: whether all of it is looked at, and not the first megabyte, which does where all cells are digits.

    Raises DataError for another kind of file, one in gzip that is made to fill the memory, and where bytes are in
    neither: no letters of Windows-1252 stand among others as those of a Mac or of DOS would.
    """
    decoder, n_bytes = getincrementaldecoder("utf-8")(), 0
    with open_stored(path, "a CSV file") as file:
        head = file.read(4)
        if head.startswith(NO_CSV):
            kind = {".json": "json", ".parquet": "parquet", ".pkl": "pickle"}.get(Path(path).suffix, "excel")
            raise DataError(sentence("readers.no_text", path=str(path), kind=kind))
        if head[:2] in (BOM_UTF16_LE, BOM_UTF16_BE):
            return "utf-16"
        if len(head) == 4 and b"\0\0" in (head[::2], head[1::2]) and head.strip(b"\0"):
            return "utf-16-be" if head[0] == 0 else "utf-16-le"
        encoding = "utf-8-sig" if head.startswith(BOM_UTF8) else "utf-8"  # the latter is decoded faster
        most = most_believed(Path(path).stat().st_size) if isinstance(file, GzipFile) else math.inf
        chunks = chain([head], iter(partial(file.read, 2**20), b""))
        for chunk in chunks if is_whole or isinstance(file, GzipFile) else islice(chunks, 2):
            n_bytes += len(chunk)
            if n_bytes > most:
                raise DataError(sentence("readers.gzip_bytes", path=path, most=most))
            if encoding != "cp1252" and not (chunk.isascii() and decoder.getstate()[0] == b""):
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    encoding = "cp1252"
            if encoding == "cp1252" and not chunk.isascii() and (found := FOREIGN.search(chunk)):
                raise DataError(sentence("readers.encoding", path=path, got=found[0]))
    return encoding


@contextmanager
def open_text(path: AnyPath, encoding: str) -> Iterator[TextIO]:
    """The text of a CSV, compressed or not. No byte is replaced: DataError where one is not in the encoding."""
    with open_stored(path, "a CSV file") as file:
        text = TextIOWrapper(file, encoding=encoding, newline=None)
        try:
            yield text
        except UnicodeDecodeError as error:
            got = error.object[error.start : error.end]
            raise DataError(sentence("readers.encoding", path=path, got=got)) from error
        finally:
            text.detach()


@contextmanager
def open_parsed(path: AnyPath, lines: Iterable[str], separator: str, n_above: int = 0) -> Iterator[Any]:
    """A reader of Python's csv module, of lines below the first few. DataError where one cannot be read."""
    lines = chain(["\n"] * n_above, islice(lines, n_above, None))
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    try:
        yield reader
    except csv.Error as error:
        raise DataError(f"{path}: a CSV was expected: line {reader.line_num} is not such ({error})") from error


@contextmanager
def open_rows(path: AnyPath, dialect: Dialect) -> Iterator[Iterator[tuple[int, list[str]]]]:
    """The rows of a CSV that are not blank, each with the number, counted from 1, of the line that it ends in."""
    encoding, separator, *_, n_above = dialect
    with open_text(path, encoding) as file, open_parsed(path, file, separator, n_above) as reader:
        rows = (cells[:-1] if dialect.is_padded and cells and not cells[-1] else cells for cells in reader)
        names = [""] * dialect.is_named  # of the first line
        yield ((reader.line_num, [*names[: not k], *cells]) for k, cells in enumerate(filter(is_row, rows)))


def is_row(cells: Sequence[str]) -> bool:
    """Whether a line is not blank."""
    return any(cells) or len(cells) > 1


class Head(NamedTuple):
    """How a CSV begins: names of its columns, in its first `line` that is not blank, and its `first` row."""

    dialect: Dialect
    line: int
    names: list[str]
    first: list[str]

    @classmethod
    def of(cls, path: AnyPath, *, needs_header: bool = True, is_whole: bool = True) -> "Head":
        """That of a file whose first line names columns, be it of numbers only where `needs_header`."""
        dialect = dialect_of(path, is_whole=is_whole)
        with open_rows(path, dialect) as rows:
            line, cells = next(rows, (1, [""]))
            head = cls(dialect, line, [name.strip() for name in cells], next(rows, (0, []))[1])
        return head if needs_header or not all(map(is_number, head.names)) else head.as_row()

    def as_row(self) -> "Head":
        """That of the same file, whose first line is a row: its columns go by their numbers, counted from 1."""
        names = [str(number) for number in range(1, len(self.names) + 1)]
        return self._replace(line=0, names=names, first=self.names)


def read_columns(
    path: AnyPath,
    head: Head | None = None,
    *,
    text: Names = (),
    only: Names | None = None,
    without: Names = (),
) -> Table:
    """The columns of a CSV with a header.

    head: what is known of its beginning; None finds out. text: columns whose cells stay as they are written, so that
        007 is not 7; others do where one is not a number.
    only: the columns to read, None for all. without: columns not to read.

    Raises SettingError where columns share a name, DataError where lines are of other lengths than the header.
    """
    head = head or Head.of(path)
    names, (dialect, separator) = head.names, (head.dialect, head.dialect.separator)
    if (n_blank := names.count("")) > 1:
        raise DataError(sentence("tables.preamble", path=path, line=head.line, n=len(names) - n_blank, m=len(names)))
    refuse_duplicates(str(path), names)
    wanted = {at: name for at, name in enumerate(names) if name not in without and (only is None or name in only)}
    if not head.first:
        return Table(str(path), names, {name: np.empty(0) for name in wanted.values()}, np.empty(0, np.intp), dialect)
    texts = {at for at, cell in enumerate(head.first) if number_in(cell) is None and cell.strip() not in MISSING}
    for all_are_texts in (False, True):
        lines = [head.line]
        as_text = [at for at, name in wanted.items() if all_are_texts or name in text or at in texts]
        places = {at: defaultdict[str, int](count().__next__) for at in as_text}
        converters: dict[int, Any] = dict.fromkeys({*range(len(names))} - {*wanted}, len)
        converters |= {at: lambda cell, known=known: known[cell.strip()] for at, known in places.items()}
        how: dict[str, Any] = {"comments": None, "quotechar": '"', "converters": converters, "ndmin": 2}
        try:
            with open_text(path, dialect.encoding) as file, warnings.catch_warnings(action="error"):
                numbers = np.loadtxt(plain_rows(file, dialect, lines), delimiter=separator, **how)
        except (ValueError, Warning, csv.Error):
            continue
        may_part = dialect.point != "decimal" and not all_are_texts and any(map(may_be_thousands, numbers.T))
        if numbers.shape[1] == len(names) and not may_part:
            break
    else:
        with open_rows(path, dialect) as rows:
            found = [(line, len(cells), "\n" in "".join(cells)) for line, cells in rows]
            wrong = [each for each in found if each[1] != len(names)]
            if 2 * len(wrong) > len(found) > 2 and len({got for _, got, _ in wrong}) == 1 and head.line:
                raise DataError(sentence("tables.preamble", path=path, line=head.line, n=len(names), m=wrong[0][1]))
            quote = f" instead of {len(names)}", f" instead of {len(names)}, in which a quote is not closed"
            problems = (f"line {line}: {got} cells{quote[is_open]}" for line, got, is_open in wrong)
            refuse(path, "as many cells in every line as in the header", problems)
        raise DataError(f"{path}: a CSV was expected: its cells cannot be read")
    columns = np.ascontiguousarray(numbers.T)  # four times as fast as to read it column by column
    cells_by_name, written = dict[str, Any](), dict[str, str]()
    for at, name in wanted.items():
        cells: Texts | NDArray[np.float64] = columns[at]
        if at in places:
            known = ["" if each == "nan" else each for each in places[at]]
            cells = cells_of(columns[at].astype(np.intp), known, is_text=name in text, dialect=dialect)
            if isinstance(cells, np.ndarray):
                written[name] = Numbers.of(known, dialect).written
        cells_by_name[name] = cells
    return Table(str(path), names, cells_by_name, np.array(lines[1:], np.intp), dialect, written)


def plain_rows(file: TextIO, dialect: Dialect, lines: list[int]) -> Iterator[str]:
    """The rows as NumPy's parser takes them, what is missing as nan.

    lines: begins with the last one of the header, and gets the one that each row ends in.
    """
    line, separator = max(lines[0], dialect.n_above), dialect.separator
    for row in islice(file, line, None):
        line += 1
        if dialect.is_padded:
            row = row.rstrip("\n").removesuffix(separator)
        framed = separator + row.rstrip("\n") + separator
        # Every word for a missing cell has an n in it
        if '"' in row or "n" in row or "N" in row or 2 * separator in framed or row.isspace():
            reader = csv.reader(chain([row], file), delimiter=separator, skipinitialspace=True)
            cells = next(reader)
            line += reader.line_num - 1
            if not is_row(cells):
                continue
            known = ("nan" if cell.strip() in MISSING else cell.replace('"', '""') for cell in cells)
            row = separator.join(f'"{cell}"' for cell in known)
        lines.append(line)
        yield row


def cells_of(
    codes: NDArray[np.intp], texts: Sequence[str], *, is_text: bool, dialect: Dialect = FRAME
) -> Texts | NDArray[np.float64]:
    """The cells of a column, of which each is one of these texts, "" or -1 where it is missing: as a Table has them.

    is_text: whether they stay as they are written, even where all are numbers. Then those in no row are left out, and
    the others are in the order of numbers where all are such.
    """
    numbers = Numbers.of(texts, dialect).values
    if not is_text and numbers is not None:
        return np.array([*numbers, math.nan], float)[codes]
    found = sorted({texts[k] for k in np.unique(codes[codes >= 0])} - {""})
    if numbers is not None:
        values = dict(zip(texts, numbers, strict=True))
        found.sort(key=lambda text: (values[text], text))
    place = {text: k for k, text in enumerate(found)}
    return Texts(np.array([*(place.get(text, -1) for text in texts), -1], np.intp)[codes], found)


class Numbers(NamedTuple):
    """The numbers that the cells of a column are, NaN where one is missing; None where some are not numbers.

    written: how, in words, where that is not as Python has them. is_doubtful: whether commas or points may part
    thousands as well as decimals.
    """

    values: list[float] | None
    written: str = ""
    is_doubtful: bool = False

    @classmethod
    def of(cls, texts: Sequence[str], dialect: Dialect) -> "Numbers":
        """What the different `texts` of a column are, in a CSV of this dialect.

        A comma is decimal where it cannot part thousands, and where both may be, parts them in a CSV with commas.
        """
        written = list[str]()
        texts = ["" if text == "?" else text.replace("\u2212", "-") for text in texts]  # ? among texts is one
        spaced = [text for text in texts if {*text} & {*" '\u2019\u00a0\u202f"}]
        if spaced and all(map(SPACED.fullmatch, spaced)):
            written.append("with spaces or marks at the thousands")
            texts = [text.translate(SPACES) for text in texts]
        cells = [text for text in texts if text]
        signs = {text.strip("+-0123456789.,eE ") for text in cells}
        sign = signs.pop() if len(signs) == 1 else ""
        if len(sign) == 1 and (sign == "%" or category(sign) == "Sc"):
            written.append("in percent, 6.45% as 6.45" if sign == "%" else f"in {sign}")
            texts, cells = ([text.replace(sign, "").strip() for text in each] for each in (texts, cells))
        commas = [text for text in cells if "," in text]
        is_thousands = all(map(THOUSANDS.fullmatch, commas))
        may_be_decimal = all(text.count(",") == 1 and "." not in text for text in commas)
        if commas and is_thousands:
            written.append("with a comma at the thousands")
            doubt = dialect.separator != "," and may_be_decimal
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


def may_be_thousands(numbers: NDArray[Any]) -> bool:
    """Whether numbers may have been written with a point at the thousands and read as decimals, 12.363 for instance."""
    numbers = np.abs(numbers[np.isfinite(numbers)])
    parts = numbers[numbers % 1 != 0]
    return bool(parts.size) and bool(1 <= parts.min() <= parts.max() < 1000)


def number_in(cell: str) -> float | None:
    """The value of a cell, or None for one that is not a number. Python alone reads 1_000 and foreign digits."""
    try:
        return float(cell) if "_" not in cell and cell.strip().isascii() else None
    except ValueError:
        return None


def is_number(cell: str) -> bool:
    """Whether a cell is a number as people write it, with commas or in percent, too."""
    return number_in(cell.rstrip("% ").translate(MARKS)) is not None


def refuse_duplicates(name: str, header: Sequence[str]) -> None:
    """Raise SettingError, naming them, where columns share a name."""
    twice = sorted(column for column, times in Counter(header).items() if times > 1)
    if twice:
        raise SettingError(f"{name}: columns of different names were expected: got {', '.join(map(repr, twice))} twice")
