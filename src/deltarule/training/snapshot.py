"""Snapshots: the complete state of a run after one of its steps, to continue it from; and what identifies the run."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Self

import numpy as np

from deltarule.data.dataset import Dataset, data_hash
from deltarule.errors import SettingError, sentence
from deltarule.nn.arrays import Array
from deltarule.training.callbacks import TrainingState
from deltarule.training.plan import SCORE_NAMES

COUNTED = ("epoch", "step")  # columns of a history with whole numbers
FIGURES = ("step", "seconds", "batch_loss", "learning_rate")
WHOLE = ("step", "best_epoch", "optimizer.steps", "average.steps", "tally.samples")  # an average may have no steps
MOST = 2**53  # the most steps that a float64 counts exactly
DIMS = dict.fromkeys((*FIGURES, *WHOLE, "tally.right", "tally.loss", "tally.weight"), 0)
DIMS |= {"parameters": 1, "best": 1, "history": 2, "tally.origin": 1, "tally.sums": 2}


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A copy of a run's state. Random numbers need no state: a step draws them by the seed and the step's number.

    arrays: arrays by name: parameters, best, and the vectors of optimizer and average, (n_parameters,) each; history
        (epochs, columns); the epoch's running score and loss; single figures, such as the step, as 0-d arrays.
    columns: the names of the history's columns.
    identity: the settings and data of the run, in words, by name; empty if a run need not match them to resume.
    record: other notes, as JSON.
    """

    arrays: Mapping[str, Array]
    columns: tuple[str, ...]
    identity: Mapping[str, str]
    record: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise SettingError if this cannot be the state of a run."""
        arrays = {"average.steps": np.zeros(()), **self.arrays}
        for name, n_dims in DIMS.items():
            if name not in arrays or arrays[name].ndim != n_dims:
                raise SettingError(f"a snapshot needs {name!r}, an array of {n_dims} dimensions: got none")
        rows, n_columns = arrays["history"].shape
        if rows == 0 or n_columns != len(self.columns) or not set(COUNTED) <= set(self.columns):
            raise SettingError(f"a snapshot needs a history with columns {COUNTED}: got {rows} rows of {self.columns}")
        counts = [arrays[name] for name in WHOLE]
        counts += [arrays["history"][:, self.columns.index(name)] for name in COUNTED]
        if not all(((count >= 0) & (count <= MOST) & (count == np.floor(count))).all() for count in counts):
            raise SettingError("the counts of a snapshot must be whole numbers, 0 or more: got others")
        best, weight = arrays["best_epoch"].item(), arrays["tally.weight"].item()
        if best >= rows or not 0.0 <= weight < math.inf:
            raise SettingError(sentence("snapshot.best_epoch", rows=rows, best=best, weight=weight))

    @property
    def step(self) -> int:
        """The number of steps that the run had taken."""
        return int(self.arrays["step"])

    @property
    def epoch(self) -> int:
        """The number of epochs that the run had completed."""
        return int(self.arrays["history"][-1, self.columns.index("epoch")])

    @classmethod
    def of(cls, state: TrainingState, record: Mapping[str, Any] | None = None) -> Self:
        """The Snapshot of a run's state at the end of a step; in a run that has ended, after its last complete step."""
        rows = state.history.rows
        arrays = {name: np.array(getattr(state, name), np.float64) for name in FIGURES}
        arrays["best_epoch"] = np.array(state.history.best_epoch, np.float64)
        arrays["history"] = np.array([list(row.values()) for row in rows], np.float64)
        arrays["parameters"] = (state.left_off or state.network.parameters).vector.copy()
        arrays["best"] = state.best.vector.copy()
        for part in ("optimizer", "average", "tally"):
            arrays |= {f"{part}.{name}": array for name, array in getattr(state, part).state().items()}
        return cls(arrays, tuple(rows[0]), state.identity(), record or {})

    def restore(self, state: TrainingState) -> None:
        """Set the state of a new run to this snapshot. SettingError, listing the differences, if it is another run."""
        if self.identity and (different := differences(self.identity, state.identity())):
            if all(each.startswith("epochs ") for each in different):
                raise SettingError(sentence("snapshot.more_epochs", differences="; ".join(different)))
            raise SettingError(sentence("snapshot.other_run", differences="; ".join(different)))
        self._check(state)
        for name in FIGURES:
            vars(state)[name] = self.arrays[name].item()
        state.step = self.step
        state.network.parameters.vector[:] = self.arrays["parameters"]
        state.best.vector[:] = self.arrays["best"]
        for part in ("optimizer", "average", "tally"):
            named = ((name.partition("."), array) for name, array in self.arrays.items())
            getattr(state, part).load_state({name: array for (whose, _, name), array in named if whose == part})
        rows = (dict(zip(self.columns, values, strict=True)) for values in self.arrays["history"].tolist())
        state.history.rows[:] = [row | {name: int(row[name]) for name in COUNTED} for row in rows]
        state.history.best_epoch = int(self.arrays["best_epoch"])
        state.epoch = self.epoch

    def _check(self, state: TrainingState) -> None:
        """Raise SettingError if the arrays' shapes, dtypes or columns do not fit the run, whatever its settings."""
        parameters, n_outputs = state.network.parameters.vector, state.network.layer_sizes[-1]
        counted: Any = {"tally.origin": [(1,), (n_outputs,)], "tally.sums": [(3, 1), (3, n_outputs)]}
        remembered = [name for name in self.arrays if name.startswith(("optimizer.", "average."))]
        for name in ("parameters", "best", *counted, *(name for name in remembered if not name.endswith(".steps"))):
            array, shapes = self.arrays[name], counted.get(name, [parameters.shape])
            if array.shape not in shapes or (name not in counted and array.dtype != parameters.dtype):
                raise SettingError(sentence("snapshot.parameters", parameters=parameters, name=name, array=array))
        needed = {"learning_rate", "seconds"}
        for which in ("train",) if state.validation is None else ("train", "validation"):
            needed |= {f"{which}_loss", f"{which}_{SCORE_NAMES[state.task]}"}
        found = {name for name in self.columns if name in needed or name.startswith("validation_")}
        if other := ", ".join(sorted(needed ^ found)):
            raise SettingError(sentence("snapshot.figures", task=state.task, other=other))


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The differences between two identities of runs, each as "epochs was 5 and is 6"; an empty list for the same."""
    return [
        f"{name} was {before.get(name, 'not there')} and is {now.get(name, 'not there')}"
        for name in [*now, *(before.keys() - now.keys())]
        if before.get(name) != now.get(name)
    ]


def in_words(thing: Any) -> str:
    """A setting as text, as Python would write it: the name of its type, with its own settings.

    >>> in_words((Constant(0.1), None, 5))
    '(Constant(rate=0.1), None, 5)'
    """
    if isinstance(thing, list | tuple):
        return f"({', '.join(map(in_words, thing))})"
    if is_dataclass(thing) and not isinstance(thing, type):
        settings = (f"{each.name}={in_words(getattr(thing, each.name))}" for each in fields(thing) if each.init)
        return f"{type(thing).__name__}({', '.join(settings)})"
    if thing is None or isinstance(thing, bool | int | float | str):
        return repr(thing)
    return str(getattr(thing, "__qualname__", type(thing).__qualname__))  # a function, or an object of a custom class


def data_in_words(data: Dataset) -> str:
    """The number of examples and their SHA-256, as text."""
    return f"{data.n_samples:,} examples, SHA-256 {data_hash(data)[:16]}"
