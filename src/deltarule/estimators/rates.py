"""Learning rates over a run, as `learning_rate` names them: what changes with steps, epochs, and standstill."""

from dataclasses import dataclass, field

from deltarule.nn.optimizers import Optimizer
from deltarule.training.schedules import Schedule

SLOWER = 5.0  # what a rate is divided by when nothing gets better
SLOWEST = 1e-6  # below this it is not divided again


@dataclass
class Rate:
    """A constant rate, and the base of those that change.

    initial: the rate to begin with. current: the rate of the next step.
    """

    initial: float
    current: float = field(init=False)

    def __post_init__(self) -> None:
        self.current = self.initial

    def at(self, step: int) -> float:
        """The rate of a step, counted from 0."""
        return self.current

    def end_epoch(self, samples_seen: int, stalled: int, optimizer: Optimizer) -> None:
        """After an epoch. samples_seen: in all epochs so far; stalled: epochs since the last that got better."""

    def goes_on(self, optimizer: Optimizer) -> bool:
        """Whether the run goes on, with a lower rate, though nothing has got better for long."""
        return False

    def change(self, rate: float, optimizer: Optimizer) -> None:
        """From now on `rate`. Momentum keeps its speed: what moves is rate times velocity, so the velocity grows."""
        state = optimizer.state()
        if "velocity" in state:
            velocity = state["velocity"]
            velocity *= self.current / rate
            optimizer.load_state(state)
        self.current = rate


@dataclass
class InverseScaling(Rate):
    """initial / (samples seen + 1)^power after every epoch."""

    power: float = 0.5

    def end_epoch(self, samples_seen: int, stalled: int, optimizer: Optimizer) -> None:
        self.change(self.initial / (samples_seen + 1) ** self.power, optimizer)


@dataclass
class Adaptive(Rate):
    """Where a constant rate would end the run it is divided by five, until it is too small to be of use."""

    def goes_on(self, optimizer: Optimizer) -> bool:
        if self.current <= SLOWEST:
            return False
        self.change(self.current / SLOWER, optimizer)
        return True


@dataclass
class Plateau(Rate):
    """Divided by five after every `patience` epochs that got no better; the run ends as with a constant rate."""

    patience: int = 5

    def end_epoch(self, samples_seen: int, stalled: int, optimizer: Optimizer) -> None:
        if stalled and stalled % self.patience == 0 and self.current > SLOWEST:
            self.change(self.current / SLOWER, optimizer)


@dataclass
class Planned(Rate):
    """A schedule of the library: cosine, one cycle."""

    schedule: Schedule

    def at(self, step: int) -> float:
        self.current = self.schedule(step)
        return self.current
