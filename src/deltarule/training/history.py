"""History: the figures of a run, a row per epoch, as a table and as CSV; Monitor: watches whether one improves."""

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
from deltarule.errors import LOG, SettingError, closest, sentence
from deltarule.public import Named, public
from deltarule.settings import MODES, check_choice, setting_error

Row = dict[str, float]
FORMULA = re.compile(r"[=@\t\r]|[+-](?!\d*\.?\d+(e[+-]?\d+)?$)", re.IGNORECASE)  # and not a number
FIRST_ROWS, LAST_ROWS = 4, 8  # rows of a history to print


@public()
@dataclass
class History(metaclass=Named):
    """The figures of a run, a row per epoch; epoch 0 is the network before its first step.

    A row holds epoch, step, learning_rate, seconds (of training, so far), train_loss and train_accuracy (or train_r2),
    and with a validation set validation_loss and validation_accuracy. The training figures are averages over the
    epoch's batches, measured while training, with deformation and dropout; for epoch 0, over at most 10,000 samples.

    best_epoch: the epoch whose parameters the network kept; stop_reason: why the run ended early, else None.
    """

    rows: list[Row] = field(default_factory=list)
    best_epoch: int = 0
    stop_reason: str | None = None

    def __post_init__(self) -> None:
        iter(self.rows)

    def __getitem__(self, name: str) -> list[float]:
        """A column of the history: history["train_loss"] is a list with one number per epoch."""
        known = self.rows[0] if self.rows else {}
        if str(name) not in known:
            line = line_for("History", name) or (f"history.rows[{name}]" if isinstance(name, int) else "")
            offer = f"use {line}" if line else closest(str(name), known)
            if str(name).startswith("val") and "validation_loss" not in known:
                offer = "give a validation set, as fit(network, X, y, validation=(X_val, y_val)) or train --holdout N"
                offer += f', and use history["{words()["columns"][name]}"]' if name in words()["columns"] else ""
            offer = offer if self.rows else "it has no epoch yet; use history = dr.fit(network, X, y)"
            raise SettingError(f"the history has no column {name!r}: {offer}")
        return [row[name] for row in self.rows]

    def plot(self) -> Any:
        """Draw loss and accuracy by epoch, and return the Picture, as `dr.plot("curves", history)` does."""
        return import_module("deltarule").plot("curves", self)

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write the rows as a CSV file. The cell of a figure that is not finite stays empty.

        path: an older history there is replaced, any other file only with `force`. FileError if writing fails.
        """
        write_atomically(path, table_text(list(map(finite_row, self.rows))).encode(), "history", force=force)

    def __repr__(self) -> str:
        """A short table: the first epochs, the best (without a validation set, the kept one) and the last."""
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
    """The rows as CSV text, below the names of all columns, in order of first appearance. None leaves a cell empty.

    A string that a spreadsheet would run as a formula gets an apostrophe before it.
    """
    table = io.StringIO(newline="")
    names = dict.fromkeys(name for row in rows for name in row)
    writer = csv.writer(table, lineterminator="\n")
    for cells in (names, *([row.get(name) for name in names] for row in rows)):
        writer.writerow([f"'{cell}" if isinstance(cell, str) and FORMULA.match(cell) else cell for cell in cells])
    return table.getvalue()


def finite_row(row: Mapping[str, float | None]) -> dict[str, float | None]:
    """A row of the history in Python's own numbers, with None for figures that are not finite."""
    finite = {name: None if value is None or not math.isfinite(value) else value for name, value in row.items()}
    return {name: value if value is None or isinstance(value, int) else float(value) for name, value in finite.items()}


@dataclass
class Monitor:
    """A figure of a run that should improve: the best so far, and the number of epochs without progress.

    name: its column in the history. mode: "min" if it should fall, "max" if it should rise; "auto": a loss should fall,
        anything else rise.
    tol: by how much a new best must beat the old one.
    by_any_gain: if True, any gain is a new best, but only a gain of `tol` or more counts as progress, as in
        scikit-learn; if False, only a gain of more than `tol` is a new best, and progress, as in Keras.
    patience: how many epochs without progress are too many. cooldown: None if the run then ends; or, if the count of
        epochs then starts again, how many epochs pass before it does.

    best: the best figure so far, negated if it should rise, so that lower is better.
    stalled: the number of epochs since the last progress. cooling: how many of the next epochs do not count.
    n_waits: how often the count has started again. n_heard: how many rows of `history` have been read.

    Raises SettingError for another mode.
    """

    name: str = "validation_loss"
    mode: str = "auto"
    tol: float = 0.0
    by_any_gain: bool = False
    patience: float = math.inf
    cooldown: int | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        check_choice("mode", self.mode, MODES)
        column = words()["columns"].get(self.name)
        if column or self.name in MODES:
            line = f"monitor={column!r}" if column else f"mode={self.name!r}"
            raise SettingError(f"monitor is a column of the history: got {self.name!r}; use {line}")
        is_loss = self.name.endswith("loss")
        if self.tol >= 1 and self.name.endswith("accuracy"):
            raise setting_error("min_delta", f"below 1 for {self.name}", self.tol, "min_delta=0.01, which is 1 %")
        self.rises = not is_loss if self.mode == "auto" else self.mode == "max"
        if self.rises is is_loss and self.name.endswith(("loss", "accuracy", "r2")):
            LOG.warning(sentence("settings.opposite_mode", monitor=self, meant="min" if is_loss else "max"))
        self.begin()

    def begin(self) -> None:
        """Reset the monitor, for a new run."""
        self.best, self.stalled, self.cooling, self.n_waits = math.inf, -1, 0, 0
        self.history, self.n_heard = History(), 0

    def improves(self, history: History) -> bool:
        """Read all new rows of the history (a resumed run has many), and return whether the latest is a new best.

        With the history of another run the monitor begins anew. Raises SettingError for an unknown column.
        """
        if history is not self.history:
            self.begin()
        self.history, is_best = history, False
        for row in history.rows[self.n_heard :]:
            is_best = self.takes(row[self.name] if self.name in row else history[self.name][-1])
        self.n_heard = len(history)
        return is_best

    def takes(self, figure: float) -> bool:
        """Record the figure of one more epoch, and return whether it is a new best."""
        now = -figure if self.rises else figure
        gains = now <= self.best - self.tol if self.by_any_gain else now < self.best - self.tol
        self.stalled = 0 if gains or self.cooling > 0 else self.stalled + 1
        self.cooling = max(self.cooling - 1, 0)
        is_best = now < self.best if self.by_any_gain else gains
        self.best = now if is_best else self.best
        if self.is_stuck and self.cooldown is not None:
            self.n_waits += 1
            self.wait_again(self.cooldown)
        return is_best

    @property
    def is_stuck(self) -> bool:
        """Whether `patience` epochs have passed without progress."""
        return self.stalled >= self.patience

    def wait_again(self, cooldown: int = 0) -> None:
        """Start counting epochs without progress again, after `cooldown` epochs that do not count."""
        self.stalled, self.cooling = 0, cooldown
