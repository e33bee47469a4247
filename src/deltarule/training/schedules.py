"""Learning rates over time: functions of the step, counted from 0, that return a Python float.

They return a Python float because float32 parameters times a NumPy float64 would become float64.
"""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import KW_ONLY
from inspect import signature
from itertools import pairwise
from numbers import Real
from types import FunctionType
from typing import Any

from deltarule.elsewhere import words
from deltarule.errors import LOG, SettingError, sentence
from deltarule.parts import resolve
from deltarule.public import part
from deltarule.settings import brief, check, check_settings, setting_error, source_text
from deltarule.training.callbacks import Callback, TrainingState
from deltarule.training.history import Monitor

Schedule = Callable[[int], float]


@part(frozen=True)
class Constant:
    """The same rate at every step."""

    rate: float

    def __call__(self, step: int) -> float:
        return float(self.rate)


@part(frozen=True)
class StepDecay:
    """rate * factor^k after k times `every_steps` steps: a staircase."""

    rate: float
    every_steps: int
    factor: float = 0.1

    def __call__(self, step: int) -> float:
        return self.rate * math.pow(self.factor, step // self.every_steps)


@part(frozen=True)
class Exponential:
    """rate * factor^(step / total_steps): a smooth decay, to rate * factor at the end."""

    rate: float
    total_steps: int
    factor: float = 0.01

    def __call__(self, step: int) -> float:
        return self.rate * self.factor ** (step / self.total_steps)


@part(frozen=True)
class Cosine:
    """From rate to final in total_steps along half a cosine (Loshchilov & Hutter 2017, no restarts); then constant."""

    rate: float
    total_steps: int
    final: float = 0.0

    def __call__(self, step: int) -> float:
        done = min(step / self.total_steps, 1.0)
        return self.final + 0.5 * (self.rate - self.final) * (1.0 + math.cos(math.pi * done))


@part(frozen=True)
class OneCycle:
    """Up to rate over the first `warm_up` share of the steps, then down to nearly 0, both along a cosine (Smith 2018).

    It starts at rate / start_divisor and ends at rate / end_divisor. (PyTorch's ends at its start / end_divisor.)
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


@part(frozen=True)
class WarmUp:
    """The rate of `schedule`, times a factor that rises linearly from near 0 to 1 over the first `warm_up_steps`."""

    schedule: Schedule
    warm_up_steps: int

    def __post_init__(self) -> None:
        check_settings(self)
        resolve("schedule", self.schedule, "schedule of WarmUp")
        if isinstance(self.schedule, Callback):
            raise SettingError(sentence("schedules.outermost", inner=type(self.schedule).__name__))

    def __call__(self, step: int) -> float:
        return self.schedule(step) * min((step + 1) / self.warm_up_steps, 1.0)


@part(eq=False)
class ReduceOnPlateau(Callback):
    """A schedule whose rate is multiplied by `factor` whenever a figure of the history stops improving.

    Pass it as the learning rate; it then reads the history after every epoch, as a callback does.

    rate: a number, or a schedule. factor: what the rate is multiplied by, at least 0 and less than 1.
    patience: how many epochs without a new best it waits. cooldown: epochs after a reduction that do not count.
    monitor: the column to watch; a loss should fall, an accuracy or r2 rise, unless `mode` is "min" or "max".
    min_delta: by how much a new best must beat the old one. min_rate: the lowest rate.

    The rate depends only on the step and the rows of the history. Keras's ReduceLROnPlateau differs in having no epoch
    0 and counting the last epoch of a cooldown. PyTorch's waits an epoch longer, and its threshold is relative.

    >>> rate = ReduceOnPlateau(0.001, patience=3)  # fit(network, X, y, learning_rate=rate, validation=(X_new, y_new))
    """

    rate: float | Schedule
    factor: float = 0.1
    patience: int = 10
    _: KW_ONLY
    monitor: str = "validation_loss"
    mode: str = "auto"
    min_delta: float = 1e-4
    cooldown: int = 0
    min_rate: float = 0.0

    def __post_init__(self) -> None:
        check_settings(self)
        self.schedule = schedule_of(self.rate, "rate", type(self))
        self.monitored = Monitor(self.monitor, self.mode, self.min_delta, patience=self.patience)
        self.monitored.cooldown = self.cooldown

    def __call__(self, step: int) -> float:
        rate = self.schedule(step)
        return min(rate, max(rate * self.factor**self.monitored.n_waits, self.min_rate))

    def epoch_end(self, state: TrainingState) -> None:
        self.monitored.improves(state.history)

    train_begin = epoch_end

    def train_end(self, state: TrainingState) -> None:
        self.monitored.begin()


def schedules_in(schedule: Any) -> list[Any]:
    """A list of a schedule, the schedule inside it, and so on; the last one holds the rate."""
    return [schedule, *schedules_in(schedule.schedule)] if hasattr(schedule, "schedule") else [schedule]


def schedule_of(given: Any, name: str = "learning_rate", owner: type[Any] | str = "") -> Schedule:
    """The given schedule, or a Constant for a number. SettingError, naming the argument `name`, for anything else."""
    note = ""
    if callable(given) and not isinstance(given, type):
        try:
            rate = given(0)
            note = f", which returns {brief(rate)} for step 0"
        except (TypeError, SettingError) as error:
            rate, note = None, f", which cannot be called with a step ({error}), as lambda step: 0.1 can"
        except (ArithmeticError, LookupError) as error:
            rate, note = None, f", which fails at the first step, 0 ({error}); use lambda step: 0.1 / (step + 1)"
        if isinstance(rate, Real):
            if isinstance(given, FunctionType) and "epoch" in next(iter(signature(given).parameters)):
                raise SettingError(sentence("schedules.of_epochs", given=brief(given)))
            return given
    word = str(getattr(given, "__name__", given)).casefold().replace("_", "").removesuffix("decay")
    if line := words()["schedules"].get(word):
        raise setting_error(name, "a number, or a schedule", given, f"{name}={line}")
    if isinstance(given, dict) and given and all(isinstance(each, Real) for pair in given.items() for each in pair):
        pairs = sorted(given.items())
        parts = [f"{rate} if step < {until}" for (_, rate), (until, _) in pairwise(pairs)]
        line = f"{name}=lambda step: {' else '.join([*parts, str(pairs[-1][1])])}"
        raise setting_error(name, "a number, or a schedule", given, line)
    check(name, given, owner, note=note)
    return Constant(given)


def warn_of_length(given: Any, n_epochs: int, n_steps: int) -> None:
    """Warn if a schedule seems to count epochs, not steps, or rises or falls far too slowly or too fast for the run."""
    *outer, schedule = schedules_in(given)
    n_rise = max((getattr(each, "warm_up_steps", 0) for each in outer), default=0)
    name = "total_steps" if hasattr(schedule, "total_steps") else "every_steps"
    n_given, per_epoch = getattr(schedule, name, n_steps), n_steps // max(n_epochs, 1)
    first = middle = last = math.nan
    with suppress(ArithmeticError, LookupError, ValueError):  # a list of rates may be shorter than the run
        first, middle, last = (given(step) for step in (0, n_steps // 2, max(n_steps - 1, 0)))
    values = {"schedule": schedule, "name": name, "n_given": n_given, "n_steps": n_steps, "n_epochs": n_epochs}
    if per_epoch != n_given <= n_epochs and (n_meant := n_given * n_steps // n_epochs) > n_given:
        LOG.warning(sentence("schedules.too_short", n_meant=n_meant, **values))
    elif 0 < n_steps < n_rise:
        LOG.warning(sentence("schedules.long_warm_up", n_rise=n_rise, n_meant=max(n_steps // 10, 1), **values))
    elif isinstance(schedule, Exponential) and n_epochs > 1 and n_given >= n_steps and 0.7 <= schedule.factor < 1.0:
        LOG.warning(sentence("schedules.slow_fall", line=source_text(schedule, total_steps=per_epoch), **values))
    elif isinstance(schedule, Cosine | OneCycle) and 0 < 2 * n_steps <= n_given:
        LOG.warning(sentence("schedules.too_long", last=last, **values))
    elif n_steps and first == middle == last == 0.0:
        LOG.warning(sentence("schedules.zero"))
    elif per_epoch > 1 and n_epochs > 1 and 0.0 <= middle < 1e-3 * first:
        LOG.warning(sentence("schedules.fast_fall", first=first, rate=middle, per_epoch=per_epoch, **values))
