"""The history as a table: one writer for CSVLog and for the folder of a run."""

import csv
import io
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from deltarule.atomic import write_atomically
from deltarule.errors import FileError, SettingError
from deltarule.public import public
from deltarule.settings import check_path
from deltarule.training.callbacks import Callback, TrainingState

Figure = float | None
Row = Mapping[str, Figure]
Cells = Mapping[str, Figure | str]


def table_text(rows: Sequence[Cells], separator: str = ",") -> str:
    """Rows below the names of their columns, in the order of their first appearance. None leaves a cell empty."""
    table = io.StringIO(newline="")
    names = dict.fromkeys(name for row in rows for name in row)
    writer = csv.DictWriter(table, list(names), delimiter=separator, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return table.getvalue()


def finite_row(row: Row) -> dict[str, Figure]:
    """A row of the history with Python's own numbers, and None for what is no finite number."""
    return {name: _finite(figure) for name, figure in row.items()}


@public()
class CSVLog(Callback):
    """Writes the history to a CSV file after each epoch, epoch 0 included: a row an epoch, whole at any moment.

    path: the file; an older history is replaced, any other file only with `force`. With `append` the file, whatever
        it holds, goes on below its rows. separator: a character between two cells.
    A figure that is no finite number leaves its cell empty.

    Raises SettingError for another separator, and FileError, before the run begins, where the file cannot be read or
    written.

    >>> log = CSVLog("history.csv")  # fit(network, X, y, callbacks=[log])
    """

    def __init__(
        self, path: str | os.PathLike[str], *, separator: str = ",", append: bool = False, force: bool = False
    ) -> None:
        check_path("path of CSVLog", path)
        if not isinstance(separator, str) or len(separator) != 1 or separator in '"\r\n':
            raise SettingError(f"a separator is one character, as ',' or ';' or a tab: got {separator!r}")
        self.path, self.separator, self.append, self.force = Path(path), separator, append, force

    def train_begin(self, state: TrainingState) -> None:
        self.before = self._rows_before() if self.append and self.path.exists() else []
        self._write(state, force=self.force or self.append)

    def epoch_end(self, state: TrainingState) -> None:
        self._write(state, force=True)  # what is there is what `train_begin` has written

    def _write(self, state: TrainingState, *, force: bool) -> None:
        text = table_text([*self.before, *map(finite_row, state.history)], self.separator)
        # An epoch can be shorter than a disk's answer, so nobody waits for it: a killed run still leaves a whole file.
        write_atomically(self.path, text.encode(), "history", force=force, sync=False)

    def _rows_before(self) -> list[dict[str, str]]:
        try:
            with self.path.open(encoding="utf-8", newline="") as stream:
                header, *rows = list(csv.reader(stream, delimiter=self.separator)) or [[]]
        except (OSError, ValueError, csv.Error) as error:
            raise FileError(f"{self.path} was to be appended to, but cannot be read as a table: {error}") from error
        return [dict(zip(header, cells, strict=False)) for cells in rows]


def _finite(figure: Figure) -> Figure:
    if figure is None or not math.isfinite(figure):
        return None
    return figure if isinstance(figure, int) else float(figure)
