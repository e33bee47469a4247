"""deltarule with checkpoints, and without."""

import tempfile
import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from contenders.ours import Ours
from deltarule.files.checkpoint import Checkpoints
from deltarule.training.callbacks import Callback, TrainingState

EPOCHS = 6  # of a measurement: several seconds, for a checkpoint each
EVERY_SECONDS = 1.0
EVERY_STEPS = 5  # for the distribution of what one costs


class Timed(Checkpoints):
    """Checkpoints that remember how long each has kept the training thread."""

    def __init__(self, folder: str, most: int) -> None:
        super().__init__(folder, every_steps=EVERY_STEPS)
        self.most, self.seconds = most, list[float]()

    def step_end(self, state: TrainingState) -> None:
        before, began = self._writing, time.perf_counter()
        super().step_end(state)
        if self._writing is not before:
            self.seconds.append(time.perf_counter() - began)
            if len(self.seconds) == self.most:
                state.stop_reason = "that is enough"


class Keeping(Ours):
    """`keeps`: whether there are checkpoints, one each second. `most`: how many `costs` makes."""

    def prepare(
        self,
        images: NDArray[np.uint8],
        classes: NDArray[np.int64],
        engine: str = "auto",
        keeps: bool = False,
        most: int = 500,
    ) -> None:
        super().prepare(images, classes, engine)
        self.keeps, self.most = keeps, most

    def train_with(self, callbacks: list[Callback], epochs: int) -> float:
        """The seconds of so many epochs."""
        return replace(self.trainer, epochs=epochs, callbacks=callbacks).fit(self.data)["seconds"][-1]

    def epoch(self) -> float:
        """The seconds of EPOCHS epochs."""
        with tempfile.TemporaryDirectory() as folder:
            return self.train_with([Checkpoints(folder, every_seconds=EVERY_SECONDS)] if self.keeps else [], EPOCHS)

    def costs(self) -> list[float]:
        """The seconds that each of many checkpoints has taken of the training thread, while others are written."""
        with tempfile.TemporaryDirectory() as folder:
            timed = Timed(folder, self.most)
            self.train_with([timed], 1000)
        return timed.seconds
