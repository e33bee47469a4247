"""Progress: how a run has gone so far; and its learning rate, which may depend on that."""

import math
from dataclasses import dataclass, field

from deltarule.nn.arrays import Array
from deltarule.nn.optimizers import Optimizer
from deltarule.training.schedules import Schedule

SLOWER = 5.0  # what a rate is divided by when nothing gets better
SLOWEST = 1e-6  # below this it is not divided again


@dataclass
class Progress:
    """What is kept after every epoch, over all calls of `partial_fit` and warm starts; scikit-learn's rule of progress.

    tol, patience: how many epochs may pass in which what counts gets better by less than `tol`.
    by_score: whether the validation score counts, as with early stopping, or the training loss.

    losses, scores, validation_losses: one number an epoch; the last two where there is something to validate on.
    best_loss: the lowest training loss; best_score: the highest validation score.
    best: a copy of the parameters that had it, (size,); None before the first score.
    stalled: epochs since what counts last got better.
    """

    tol: float
    patience: float
    by_score: bool
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
    def is_stuck(self) -> bool:
        """Whether more epochs than `patience` have passed without getting better."""
        return self.stalled > self.patience

    @property
    def says(self) -> str:
        """Why a run that is stuck ends."""
        what = "Validation score" if self.by_score else "Training loss"
        return f"{what} did not improve more than tol={self.tol:f} for {self.patience} consecutive epochs."


@dataclass
class Rate:
    """The learning rate of a schedule of the library, and the base of those that are scaled after an epoch.

    schedule: step -> rate. factor: what it is multiplied by. current: the latest rate, as it has been scaled since.
    """

    schedule: Schedule
    factor: float = field(default=1.0, init=False)
    current: float = field(init=False)

    def __post_init__(self) -> None:
        self.current = self.schedule(0)

    def at(self, step: int) -> float:
        """The rate of a step, counted from 0."""
        self.current = self.schedule(step) * self.factor
        return self.current

    def end_epoch(self, samples_seen: int, stalled: int, optimizer: Optimizer) -> None:
        """After an epoch. samples_seen: in all epochs so far; stalled: epochs since the last that got better."""

    def goes_on(self, optimizer: Optimizer) -> bool:
        """Whether the run goes on, with a lower rate, though nothing has got better for long."""
        return False

    def scale(self, factor: float, optimizer: Optimizer) -> None:
        """A new factor. Momentum keeps its speed: what moves is rate times velocity, so the velocity grows."""
        change, state = factor / self.factor, optimizer.state()
        if "velocity" in state:
            state["velocity"] /= change
            optimizer.load_state(state)
        self.factor, self.current = factor, self.current * change


@dataclass
class InverseScaling(Rate):
    """1 / (samples seen + 1)^power times the rate after every epoch."""

    power: float = 0.5

    def end_epoch(self, samples_seen: int, stalled: int, optimizer: Optimizer) -> None:
        self.scale((samples_seen + 1) ** -self.power, optimizer)


@dataclass
class Adaptive(Rate):
    """Where another rate would end the run this one is divided by five, until it is too small to be of use."""

    def goes_on(self, optimizer: Optimizer) -> bool:
        if self.current <= SLOWEST:
            return False
        self.scale(self.factor / SLOWER, optimizer)
        return True


@dataclass
class Plateau(Rate):
    """Divided by five after every `patience` epochs that got no better; the run ends as with a constant rate."""

    patience: int = 5

    def end_epoch(self, samples_seen: int, stalled: int, optimizer: Optimizer) -> None:
        if stalled and stalled % self.patience == 0 and self.current > SLOWEST:
            self.scale(self.factor / SLOWER, optimizer)
