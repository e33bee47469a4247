"""Callbacks, and TrainingState, the state of a run that they receive."""

import math
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from inspect import signature
from typing import Any, TextIO

from deltarule.data.dataset import Dataset
from deltarule.data.reading import print_if_possible
from deltarule.elsewhere import words
from deltarule.errors import LOG, SettingError, sentence
from deltarule.nn.network import Network
from deltarule.nn.optimizers import Optimizer
from deltarule.nn.parameters import Parameters
from deltarule.nn.workspace import Workspace
from deltarule.public import public
from deltarule.settings import Task, brief, check, check_path, with_article
from deltarule.training.clip_and_average import Latest
from deltarule.training.history import History, Monitor
from deltarule.training.plan import Buffers, Score


@public()
@dataclass
class TrainingState:
    """The state of a run. A callback may read all of it and set one attribute, stop_reason, which ends the run.

    epoch: 0 before the first; step: steps so far; n_epochs, n_steps: how many are planned.
    batch_loss, learning_rate: of the last step. seconds: of training so far, without evaluations and callbacks.
    network, optimizer, grads, workspace: the objects of the run, read-only; grads and workspace hold the arrays of the
        last batch.
    average: the moving average, if any; best: the parameters of the best epoch so far, or of the last one.
    train, validation: the data. tally: the running score and loss of the epoch, empty between epochs.
    listeners: what has its hooks called: ReduceOnPlateau, if it is the schedule, and the callbacks, in order.
    identity: a function that returns what identifies the run, which is compared when a run resumes.
    ending: the exception that ended the run, if any.
    left_off: the parameters after the last complete step; None if an exception interrupted an update.
    """

    network: Network
    buffers: Buffers
    optimizer: Optimizer
    average: Latest
    best: Parameters
    train: Dataset
    validation: Dataset | None
    tally: Score
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
    ending: BaseException | None = None
    left_off: Parameters | None = None

    def __post_init__(self) -> None:
        self.grads: Parameters = self.buffers.grads
        self.task: Task = self.train.task

    @property
    def workspace(self) -> Workspace:
        """The Workspace with the arrays z, a and delta of the last batch."""
        return self.buffers.workspace


@public("class Mine(dr.Callback): def epoch_end(self, state): ...")
class Callback:
    """A callback of a run; override the hooks you need.

    every_step: whether to call `step_end` after each single step. If False, which is enough to show progress, a small
        network may take many steps in one call of the engine, and `step_end` is called about every tenth of a second.
    every_steps: if every_step is False, `step_end` is also called whenever the number of steps is a multiple of this
        one. The callback may change it between two calls.
    """

    every_step: bool = True
    every_steps: int | None = None

    def __init__(self) -> None:
        """Create the callback; the base class takes no arguments."""

    def train_begin(self, state: TrainingState) -> None:
        """Called before the run computes anything; in a resumed run, the state is that of the snapshot."""

    def step_end(self, state: TrainingState) -> None:
        """Called after each step, or only after some: see every_step."""

    def epoch_end(self, state: TrainingState) -> None:
        """Called after each epoch, including epoch 0, once its row is in the history."""

    def train_end(self, state: TrainingState) -> None:
        """Called once at the end, however the run ended; the network then has its final parameters."""


HOOKS = ("train_begin", "step_end", "epoch_end", "train_end")


def callbacks_of(given: Callback | Sequence[Callback]) -> Sequence[Callback]:
    """A sequence of callbacks, from a single one or a sequence of them. SettingError for anything else."""
    is_list = isinstance(given, Sequence) and not isinstance(given, str)
    callbacks: Any = given if is_list else [given]
    for i, each in enumerate(callbacks):
        if isinstance(each, Callback):
            check_hooks(each, f"callbacks[{i}], {with_article(type(each).__name__)}, has")
            continue
        is_ours = isinstance(each, type) and issubclass(each, Callback)
        name = each.__name__ if is_ours else str(each)
        known = {} if is_ours and not each.__module__.startswith("deltarule.") else words()["callbacks"]
        lines = (line for word, line in known.items() if word in name.casefold())
        works = f"callbacks=[{next(lines, f'{name}()' if is_ours else 'Progress()')}]"
        if not is_ours and (callable(each) or any(name.startswith("on_") for name in dir(each))):
            works = "class Mine(dr.Callback): def epoch_end(self, state): ..., and callbacks=[Mine()]"
        needed = f"callbacks[{i}] must be a callback" if is_list else "callbacks must be a callback, or a list of them"
        raise SettingError(f"{needed}: got {brief(each)}; use {works}")
    return callbacks


def call_all(callbacks: Iterable[Callback], hook: str, state: TrainingState) -> None:
    """Call a hook of each callback. Warn once if it returns True or False, which stops a run in other libraries."""
    for each in callbacks:
        answer: Any = getattr(each, hook)(state)
        if isinstance(answer, bool) and not vars(each).setdefault("_has_answered", False):
            vars(each)["_has_answered"] = True
            LOG.warning(sentence("training.answer", hook=hook, kind=type(each).__name__, answer=answer))


def check_hooks(callback: Callback, begins: str) -> None:
    """Raise SettingError if a callback has no hook, or one that needs more than the state. begins: its first words."""
    kind, line = type(callback), "use def epoch_end(self, state), with the figures in state.history.rows[-1]"
    hooks = [name for name in HOOKS if name in vars(callback) or getattr(kind, name) is not getattr(Callback, name)]
    others = [name for name in vars(kind) if name.endswith(("_begin", "_end", "_start")) and name not in HOOKS]
    if hooks and others and not str(vars(kind).get("__module__")).startswith("deltarule."):
        raise SettingError(f"{begins} {others[0]}, which is never called; the hooks are {', '.join(HOOKS)}: {line}")
    if kind is not Callback and not hooks:
        raise SettingError(f"{begins} none of the hooks, {', '.join(HOOKS)}: {line}")
    for name in hooks:
        takes = signature(getattr(callback, name))
        with suppress(TypeError):
            if "logs" not in takes.bind("the state").signature.parameters:
                continue
        given = ", ".join(takes.parameters)
        raise SettingError(f"{begins} {name}({given}), which is called with the state alone: {line}")


@public()
class EarlyStopping(Callback):
    """Stop the run when a figure of the history has not improved for a while.

    patience: how many epochs without a new best are allowed.
    monitor: the column to watch; a loss should fall, an accuracy or r2 rise, unless `mode` is "min" or "max".
    min_delta: by how much a new best must beat the old one.
    """

    def __init__(
        self, patience: int = 10, monitor: str = "validation_loss", min_delta: float = 0.0, mode: str = "auto"
    ) -> None:
        is_column = isinstance(patience, str) and not patience.isdigit()
        check("patience", patience, type(self), note=f", which goes in as monitor={patience!r}" * is_column)
        check("min_delta", min_delta, type(self))
        self.patience, self.monitor = patience, Monitor(monitor, mode, min_delta, patience=patience)

    def epoch_end(self, state: TrainingState) -> None:
        self.monitor.improves(state.history)
        if self.monitor.is_stuck:
            state.stop_reason = f"{self.monitor.name} has not improved for {self.patience} epochs"

    train_begin = epoch_end


@public('CSVLog("history.csv")')
class CSVLog(Callback):
    """Saves the history as a CSV file after each epoch, including epoch 0, by `History.save`."""

    def __init__(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        check_path("path", path)
        self.path, self.force = path, force

    def train_begin(self, state: TrainingState) -> None:
        state.history.save(self.path, force=self.force)

    epoch_end = train_begin


@public()
class Progress(Callback):
    """Prints a plain line per epoch; if a line cannot be printed, it is dropped, and the run goes on."""

    def __init__(self, stream: TextIO | None = None) -> None:
        if stream is not None and not hasattr(stream, "write"):
            raise SettingError(f"stream of Progress must be a text stream: got {brief(stream)}; use Progress()")
        self.stream = stream

    def epoch_end(self, state: TrainingState) -> None:
        row = state.history.rows[-1]
        figures = "  ".join(f"{name} {value:.4f}" for name, value in row.items() if name.startswith(("train", "valid")))
        line = f"epoch {state.epoch}/{state.n_epochs}  {figures}  {state.seconds:.1f} s"
        print_if_possible(line, self.stream or sys.stderr)
