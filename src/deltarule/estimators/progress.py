"""RunProgress: how a run has gone so far, which parameters were the best, and whether it still gets better."""

import math
from dataclasses import dataclass, field

from deltarule.nn.arrays import Array


@dataclass
class RunProgress:
    """What is kept after every epoch, over all calls of `partial_fit` and warm starts; scikit-learn's rule of progress.

    tol, patience: how many epochs may pass in which what counts gets better by less than `tol`.
    by_score: whether the validation score counts, as with early stopping, or the training loss.

    losses, scores, validation_losses: one number an epoch; the last two where there is something to validate on.
    best_loss: the lowest training loss; best_score: the highest validation score.
    best: a copy of the parameters that had it, (size,); None before the first score.
    stalled: epochs since what counts last got better.
    """

    tol: float = 0.0
    patience: float = 0.0
    by_score: bool = False
    losses: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    best_loss: float = math.inf
    best_score: float = -math.inf
    best: Array | None = None
    stalled: int = 0

    def add(self, loss: float) -> None:
        """Take in an epoch's training loss."""
        self.losses.append(loss)
        if not self.by_score:
            self.stalled = self.stalled + 1 if loss > self.best_loss - self.tol else 0
        self.best_loss = min(self.best_loss, loss)

    def validate(self, score: float, loss: float, vector: Array) -> None:
        """Take in what the parameters `vector` are worth on examples that they did not learn from."""
        self.scores.append(score)
        self.validation_losses.append(loss)
        if self.by_score:
            self.stalled = self.stalled + 1 if score < self.best_score + self.tol else 0
        if score > self.best_score or self.best is None:
            self.best_score = max(score, self.best_score)
            self.best = vector.copy()

    @property
    def says(self) -> str:
        """Why a run that is stuck ends."""
        what = "Validation score" if self.by_score else "Training loss"
        return f"{what} did not improve more than tol={self.tol:f} for {self.patience} consecutive epochs."
