"""Scores: how good the answers are, counted while the outputs go by."""

from dataclasses import dataclass, field

import numpy as np

from deltarule.data.dataset import Dataset, Task
from deltarule.nn.arrays import Array
from deltarule.nn.network import PREDICTION_ROWS, Network, forward, loss_value

SCORE_NAMES: dict[Task, str] = {"classes": "accuracy", "labels": "accuracy", "values": "r2"}


@dataclass
class Score:
    """A running score of one task.

    classes: accuracy, the share of samples whose most active output is the right one.
    labels: accuracy, the share of single answers that are right (at least 0.5 means 1).
    values: R2, 1 - squared error / squared distance from the mean, averaged over the outputs.
    """

    task: Task
    n_samples: int = 0
    _right: float = 0.0
    _sums: Array = field(default_factory=lambda: np.zeros((3, 1)))  # of (y - a)^2, y, y^2, for each output

    def add(self, a: Array, y: Array) -> None:
        """Count a batch of outputs a (batch, outputs) and what they should have been, y."""
        self.n_samples += len(y)
        if self.task == "classes":
            self._right += int(np.count_nonzero(a.argmax(axis=1) == y))
        elif self.task == "labels":
            self._right += int(np.count_nonzero((a >= 0.5) == (y >= 0.5))) / a.shape[1]
        else:
            y = y.astype(np.float64)
            self._sums = self._sums + np.stack([((y - a) ** 2).sum(axis=0), y.sum(axis=0), (y * y).sum(axis=0)])

    @property
    def value(self) -> float:
        """The score so far; not a number before the first batch."""
        if self.n_samples == 0:
            return float("nan")
        if self.task != "values":
            return self._right / self.n_samples
        squared_error, total, squares = self._sums
        spread = squares - total**2 / self.n_samples
        return float(np.mean(1.0 - squared_error / np.maximum(spread, np.finfo(np.float64).tiny)))


def evaluate(network: Network, dataset: Dataset) -> tuple[float, float]:
    """(loss, score) of a network on a whole dataset, in large blocks; nothing is dropped, no penalty is added."""
    ws = network.workspace(min(dataset.n_samples, PREDICTION_ROWS))
    score, loss = Score(dataset.task), 0.0
    for start in range(0, dataset.n_samples, PREDICTION_ROWS):
        y = dataset.targets[start : start + PREDICTION_ROWS]
        a = forward(network, dataset.inputs[start : start + PREDICTION_ROWS], ws)
        loss += loss_value(network, y, ws, divisor=dataset.n_samples)
        score.add(a, y)
    return loss, score.value
