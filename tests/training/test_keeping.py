"""Which parameters the network ends with, whoever stopped the run."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deltarule.data.dataset import Dataset
from deltarule.errors import SettingError
from deltarule.nn.activations import Identity
from deltarule.nn.arrays import Array
from deltarule.nn.losses import Quadratic
from deltarule.nn.network import Network
from deltarule.nn.optimizers import SGD
from deltarule.nn.penalties import L2
from deltarule.training.callbacks import Callback, EarlyStopping, TrainingState
from deltarule.training.clip_and_average import MovingAverage
from deltarule.training.evaluation import evaluate
from deltarule.training.schedules import Constant
from deltarule.training.trainer import Trainer

BATCHES = 4  # batches an epoch


@pytest.fixture(autouse=True)
def no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """These runs are to get far worse without being stopped for it."""
    monkeypatch.setattr("deltarule.training.trainer.BLOW_UP", np.inf)


def examples(seed: int, n_samples: int = 40) -> Dataset:
    """Three classes that a line tells apart fairly well."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 2))
    return Dataset(X, (X[:, 0] + 0.3 * rng.normal(size=n_samples) > 0).astype(np.int64), class_names=("no", "yes"))


def good_then_bad(step: int) -> float:
    """Three epochs of learning, then a rate so large that every step throws the network about."""
    return 0.5 if step < 3 * BATCHES else 300.0


def trainer(network: Network, **settings: Any) -> Trainer:
    settings = {"optimizer": SGD(), "schedule": good_then_bad, "epochs": 8, "batch_size": 10} | settings
    return Trainer(network=network, **settings)


class Witness(Callback):
    """The parameters after every epoch and after the last step, and those that train_end was shown."""

    def __init__(self) -> None:
        self.after_epoch: list[Array] = []
        self.at_the_end: list[Array] = []

    def step_end(self, state: TrainingState) -> None:
        self.latest = state.network.parameters.vector.copy()

    def epoch_end(self, state: TrainingState) -> None:
        self.history = state.history
        self.after_epoch.append(state.network.parameters.vector.copy())

    def train_end(self, state: TrainingState) -> None:
        self.at_the_end.append(state.network.parameters.vector.copy())


class At(Callback):
    """Does something to the run at one step."""

    def __init__(self, step: int, deed: Callable[[TrainingState], None]) -> None:
        self.step, self.deed = step, deed

    def step_end(self, state: TrainingState) -> None:
        if state.step == self.step:
            self.deed(state)


def stop(state: TrainingState) -> None:
    state.stop_reason = "seen enough"


def press_ctrl_c(state: TrainingState) -> None:
    raise KeyboardInterrupt


def fail(state: TrainingState) -> None:
    raise MemoryError("out of memory")


@pytest.mark.parametrize(
    ("stopper", "raised", "reason"),
    [
        (Callback(), None, None),
        (EarlyStopping(patience=2), None, "validation_loss has not improved for 2 epochs"),
        (At(5 * BATCHES, stop), None, "seen enough"),
        (At(5 * BATCHES + 2, press_ctrl_c), KeyboardInterrupt, None),
        (At(5 * BATCHES + 2, fail), MemoryError, None),
    ],
    ids=["nobody", "early-stopping", "callback", "ctrl-c", "error"],
)
def test_the_best_epoch_is_kept_whoever_stops(
    stopper: Callback, raised: type[BaseException] | None, reason: str | None
) -> None:
    network, witness = Network((2, 8, 2), dtype=np.float64), Witness()
    run = trainer(network, callbacks=[stopper, witness])
    if raised is None:
        assert run.fit(examples(0), examples(1)) is witness.history
    else:
        with pytest.raises(raised):
            run.fit(examples(0), examples(1))
    losses, best = witness.history["validation_loss"], witness.history.best_epoch
    assert 0 < best == int(np.argmin(losses)) < len(losses) - 1
    assert losses[-1] > 2 * losses[best]
    np.testing.assert_array_equal(network.parameters.vector, witness.after_epoch[best])
    assert len(witness.at_the_end) == 1
    np.testing.assert_array_equal(witness.at_the_end[0], witness.after_epoch[best])
    assert evaluate(network, examples(1))[0] == losses[best]
    assert witness.history.stop_reason == reason


@pytest.mark.parametrize(
    ("stopper", "raised"),
    [
        (Callback(), None),
        (EarlyStopping(patience=2, monitor="train_loss"), None),
        (At(5 * BATCHES, stop), None),
        (At(5 * BATCHES + 2, press_ctrl_c), KeyboardInterrupt),
    ],
    ids=["nobody", "early-stopping", "callback", "ctrl-c"],
)
def test_without_validation_the_last_are_kept(stopper: Callback, raised: type[BaseException] | None) -> None:
    """Nothing is chosen by its training loss: the last step counts, worse or not, in the middle of an epoch or not."""
    network, witness = Network((2, 8, 2), dtype=np.float64), Witness()
    run = trainer(network, callbacks=[witness, stopper])
    if raised is None:
        run.fit(examples(0))
        assert witness.history.best_epoch == len(witness.history) - 1
    else:
        with pytest.raises(raised):
            run.fit(examples(0))
    assert witness.history["train_loss"][-1] > 2 * min(witness.history["train_loss"])
    np.testing.assert_array_equal(network.parameters.vector, witness.latest)
    np.testing.assert_array_equal(witness.at_the_end, [witness.latest])


def test_a_run_interrupted_in_its_first_epoch_is_as_if_it_had_not_begun() -> None:
    network, witness = Network((2, 8, 2), dtype=np.float64), Witness()
    with pytest.raises(KeyboardInterrupt):
        trainer(network, callbacks=[At(2, press_ctrl_c), witness]).fit(examples(0), examples(1))
    assert (len(witness.history), witness.history.best_epoch, len(witness.at_the_end)) == (1, 0, 1)
    np.testing.assert_array_equal(network.parameters.vector, Network((2, 8, 2), dtype=np.float64).parameters.vector)


def test_the_quantity_that_is_monitored_chooses() -> None:
    network, witness = Network((2, 8, 2), dtype=np.float64), Witness()
    trainer(network, callbacks=[witness], monitor="validation_accuracy").fit(examples(0), examples(1))
    accuracies = witness.history["validation_accuracy"]
    assert witness.history.best_epoch == int(np.argmax(accuracies)) > 0
    np.testing.assert_array_equal(network.parameters.vector, witness.after_epoch[witness.history.best_epoch])


def test_of_equal_epochs_the_first_is_the_best() -> None:
    network = Network((2, 8, 2), dtype=np.float64)
    assert trainer(network, schedule=Constant(0.0)).fit(examples(0), examples(1)).best_epoch == 0


def test_an_epoch_whose_loss_is_no_number_is_never_the_best() -> None:
    """Weights so large that inf - inf is met, until a penalty has taken them away in one step."""
    network = Network((2, 1), output=Identity(), loss=Quadratic())
    network.weights[0][:, 0] = 1e30, -1e30
    nothing, ones = np.zeros((4, 2), np.float32), np.full((4, 2), 1e30, np.float32)
    data, held_out = (Dataset(X, np.zeros((4, 1)), "values") for X in (nothing, ones))
    run = trainer(network, penalty=L2(1.0), schedule=Constant(1.0), epochs=2, batch_size=None)
    history = run.fit(data, held_out)
    assert np.isnan(history["validation_loss"]).tolist() == [True, False, False]
    assert history.best_epoch == 1
    np.testing.assert_array_equal(network.weights[0], np.zeros((2, 1)))


def test_a_monitor_that_does_not_exist() -> None:
    network = Network((2, 8, 2), dtype=np.float64)
    with pytest.raises(SettingError, match="no column 'validation_los': did you mean 'validation_loss'"):
        trainer(network, monitor="validation_los").fit(examples(0), examples(1))


def average_by_definition(decay: float, vectors: list[Array]) -> list[Array]:
    """The average after each step, as a weighted sum of all the parameters there were."""
    averages = []
    for step in range(len(vectors)):
        decays = [min(decay, (1 + k) / (10 + k)) for k in range(1, step + 1)]
        shares = [1.0, *(1 - d for d in decays)]
        shares = [share * np.prod(decays[k:]) for k, share in enumerate(shares)]
        averages.append(np.average(vectors[: step + 1], axis=0, weights=shares))
        assert sum(shares) == pytest.approx(1.0)
    return averages


class Steps(Callback):
    """The parameters at the start and after every step."""

    def train_begin(self, state: TrainingState) -> None:
        self.vectors = [state.network.parameters.vector.copy()]

    def step_end(self, state: TrainingState) -> None:
        self.vectors.append(state.network.parameters.vector.copy())


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.999])
def test_the_moving_average_is_the_result(decay: float) -> None:
    """It neither moves the run itself nor is moved by it otherwise than by its definition."""
    plain, network, expected, steps = Network((2, 8, 2)), Network((2, 8, 2)), Steps(), Steps()
    trainer(plain, schedule=Constant(0.5), callbacks=[expected]).fit(examples(0))
    trainer(network, schedule=Constant(0.5), callbacks=[steps], average=MovingAverage(decay)).fit(examples(0))
    np.testing.assert_array_equal(steps.vectors, expected.vectors)
    averages = average_by_definition(decay, [vector.astype(np.float64) for vector in steps.vectors])
    np.testing.assert_allclose(network.parameters.vector, averages[-1], rtol=1e-4, atol=1e-6)


def test_the_moving_average_is_the_result_of_an_interrupted_run() -> None:
    network, steps = Network((2, 8, 2), dtype=np.float64), Steps()
    run = trainer(network, callbacks=[steps, At(BATCHES + 2, press_ctrl_c)], average=MovingAverage(0.5))
    with pytest.raises(KeyboardInterrupt):
        run.fit(examples(0))
    assert len(steps.vectors) == 1 + BATCHES + 2
    expected = average_by_definition(0.5, steps.vectors)[-1]
    np.testing.assert_allclose(network.parameters.vector, expected, rtol=1e-9, atol=1e-12)


def test_the_moving_average_is_what_is_validated_and_kept() -> None:
    network, steps = Network((2, 8, 2), dtype=np.float64), Steps()
    history = trainer(network, callbacks=[steps], average=MovingAverage(0.5)).fit(examples(0), examples(1))
    averages = average_by_definition(0.5, steps.vectors)[::BATCHES]
    losses = []
    for average in averages:
        at_hand = Network((2, 8, 2), dtype=np.float64)
        at_hand.parameters.vector[:] = average
        losses.append(evaluate(at_hand, examples(1))[0])
    assert history["validation_loss"] == pytest.approx(losses, rel=1e-9)
    assert 0 < history.best_epoch == int(np.argmin(losses)) < len(losses) - 1
    np.testing.assert_allclose(network.parameters.vector, averages[history.best_epoch], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("decay", [-0.1, 1.0, float("nan")])
def test_an_illegal_decay(decay: float) -> None:
    with pytest.raises(SettingError, match="decay of MovingAverage must be at least 0 and less than 1: got"):
        MovingAverage(decay)
