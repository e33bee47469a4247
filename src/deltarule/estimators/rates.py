"""Learning rates over a run: a schedule of the library, and what changes with epochs and standstill."""

from dataclasses import dataclass, field

from deltarule.nn.optimizers import Optimizer
from deltarule.training.schedules import Schedule

SLOWER = 5.0  # what a rate is divided by when nothing gets better
SLOWEST = 1e-6  # below this it is not divided again


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
