"""ModelCheckpoint: which epochs it saves, under which names, and that the best file is the network that is kept."""

from pathlib import Path

import numpy as np
import pytest

from deltarule.data.dataset import Dataset
from deltarule.errors import FileError, SettingError
from deltarule.files.checkpoint import ModelCheckpoint
from deltarule.files.model_file import load
from deltarule.model import Model, Standardization
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.nn.optimizers import SGD
from deltarule.training.callbacks import Callback, TrainingState
from deltarule.training.clip_and_average import Latest, MovingAverage
from deltarule.training.schedules import Constant
from deltarule.training.trainer import Trainer


def examples(seed: int) -> Dataset:
    """Two classes that nothing tells apart: a network that learns them by heart soon gets worse on others."""
    rng = np.random.default_rng(seed)
    return Dataset(rng.normal(size=(30, 3)), rng.integers(0, 2, 30), class_names=("no", "yes"))


def trainer(*callbacks: Callback, **settings: object) -> Trainer:
    network = Network((3, 8, 2), rng=1)
    return Trainer(network=network, optimizer=SGD(), epochs=8, batch_size=10, callbacks=callbacks, **settings)  # type: ignore[arg-type]


class Counted(Callback):
    """The parameters that counted, after each epoch."""

    def __init__(self) -> None:
        self.vectors: list[Array] = []

    def epoch_end(self, state: TrainingState) -> None:
        self.vectors.append(state.average.parameters.vector.copy())


@pytest.mark.parametrize("average", [Latest(), MovingAverage(0.9)], ids=["latest", "average"])
def test_the_best_file_is_the_network_that_fit_keeps(tmp_path: Path, average: Latest) -> None:
    best = ModelCheckpoint(tmp_path / "best.safetensors", save_best_only=True)
    run = trainer(best, schedule=Constant(0.5), average=average)
    history = run.fit(examples(1), examples(2))
    assert 0 < history.best_epoch < 8  # it did get worse again
    np.testing.assert_array_equal(load(best.latest or "").network.parameters.vector, run.network.parameters.vector)


def test_every_epoch_under_a_name_of_its_own(tmp_path: Path) -> None:
    counted = Counted()
    every = ModelCheckpoint(tmp_path / "epoch{epoch:02d}-{train_loss:.3f}.safetensors")
    history = trainer(counted, every, average=MovingAverage(0.9)).fit(examples(1))
    names = [f"epoch{epoch:02d}-{loss:.3f}.safetensors" for epoch, loss in enumerate(history["train_loss"])]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert every.latest == tmp_path / names[-1]
    for name, vector in zip(names, counted.vectors, strict=True):
        np.testing.assert_array_equal(load(tmp_path / name).network.parameters.vector, vector)


@pytest.mark.parametrize(
    ("monitor", "mode", "figures", "saved"),
    [
        ("validation_loss", "auto", [5.0, 4.0, 4.0, 6.0, 3.0], [0, 1, 4]),
        ("validation_accuracy", "auto", [0.1, 0.3, 0.2, 0.3, 0.4], [0, 1, 4]),
        ("validation_loss", "max", [5.0, 4.0, 6.0, 5.0, 7.0], [0, 2, 4]),
        ("train_r2", "min", [0.5, 0.4, 0.6, 0.3, 0.3], [0, 1, 3]),
    ],
)
def test_only_the_best(tmp_path: Path, monitor: str, mode: str, figures: list[float], saved: list[int]) -> None:
    """The figures are put into the history by hand."""

    class Told(ModelCheckpoint):
        def epoch_end(self, state: TrainingState) -> None:
            state.history.rows[-1] |= {monitor: figures[state.epoch]}
            super().epoch_end(state)

    run = trainer(Told(tmp_path / "{epoch}.safetensors", monitor, mode=mode, save_best_only=True))
    run.epochs = len(figures) - 1
    run.fit(examples(1))
    assert sorted(int(path.stem) for path in tmp_path.iterdir()) == saved


def test_what_the_numbers_mean_is_saved_too(tmp_path: Path) -> None:
    run = trainer()
    model = Model(run.network, "classes", ("no", "yes"), input_scaling=Standardization(np.ones(3), np.full(3, 2.0)))
    run.callbacks = [ModelCheckpoint(tmp_path / "model.safetensors", model=model)]
    run.fit(examples(1))
    again = load(tmp_path / "model.safetensors")
    raw = examples(3).inputs
    assert again.class_names == ("no", "yes")
    np.testing.assert_array_equal(again.outputs(raw), model.outputs(raw))


@pytest.mark.parametrize(
    ("pattern", "monitor", "message"),
    [
        ("{epok}", "train_loss", r"the history has no column 'epok': did you mean 'epoch'"),
        ("{epoch", "train_loss", r"a path may hold columns, as in \{epoch:02d\}: got .*\{epoch: "),
        ("{}", "train_loss", r"a path may hold columns, as in \{epoch:02d\}: got .*\{\}: "),
        ("{epoch.no}", "train_loss", r"a path may hold columns, as in \{epoch:02d\}: got .*\{epoch.no\}: "),
        ("{epoch:d}", "train_loss", None),
        ("m", "train_lss", r"no column 'train_lss': did you mean 'train_loss'"),
        ("m", "validation_loss", r"no column 'validation_loss': give a validation set"),
    ],
)
def test_names_that_do_not_exist_are_found_before_a_step(
    tmp_path: Path, pattern: str, monitor: str, message: str | None
) -> None:
    run = trainer(ModelCheckpoint(tmp_path / pattern, monitor, save_best_only=True))
    if message is None:
        run.fit(examples(1))
        return
    before = run.network.parameters.vector.copy()
    with pytest.raises(SettingError, match=message):
        run.fit(examples(1))
    np.testing.assert_array_equal(run.network.parameters.vector, before)


def test_a_mode_that_does_not_exist() -> None:
    with pytest.raises(SettingError, match="no mode is called 'maxi': did you mean 'max'"):
        ModelCheckpoint("model.safetensors", mode="maxi")
    with pytest.raises(SettingError, match="min_delta must be 0 or more and finite: got -1"):
        ModelCheckpoint("model.safetensors", min_delta=-1)


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="could not be written, and nothing was changed: its folder does not exist"):
        trainer(ModelCheckpoint(tmp_path / "no" / "model.safetensors")).fit(examples(1))
