"""deltarule on a file that the system maps into memory: what Linux can take back at any time is not training's own."""

from typing import Any, Literal

import numpy as np
from memory import status_megabytes
from numpy.typing import NDArray

from contenders.ours import Ours
from deltarule.training.callbacks import Callback, TrainingState

EVERY_STEPS = 50


class AnonymousMemory(Callback):
    """The most anonymous memory seen, looked at every so many steps; None where the system does not tell."""

    megabytes: float | None = None

    def step_end(self, state: TrainingState) -> None:
        if state.step % EVERY_STEPS == 1 and (now := status_megabytes("RssAnon")) is not None:
            self.megabytes = max(now, self.megabytes or 0.0)


class Mapped(Ours):
    """The images are read where they lie."""

    mmap_mode: Literal["r"] | None = "r"

    def prepare(self, images: NDArray[np.uint8], classes: NDArray[np.int64], engine: str = "auto") -> None:
        super().prepare(images, classes, engine)
        self.memory = AnonymousMemory()
        self.trainer.callbacks = (self.memory,)

    def report(self) -> dict[str, Any]:
        return super().report() | {"anonymous_megabytes": self.memory.megabytes}
