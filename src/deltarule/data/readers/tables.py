"""Tables with a column to learn: what its columns are, its targets, and its rows as these columns count them."""

import math
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from deltarule.atomic import AnyPath
from deltarule.data.columns import NO_CATEGORY, Column, refill
from deltarule.data.dataset import Dataset, Splits
from deltarule.data.readers.csv import (
    Head,
    Numbers,
    Table,
    Texts,
    cells_of,
    dialect_of,
    number_in,
    open_rows,
    read_columns,
    refuse_duplicates,
)
from deltarule.data.reading import Announce, Goal, How, Missing, Reading, print_to_stderr, refuse
from deltarule.elsewhere import words
from deltarule.errors import DataError, SettingError, closest, sentence
from deltarule.public import public
from deltarule.settings import check_choice

MOST_LOOKED_AT = 1000  # rows, for two cells of each column
LARGEST_NUMBER = 1e30  # of a cell: float32 ends at 3.4e38, and sums of squares are taken
MOST_CATEGORIES = 100  # more different texts are names or sentences, which say nothing one by one
FEWEST_UNIQUE, NEAR_UNIQUE = 20, 0.9  # more different texts than both, of the rows, are names, too
DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([ T].*)?|\d{1,2}([./-])\d{1,2}\2\d{2,4}([ T].*)?", re.ASCII)
MOST_NUMBERS = 20  # a column of text with more different numbers in it is one of numbers with something else in it
MOST_GUESSED = 20  # more different whole numbers are values to predict, unless classes are asked for
FEWEST_EACH = 5  # so are whole numbers with fewer examples each, on average


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
    """A table to learn from: the column `target` is what to learn, every other column is an input.

    source: a pandas DataFrame, or the path of a CSV with a header, its cells parted by commas, semicolons or tabs.
    task: "classes", where every distinct text in the target column is a class (in the order of numbers where all are
        numbers, else of the alphabet), or "values", where the target is a number. None takes classes for text and for
        few different whole numbers, else values, and says so.
    missing: what becomes of rows that lack a cell. "error" refuses them, "drop" leaves them out. "mean" keeps them: a
        missing number counts as its column's mean, a missing text as none of the categories; only rows without a
        target are left out. "median" takes the median, and "indicator", too, with an input that is 1 where the cell is
        missing, for each column that lacks cells.
    without: columns to leave out, such as running numbers.
    announce: gets how the target was understood, and how many cells are missing.

    A column of text has at most 100 categories, the different texts in it; a column of what is true or false is text.

    Returns a Dataset whose `columns` say what its inputs are: numbers, and the places of texts among their categories.
    Raises SettingError where there is no such column; DataError, naming column and line, where a cell or a column is of
    no use, where the target is the same everywhere, or where a class has only one example.

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
    return _read_dataset(source, How(target=target, task=task, missing=missing, without=without, announce=announce))


def read_table_examples(path: Path, how: How) -> Reading:
    """The examples in a CSV, of which a column is learned, as its user or a model of it says."""
    dataset = _read_dataset(path, how)
    return Reading(dataset.inputs, Splits(dataset), {"holds": "table", "target": how.target, "task": dataset.task})


def _read_dataset(source: Any, how: How) -> Dataset:
    """What `read_table` returns; where a model gives columns and class_names, cells and classes count as they do there.

    Raises as `read_table`, and, for what a model has not seen, as `table_rows` and `targets_in`.
    """
    if how.missing not in get_args(Missing):
        raise SettingError(sentence("tables.missing", got=how.missing, use=words()["choices"].get(how.missing, "drop")))
    known, target = how.columns or (), how.target or ""
    is_filled = how.missing in ("mean", "median", "indicator")
    text = [target, *(column.name for column in known if column.categories)]
    only = [target, *(column.name for column in known)] if known else None
    read = frame_table if is_frame(source) else read_columns
    table = read(source, text=text, only=only, without=how.without)
    if not (any(table.names) or len(table.rows)):
        raise DataError(f"{table.name}: a line of names and rows were expected: got an empty file")
    for name in (target, *how.without):
        if name not in table.names:
            offer, parts = closest(name, table.names), [part.strip() for part in name.split(",")]
            if table.is_file and 2 * sum(number_in(each) is not None for each in table.names) > len(table.names):
                raise DataError(sentence("tables.no_header", table=table, name=name, got=",".join(table.names[:9])))
            if name != target and set(parts) <= set(table.names):
                offer = f"name each by itself, {' '.join(f'--without {part}' for part in parts)}, or without={parts}"
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
        how.announce(f"{table.name}: lines above the header that are passed over: {table.dialect.n_above}")
    for name, written in table.written.items():
        if written:
            how.announce(f"{table.name}: {name!r} holds numbers {written}")
    task, class_names, targets = targets_in(table, target, how)
    columns = tuple(known or (describe_column(table, name) for name in names))
    rows = table_rows(table, columns)
    if is_filled and not known:
        strategy, counts = "mean" if how.missing == "mean" else "median", np.isnan(rows).sum(axis=0)
        flags = [how.missing == "indicator" and bool(count) for count in counts]
        filled = [
            Column(each.name, each.categories, 0.0, strategy, flag) for each, flag in zip(columns, flags, strict=True)
        ]
        columns = refill(filled, rows)
        _announce_filled(table, columns, counts, how.announce)
    return Dataset(rows, targets, task, class_names, name=table.name, columns=columns)


def read_table_rows(path: Path, how: How) -> Reading:
    """The rows of a CSV for a model of these columns; others are passed over."""
    asked = how.columns or ()
    only = [column.name for column in asked] or None
    passed_over = [] if how.target is None else [how.target]
    texts = [each.name for each in asked if each.categories]
    table = read_columns(path, Head.of(path, needs_header=bool(asked)), text=texts, only=only, without=passed_over)
    columns = asked or [Column(name) for name in table.cells]
    refuse_absent(table, asked)
    if not len(table.rows):
        raise DataError(f"{table.name}: a header and rows were expected: got no rows")
    rows = table_rows(table, columns, unseen=how.unseen)
    refuse_missing(table, [each.name for each in columns if each.fill is None], sentence("tables.rows_missing"))
    if not asked and len(table.rows) and table.rows[0] == 1:
        how.announce(f"{table.name}: line 1 holds numbers, and is read as a row")
    extra = [name for name in table.names if name not in table.cells and name != how.target]
    if extra:
        how.announce(f"{table.name}: what was not learned from is passed over: {', '.join(map(repr, extra))}")
    return Reading(rows, report={"holds": "rows", "columns": list(table.cells), "passed over": extra})


def is_frame(data: object) -> bool:
    """Whether this is a DataFrame of pandas or polars; neither is imported to find out."""
    makers = (sys.modules.get("pandas"), sys.modules.get("polars"))
    return any(maker is not None and isinstance(data, maker.DataFrame) for maker in makers)


def frame_table(
    frame: Any, *, text: Collection[str] = (), only: Collection[str] | None = None, without: Collection[str] = ()
) -> Table:
    """The columns of a DataFrame, as `read_columns` has those of a CSV; what is true or false is text.

    Raises DataError for a column that holds neither numbers nor text, such as dates.
    """
    header, name, cells = [str(each) for each in frame.columns], "the DataFrame", dict[str, Any]()
    refuse_duplicates(name, header)
    for number, column in enumerate(header):
        if column in without or (only is not None and column not in only):
            continue
        is_pandas = hasattr(frame, "iloc")
        series = frame.iloc[:, number] if is_pandas else frame.to_series(number)
        dtype = series.dtype
        kind = dtype.kind if is_pandas else "f" if dtype.is_numeric() else "M" * dtype.is_temporal()
        if kind and kind in "iuf" and column not in text:
            numbers = series.to_numpy(dtype=np.float64, na_value=np.nan) if is_pandas else series.cast(float).to_numpy()
            cells[column] = np.asarray(numbers)
        elif kind and kind in "mMc" and column not in text:
            raise DataError(sentence("tables.dtype", name=name, dtype=dtype, column=column))
        else:
            try:
                known = (series.dropna() if is_pandas else series.drop_nulls()).to_list()
                place = {each: at for at, each in enumerate(dict.fromkeys(known))}
                codes = np.array([place.get(each, -1) for each in series.to_list()], np.intp)
                values = [each.decode() if isinstance(each, bytes) else each for each in place]
            except (TypeError, UnicodeDecodeError) as error:
                got = "lists or dicts" if isinstance(error, TypeError) else "bytes that are not UTF-8"
                raise DataError(sentence("tables.dtype", name=name, dtype=got, column=column)) from error
            is_whole = [isinstance(each, float | np.floating) and each.is_integer() for each in values]
            texts = [str(int(each) if whole else each).strip() for each, whole in zip(values, is_whole, strict=True)]
            cells[column] = cells_of(codes, texts, is_text=column in text)
    return Table(name, header, cells, np.arange(len(frame)))


def frame_rows(frame: Any, columns: Sequence[Column], *, unseen: str = "error") -> NDArray[np.float64]:
    """The rows of a DataFrame for a model of these columns. Raises as `table_rows`."""
    names, texts = [column.name for column in columns], [each.name for each in columns if each.categories]
    return table_rows(frame_table(frame, text=texts, only=names), columns, unseen=unseen)


def _input_names(table: Table, others: Sequence[str], announce: Announce) -> list[str]:
    """The columns to learn from: all but some others, and but the names of rows, as R and pandas write them."""
    names = [name for name in table.names if name not in others]
    first: Any = getattr(table.cells.get(""), "codes", table.cells.get(""))
    if table.names[0] == "" and "" in names and len(np.unique(first)) == len(first):
        announce(f"{table.name}: the first column has no name and differs in every row: it is passed over")
        names.remove("")
    if "" in names:
        raise SettingError(sentence("tables.no_name", table=table, number=table.names.index("") + 1))
    if not names or not len(table.rows):
        raise DataError(sentence("tables.empty", table=table, n_inputs=len(names)))
    return names


def _announce_filled(table: Table, columns: Sequence[Column], counts: NDArray[np.int64], announce: Announce) -> None:
    """Say how many cells are missing, and what they count as."""
    filled = [(column, n) for column, n in zip(columns, counts, strict=True) if n]
    for is_text, how in ((False, f"the {columns[0].strategy} of their column"), (True, "none of the categories")):
        missing = {column.name: n for column, n in filled if bool(column.categories) is is_text}
        says = ", and an input says so" if any(column.indicator for column, _ in filled) else ""
        if missing:
            announce(f"{table.name}: missing cells count as {how}{says}: {in_columns(missing)}")


def missing_by_name(table: Table, names: Iterable[str]) -> dict[str, NDArray[np.bool_]]:
    """Which rows lack a cell in each of these columns, for those that lack any."""
    missing = {}
    for name in names:
        cells = table.cells[name]
        missing[name] = cells.codes < 0 if isinstance(cells, Texts) else np.isnan(cells)
    return {name: rows for name, rows in missing.items() if rows.any()}


def refuse_missing(table: Table, names: Iterable[str], advice: str) -> None:
    """Raise DataError, which ends in the advice, where rows lack a cell in one of these columns."""
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
    cells = {
        name: cells_of(each.codes[kept], each.texts, is_text=True) if isinstance(each, Texts) else each[kept]
        for name, each in table.cells.items()
    }
    return table._replace(cells=cells, rows=table.rows[kept])


def in_columns(missing: Mapping[str, Any]) -> str:
    """How many cells each column lacks, in words."""
    return ", ".join(f"{np.sum(rows):,} in {name!r}" for name, rows in missing.items())


def not_numbers(table: Table, name: str) -> Iterator[str]:
    """The cells of a column that hold something, but not a finite number that a network can compute with."""
    cells = table.cells[name]
    if not isinstance(cells, Texts):
        wrong = np.flatnonzero(np.abs(cells) > LARGEST_NUMBER)
        beyond = ["" if math.isinf(cell) else f", beyond {LARGEST_NUMBER:g}," for cell in cells[wrong]]
        places = (f"{table.place(row)}, column {name!r}: {cells[row]}" for row in wrong)
        return map("".join, zip(places, beyond, strict=True))
    values = ((text, number_in(text)) for text in cells.texts)
    return (_problem(table, name, text) for text, value in values if value is None or not math.isfinite(value))


def _problem(table: Table, name: str, text: str) -> str:
    codes, texts = table.cells[name]
    rows = np.flatnonzero(codes == texts.index(text))
    more = f" (and {len(rows) - 1:,} more of them)" if len(rows) > 1 else ""
    return f"{table.place(rows[0])}, column {name!r}: {text[:40]!r}{more}"


def describe_column(table: Table, name: str) -> Column:
    """What a column is: of numbers, or of text with these categories.

    Raises DataError, naming column and lines, where it is neither: no value at all, too many different texts, numbers
    with something else among them.
    """
    cells = table.cells[name]
    if not isinstance(cells, Texts):
        if np.isnan(cells).all():
            raise DataError(f"{table.name}: a value in every column was expected: got none in {name!r}; leave it out")
        return Column(name)
    texts = cells.texts
    n_numbers = sum(number_in(text) is not None for text in texts)
    if n_numbers > MOST_NUMBERS:
        refuse(table.name, f"numbers in column {name!r}, where most cells are numbers,", not_numbers(table, name))
    if all(map(DATE.fullmatch, texts)):
        raise DataError(sentence("tables.dates", table=table, name=name, such=texts[0]))
    if len(texts) > MOST_CATEGORIES or len(texts) > max(FEWEST_UNIQUE, NEAR_UNIQUE * len(cells.codes)):
        cure = ", or write numbers as 1234.5, without units" * all(re.search(r"\d", text) for text in texts)
        values = {"n_texts": len(texts), "most": MOST_CATEGORIES, "cure": cure}
        raise DataError(sentence("tables.texts", table=table, name=name, cells=cells, **values))
    return Column(name, tuple(texts))


def column_verdicts(path: AnyPath) -> list[dict[str, Any]]:
    """What each column of a CSV is taken for as an input, or why it is refused, and two of its cells."""
    table = read_columns(path)
    with open_rows(path, dialect_of(path)) as rows:
        cells = list(zip(*(row for _, row in islice(rows, 1, MOST_LOOKED_AT)), strict=True))
    verdicts = []
    for name, written in zip(table.names, cells or [()] * len(table.names), strict=True):
        try:
            refuse_doubt(table, [name])
            column = describe_column(table, name)
            holds = f"text, {len(column.categories)} categories" if column.categories else "numbers"
            holds = " ".join(filter(None, [holds, table.written.get(name, "")]))
        except DataError as error:
            holds = f"refused: {error}"
        verdicts.append({"column": name, "holds": holds, "such": list(dict.fromkeys(filter(None, written)))[:2]})
    return verdicts


def table_rows(table: Table, columns: Sequence[Column], *, unseen: str = "error") -> NDArray[np.float64]:
    """The rows, (n_rows, columns), of a table as these columns count them, whatever the order of its own.

    Raises DataError where the table lacks a column, and, naming columns and lines, where a cell is not a number in a
    column of numbers, or a text that is not among the categories and `unseen` is not "other".
    """
    refuse_absent(table, columns)
    refuse_doubt(table, [column.name for column in columns if not column.categories])
    asked = [column for column in columns if unseen == "error" or not column.categories]
    strange = (problem for column in asked for problem in _strange_cells(table, column))
    refuse(table.name, "cells like those learned from", strange)
    by_column = np.empty((len(columns), len(table.rows)))  # written and then turned: four times as fast
    for row, column in zip(by_column, columns, strict=True):
        cells = table.cells[column.name]
        if column.categories:
            place = {text: float(k) for k, text in enumerate(column.categories)}
            row[:] = np.array([*(place.get(text, NO_CATEGORY) for text in cells.texts), np.nan])[cells.codes]
        else:
            row[:] = cells
    return np.ascontiguousarray(by_column.T)


def refuse_doubt(table: Table, names: Iterable[str]) -> None:
    """Raise DataError, with the lines that read it either way, where commas may part thousands or decimals."""
    for name in names:
        texts = getattr(table.cells[name], "texts", ())
        if Numbers.of(texts, table.dialect).is_doubtful:
            such = next(text for text in texts if {*text} & {*",."})
            path = repr(table.name) if table.is_file else "PATH"
            raise DataError(sentence("tables.doubt", table=table, such=such, name=name, path=path))


def refuse_absent(table: Table, columns: Sequence[Column]) -> None:
    """Raise DataError where the table lacks one of these columns."""
    names = set(table.names)
    absent = [column.name for column in columns if column.name not in names]
    if absent:
        if table.is_file and None not in map(number_in, table.names):
            needed, got = ",".join(column.name for column in columns), ",".join(table.names)
            raise DataError(f"{table.name}: line 1 must name the columns: {needed}; got {got}")
        absences, offer = ", ".join(map(repr, absent)), closest(absent[0], table.names)
        raise DataError(sentence("tables.absent", table=table, absences=absences, offer=offer))


def _strange_cells(table: Table, column: Column) -> Iterator[str]:
    """What is wrong with the cells of a column that is known."""
    if not column.categories:
        yield from (f"{problem} is not a number" for problem in not_numbers(table, column.name))
        return
    for text in sorted(set(table.cells[column.name].texts) - set(column.categories)):
        yield f"{_problem(table, column.name, text)} was never seen; {closest(text, column.categories)}"


def targets_in(table: Table, name: str, how: How) -> tuple[Goal, tuple[str, ...], NDArray[Any]]:
    """Task, class names and targets as a Dataset has them, from the column `name`, without a missing cell.

    Where a model is given, its classes count as they do there.

    Raises SettingError for a class that the model does not have, DataError where a value is not a number; where there
    is not a model, also where the target is the same everywhere, or a class has one example.
    """
    codes, texts = table.cells[name]
    numbers = Numbers.of(texts, table.dialect)
    is_new = not (how.columns and how.task)
    if is_new and len(texts) < 2:
        raise DataError(sentence("tables.constant_target", table=table, text=texts[0], name=name))
    task = how.task or _infer_task(table, name, how.announce)
    class_names = tuple(how.class_names) or (tuple(texts) if task == "classes" else (name,))
    if task == "values":
        if numbers.values is None or not np.isfinite(numbers.values).all():
            refuse(table.name, f"finite numbers in the target {name!r} (else --task classes)", not_numbers(table, name))
        return task, class_names, np.array(numbers.values, float)[codes, np.newaxis]
    if is_new:
        alone = [np.argmax(codes == k) for k in np.flatnonzero(np.bincount(codes) == 1)]
        wanted = f"two examples or more of every class in {name!r}, to learn from one and be tested on another,"
        wanted += "" if None in map(number_in, texts) else " or --task values for numbers to predict,"
        refuse(table.name, wanted, (f"{table.place(row)}: {texts[codes[row]]!r} alone" for row in sorted(alone)))
    classes = {text: k for k, text in enumerate(class_names)}
    unknown = [text for text in texts if text not in classes]
    if unknown:
        place, offer = table.place(np.argmax(codes == texts.index(unknown[0]))), closest(unknown[0], class_names)
        got = ", ".join(unknown[:10])
        raise SettingError(sentence("tables.classes", table=table, name=name, got=got, place=place, offer=offer))
    return task, class_names, np.array([classes[text] for text in texts], dtype=np.int64)[codes]


def _infer_task(table: Table, name: str, announce: Announce) -> Goal:
    """The task that the cells of a target look like, which is announced."""
    codes, texts = table.cells[name]
    numbers = Numbers.of(texts, table.dialect).values
    known = [number for number in numbers or map(number_in, texts) if number is not None]
    task: Goal = "classes"
    if len(known) < len(texts):
        if len(known) > MOST_NUMBERS:
            expected = f"numbers in the target {name!r}, where most cells are numbers,"
            refuse(table.name, expected, not_numbers(table, name))
        holds = "texts: classes to tell apart"
    elif all(each.is_integer() for each in known) and len(texts) <= min(MOST_GUESSED, len(codes) / FEWEST_EACH):
        holds = "whole numbers: classes to tell apart (else --task values)"
    else:
        task, holds = "values", "numbers: values to predict (else --task classes)"
    announce(f"{table.name}: {name!r} holds {len(texts):,} different {holds}")
    return task
