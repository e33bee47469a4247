"""A table as pandas holds it, and how it gets there: a DataFrame as it is, or a CSV with a header."""

import sys
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltarule.data.csv_text import csv_lines, opened_text
from deltarule.data.reporting import refuse
from deltarule.errors import DataError, SettingError, require

MISSING = (
    "",
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "<NA>",
    "NaN",
    "nan",
    "NULL",
    "null",
)  # how a CSV says that a cell is missing
SEPARATORS = ",;\t"


@dataclass(frozen=True, eq=False)
class Table:
    """A DataFrame, and where it comes from.

    name: what messages call it: the path, where it was read from a CSV. kept: which rows are left, (n_rows,).
    """

    frame: Any
    name: str
    is_file: bool
    kept: NDArray[np.intp]

    @cached_property
    def names(self) -> dict[str, int]:
        """The names of its columns, and which of them each is."""
        return {str(name): k for k, name in enumerate(self.frame.columns)}

    def cells(self, name: str) -> Any:
        """The pandas Series of a column."""
        return self.frame.iloc[:, self.names[name]]

    def keep(self, rows: NDArray[np.bool_]) -> "Table":
        """The table of some of its rows."""
        return Table(self.frame[rows], self.name, self.is_file, self.kept[rows])

    def place(self, row: int) -> str:
        """Where a row is, for a message: its line in the CSV, its number in the DataFrame."""
        number = int(self.kept[row])
        return f"line {self._lines[number]}" if self.is_file else f"row {number} (counted from 0)"

    @cached_property
    def _lines(self) -> list[int]:
        """The line that each row of the CSV ends in, looked up only for a message."""
        path = Path(self.name)
        return [line for line, _ in csv_lines(path, separator_of(path))][1:]


def is_frame(data: object) -> bool:
    """Whether this is a pandas DataFrame; pandas is not imported to find out."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(data, pandas.DataFrame)


def opened_table(source: Any, text: Iterable[str] = ()) -> Table:
    """A DataFrame, or the CSV at a path, as a Table.

    text: columns whose cells stay as they are written, so that 007 is not 7.

    Raises MissingExtraError without pandas; DataError where the file is no such table; SettingError, naming them, where
    columns share a name.
    """
    if is_frame(source):
        name, path, frame = "the DataFrame", None, source
        header = [str(each) for each in frame.columns]
    else:
        name, path = str(source), Path(source)
        lines = csv_lines(path, separator_of(path))
        header = [cell.strip() for cell in next(lines, (1, [""]))[1]]
    twice = sorted(name for name, count in Counter(header).items() if count > 1)
    if twice:
        raise SettingError(f"{name}: columns of different names were expected: got {', '.join(map(repr, twice))} twice")
    if path is not None:
        has_rows = next(lines, None) is not None
        frame = _read_csv(path, header, set(text) & set(header)) if has_rows else _without_rows(header)
    return Table(frame, name, path is not None, np.arange(len(frame)))


def separator_of(path: Path) -> str:
    """What stands between the cells of the header: a comma, else a semicolon or a tab."""
    with opened_text(path) as file:
        header = next((line for line in file if line.strip()), "")
    return next((each for each in SEPARATORS if each in header), ",")


def _without_rows(header: list[str]) -> Any:
    """An empty DataFrame: for thousands of columns pandas takes seconds to find that out from a file."""
    return require("pandas", "sklearn").DataFrame(columns=header)


def _read_csv(path: Path, header: list[str], text: set[str]) -> Any:
    pandas = require("pandas", "sklearn")
    separator = separator_of(path)
    settings: dict[str, Any] = {
        "sep": separator, "names": header, "header": 0, "index_col": False, "skipinitialspace": True,
        "na_values": list(MISSING), "keep_default_na": False,
        "encoding": "utf-8-sig", "encoding_errors": "replace", "low_memory": False, "compression": None,
    }  # fmt: skip
    if int(pandas.__version__.partition(".")[0]) < 3:
        settings["float_precision"] = "round_trip"  # what later versions do without being told
    try:
        with warnings.catch_warnings(action="error", category=pandas.errors.ParserWarning):  # says what it cuts off
            frame = pandas.read_csv(path, dtype=dict.fromkeys(text, str), **settings)
            others = [name for name, dtype in frame.dtypes.items() if dtype.kind not in "iuf"]
            truths = [name for name in others if pandas.api.types.infer_dtype(frame[name], skipna=True) == "boolean"]
            if truths:  # how they were written is lost, so once more as text
                frame[truths] = pandas.read_csv(path, dtype=str, **settings)[truths]
    except (ValueError, Warning) as error:  # pandas' own errors are ValueErrors
        _refuse_widths(path, len(header), separator)
        raise DataError(f"{path}: a CSV with a header was expected: {error}") from error
    if len(frame) and frame.iloc[:, -1].isna().any():  # to pandas, what a line lacks is missing
        _refuse_widths(path, len(header), separator)
    return frame


def _refuse_widths(path: Path, width: int, separator: str) -> None:
    problems = (
        f"line {line}: {len(cells)} cells instead of {width}"
        for line, cells in csv_lines(path, separator)
        if len(cells) != width
    )
    refuse(path, "as many cells in every line as in the header", problems)
