"""The text of a CSV: its lines, and the numbers in its cells."""

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from deltarule.data.file_guards import refuse_special
from deltarule.errors import DataError


@contextmanager
def opened_text(path: str | os.PathLike[str]) -> Iterator[TextIO]:
    """The file's text; what is no UTF-8 becomes a character that no number contains."""
    refuse_special(path)
    try:
        with Path(path).open(encoding="utf-8-sig", errors="replace", newline=None) as file:
            yield file
    except OSError as error:
        raise DataError(f"{path}: expected a CSV file, but it cannot be read: {error.strerror}") from error


def csv_lines(path: str | os.PathLike[str], separator: str = ",") -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV that are not blank, each with the number, counted from 1, of the line that it ends in."""
    with opened_text(path) as file:
        reader = csv.reader(file, delimiter=separator, skipinitialspace=True)
        try:
            for cells in reader:
                if any(cells) or len(cells) > 1:
                    yield reader.line_num, cells
        except csv.Error as error:
            raise DataError(f"{path}: a CSV was expected: line {reader.line_num} is none ({error})") from error


def number_in(cell: str) -> float | None:
    """The value of a cell, or None for one that holds no number. Python alone reads 1_000 as a number."""
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None
