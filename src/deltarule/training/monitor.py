"""Monitor: how good a run has been so far, and for how long it has got no better."""

import math
from dataclasses import dataclass, field

from deltarule.elsewhere import words
from deltarule.errors import LOG, SettingError, sentence
from deltarule.settings import MODES, check_choice
from deltarule.training.history import History


@dataclass
class Monitor:
    """A figure of a run that is to become better: the best so far, and for how many epochs it has stood still.

    name: its column in the history. mode: "min" where it is to fall, "max" where it is to rise; "auto" knows that a
        loss is to fall and anything else to rise.
    tol: by how much a new best must beat the old one.
    by_any_gain: whether the best moves by any gain, and an epoch that gains `tol` or more ends a standstill, as in
        scikit-learn; else it moves by more than `tol` alone, which ends a standstill, as in Keras.
    patience: how many epochs of standstill are too many. cooldown: None where that is the end; where a wait begins
        anew, how many epochs do not count before it.

    best: the best figure so far, as something that is better the lower it is.
    stalled: epochs of standstill; the first figure is where it starts. cooling: epochs to come that do not count.
    n_waits: how often a wait has begun anew. n_heard: how many rows of `history` have been heard.

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
        self.rises = not is_loss if self.mode == "auto" else self.mode == "max"
        if self.rises is is_loss and self.name.endswith(("loss", "accuracy", "r2")):
            LOG.warning(sentence("settings.opposite_mode", monitor=self, meant="min" if is_loss else "max"))
        self.begin()

    def begin(self) -> None:
        """Forget other runs."""
        self.best, self.stalled, self.cooling, self.n_waits = math.inf, -1, 0, 0
        self.history, self.n_heard = History(), 0

    def improves(self, history: History) -> bool:
        """Whether the latest row is a new best, once all that are new are heard: a run that goes on brings many.

        Another run's history begins anew. Raises SettingError where there is no such column.
        """
        if history is not self.history:
            self.begin()
        self.history, is_best = history, False
        for row in history.rows[self.n_heard :]:
            is_best = self.takes(row[self.name] if self.name in row else history[self.name][-1])
        self.n_heard = len(history)
        return is_best

    def takes(self, figure: float) -> bool:
        """Whether the figure of one more epoch is a new best."""
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
        """Whether the standstill has lasted for `patience` epochs."""
        return self.stalled >= self.patience

    def wait_again(self, cooldown: int = 0) -> None:
        """Count the epochs of standstill anew, after so many that do not count."""
        self.stalled, self.cooling = 0, cooldown
