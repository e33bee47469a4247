"""Scores: how good the answers are, counted while the outputs go by."""

from dataclasses import dataclass, field

import numpy as np

from deltarule.nn.arrays import Array
from deltarule.settings import Task

SCORE_NAMES: dict[Task, str] = {"classes": "accuracy", "labels": "accuracy", "values": "r2"}


@dataclass
class Score:
    """A running score of one task, and the running loss of its batches.

    classes: accuracy, the share of samples whose most active output is the right one.
    labels: accuracy, the share of single answers that are right (at least 0.5 means 1).
    values: R2, 1 - squared error / squared distance from the mean, averaged over the outputs. Where that distance is
        0, an output counts 1 if it is exactly right, else 0, as in scikit-learn.
    loss, weight: the sum of the batches' losses, each times what its batch weighs, and the sum of these weights.
    """

    task: Task
    n_samples: int = 0
    loss: float = 0.0
    weight: float = 0.0
    _right: float = 0.0
    _origin: Array = field(default_factory=lambda: np.zeros(1))  # the first y: squares are taken from it, not from 0
    _sums: Array = field(default_factory=lambda: np.zeros((3, 1)))  # of (y - a)^2, y, y^2, for each output

    def copy(self) -> "Score":
        """The same so far, to go on from."""
        other = object.__new__(Score)  # in a quarter of the time that dataclasses.replace takes, at every step
        vars(other).update(vars(self))
        return other

    def count(self, n_right: float, n_samples: int) -> None:
        """Count answers that a kernel has compared."""
        self._right += n_right
        self.n_samples += n_samples

    def add(self, a: Array, y: Array) -> None:
        """Count a batch of outputs a (batch, outputs) and what they should have been, y."""
        if self.task == "classes":
            self._right += int(np.count_nonzero(a.argmax(axis=1) == (y if y.ndim == 1 else y.argmax(axis=1))))
        elif self.task == "labels":
            self._right += int(np.count_nonzero((a >= 0.5) == (y >= 0.5))) / a.shape[1]
        else:
            if self.n_samples == 0:
                self._origin = y[0]
            wrong, y = y - a, y - self._origin
            self._sums = self._sums + np.stack([(wrong * wrong).sum(axis=0), y.sum(axis=0), (y * y).sum(axis=0)])
        self.n_samples += len(y)

    def state(self) -> dict[str, Array]:
        """All that was counted."""
        counts = {"samples": self.n_samples, "right": self._right, "loss": self.loss, "weight": self.weight}
        return {name: np.array(count) for name, count in counts.items()} | {"origin": self._origin, "sums": self._sums}

    def load_state(self, state: dict[str, Array]) -> None:
        """Go on from what `state` returned."""
        self.n_samples, self._right = int(state["samples"]), float(state["right"])
        self.loss, self.weight = float(state["loss"]), float(state["weight"])
        self._origin, self._sums = state["origin"], state["sums"]

    @property
    def mean_loss(self) -> float:
        """Not a number where no batch weighed anything."""
        return self.loss / self.weight if self.weight > 0.0 else float("nan")

    @property
    def value(self) -> float:
        """The score so far; not a number before the first batch."""
        if self.n_samples == 0:
            return float("nan")
        if self.task != "values":
            return self._right / self.n_samples
        squared_error, total, squares = self._sums
        spread = squares - total**2 / self.n_samples
        constant = spread <= 0.0
        r2 = 1.0 - squared_error / np.where(constant, 1.0, spread)
        return float(np.mean(np.where(constant, squared_error == 0.0, r2)))
