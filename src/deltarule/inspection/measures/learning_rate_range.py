"""The learning-rate range test: raise the rate in every step, and see where the loss falls and where it explodes.

Source: L. Smith, "Cyclical learning rates for training neural networks", WACV 2017, section 3.3.
"""

import math
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from deltarule.data.dataset import Dataset
from deltarule.errors import DivergenceError, SettingError, sentence
from deltarule.nn.arrays import Array
from deltarule.nn.network import with_meaning
from deltarule.training.callbacks import Callback, TrainingState
from deltarule.training.plan import steps_per_epoch
from deltarule.training.schedules import Exponential
from deltarule.training.trainer import Trainer

N_STEPS = 150
LOWEST, HIGHEST = 1e-6, 100.0
WINDOW = 9  # steps: the last ones for the running loss that ends the test; those around each for the smoothed loss
RISEN = 1.1  # a loss this many times the lowest has risen by more than noise
TOO_MUCH = 4.0  # a loss this many times the lowest so far ends the test


@dataclass(frozen=True, eq=False)
class RangeTest:
    """The result of a range test: each step's learning rate, its batch's loss, and the loss smoothed; all (n_steps,).

    steepest: the rate at which the smoothed loss fell fastest, a good one to train with.
    highest: the rate at which the smoothed loss was lowest, the largest useful one; None if it never rose after that.
    """

    rates: Array
    losses: Array
    smoothed: Array
    steepest: float
    highest: float | None


class _Listener(Callback):
    """Records rate and loss of every step, and ends the run when the loss is far above its lowest."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, float]] = []
        self.least = math.inf

    def step_end(self, state: TrainingState) -> None:
        self.rows.append((state.learning_rate, state.batch_loss))
        latest = [loss for _, loss in self.rows[-WINDOW:]]
        running = sum(latest) / len(latest)
        self.least = min(self.least, running)
        if running > TOO_MUCH * self.least or len(self.rows) == N_STEPS:
            state.stop_reason = "the range test is done"


def range_test(trainer: Trainer, train: Dataset) -> RangeTest:
    """Train a copy of the trainer's network for at most 150 steps; the network itself keeps its parameters.

    The rate grows from 1e-6 to 100, by the same factor each step, until the loss is four times its lowest.
    train: as the network reads it. The trainer's optimizer must not have taken a step.

    Raises SettingError if the loss diverges before there is anything to see.
    """
    listener = _Listener()
    network = with_meaning(trainer.network, parameters=trainer.network.parameters.copy())
    epochs = -(-N_STEPS // steps_per_epoch(train.n_samples, trainer.batch_size))
    schedule = Exponential(LOWEST, N_STEPS - 1, HIGHEST / LOWEST)
    with suppress(DivergenceError):  # at the highest rates a range test may end this way
        replace(trainer, network=network, schedule=schedule, epochs=epochs, callbacks=[listener]).fit(train)
    if (n_steps := len(listener.rows)) < 3:
        raise SettingError(sentence("measures.few_steps", n_steps=n_steps))
    rates, losses = np.array(listener.rows).T
    smoothed, counts = (np.convolve(each, np.ones(WINDOW), "full") for each in (losses, np.ones_like(losses)))
    smoothed = (smoothed / counts)[WINDOW // 2 : -(WINDOW // 2)]
    least = int(smoothed.argmin())
    slope = np.gradient(smoothed[: max(least + 1, 2)])
    rose = n_steps < N_STEPS or smoothed[-1] > RISEN * smoothed[least]
    return RangeTest(rates, losses, smoothed, rates[slope.argmin()].item(), rates[least].item() if rose else None)
