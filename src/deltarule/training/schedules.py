"""Learning rates over time: functions of the step, counted from 0, that return a Python float.

A Python float, because NumPy would turn float32 parameters times a NumPy float64 into float64.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from deltarule.errors import SettingError

Schedule = Callable[[int], float]


LEGAL = {  # setting: (least, limit, in words)
    "rate": (0.0, math.inf, "0 or more and finite"),
    "final": (0.0, math.inf, "0 or more and finite"),
    "factor": (0.0, math.inf, "0 or more and finite"),
    "every_steps": (1, math.inf, "at least 1 step"),
    "total_steps": (1, math.inf, "at least 1 step"),
    "warm_up_steps": (1, math.inf, "at least 1 step"),
    "warm_up": (0.0, 1.0, "at least 0 and less than 1"),
    "start_divisor": (5e-324, math.inf, "above 0 and finite"),
    "end_divisor": (5e-324, math.inf, "above 0 and finite"),
}


@dataclass(frozen=True)
class _Checked:
    """Settings of schedules, which must be legal."""

    def __post_init__(self) -> None:
        for name, (least, limit, words) in LEGAL.items():
            if not least <= getattr(self, name, least) < limit:
                raise SettingError(f"{name} of {type(self).__name__} must be {words}: got {getattr(self, name)}")


@dataclass(frozen=True)
class Constant(_Checked):
    """The same rate at every step."""

    rate: float

    def __call__(self, step: int) -> float:
        return float(self.rate)


@dataclass(frozen=True)
class StepDecay(_Checked):
    """rate * factor^k after k times `every_steps` steps: a staircase."""

    rate: float
    every_steps: int
    factor: float = 0.1

    def __call__(self, step: int) -> float:
        return self.rate * math.pow(self.factor, step // self.every_steps)


@dataclass(frozen=True)
class Exponential(_Checked):
    """rate * factor^(step / total_steps): a smooth fall, to rate * factor at the end."""

    rate: float
    total_steps: int
    factor: float = 0.01

    def __call__(self, step: int) -> float:
        return self.rate * self.factor ** (step / self.total_steps)


@dataclass(frozen=True)
class Cosine(_Checked):
    """From rate to final along half a cosine (Loshchilov & Hutter 2017, without restarts); `final` ever after."""

    rate: float
    total_steps: int
    final: float = 0.0

    def __call__(self, step: int) -> float:
        done = min(step / self.total_steps, 1.0)
        return self.final + 0.5 * (self.rate - self.final) * (1.0 + math.cos(math.pi * done))


@dataclass(frozen=True)
class OneCycle(_Checked):
    """Up to rate over the first `warm_up` share of the steps, then down to nearly 0, both along a cosine (Smith 2018).

    It starts at rate / start_divisor and ends at rate / end_divisor. (PyTorch divides the start once more at the end.)
    """

    rate: float
    total_steps: int
    warm_up: float = 0.3
    start_divisor: float = 25.0
    end_divisor: float = 1e4

    def __call__(self, step: int) -> float:
        peak = self.warm_up * self.total_steps
        if step < peak:
            start, end, done = self.rate / self.start_divisor, self.rate, step / peak
        else:
            start, end, done = self.rate, self.rate / self.end_divisor, (step - peak) / (self.total_steps - peak)
        return end + 0.5 * (start - end) * (1.0 + math.cos(math.pi * min(done, 1.0)))


@dataclass(frozen=True)
class WarmUp(_Checked):
    """A straight line from near 0 over the first `warm_up_steps`, then whatever `schedule` says for the step."""

    schedule: Schedule
    warm_up_steps: int

    def __call__(self, step: int) -> float:
        return self.schedule(step) * min((step + 1) / self.warm_up_steps, 1.0)
