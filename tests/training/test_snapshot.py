"""Runs that go on from a snapshot: which states are restored, whatever the run is made of."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from deltarule.data.dataset import Dataset
from deltarule.nn import activations, losses, optimizers
from deltarule.nn.network import Network
from deltarule.training.callbacks import Callback, EarlyStopping, TrainingState
from deltarule.training.clip_and_average import MovingAverage
from deltarule.training.schedules import Constant, WarmUp
from deltarule.training.snapshot import Snapshot, differences, in_words
from deltarule.training.trainer import Trainer

REGRESSION = {"output": activations.Identity(), "loss": losses.Quadratic()}
INDEPENDENT = {"output": activations.Sigmoid(), "loss": losses.BinaryCrossEntropy()}


def examples(task: Any) -> Dataset:
    rng = np.random.default_rng(0)
    targets = {
        "classes": rng.integers(3, size=20),
        "labels": rng.integers(2, size=(20, 3)).astype(np.uint8),
        "values": rng.normal(size=(20, 3)),
    }
    return Dataset(rng.normal(size=(20, 4)), targets[task], task)


class At(Callback):
    """A snapshot of one step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def step_end(self, state: TrainingState) -> None:
        if state.step == self.step:
            self.snapshot = Snapshot.of(state)


RUNS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "full batch": ("classes", {}, {"batch_size": None}),
    "pieces of a batch": ("classes", {}, {"batch_size": 15}),
    "float64": ("classes", {"dtype": np.float64}, {}),
    "labels": ("labels", INDEPENDENT, {}),
    "values, whose score has a mean": ("values", REGRESSION, {"monitor": "validation_r2"}),
    "moving average": ("classes", {}, {"average": MovingAverage(0.8)}),
    "warm-up": ("classes", {}, {"schedule": WarmUp(Constant(0.01), 9)}),
    "dropout": ("classes", {"dropout": 0.4}, {}),
    **{
        kind.__name__: ("classes", {}, {"optimizer": kind})
        for kind in (
            optimizers.SGD,
            optimizers.Momentum,
            optimizers.Nesterov,
            optimizers.AdaGrad,
            optimizers.RMSProp,
            optimizers.Adam,
            optimizers.AdamW,
        )
    },
}


def made(network: dict[str, Any], settings: dict[str, Any], *callbacks: Callback) -> Trainer:
    settings = {"batch_size": 6, "optimizer": optimizers.Adam} | settings
    settings["optimizer"] = settings["optimizer"]()
    return Trainer(network=Network((4, 5, 3), **network, rng=0), epochs=4, callbacks=callbacks, **settings)


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("weighted", [False, True])
def test_it_goes_on_to_the_same_bits(name: str, weighted: bool) -> None:
    task, network, settings = RUNS[name]
    data = examples(task)
    weights = np.random.default_rng(1).random(20) if weighted else None
    for step in (1, 2, 3, 4):  # in the middle and at the end of an epoch
        at = At(step)
        whole = made(network, settings, at)
        history = whole.fit(data, data, sample_weight=weights)
        resumed = made(network, settings)
        resumed.network.parameters.vector[:] = 1.0
        again = resumed.fit(data, data, sample_weight=weights, resume=at.snapshot)
        assert resumed.network.parameters.vector.tobytes() == whole.network.parameters.vector.tobytes()
        rows = [[{**row, "seconds": 0.0} for row in each.rows] for each in (history, again)]
        assert rows[0] == rows[1]
        assert again.best_epoch == history.best_epoch


def test_patience_goes_on_where_it_was() -> None:
    """A loss that cannot fall: with a rate of 0 the run ends after `patience` epochs, whenever it was broken off."""
    data = examples("classes")
    for step in range(1, 12):
        at = At(step)
        settings = {"schedule": Constant(0.0), "epochs": 9}
        whole = replace(made({}, {}, EarlyStopping(2), at), **settings)
        assert len(whole.fit(data, data)) == 3
        if step > 8:
            continue
        resumed = replace(made({}, {}, EarlyStopping(2)), **settings)
        history = resumed.fit(data, data, resume=at.snapshot)
        assert (len(history), history.stop_reason) == (3, "validation_loss has not improved for 2 epochs")


def test_a_run_left_off_when_it_was_to_stop_early_stops_at_once() -> None:
    class After(At):
        """A snapshot at the end of epoch 2, as an exception in another callback leaves it behind."""

        def epoch_end(self, state: TrainingState) -> None:
            if state.epoch == 2:
                self.snapshot = Snapshot.of(state)

    data, at = examples("classes"), After(0)
    settings: Any = {"schedule": Constant(0.0), "epochs": 9}
    whole = replace(made({}, {}, EarlyStopping(2), at), **settings)
    assert len(whole.fit(data, data)) == 3
    history = replace(made({}, {}, EarlyStopping(2)), **settings).fit(data, data, resume=at.snapshot)
    assert (len(history), history.stop_reason) == (3, "validation_loss has not improved for 2 epochs")


def test_a_finished_run_has_nothing_left_to_do() -> None:
    at = At(16)
    history = made({}, {}, at).fit(examples("classes"))
    again = made({}, {}).fit(examples("classes"), resume=at.snapshot)
    assert history["train_loss"] == again["train_loss"]


def test_a_snapshot_is_a_copy() -> None:
    at = At(5)
    made({}, {}, at).fit(examples("classes"))
    before = {name: array.tobytes() for name, array in at.snapshot.arrays.items()}
    for _ in range(2):
        made({}, {}).fit(examples("classes"), resume=at.snapshot)
    assert {name: array.tobytes() for name, array in at.snapshot.arrays.items()} == before


def test_settings_in_words() -> None:
    assert in_words((Constant(0.1), None, 5, "a")) == "(Constant(rate=0.1), None, 5, 'a')"
    assert in_words(WarmUp(Constant(1), 3)) == "WarmUp(schedule=Constant(rate=1), warm_up_steps=3)"
    assert in_words(MovingAverage(0.5)) == "MovingAverage(decay=0.5)"
    assert in_words(examples) == "examples"
    adam = optimizers.Adam()
    adam.steps = 7
    assert in_words(adam) == "Adam(beta_1=0.9, beta_2=0.999, epsilon=1e-08)"
    assert differences({"a": "1", "b": "2"}, {"a": "1", "c": "3"}) == [
        "c was not there and is 3",
        "b was 2 and is not there",
    ]
