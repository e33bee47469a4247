"""What a run reports, and who listens: TrainingState, History, and callbacks."""

import csv
import io
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any, TextIO

from deltarule.atomic import write_atomically
from deltarule.data.dataset import Dataset
from deltarule.data.reading import print_if_possible
from deltarule.errors import SettingError, closest
from deltarule.nn.network import Network
from deltarule.nn.optimizers import Optimizer
from deltarule.nn.parameters import Parameters
from deltarule.nn.workspace import Workspace
from deltarule.public import Named, line_for, public
from deltarule.settings import MODES, Task, brief, check, check_choice, check_path, with_article
from deltarule.training.update import Latest

if TYPE_CHECKING:
    from deltarule.training.evaluation import Tally

Row = dict[str, float]
COLUMNS = {  # what other libraries call them
    **dict.fromkeys(("loss", "training_loss"), "train_loss"),
    **dict.fromkeys(("accuracy", "acc", "train_acc"), "train_accuracy"),
    **dict.fromkeys(("val_loss", "valid_loss", "test_loss"), "validation_loss"),
    **dict.fromkeys(("val_accuracy", "val_acc", "valid_acc", "test_accuracy"), "validation_accuracy"),
}
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
        self._check(name)
        return [row[name] for row in self.rows]

    def figure(self, name: str, index: int = -1) -> float:
        """What a column says in one row, the latest by default: as history[name][index], however long the run is."""
        self._check(name)
        return self.rows[index][name]

    def _check(self, name: str) -> None:
        known = self.rows[0] if self.rows else {}
        if name not in known:
            line = line_for("History", name)
            offer = f"use {line or f'history.rows[{name}]'}" if line or isinstance(name, int) else closest(name, known)
            if str(name).startswith("val") and "validation_loss" not in known:
                offer = "give a validation set, as fit(network, X, y, validation=(X_val, y_val)) or train --holdout N"
                offer += f', and use history["{COLUMNS[name]}"]' if name in COLUMNS else ""
            offer = offer if self.rows else "it has no epoch yet; use history = dr.fit(network, X, y)"
            raise SettingError(f"the history has no column {name!r}: {offer}")

    def plot(self) -> Any:
        """Draw loss and accuracy by epoch: the Picture of `dr.plot("curves", history)`."""
        return import_module("deltarule").plot("curves", self)

    def save(self, path: str | os.PathLike[str], *, separator: str = ",", force: bool = False) -> None:
        """Write the rows as a CSV file. A figure that is not a finite number leaves its cell empty.

        path: an older history is replaced, any other file only with `force`. separator: between two cells.

        Raises SettingError for another separator, FileError where the file cannot be written.
        """
        check_path("path", path)
        text = table_text(list(map(finite_row, self.rows)), check_separator(separator))
        write_atomically(path, text.encode(), "history", force=force)

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
            lines.append([*_cells(self.rows[index], names), mark if index in marked else ""])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        ended = f"; stopped: {self.stop_reason}" if self.stop_reason else ""
        n_epochs = len(self.rows) - 1
        heading = f"History of {n_epochs} epoch{'s'[: n_epochs != 1]}, {mark}: epoch {self.best_epoch}{ended}"
        return "\n".join([heading, *("  ".join(map(str.rjust, line, widths)).rstrip() for line in lines)])

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)


def check_separator(given: str) -> str:
    """What stands between two cells. SettingError for anything but one character."""
    if not isinstance(given, str) or len(given) != 1 or given in '"\r\n':
        raise SettingError(f"a separator is one character, as ',' or ';' or a tab: got {given!r}")
    return given


def table_text(rows: Sequence[Mapping[str, float | None]], separator: str = ",") -> str:
    """Rows below the names of their columns, in the order of their first appearance. None leaves a cell empty."""
    table = io.StringIO(newline="")
    names = dict.fromkeys(name for row in rows for name in row)
    writer = csv.DictWriter(table, list(names), delimiter=separator, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return table.getvalue()


def finite_row(row: Mapping[str, float | None]) -> dict[str, float | None]:
    """A row of the history in Python's own numbers, with None for what is not a finite number."""
    finite = {name: None if value is None or not math.isfinite(value) else value for name, value in row.items()}
    return {name: value if value is None or isinstance(value, int) else float(value) for name, value in finite.items()}


def _cells(row: Row, names: Sequence[str]) -> list[str]:
    """A row of a printed history: the epoch, the figures of that name, learning rate, seconds."""
    figures = [f"{100.0 * row[name]:.2f} %" if name.endswith("accuracy") else f"{row[name]:.4f}" for name in names]
    rate, seconds = row.get("learning_rate", math.nan), row.get("seconds", math.nan)
    return [f"{row['epoch']:.0f}", *figures, f"{rate:.3g}", f"{seconds:.1f}"]


@public()
@dataclass
class TrainingState:
    """Where a run stands. A callback may read all of it and set one thing: stop_reason, which ends the run.

    epoch: 0 before the first; step: steps taken so far; n_epochs, n_steps: how many are planned.
    batch_loss, learning_rate: of the last step. seconds: of training so far, without evaluations and callbacks.
    network, grads, workspace, optimizer: what the run works with, to be looked at only. piece_grads: room for the
        gradient of a part of a batch, where a batch is larger than the workspace.
    average: what counts as the result; best: the parameters of the best epoch so far, or of the last one.
    train, validation: the data. tally: what the epoch has come to so far, empty between epochs.
    listeners: the callbacks, in order. identity: says what the run is, for those who want to go on with it.
    is_updating: a step or an epoch's end has changed some of the above, and not yet the rest.
    ending: the exception that has ended the run, if one has.
    left_off: the parameters after the last whole step, where it did so between two updates.
    """

    network: Network
    grads: Parameters
    piece_grads: Parameters
    workspace: Workspace
    optimizer: Optimizer
    average: Latest
    best: Parameters
    train: Dataset
    validation: Dataset | None
    tally: "Tally"
    n_epochs: int
    n_steps: int
    listeners: Sequence["Callback"] = ()
    identity: Callable[[], dict[str, str]] = dict
    history: History = field(default_factory=History)
    epoch: int = 0
    step: int = 0
    batch_loss: float = math.nan
    learning_rate: float = math.nan
    seconds: float = 0.0
    stop_reason: str | None = None
    is_updating: bool = False
    ending: BaseException | None = None
    left_off: Parameters | None = None

    @property
    def task(self) -> Task:
        """That of the data."""
        return self.train.task


@public("class Mine(dr.Callback): def epoch_end(self, state): ...")
class Callback:
    """Something that listens to a run; override what you need.

    every_step: whether `step_end` has to come after each single step. Who only shows how far a run is says False: a
        small network then takes many steps at once, and `step_end` comes every tenth of a second.
    every_steps: a number of steps; where every_step is False, `step_end` comes at its multiples, too. It may change
        between two calls.
    """

    every_step: bool = True
    every_steps: int | None = None

    def __init__(self) -> None:
        """Nothing is needed."""

    def train_begin(self, state: TrainingState) -> None:
        """Before anything was computed; in a run that goes on from a snapshot, the state is that of the snapshot."""

    def step_end(self, state: TrainingState) -> None:
        """After each step."""

    def epoch_end(self, state: TrainingState) -> None:
        """After each epoch's row has been added to the history, epoch 0 included."""

    def train_end(self, state: TrainingState) -> None:
        """At the end, whoever stopped; the network holds the parameters that it will keep."""


HOOKS = ("train_begin", "step_end", "epoch_end", "train_end")
CALLED = {
    "checkpoints": 'Checkpoints("kept")',
    "stop": "EarlyStopping()",
    "check": 'ModelCheckpoint("best.safetensors")',
    "csv": 'CSVLog("history.csv")',
}


def callbacks_of(given: Callback | Sequence[Callback]) -> Sequence[Callback]:
    """The callbacks, of which there may be one alone. SettingError for what is none."""
    if isinstance(given, Callback):
        given = [given]
    works = f"callbacks=[{callback_called(given)}]"
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise SettingError(f"callbacks must be a callback, or a list of them: got {brief(given)}; use {works}")
    for i, each in enumerate(given):
        if not isinstance(each, Callback):
            if isinstance(each, str) or (isinstance(each, type) and issubclass(each, Callback)):
                works = f"callbacks=[{callback_called(each)}]"
            elif callable(each) or any(name.startswith("on_") for name in dir(each)):
                works = "class Mine(dr.Callback): def epoch_end(self, state): ..., and callbacks=[Mine()]"
            raise SettingError(f"callbacks[{i}] must be a callback: got {brief(each)}; use {works}")
        check_hooks(each, f"callbacks[{i}], {with_article(type(each).__name__)}, has")
    return given


def check_hooks(callback: Callback, begins: str) -> None:
    """Raise SettingError where a callback has no method that is called, or one that takes more than the state."""
    kind, line = type(callback), "use def epoch_end(self, state), with the figures in state.history.rows[-1]"
    hooks = [name for name in HOOKS if name in vars(callback) or getattr(kind, name) is not getattr(Callback, name)]
    if kind is not Callback and not hooks:
        raise SettingError(f"{begins} none of the methods that are called, {', '.join(HOOKS)}: {line}")
    for name in hooks:
        takes = signature(getattr(callback, name)).parameters
        needed = [
            each for each in takes.values() if each.default is each.empty and each.kind is each.POSITIONAL_OR_KEYWORD
        ]
        if "logs" in takes or len(needed) > 1:
            raise SettingError(f"{begins} {name}({', '.join(takes)}), which is called with the state alone: {line}")


def callback_called(given: Any) -> str:
    """The callback that a text or a class stands for, as a program makes it."""
    is_class = isinstance(given, type)
    name = given.__name__ if is_class else str(given)
    is_other = is_class and not given.__module__.startswith("deltarule.")
    called = (line for word, line in CALLED.items() if word in name.casefold() and not is_other)
    return next(called, f"{name}()" if is_class else "Progress()")


@dataclass
class Monitor:
    """A figure of the history that is to become better, and the best that it has been.

    name: its column. mode: "min" where it is to fall, "max" where it is to rise; "auto" knows that a loss is to fall
        and anything else to rise.
    min_delta: by how much a new best must beat the old one.

    Raises SettingError for another mode or a min_delta below 0.
    """

    name: str
    mode: str = "auto"
    min_delta: float = 0.0

    def __post_init__(self) -> None:
        check_choice("mode", self.mode, MODES)
        check("min_delta", self.min_delta)
        if not isinstance(self.name, str):
            raise SettingError(
                f"monitor must be the name of a column, such as 'validation_loss': got {brief(self.name)}"
            )
        if self.name in COLUMNS:
            column = COLUMNS[self.name]
            raise SettingError(f"monitor is a column of the history: got {self.name!r}; use monitor={column!r}")
        self.rises = self.mode == "max" or (self.mode == "auto" and not self.name.endswith("loss"))

    def begin(self, history: History) -> None:
        """Forget other runs; a run that goes on brings its history."""
        self.best, self.best_epoch = math.inf, 0  # as something that is better the lower it is
        for index in range(len(history)):
            self.improves(history, index)

    def improves(self, history: History, index: int = -1) -> bool:
        """Whether that row, the latest by default, is a new best. SettingError where there is no such column."""
        value = history.figure(self.name, index)
        now = -value if self.rises else value
        if not now < self.best - self.min_delta:
            return False
        self.best, self.best_epoch = now, int(history.figure("epoch", index))
        return True


@public()
class EarlyStopping(Callback):
    """Stop when a figure of the history has not become better for a while.

    patience: how many epochs without a new best are allowed.
    monitor: the column that counts; a loss is to fall, an accuracy or r2 to rise, unless `mode` is "min" or "max".
    min_delta: by how much a new best must beat the old one.
    """

    def __init__(
        self, patience: int = 10, monitor: str = "validation_loss", min_delta: float = 0.0, mode: str = "auto"
    ) -> None:
        check("patience", patience, type(self))
        check("min_delta", min_delta, type(self))
        self.patience, self.monitor = patience, Monitor(monitor, mode, min_delta)

    def train_begin(self, state: TrainingState) -> None:
        self.monitor.begin(state.history)
        if state.history.rows:  # of a run that goes on
            self._judge(state)

    def epoch_end(self, state: TrainingState) -> None:
        self.monitor.improves(state.history)
        self._judge(state)

    def _judge(self, state: TrainingState) -> None:
        if state.epoch - self.monitor.best_epoch >= self.patience:
            state.stop_reason = f"{self.monitor.name} has not improved for {self.patience} epochs"


@public('CSVLog("history.csv")')
class CSVLog(Callback):
    """Saves the history after each epoch, epoch 0 included: `History.save`, which says what it raises."""

    def __init__(self, path: str | os.PathLike[str], *, separator: str = ",", force: bool = False) -> None:
        check_path("path", path)
        self.path, self.separator, self.force = path, check_separator(separator), force

    def train_begin(self, state: TrainingState) -> None:
        state.history.save(self.path, separator=self.separator, force=self.force)

    epoch_end = train_begin


@public()
class Progress(Callback):
    """A plain line an epoch; one that cannot be printed is dropped, and the run goes on."""

    def __init__(self, stream: TextIO | None = None) -> None:
        if stream is not None and not hasattr(stream, "write"):
            raise SettingError(f"stream of Progress must be a text stream: got {brief(stream)}; use Progress()")
        self.stream = stream

    def epoch_end(self, state: TrainingState) -> None:
        row = state.history.rows[-1]
        figures = "  ".join(f"{name} {value:.4f}" for name, value in row.items() if name.startswith(("train", "valid")))
        line = f"epoch {state.epoch}/{state.n_epochs}  {figures}  {state.seconds:.1f} s"
        print_if_possible(line, self.stream or sys.stderr)
