"""Reads tables, from a CSV or a DataFrame: their columns, the column to learn, and their rows as numbers."""

import math
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from deltarule.atomic import AnyPath
from deltarule.data.columns import NO_CATEGORY, Column, refill
from deltarule.data.dataset import Dataset, Splits
from deltarule.data.readers.csv import FRAME, Cells, Dialect, dialect_of, is_number, number_in, read_rows
from deltarule.data.reading import Announce, Goal, How, Missing, Reading, print_to_stderr, refuse
from deltarule.elsewhere import words
from deltarule.errors import DataError, SettingError, closest, sentence
from deltarule.public import public
from deltarule.settings import check_choice

LARGEST_NUMBER = 1e30  # the largest in a cell: float32 ends at 3.4e38, and squares of cells are summed
MOST_CATEGORIES = 100  # more different strings are names or sentences, useless as categories
FEWEST_UNIQUE, NEAR_UNIQUE = 20, 0.9  # more different strings than both 20 and 0.9 of the rows are names, too
DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([ T].*)?|\d{1,2}([./-])\d{1,2}\2\d{2,4}([ T].*)?", re.ASCII)
PICTURE = re.compile(r"\.(png|jpe?g|webp|bmp|tiff?|gif)$", re.IGNORECASE)
MOST_NUMBERS = 20  # a column of text with more different numbers is one of numbers with other entries
MOST_GUESSED = 20  # more different whole numbers are values to predict, unless classes are asked for
FEWEST_EACH = 5  # so are whole numbers with fewer examples each, on average


@dataclass(frozen=True, eq=False)
class Table:
    """The columns of a CSV or a DataFrame, as they are written there.

    name: what messages call it: its path if it is a file. columns: the cells of each, by name. rows: for each row, the
    line on which it ends or, in a DataFrame, its number.
    """

    name: str
    columns: Mapping[str, Cells]
    rows: Sequence[int]
    dialect: Dialect = FRAME

    @property
    def is_file(self) -> bool:
        """Whether it comes from a CSV."""
        return self.dialect is not FRAME

    @property
    def names(self) -> list[str]:
        """The names of all its columns."""
        return [*self.columns]

    def place(self, row: int | np.intp) -> str:
        """The place of a row, for a message: its line in the CSV, its number in the DataFrame."""
        return f"line {self.rows[int(row)]}" if self.is_file else f"row {self.rows[int(row)]} (counted from 0)"


@public('read_table("houses.csv", "price")')
def read_table(
    source: Any,
    target: str,
    *,
    task: Goal | None = None,
    missing: Missing = "error",
    without: Sequence[str] = (),
    announce: Announce = print_to_stderr,
) -> Dataset:
    """Read a table to learn from: the column `target` is what to learn, every other column is an input.

    source: a pandas DataFrame, or the path of a CSV with a header, its cells separated by commas, semicolons or tabs.
    task: "classes": every distinct string in the target column is a class (in numeric order if all are numbers, else in
        alphabetical order); or "values": the target is a number. None takes classes for text and for few different
        whole numbers, else values, and announces it.
    missing: what to do with rows that lack a cell. "error" refuses them, "drop" leaves them out. "mean" keeps them: a
        missing number counts as its column's mean, a missing string as none of the categories; only rows without a
        target are left out. "median" uses the median, and so does "indicator", which adds an input that is 1 if the
        cell is missing, for each column that lacks cells.
    without: columns to leave out, such as running numbers.
    announce: called with a sentence for how the target was read, and for how many cells are missing.

    A column of text has at most 100 categories, its different strings; a column of true and false is text.

    Returns a Dataset whose `columns` describe its inputs: numbers, and the places of strings among their categories.
    Raises SettingError if there is no such column; DataError, naming column and line, if a cell or a column cannot be
    used, if the target is always the same, or if a class has only one example.

    >>> from pandas import DataFrame
    >>> flowers = DataFrame({"size": [1.5, 2.0, 4.0, 3.5], "color": list("rrbb"), "kind": list("xxyy")})
    >>> table = read_table(flowers, "kind", announce=lambda text: None)
    >>> table.inputs.tolist(), table.columns[1].categories, table.class_names
    ([[1.5, 1.0], [2.0, 1.0], [4.0, 0.0], [3.5, 0.0]], ('b', 'r'), ('x', 'y'))
    """
    if not isinstance(target, str):
        raise TypeError("target is a text")  # which `public` explains
    if task is not None:
        check_choice("task", task, get_args(Goal), words()["choices"])
    without = [without] if isinstance(without, str) else without
    how = How(target=target, task=task, missing=missing, without=without, announce=announce)
    return read_table_examples(source, how).splits.train


def read_table_examples(source: Any, how: How) -> Reading:
    """Read a table as `read_table` does; if `how` has a model's columns and class_names, encode it as for that model.

    Raises as `read_table`, and, for cells that the model does not know, as `table_rows` and `targets_in`.
    """
    if how.missing not in get_args(Missing):
        meant = words()["choices"].get(str(how.missing), "drop")
        raise SettingError(sentence("tables.missing", got=how.missing, use=meant))
    known, target = how.columns or (), how.target or ""
    is_filled = how.missing in ("mean", "median", "indicator")
    table = frame_table(source) if is_frame(source) else read_columns(source)
    if not (any(table.names) or len(table.rows)):
        raise DataError(f"{table.name}: a line of names and rows were expected: got an empty file")
    for name in (target, *how.without):
        if name not in table.names:
            offer, parts = closest(name, table.names), [part.strip() for part in name.split(",")]
            if table.is_file and 2 * sum(number_in(each) is not None for each in table.names) > len(table.names):
                raise DataError(sentence("tables.no_header", table=table, name=name, got=",".join(table.names[:9])))
            if name != target and set(parts) <= set(table.names):
                offer = f"name each by itself, {' '.join(f'--without {part}' for part in parts)}, or without={parts}"
            if name == target and len(parts) > 1 and set(parts) <= set(table.names):
                offer = (
                    f"a model learns one column: use {parts[0]!r}, or {parts[1]!r}, and leave the other out (without)"
                )
            offer += f"; rows without it are for  deltarule predict {table.name} --model MODEL" if known else ""
            raise SettingError(f"{table.name}: one column called {name!r} was expected: got none; {offer}")
    refuse_absent(table, known)
    names = [column.name for column in known if how.missing == "drop" or column.fill is None]
    names = names if known else _input_names(table, [target, *how.without], how.announce)
    if how.missing == "error":
        advice = sentence("tables.known_missing" if known else "tables.new_missing")
        refuse_missing(table, [target, *names], advice)
    else:
        table = drop_missing(table, [target] if is_filled and not known else [target, *names], how.announce)
    refuse_doubt(table, [*names, *([] if how.task == "classes" else [target])])
    if table.dialect.n_above:
        how.announce(f"{table.name}: lines above the header, skipped: {table.dialect.n_above}")
    for name in names:
        if written := table.columns[name].numbers.written:
            how.announce(f"{table.name}: {name!r} holds numbers {written}")
    task, class_names, targets = targets_in(table, target, how)
    columns = tuple(known or (describe_column(table, name) for name in names))
    rows = table_rows(table, columns)
    if is_filled and not known:
        strategy, counts = "mean" if how.missing == "mean" else "median", np.isnan(rows).sum(axis=0)
        flags = [how.missing == "indicator" and bool(count) for count in counts]
        pairs = zip(columns, flags, strict=True)
        filled = [Column(each.name, each.categories, 0.0, strategy, flag) for each, flag in pairs]
        columns = refill(filled, rows)
        _announce_filled(table, columns, counts, how.announce)
    dataset = Dataset(rows, targets, task, class_names, name=table.name, columns=columns)
    return Reading(rows, Splits(dataset), {"holds": "table", "target": target, "task": task})


def read_table_rows(path: Path, how: How) -> Reading:
    """Read the rows of a CSV as inputs for a model whose columns are in `how`; other columns are skipped."""
    asked = how.columns or ()
    table = read_columns(path, needs_header=bool(asked))
    columns = asked or [Column(name) for name in table.names if name != how.target]
    refuse_absent(table, asked)
    if not len(table.rows):
        raise DataError(f"{table.name}: a header and rows were expected: got no rows")
    rows = table_rows(table, columns, unseen=how.unseen)
    refuse_missing(table, [each.name for each in columns if each.fill is None], sentence("tables.rows_missing"))
    if not asked and table.rows[0] == 1:
        how.announce(f"{table.name}: line 1 holds numbers, and is read as a row")
    learned = {column.name for column in columns}
    read = [name for name in table.names if name in learned]
    if extra := [name for name in table.names if name not in learned and name != how.target]:
        how.announce(f"{table.name}: columns not used in training, skipped: {', '.join(map(repr, extra))}")
    return Reading(rows, report={"holds": "rows", "columns": read, "passed over": extra})


def read_columns(path: AnyPath, *, needs_header: bool = True) -> Table:
    """Read a CSV by columns. Its first line is the header; without `needs_header`, a first line of numbers is a row.

    Raises SettingError if columns share a name, DataError if lines differ in length from the first.
    """
    dialect = dialect_of(path)
    rows = read_rows(path, dialect) or [(1, [""])]
    line, names = rows[0][0], [name.strip() for name in rows[0][1]]
    if is_row := not needs_header and all(map(is_number, names)):
        names = [str(number) for number in range(1, len(names) + 1)]
    width, n_blank = len(names), names.count("")
    wrong = [(at, cells) for at, cells in rows if len(cells) != width]
    others = {len(cells) for _, cells in wrong}
    if n_blank > 1:
        raise DataError(sentence("tables.preamble", path=path, line=line, n=width - n_blank, m=width))
    if 2 * len(wrong) > len(rows) > 2 and len(others) == 1 and not is_row:
        raise DataError(sentence("tables.preamble", path=path, line=line, n=width, m=others.pop()))
    refuse_duplicates(str(path), names)
    quote = ", in which a quote is not closed"
    such = ((at, len(cells), quote * any("\n" in cell for cell in cells)) for at, cells in wrong)
    problems = (f"line {at}: {n_cells} cells instead of {width}{why}" for at, n_cells, why in such)
    refuse(path, "as many cells in every line as in the header", problems)
    lines, cells = zip(*(rows if is_row else rows[1:]), strict=True) if len(rows) > 1 - is_row else ((), ())
    written = zip(*cells, strict=True) if cells else [()] * width
    columns = {name: Cells(name, each, dialect) for name, each in zip(names, written, strict=True)}
    return Table(str(path), columns, lines, dialect)


def refuse_duplicates(name: str, header: Sequence[str]) -> None:
    """Raise SettingError, naming them, if columns share a name."""
    if twice := sorted(column for column, times in Counter(header).items() if times > 1):
        raise SettingError(f"{name}: columns of different names were expected: got {', '.join(map(repr, twice))} twice")


def is_frame(data: object) -> bool:
    """Whether this is a DataFrame of pandas or polars, without importing either."""
    makers = (sys.modules.get("pandas"), sys.modules.get("polars"))
    return any(maker is not None and isinstance(data, maker.DataFrame) for maker in makers)


def frame_table(frame: Any) -> Table:
    """Make a Table of the columns of a DataFrame. SettingError if columns share a name."""
    header, name = [str(each) for each in frame.columns], "the DataFrame"
    refuse_duplicates(name, header)
    columns = {str(each): Cells(str(each), frame[each].to_list(), FRAME) for each in frame.columns}
    return Table(name, columns, range(len(frame)))


def _input_names(table: Table, others: Sequence[str], announce: Announce) -> list[str]:
    """The names of the columns to learn from: all except `others` and the row names that R and pandas write."""
    names = [name for name in table.names if name not in others]
    if table.names[0] == "" and "" in names and len(table.columns[""].as_texts.texts) == len(table.rows):
        announce(f"{table.name}: the first column has no name and differs in every row: skipped")
        names.remove("")
    if "" in names:
        raise SettingError(sentence("tables.no_name", table=table, number=table.names.index("") + 1))
    if not names or not len(table.rows):
        raise DataError(sentence("tables.empty", table=table, n_rows=len(table.rows), n_inputs=len(names)))
    return names


def _announce_filled(table: Table, columns: Sequence[Column], counts: NDArray[np.int64], announce: Announce) -> None:
    """Announce how many cells are missing in which columns, and what a missing cell counts as."""
    filled = [(column, n) for column, n in zip(columns, counts, strict=True) if n]
    for is_text, how in ((False, f"the {columns[0].strategy} of their column"), (True, "none of the categories")):
        missing = {column.name: n for column, n in filled if bool(column.categories) is is_text}
        says = ", and an input says so" if any(column.indicator for column, _ in filled) else ""
        if missing:
            announce(f"{table.name}: missing cells count as {how}{says}: {in_columns(missing)}")


def missing_by_name(table: Table, names: Iterable[str]) -> dict[str, NDArray[np.bool_]]:
    """For each of these columns that lacks cells, by name: a mask of the rows where they are missing, (n_rows,)."""
    missing = {name: table.columns[name].is_missing for name in names}
    return {name: rows for name, rows in missing.items() if rows.any()}


def refuse_missing(table: Table, names: Iterable[str], advice: str) -> None:
    """Raise DataError, ending in `advice`, if rows lack a cell in one of these columns."""
    missing = missing_by_name(table, names)
    for name, rows in missing.items():
        got = f"{in_columns(missing)}, {name!r} first in {table.place(rows.argmax())}"
        raise DataError(f"{table.name}: no missing cells were expected: got {got}; {advice}")


def drop_missing(table: Table, names: Iterable[str], announce: Announce) -> Table:
    """The table without the rows that lack a cell in one of these columns; `announce` gets their number."""
    missing = missing_by_name(table, names)
    if not missing:
        return table
    kept = ~np.logical_or.reduce(list(missing.values()))
    where = in_columns(missing)
    if not kept.any():
        raise DataError(f"{table.name}: a row without missing cells was expected: got none; missing are {where}")
    rows = f"{np.sum(~kept):,} of {len(kept):,} rows"
    announce(f"{table.name}: {rows} are left out, because cells are missing: {where}")
    columns = {name: replace(each, written=[*compress(each.written, kept)]) for name, each in table.columns.items()}
    return replace(table, columns=columns, rows=[*compress(table.rows, kept)])


def in_columns(missing: Mapping[str, Any]) -> str:
    """The number of missing cells of each column, in words: "3 in 'age', 1 in 'town'"."""
    return ", ".join(f"{np.sum(rows):,} in {name!r}" for name, rows in missing.items())


def not_numbers(table: Table, name: str) -> Iterator[str]:
    """Yield a message for each different text in a column that is not a number up to 1e30; missing cells are fine."""
    values = table.columns[name].numbers.values
    if values is not None and not (np.abs(values) > LARGEST_NUMBER).any():
        return
    _, texts, numbers = table.columns[name].as_texts
    for text, value in zip(texts, numbers.values or map(number_in, texts), strict=True):
        if value is None or not abs(value) <= LARGEST_NUMBER:
            beyond = f", beyond {LARGEST_NUMBER:g}," if value is not None and math.isfinite(value) else ""
            yield problem_at(table, name, text, repr(text[:40]) if value is None else f"{value}{beyond}")


def refuse_mixed(table: Table, name: str, called: str) -> None:
    """Raise DataError, naming the other cells, if a column of text has more than 20 different numbers."""
    if sum(number_in(text) is not None for text in table.columns[name].as_texts.texts) > MOST_NUMBERS:
        refuse(table.name, f"numbers in {called} {name!r}, where most cells are numbers,", not_numbers(table, name))


def problem_at(table: Table, name: str, text: str, shown: str) -> str:
    """A message: where `text` first is in a column, `shown` (the text or its value), and how many more there are."""
    codes, texts, _ = table.columns[name].as_texts
    rows = np.flatnonzero(codes == texts.index(text))
    more = f" (and {len(rows) - 1:,} more of them)" if len(rows) > 1 else ""
    return f"{table.place(rows[0])}, column {name!r}: {shown}{more}"


def describe_column(table: Table, name: str) -> Column:
    """The Column for a column of a table: of numbers, or of text with its categories.

    Raises DataError, naming column and lines, if the column can be neither: without any value, with dates, with too
    many different strings, or with numbers and other entries.
    """
    cells = table.columns[name]
    if cells.is_missing.all():
        raise DataError(f"{table.name}: a value in every column was expected: got none in {name!r}; leave it out")
    if cells.numbers.values is not None:
        return Column(name)
    texts = cells.as_texts.texts
    refuse_mixed(table, name, "column")
    if all(map(PICTURE.search, texts)):
        raise DataError(sentence("tables.pictures", table=table, name=name, such=texts[0]))
    if all(map(DATE.fullmatch, texts)):
        raise DataError(sentence("tables.dates", table=table, name=name, such=texts[0]))
    if len(texts) > MOST_CATEGORIES or len(texts) > max(FEWEST_UNIQUE, NEAR_UNIQUE * len(table.rows)):
        cure = ", or write numbers as 1234.5, without units" * all(re.search(r"\d", text) for text in texts)
        values = {"n_texts": len(texts), "n_rows": len(table.rows), "such": texts[0], "most": MOST_CATEGORIES}
        raise DataError(sentence("tables.texts", table=table, name=name, cure=cure, **values))
    return Column(name, tuple(texts))


def column_verdicts(path: AnyPath) -> list[dict[str, Any]]:
    """A dict for each column of a CSV: what it is read as, or why it is refused, and two of its cells."""
    table, verdicts = read_columns(path), []
    for name, cells in table.columns.items():
        try:
            refuse_doubt(table, [name])
            column = describe_column(table, name)
            holds = f"text, {len(column.categories)} categories" if column.categories else "numbers"
            holds = " ".join(filter(None, [holds, cells.numbers.written]))
        except DataError as error:
            holds = f"refused: {error}"
        verdicts.append({"column": name, "holds": holds, "such": list(dict.fromkeys(filter(None, cells.written)))[:2]})
    return verdicts


def table_rows(table: Table, columns: Sequence[Column], *, unseen: str = "error") -> NDArray[np.float64]:
    """Encode the cells of a table as float64, (n_rows, columns), by these `columns`, whatever their order in the table.

    Raises DataError if the table lacks a column; also, naming columns and lines, for cells that are not numbers in a
    column of numbers, and for unknown categories unless `unseen` is "other".
    """
    refuse_absent(table, columns)
    refuse_doubt(table, [column.name for column in columns if not column.categories])
    asked = [column for column in columns if unseen == "error" or not column.categories]
    strange = (problem for column in asked for problem in _strange_cells(table, column))
    refuse(table.name, "cells like those learned from", strange)
    by_column = np.empty((len(columns), len(table.rows)))  # written by column and then transposed: four times as fast
    for row, column in zip(by_column, columns, strict=True):
        cells = table.columns[column.name]
        if column.categories:
            place = {text: float(k) for k, text in enumerate(column.categories)}
            codes, texts, _ = cells.as_texts
            row[:] = np.array([*(place.get(text, NO_CATEGORY) for text in texts), math.nan])[codes]
        else:
            row[:] = cells.numbers.values
    return np.ascontiguousarray(by_column.T)


def refuse_doubt(table: Table, names: Iterable[str]) -> None:
    """Raise DataError if commas or points in a column may mark thousands or decimals; it shows code for both."""
    for name in names:
        cells = table.columns[name]
        if cells.numbers.is_doubtful:
            such = next(text for text in cells.as_texts.texts if {*text} & {*",."})
            key = "doubt" if table.is_file else "doubt_in_frame"
            raise DataError(sentence(f"tables.{key}", table=table, such=such, name=name, path=repr(table.name)))


def refuse_absent(table: Table, columns: Sequence[Column]) -> None:
    """Raise DataError if the table lacks one of these columns."""
    if absent := [column.name for column in columns if column.name not in table.columns]:
        if table.is_file and any(number_in(each) is not None for each in table.names):
            needed, got = ",".join(column.name for column in columns), ",".join(table.names)
            raise DataError(f"{table.name}: line 1 must name the columns: {needed}; got {got}")
        if any(name.startswith(f"{absent[0]}_") for name in table.names):
            raise DataError(sentence("tables.dummies", table=table, name=absent[0]))
        absences, offer = ", ".join(map(repr, absent)), closest(absent[0], table.names)
        raise DataError(sentence("tables.absent", table=table, absences=absences, offer=offer))


def _strange_cells(table: Table, column: Column) -> Iterator[str]:
    """Yield a message for each different cell that does not fit a known column: not a number, or another category."""
    if not column.categories:
        yield from (f"{problem} is not a number" for problem in not_numbers(table, column.name))
        return
    unseen = (text for text in table.columns[column.name].as_texts.texts if text not in column.categories)
    for text in unseen:
        problem = problem_at(table, column.name, text, repr(text[:40]))
        yield f"{problem} was never seen; {closest(text, column.categories)}"


def targets_in(table: Table, name: str, how: How) -> tuple[Goal, tuple[str, ...], NDArray[Any]]:
    """Read the column `name`, which lacks no cell, as targets; return the task, class names and targets of a Dataset.

    If `how` has a model's class names, classes get their indices in these.

    Raises SettingError for a class that the model does not have, DataError if a value is not a number; without a model
    also if the target is always the same, or a class has one example.
    """
    codes, texts, _ = table.columns[name].as_texts
    is_new = not (how.columns and how.task)
    if is_new and len(texts) < 2:
        raise DataError(sentence("tables.constant_target", table=table, text=texts[0], name=name))
    task = how.task or _infer_task(table, name, how.announce)
    class_names = tuple(how.class_names or (texts if task == "classes" else [name]))
    if task == "values":
        values = table.columns[name].numbers.values
        if values is None or not np.isfinite(values).all():
            refuse(table.name, f"finite numbers in the target {name!r} (else --task classes)", not_numbers(table, name))
        return task, class_names, values[:, np.newaxis]
    if is_new:
        alone = sorted(np.argmax(codes == k) for k in np.flatnonzero(np.bincount(codes) == 1))
        wanted = f"two examples or more of every class in {name!r}, to learn from one and be tested on another,"
        wanted += "" if None in map(number_in, texts) else " or --task values for numbers to predict,"
        such = (f"{table.place(row)}: {texts[codes[row]]!r} alone" for row in alone)
        refuse(table.name, wanted, such)
    if unknown := [text for text in texts if text not in class_names]:
        place = table.place(np.argmax(codes == texts.index(unknown[0])))
        got, offer = ", ".join(unknown[:10]), closest(unknown[0], class_names)
        raise SettingError(sentence("tables.classes", table=table, name=name, got=got, place=place, offer=offer))
    return task, class_names, np.array([class_names.index(text) for text in texts], np.int64)[codes]


def _infer_task(table: Table, name: str, announce: Announce) -> Goal:
    """Infer the task, "classes" or "values", from the cells of the target column, and announce it."""
    codes, texts, numbers = table.columns[name].as_texts
    known = [number for number in numbers.values or map(number_in, texts) if number is not None]
    task: Goal = "classes"
    if len(known) < len(texts):
        refuse_mixed(table, name, "the target")
        holds = "strings: classes to tell apart"
    elif all(each.is_integer() for each in known) and len(texts) <= min(MOST_GUESSED, len(codes) / FEWEST_EACH):
        holds = "whole numbers: classes to tell apart (else --task values)"
    else:
        task, holds = "values", "numbers: values to predict (else --task classes)"
    announce(f"{table.name}: {name!r} holds {len(texts):,} different {holds}")
    return task
