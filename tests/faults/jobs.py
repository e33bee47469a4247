"""What is to survive: a small run with every option that has a state, and how its results are compared."""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.data.augment import Deformation
from deltarule.data.dataset import Dataset
from deltarule.files.checkpoint import Checkpoints, step_of
from deltarule.nn.network import Network
from deltarule.nn.optimizers import AdamW
from deltarule.nn.penalties import L2
from deltarule.training.callbacks import Callback, EarlyStopping, TrainingState
from deltarule.training.clip_and_average import ClipNorm, Latest, MovingAverage, NoClipping
from deltarule.training.engine import engine
from deltarule.training.history import History
from deltarule.training.schedules import OneCycle
from deltarule.training.snapshot import Snapshot
from deltarule.training.trainer import Trainer

STEPS_AN_EPOCH, EPOCHS = 6, 2
STEPS = STEPS_AN_EPOCH * EPOCHS
EVERY_STEPS = 4


@cache
def images() -> tuple[Dataset, Dataset]:
    """To learn from (46 samples: the last batch is short), and to choose the best epoch by."""
    rng = np.random.default_rng(0)
    data = Dataset(
        rng.integers(256, size=(54, 16), dtype=np.uint8),
        rng.integers(3, size=54),
        class_names=("a", "b", "c"),
        image_shape=(4, 4),
    )
    return data.take(slice(46)), data.take(slice(46, 54))


def trainer(*callbacks: Callback, engine_name: str = "numpy", epochs: int = EPOCHS, **settings: Any) -> Trainer:
    """Dropout, augmentation, AdamW, one-cycle, moving average, clipping, a penalty and early stopping, all at once."""
    everything = {
        "network": Network((16, 6, 3), dropout=0.3, rng=1),
        "optimizer": AdamW(),
        "schedule": OneCycle(0.01, STEPS_AN_EPOCH * epochs),
        "penalty": L2(1e-4),
        "augment": Deformation(rotation=10, shift=1),
        "average": MovingAverage(0.9),
        "clip": ClipNorm(1.0),
        "epochs": epochs,
        "batch_size": 8,
        "engine": engine(engine_name),
        "seed": 3,
        "callbacks": [EarlyStopping(patience=epochs), *callbacks],
    }
    return Trainer(**everything | settings)


def small_nets_trainer(*callbacks: Callback, epochs: int = EPOCHS) -> Trainer:
    """What the library in C trains, many steps in one call."""
    plain = {"network": Network((16, 6, 3), rng=1), "augment": None, "average": Latest(), "clip": NoClipping()}
    return trainer(*callbacks, engine_name="native", epochs=epochs, **plain)


def result(trained: Trainer, history: History) -> str:
    """All that a run came to, but for its seconds, as one digest."""
    digest = hashlib.sha256(trained.network.parameters.vector.tobytes())
    for row in history.rows:
        digest.update(repr({name: value for name, value in row.items() if name != "seconds"}).encode())
    digest.update(f"{history.best_epoch} {history.stop_reason}".encode())
    return digest.hexdigest()


class Pace(Callback):
    """Waits for each checkpoint before the next step, so that runs do the same to the disk; reports what is kept."""

    every_step = False

    def __init__(self, checkpoints: Checkpoints, report: Callable[[int], None] = lambda step: None) -> None:
        self.checkpoints, self.report = checkpoints, report

    def step_end(self, state: TrainingState) -> None:
        self.checkpoints.wait()
        if self.checkpoints.last is not None:
            self.report(step_of(self.checkpoints.last))

    def train_end(self, state: TrainingState) -> None:
        self.step_end(state)


class Photographer(Callback):
    """Keeps a snapshot of every step."""

    every_step, every_steps = False, 1

    def __init__(self) -> None:
        self.snapshots: list[Snapshot] = []

    def step_end(self, state: TrainingState) -> None:
        self.snapshots.append(Snapshot.of(state))


def run(
    folder: Path,
    report: Callable[[int], None] = lambda step: None,
    *,
    every_steps: int = EVERY_STEPS,
    engine_name: str = "numpy",
) -> str:
    """Begin the run, or go on with it, keeping checkpoints in a folder; what it came to."""
    checkpoints = Checkpoints(folder, every_steps=every_steps)
    trained = trainer(Pace(checkpoints, report), checkpoints, engine_name=engine_name)
    return result(trained, trained.fit(*images(), resume=checkpoints.newest()))


@cache
def expected(engine_name: str = "numpy") -> str:
    """What the run comes to when nothing happens to it, and nothing is kept."""
    trained = trainer(engine_name=engine_name)
    return result(trained, trained.fit(*images()))
