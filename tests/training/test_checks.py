"""A run that comes to nothing: it stops at once, says where and why, and leaves parameters that are numbers."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from deltarule.data.dataset import Dataset
from deltarule.errors import DivergenceError
from deltarule.nn.activations import Identity
from deltarule.nn.losses import Quadratic
from deltarule.nn.network import Network
from deltarule.nn.optimizers import SGD
from deltarule.training.callbacks import Callback, TrainingState
from deltarule.training.clip_and_average import MovingAverage
from deltarule.training.schedules import Constant, OneCycle, ReduceOnPlateau, WarmUp
from deltarule.training.trainer import Trainer

BATCHES = 4


def values(scale: float = 1.0) -> Dataset:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3)) * scale
    return Dataset(X.astype(np.float32), X[:, :2] / scale, "values")


class AfterEpoch(Callback):
    """The parameters that counted after every epoch; the network at the end."""

    def __init__(self, average: MovingAverage | None = None) -> None:
        self.average, self.vectors, self.ended, self.steps = average, [], 0, 0

    def step_end(self, state: TrainingState) -> None:
        self.steps = state.step

    def epoch_end(self, state: TrainingState) -> None:
        self.history = state.history
        counted = state.network.parameters if self.average is None else self.average.parameters
        self.vectors.append(counted.vector.copy())

    def train_end(self, state: TrainingState) -> None:
        self.ended += 1


def diverged(witness: AfterEpoch, data: Dataset, *validation: Dataset, **settings: Any) -> tuple[Network, str]:
    """A run that must diverge: its network, and what it said."""
    network = Network((3, 5, 2), output=Identity(), loss=Quadratic())
    settings = {"optimizer": SGD(), "epochs": 6, "batch_size": 10, "callbacks": [witness]} | settings
    with pytest.raises(DivergenceError) as caught:
        Trainer(network=network, **settings).fit(data, *validation)
    assert witness.ended == 1
    assert np.isfinite(network.parameters.vector).all()
    return network, str(caught.value)


def suddenly(step: int) -> float:
    """A good rate for two epochs, then one that no float32 survives."""
    return 0.05 if step < 2 * BATCHES else 1e30


@pytest.mark.parametrize("averaged", [False, True])
@pytest.mark.parametrize("validated", [False, True])
def test_the_parameters_of_the_last_good_epoch_stay(averaged: bool, validated: bool) -> None:
    average = MovingAverage(0.5) if averaged else None
    witness = AfterEpoch(average)
    more: dict[str, Any] = {"average": average} if average else {}
    network, message = diverged(witness, values(), *([values()] if validated else []), schedule=suddenly, **more)
    assert len(witness.history) == 3
    assert witness.history.best_epoch == 2
    np.testing.assert_array_equal(network.parameters.vector, witness.vectors[2])
    assert f"step {witness.steps} of epoch 3" in message
    assert 2 * BATCHES < witness.steps <= 2 * BATCHES + 2
    assert "the learning rate 1e+30 is too high: try 1e+29" in message
    assert message.endswith("The network keeps the parameters of epoch 2")


def test_the_best_epoch_is_kept_and_not_the_last() -> None:
    """Epoch 2 is thrown off, epoch 3 breaks."""
    rates = [*[0.05] * BATCHES, *[1.5] * BATCHES, *[1e30] * BATCHES]
    witness = AfterEpoch()
    network, message = diverged(witness, values(), values(), schedule=rates.__getitem__)
    losses = witness.history["validation_loss"]
    assert losses[1] < losses[0] < losses[2] < 1e30
    np.testing.assert_array_equal(network.parameters.vector, witness.vectors[1])
    assert message.endswith("The network keeps the parameters of epoch 1")


@pytest.mark.parametrize("epochs", [1, 2])
def test_parameters_that_break_at_the_last_step_of_an_epoch(epochs: int) -> None:
    """No loss is computed with them any more, so it is not the loss that shows it."""
    witness = AfterEpoch()
    network, message = diverged(witness, values(), schedule=lambda _: 1e39, epochs=epochs, batch_size=None)
    np.testing.assert_array_equal(network.parameters.vector, witness.vectors[0])
    assert "at step 1 of epoch 1, first in layer 0" in message


@pytest.mark.parametrize("layer", [0, 1])
def test_the_layer_is_named(layer: int) -> None:
    class Poison(AfterEpoch):
        def step_end(self, state: TrainingState) -> None:
            super().step_end(state)
            if state.step == BATCHES + 2:
                state.network.weights[layer][0, 0] = np.nan

    witness = Poison()
    network, message = diverged(witness, values(), schedule=lambda _: 0.01)
    assert f"got a loss of nan at step {BATCHES + 2} of epoch 2, first in layer {layer};" in message
    np.testing.assert_array_equal(network.parameters.vector, witness.vectors[1])


def test_inputs_that_nobody_scaled_are_the_likelier_cause() -> None:
    data = values(scale=1e6)
    data.inputs[0, 0] = -1.25e7
    _, message = diverged(AfterEpoch(), data, schedule=lambda _: 0.05, batch_size=None)
    assert "most likely the inputs reach 1.25e+07: scale them to about 1" in message
    assert "learning rate" not in message


def test_a_run_that_breaks_leaves_numpys_error_state_alone() -> None:
    before = np.geterr()
    diverged(AfterEpoch(), values(), schedule=suddenly)
    assert np.geterr() == before


def test_before_the_first_step_no_learning_rate_is_to_blame() -> None:
    class Overgrown(AfterEpoch):
        def train_begin(self, state: TrainingState) -> None:
            state.network.weights[1][:] = 1e30

    _, message = diverged(Overgrown(), values(), schedule=lambda _: 0.05)
    assert "at step 0 of epoch 1, first in layer 1; most likely the initial weights are too large" in message


def test_an_exponential_that_overflows_is_no_far_target() -> None:
    network = Network((3, 5, 2), output="exponential", loss="poisson")
    network.weights[1][:] = 50.0
    data = values()
    with pytest.raises(DivergenceError, match=r"at step 0 of epoch 1, .* the initial weights are too large"):
        Trainer(network=network, schedule=lambda _: 0.05, engine="numpy").fit(replace(data, targets=abs(data.targets)))


def test_a_loss_that_blows_up_is_not_waited_for() -> None:
    """A thousand times what it was at epoch 0, and still a number."""
    witness = AfterEpoch()
    _, message = diverged(witness, values(), schedule=lambda step: 0.05 if step < 2 * BATCHES else 1e4)
    assert np.isfinite(float(message.partition("a loss of ")[2].split()[0]))
    assert "the learning rate 10000 is too high: try 1000" in message
    assert witness.steps <= 2 * BATCHES + 1


@pytest.mark.parametrize(
    ("schedule", "lower"),
    [
        (WarmUp(Constant(1e6), 40), "10000"),
        (OneCycle(1e6, 400), "10000"),
        (ReduceOnPlateau(Constant(1e6), monitor="train_loss"), "100000"),
        (lambda step: 0.0 if step > 0 else 1e6, "100000"),
    ],
)
def test_the_rate_that_was_set_is_named_and_not_the_moments(schedule: Any, lower: str) -> None:
    _, message = diverged(AfterEpoch(), values(), schedule=schedule, engine="numpy")
    assert f"the learning rate 1e+06 is too high: try {lower}." in message
