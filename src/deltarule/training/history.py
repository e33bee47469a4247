"""History: what a run reports, a row an epoch; as a table of one screen, and as CSV."""

import csv
import io
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from deltarule.atomic import write_atomically
from deltarule.elsewhere import line_for, words
from deltarule.errors import SettingError, closest
from deltarule.public import Named, public

Row = dict[str, float]
FORMULA = re.compile(r"[=@\t\r]|[+-](?!\d*\.?\d+(e[+-]?\d+)?$)", re.IGNORECASE)  # and not a number
FIRST_ROWS, LAST_ROWS = 4, 8  # of a history, where it is printed


@public()
@dataclass
class History(metaclass=Named):
    """One row an epoch, epoch 0 being the network before its first step.

    A row holds epoch, step, learning_rate, seconds (of training, so far), train_loss and train_accuracy (or train_r2),
    and with a validation set validation_loss and validation_accuracy. The training figures are averages over the
    epoch's batches as they were met, deformed and with dropout; those of epoch 0 are of at most 10,000 samples.

    best_epoch: the epoch whose parameters the network has kept; stop_reason: why the run ended early, else None.
    """

    rows: list[Row] = field(default_factory=list)
    best_epoch: int = 0
    stop_reason: str | None = None

    def __post_init__(self) -> None:
        iter(self.rows)

    def __getitem__(self, name: str) -> list[float]:
        """A column: history["train_loss"] is a list, one number an epoch."""
        known = self.rows[0] if self.rows else {}
        if str(name) not in known:
            line = line_for("History", name)
            offer = (
                f"use {line or f'history.rows[{name}]'}" if line or isinstance(name, int) else closest(str(name), known)
            )
            if str(name).startswith("val") and "validation_loss" not in known:
                offer = "give a validation set, as fit(network, X, y, validation=(X_val, y_val)) or train --holdout N"
                offer += f', and use history["{words()["columns"][name]}"]' if name in words()["columns"] else ""
            offer = offer if self.rows else "it has no epoch yet; use history = dr.fit(network, X, y)"
            raise SettingError(f"the history has no column {name!r}: {offer}")
        return [row[name] for row in self.rows]

    def plot(self) -> Any:
        """Draw loss and accuracy by epoch: the Picture of `dr.plot("curves", history)`."""
        return import_module("deltarule").plot("curves", self)

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write the rows as a CSV file. A figure that is not a finite number leaves its cell empty.

        path: an older history is replaced, any other file only with `force`. FileError where it cannot be written.
        """
        write_atomically(path, table_text(list(map(finite_row, self.rows))).encode(), "history", force=force)

    def __repr__(self) -> str:
        """A table of one screen: the first epochs, the best (without a validation set, the one kept) and the last."""
        if not self.rows:
            return "History of no epochs"
        names = [name for name in self.rows[0] if name.startswith(("train_", "validation_"))]
        mark = "best" if "validation_loss" in names else "kept"
        marked = [index for index, row in enumerate(self.rows) if row["epoch"] == self.best_epoch]
        every = range(len(self.rows))
        brief = sorted({*every[:FIRST_ROWS], *marked, *every[-LAST_ROWS:]})
        lines = [["epoch", *(name.replace("_", " ") for name in names), "learning rate", "seconds", ""]]
        for before, index in zip([-1, *brief], brief, strict=False):
            if index > before + 1:
                lines.append(["...", *[""] * (len(lines[0]) - 1)])
            row = self.rows[index]
            cells = [f"{100 * row[name]:.2f} %" if name.endswith("accuracy") else f"{row[name]:.4f}" for name in names]
            took = [f"{row.get('learning_rate', math.nan):.3g}", f"{row.get('seconds', math.nan):.1f}"]
            lines.append([f"{row['epoch']:.0f}", *cells, *took, mark if index in marked else ""])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        ended = f"; stopped: {self.stop_reason}" if self.stop_reason else ""
        n_epochs = len(self.rows) - 1
        heading = f"History of {n_epochs} epoch{'s'[: n_epochs != 1]}, {mark}: epoch {self.best_epoch}{ended}"
        return "\n".join([heading, *("  ".join(map(str.rjust, line, widths)).rstrip() for line in lines)])

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)


def table_text(rows: Sequence[Mapping[str, float | str | None]]) -> str:
    """Rows below the names of their columns, in the order of their first appearance. None leaves a cell empty.

    A text that a spreadsheet would carry out as a formula gets an apostrophe before it.
    """
    table = io.StringIO(newline="")
    names = dict.fromkeys(name for row in rows for name in row)
    writer = csv.writer(table, lineterminator="\n")
    for cells in (names, *([row.get(name) for name in names] for row in rows)):
        writer.writerow([f"'{cell}" if isinstance(cell, str) and FORMULA.match(cell) else cell for cell in cells])
    return table.getvalue()


def finite_row(row: Mapping[str, float | None]) -> dict[str, float | None]:
    """A row of the history in Python's own numbers, with None for what is not a finite number."""
    finite = {name: None if value is None or not math.isfinite(value) else value for name, value in row.items()}
    return {name: value if value is None or isinstance(value, int) else float(value) for name, value in finite.items()}
