"""ReduceOnPlateau: held to PyTorch 2.15's scheduler of the same kind, and who has to hear of a run."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError
from deltarule.nn.network import Network
from deltarule.nn.optimizers import SGD
from deltarule.training.callbacks import Callback, EarlyStopping, TrainingState
from deltarule.training.engine import engine
from deltarule.training.history import History
from deltarule.training.schedules import Cosine, ReduceOnPlateau, Schedule, WarmUp
from deltarule.training.snapshot import Snapshot
from deltarule.training.trainer import Trainer, fit

Told = Callable[..., Iterator[TrainingState]]

LOSSES = [
    *(5.0, 4.0, 4.1, 3.99999, 4.05, 4.2, 3.5, 3.6, 3.7, 3.6, 3.55, 3.52),
    *(3.51, 3.50002, 3.4, 3.45, 3.5, 3.6, 3.7, 3.8, 3.9, 4.0, 4.1, 4.2),
]
# torch.optim.lr_scheduler.ReduceLROnPlateau(patience=patience - 1, threshold=min_delta, threshold_mode="abs", eps=0) at
# a rate of 0.1: the epochs after which it had reduced
PYTORCH = [
    ({"factor": 0.5, "patience": 2}, [3, 5, 8, 10, 12, 16, 18, 20, 22]),
    ({"factor": 0.1, "patience": 1, "cooldown": 2}, [2, 5, 8, 11, 15, 18, 21]),
    ({"factor": 0.2, "patience": 3, "min_delta": 0.5}, [4, 7, 10, 13, 17, 20, 23]),
]


def examples(seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    return Dataset(rng.normal(size=(20, 2)), np.arange(20) % 2, class_names=("no", "yes"))


def rates(told: Told, plateau: ReduceOnPlateau, figures: list[float], column: str = "validation_loss") -> list[float]:
    """The rate after each epoch of a run whose figures these are, at step 0 throughout."""
    return [plateau(0) for _ in told(plateau, figures, column)]


@pytest.mark.parametrize(("settings", "reductions"), PYTORCH)
def test_it_reduces_when_pytorch_does(told: Told, settings: dict[str, Any], reductions: list[int]) -> None:
    expected = [0.1 * settings["factor"] ** sum(each <= epoch for each in reductions) for epoch in range(len(LOSSES))]
    assert rates(told, ReduceOnPlateau(0.1, **settings), LOSSES) == pytest.approx(expected, rel=1e-12)
    rising = [-loss for loss in LOSSES]
    column = "validation_accuracy"
    assert rates(told, ReduceOnPlateau(0.1, **settings, monitor=column), rising, column) == pytest.approx(
        expected, rel=1e-12
    )
    assert rates(told, ReduceOnPlateau(0.1, **settings, mode="max"), rising) == pytest.approx(expected, rel=1e-12)


def test_it_reduces_no_further_than_min_rate_and_never_raises(told: Told) -> None:
    """As PyTorch: 0.1, 0.1, 0.05, 0.025, and 0.02 from then on."""
    plateau = ReduceOnPlateau(0.1, factor=0.5, patience=1, min_rate=0.02)
    assert rates(told, plateau, LOSSES) == pytest.approx([0.1, 0.1, 0.05, 0.025, *[0.02] * 20], rel=1e-12)
    assert rates(told, ReduceOnPlateau(0.01, patience=1, min_rate=0.02), LOSSES) == [0.01] * 24


def test_any_schedule_is_multiplied(told: Told) -> None:
    cosine = Cosine(0.8, 10, final=0.2)
    plateau = ReduceOnPlateau(cosine, factor=0.5, patience=1)
    rates(told, plateau, [1.0, 2.0, 3.0])
    assert [plateau(step) for step in range(11)] == [cosine(step) / 4 for step in range(11)]


def test_a_run_that_goes_on_with_its_history_has_its_rate_again(told: Told) -> None:
    whole = rates(told, ReduceOnPlateau(0.1, patience=2, cooldown=2), LOSSES)
    for length in range(len(LOSSES)):
        again = ReduceOnPlateau(0.1, patience=2, cooldown=2)
        assert [again(0) for _ in told(again, LOSSES, known=length)] == whole[length:]


class Rates(Callback):
    """The rate of every step."""

    def train_begin(self, state: TrainingState) -> None:
        self.rates: list[float] = []

    def step_end(self, state: TrainingState) -> None:
        self.rates.append(state.learning_rate)


def standing_still(schedule: Schedule, *callbacks: Callback, name: str = "numpy", epochs: int = 4) -> History:
    """A run of two steps an epoch that can learn nothing, for its rate is next to nothing."""
    network = Network((2, 3, 2))
    settings: dict[str, Any] = {"optimizer": SGD(), "epochs": epochs, "batch_size": 10, "engine": engine(name)}
    return Trainer(network=network, schedule=schedule, callbacks=callbacks, **settings).fit(examples(), examples(1))


def test_given_as_the_rate_it_hears_of_the_run() -> None:
    heard = Rates()
    plateau = ReduceOnPlateau(1e-9, factor=0.5, patience=1)
    standing_still(plateau, heard)
    assert heard.rates == [1e-9] * 2 + [5e-10] * 2 + [2.5e-10] * 2 + [1.25e-10] * 2
    assert standing_still(plateau, plateau)["learning_rate"] == [1e-9, 1e-9, 5e-10, 2.5e-10, 1.25e-10]


def test_many_steps_in_a_call_take_its_rate() -> None:
    history = standing_still(ReduceOnPlateau(1e-9, factor=0.5, patience=1), name="native")
    assert history["learning_rate"] == [1e-9, 1e-9, 5e-10, 2.5e-10, 1.25e-10]


def test_fit_takes_it_as_the_learning_rate() -> None:
    data = examples()
    rate = ReduceOnPlateau(0.01, patience=2, monitor="train_loss", min_delta=1e9)
    history = fit(Network((2, 3, 2)), data.inputs, data.targets, epochs=5, learning_rate=rate)
    assert history["learning_rate"] == pytest.approx([0.01, 0.01, 0.01, 1e-3, 1e-3, 1e-4], rel=1e-12)


def test_a_run_that_is_resumed_has_the_same_bits() -> None:
    """A snapshot of epoch 5, in the middle of a plateau, goes on as if nothing had happened."""
    snapshots: list[Snapshot] = []

    class Keep(Callback):
        def epoch_end(self, state: TrainingState) -> None:
            snapshots.append(Snapshot.of(state))

    def trainer(*callbacks: Callback) -> Trainer:
        rate = ReduceOnPlateau(0.3, factor=0.5, patience=2)
        return Trainer(network=Network((2, 3, 2)), schedule=rate, epochs=12, batch_size=10, callbacks=callbacks)

    whole, again = trainer(Keep()), trainer()
    history = whole.fit(examples(), examples(1))
    assert len(set(history["learning_rate"])) > 2
    resumed = again.fit(examples(), examples(1), resume=snapshots[5])
    assert resumed["learning_rate"] == history["learning_rate"]
    assert resumed["train_loss"] == history["train_loss"]
    np.testing.assert_array_equal(again.network.parameters.vector, whole.network.parameters.vector)


def test_it_can_wait_for_less_than_early_stopping_does() -> None:
    history = standing_still(ReduceOnPlateau(1e-9, patience=2), EarlyStopping(5, min_delta=1e-4), epochs=50)
    assert len(history) == 6
    assert history["learning_rate"][-1] == pytest.approx(1e-11, rel=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ReduceOnPlateau(0.1, factor=1.0), "factor of ReduceOnPlateau must be at least 0 and less than 1"),
        (
            lambda: ReduceOnPlateau(0.1, patience=0),
            "patience of ReduceOnPlateau must be a whole number, 1 or more: got 0",
        ),
        (
            lambda: ReduceOnPlateau(0.1, cooldown=-1),
            "cooldown of ReduceOnPlateau must be a whole number, 0 or more: got -1",
        ),
        (lambda: ReduceOnPlateau(0.1, min_rate=math.inf), "min_rate of ReduceOnPlateau must be 0 or more and finite"),
        (
            lambda: ReduceOnPlateau(0.1, min_delta=-1e-4),
            "min_delta of ReduceOnPlateau must be 0 or more and finite: got -0.0001",
        ),
        (lambda: ReduceOnPlateau(0.1, mode="up"), "no mode is called 'up': .*Known: auto, max, min"),
        (
            lambda: ReduceOnPlateau(-0.1),
            "rate of ReduceOnPlateau must be 0 or more and finite, or a schedule such as .*: got -0.1",
        ),
        (
            lambda: WarmUp(ReduceOnPlateau(0.1), 5),
            r"must be the outermost schedule, .*: got WarmUp\(ReduceOnPlateau\(\.\.\.\)",
        ),
    ],
)
def test_what_it_refuses(make: Callable[[], object], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        make()


def test_among_the_callbacks_of_another_rate_it_would_change_nothing() -> None:
    with pytest.raises(SettingError, match=r"is a learning rate, not a callback: got it among the callbacks; use fit"):
        standing_still(lambda step: 0.1, ReduceOnPlateau(0.1))


def test_a_column_that_is_not_there_is_found_before_a_step() -> None:
    data = examples()
    with pytest.raises(SettingError, match=r"no column 'validation_loss': give a validation set"):
        fit(Network((2, 2)), data.inputs, data.targets, learning_rate=ReduceOnPlateau(0.01))
