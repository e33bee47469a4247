"""The column of a table that is to be learned: classes or values, and whether anything can be learned from it."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from deltarule.data.cells import MOST_NUMBERS, not_numbers, numbers_of, texts_of
from deltarule.data.csv_text import number_in
from deltarule.data.frames import Table
from deltarule.data.reporting import Announce, refuse
from deltarule.errors import DataError, SettingError, closest

Goal = Literal["classes", "values"]
MOST_GUESSED = 20  # more different whole numbers are values to predict, unless classes are asked for
FEWEST_EACH = 5  # so are whole numbers with fewer examples each, on average


def targets_to_learn(
    table: Table, name: str, task: Goal | None, announce: Announce
) -> tuple[Goal, tuple[str, ...], NDArray[Any]]:
    """(task, class names, targets) of the column `name`, without a missing cell, as a Dataset has them.

    task: None to infer it, which is said.

    Raises DataError where the target is the same everywhere, a class has one example, or a value is no number.
    """
    cells = table.cells(name)
    codes, texts = texts_of(cells)
    if len(texts) < 2:
        got = f"{texts[0]!r} in every row of {name!r}"
        raise DataError(f"{table.name}: a target that is not always the same was expected: got {got}")
    if task is None:
        task = _inferred(table, name, codes, texts, announce)
    if task == "values":
        return task, (name,), _values(table, name)
    alone = [np.flatnonzero(codes == k)[0] for k in np.flatnonzero(np.bincount(codes) == 1)]
    wanted = f"two examples or more of every class in {name!r}, to learn from one and be tested on another,"
    refuse(table.name, wanted, (f"{table.place(int(row))}: {texts[codes[row]]!r} alone" for row in sorted(alone)))
    return task, tuple(texts), codes.astype(np.int64)


def _inferred(table: Table, name: str, codes: NDArray[np.intp], texts: Sequence[str], announce: Announce) -> Goal:
    """What the cells of a target look like, which is said."""
    numbers = [number_in(text) for text in texts]
    known = [number for number in numbers if number is not None]
    if len(known) < len(texts):
        if len(known) > MOST_NUMBERS:
            refuse(
                table.name, f"numbers in the target {name!r}, where most cells are numbers,", not_numbers(table, name)
            )
        announce(f"{table.name}: {name!r} holds {len(texts)} different texts: classes to tell apart")
        return "classes"
    is_whole = all(number.is_integer() for number in known)
    if is_whole and len(texts) <= MOST_GUESSED and len(codes) >= FEWEST_EACH * len(texts):
        holds = f"{name!r} holds {len(texts)} different whole numbers"
        announce(f"{table.name}: {holds}: classes to tell apart (else --task values)")
        return "classes"
    announce(f"{table.name}: {name!r} holds {len(texts):,} different numbers: values to predict (else --task classes)")
    return "values"


def known_targets(table: Table, name: str, task: Goal, class_names: Sequence[str]) -> NDArray[Any]:
    """The targets in the column `name`, without a missing cell, whose classes are those of `class_names`.

    Raises SettingError for another class, DataError where a value is no number.
    """
    if task == "values":
        return _values(table, name)
    codes, texts = texts_of(table.cells(name))
    unknown = [text for text in texts if text not in class_names]
    if unknown:
        row = int(np.flatnonzero(codes == texts.index(unknown[0]))[0])
        raise SettingError(
            f"{table.name}: classes that were learned were expected in {name!r}: got {', '.join(unknown[:10])}, "
            f"first in {table.place(row)}; {closest(unknown[0], class_names)}"
        )
    return np.array([class_names.index(text) for text in texts], dtype=np.int64)[codes]


def _values(table: Table, name: str) -> NDArray[np.float64]:
    """The numbers in a target, (n_rows, 1)."""
    refuse(table.name, f"finite numbers in the target {name!r}", not_numbers(table, name))
    return numbers_of(table.cells(name))[:, np.newaxis]
