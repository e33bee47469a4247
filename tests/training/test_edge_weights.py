"""Sample weights at the edge, in every engine: batches of zero weight, tiny and huge weights, one that counts."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deltarule.data.dataset import Dataset
from deltarule.errors import DivergenceError, FileError, SettingError
from deltarule.nn import activations, losses, optimizers
from deltarule.nn.activations import Activation
from deltarule.nn.arrays import Array
from deltarule.nn.losses import Loss
from deltarule.nn.network import Network, backward, forward, loss_value
from deltarule.nn.penalties import L2
from deltarule.training.callbacks import Callback, TrainingState
from deltarule.training.clip_and_average import MovingAverage
from deltarule.training.engine import REFERENCE, Engine, engine
from deltarule.training.schedules import Cosine
from deltarule.training.trainer import Trainer, sample_order

N_SAMPLES, BATCH = 60, 8
OUTPUTS: dict[str, tuple[Activation, Loss]] = {
    "classes": (activations.Softmax(), losses.CrossEntropy(0.1)),
    "labels": (activations.Sigmoid(), losses.BinaryCrossEntropy()),
    "values": (activations.Identity(), losses.Quadratic()),
}


def few(rng: np.random.Generator) -> Array:
    """One sample in ten counts, so that many batches weigh nothing."""
    return np.where(rng.random(N_SAMPLES) < 0.1, 1.0, 0.0)


WEIGHTS: dict[str, Callable[[np.random.Generator], Array]] = {
    "few": few,
    "one sample": lambda rng: np.eye(N_SAMPLES)[37],
    "few, 1e-300": lambda rng: 1e-300 * few(rng),
    "few, 1e30": lambda rng: 1e30 * few(rng),
    "from 1e-30 to 1e30": lambda rng: 10.0 ** rng.integers(-30, 31, N_SAMPLES),
    "float32": lambda rng: rng.random(N_SAMPLES, np.float32),
    "whole numbers": lambda rng: rng.integers(0, 3, N_SAMPLES),
}


@pytest.fixture(scope="module")
def engines() -> list[Engine]:
    """The reference; then, where it is there, the library in C."""
    try:
        return [REFERENCE, engine("native")]
    except FileError:
        return [REFERENCE]


def data(task: Any, rng: np.random.Generator, n_samples: int = N_SAMPLES) -> Dataset:
    made = {
        "classes": rng.integers(3, size=n_samples),
        "labels": rng.integers(2, size=(n_samples, 3)).astype(np.uint8),
        "values": rng.normal(size=(n_samples, 3)),
    }
    names = ("a", "b", "c") if task == "classes" else ()
    return Dataset(rng.normal(size=(n_samples, 5)), made[task], task, names)


class Steps(Callback):
    """The parameters after each step, and its loss."""

    def __init__(self) -> None:
        self.vectors, self.losses = list[Array](), list[float]()

    def step_end(self, state: TrainingState) -> None:
        self.vectors.append(state.network.parameters.vector.copy())
        self.losses.append(state.batch_loss)


def run(with_engine: Engine, train: Dataset, weights: Any, optimizer: Any = optimizers.Adam, **settings: Any) -> Any:
    """A trained network, its history, and its trainer."""
    output, loss = OUTPUTS[train.task]
    network = Network((5, 6, 3), hidden=activations.Tanh(), output=output, loss=loss, dtype=np.float64, rng=1)
    settings = {"epochs": 2, "batch_size": BATCH, "schedule": Cosine(0.05, 20), "penalty": L2(0.01)} | settings
    trainer = Trainer(
        network=network, engine=with_engine, optimizer=optimizer(), average=MovingAverage(0.9), seed=3, **settings
    )
    return network, trainer.fit(train, sample_weight=weights), trainer


OPTIMIZERS = (optimizers.SGD, optimizers.AdamW, optimizers.RMSProp)
# Each weights with each task and each optimizer, and each task with each optimizer: 21 of the 63.
PAIRS = [(w, t, OPTIMIZERS[(i + j) % 3]) for i, w in enumerate(WEIGHTS) for j, t in enumerate(OUTPUTS)]


@pytest.mark.parametrize(("weights", "task", "optimizer"), PAIRS)
def test_all_engines_take_the_same_steps(engines: list[Engine], weights: str, task: str, optimizer: Any) -> None:
    train = data(task, np.random.default_rng(0))
    given = WEIGHTS[weights](np.random.default_rng(1))
    (network, history, trainer), *others = [run(each, train, given, optimizer) for each in engines]
    for other, told, theirs in others:
        np.testing.assert_allclose(other.parameters.vector, network.parameters.vector, rtol=1e-9, atol=1e-11)
        assert theirs.optimizer.steps == trainer.optimizer.steps
        assert theirs.average.steps == trainer.average.steps
        for name in ("step", "learning_rate", "train_loss"):
            np.testing.assert_allclose(told[name], history[name], rtol=1e-9)


def test_a_batch_of_zero_weight_changes_nothing_but_the_number_of_its_step(engines: list[Engine]) -> None:
    train = data("classes", np.random.default_rng(0))
    given = few(np.random.default_rng(1))
    for each in engines[:2]:
        steps = Steps()
        _, history, trainer = run(each, train, given, callbacks=[steps])
        counted = [loss > 0.0 for loss in steps.losses]
        assert 0 < sum(counted) < len(counted) == history["step"][-1] == 16
        assert trainer.optimizer.steps == trainer.average.steps == sum(counted)
        for i in range(1, len(counted)):
            assert np.array_equal(steps.vectors[i], steps.vectors[i - 1]) != counted[i]
    for each in engines:
        _, history, trainer = run(each, train, given)
        assert trainer.optimizer.steps == trainer.average.steps == sum(counted)
        assert history["learning_rate"][-1] == Cosine(0.05, 20)(15)


def test_what_weighs_nothing_might_as_well_not_be_there(engines: list[Engine]) -> None:
    """Batches of one: the same updates as a run on the samples that count, at the same rate."""
    rng = np.random.default_rng(0)
    train, given = data("classes", rng), few(np.random.default_rng(1))
    rates = {"schedule": lambda step: 0.03, "epochs": 1}
    for each in engines:
        network, _, trainer = run(each, train, given, batch_size=1, **rates)
        order = sample_order(N_SAMPLES, 1, trainer.seed, 1)
        kept = order[given[order] > 0.0]
        in_turn = train.take(kept[np.argsort(sample_order(len(kept), 1, trainer.seed, 1))])
        alone, _, _ = run(each, in_turn, None, batch_size=1, **rates)
        np.testing.assert_allclose(network.parameters.vector, alone.parameters.vector, rtol=0.0, atol=1e-12)


def test_a_batch_in_pieces_of_which_some_weigh_nothing(engines: list[Engine]) -> None:
    train = data("classes", np.random.default_rng(0), 3000)
    ones = np.zeros(3000)
    ones[2999] = 1.0
    for weights in (ones, np.where(np.arange(3000) < 1500, 0.0, 1.0)):
        runs = [run(each, train, weights, batch_size=size) for each in engines for size in (2500, None)]
        for network, history, _ in runs:
            assert np.isfinite(history["train_loss"]).all()
            assert np.isfinite(network.parameters.vector).all()
        for i in (0, 1):
            for other in runs[i::2]:
                np.testing.assert_allclose(other[0].parameters.vector, runs[i][0].parameters.vector, rtol=0, atol=1e-11)


def test_sixty_thousand_rows_of_which_one_in_twenty_counts(engines: list[Engine]) -> None:
    rng = np.random.default_rng(0)
    train = data("classes", rng, 60_000)
    weights = np.where(rng.random(60_000) < 0.05, 1.0, 0.0)
    for each in engines:
        _, history, _ = run(each, train, weights, epochs=1, batch_size=32)
        assert np.isfinite(history["train_loss"]).all()


def test_a_loss_of_nothing_is_0_and_has_no_gradient() -> None:
    rng = np.random.default_rng(0)
    for task, (output, loss) in OUTPUTS.items():
        train = data(task, rng)
        network = Network((5, 6, 3), output=output, loss=loss, dtype=np.float64)
        ws, grads = network.workspace(N_SAMPLES), network.parameters.zeros_like()
        forward(network, train.inputs, ws)
        backward(network, train.targets, ws, grads, sample_weight=np.zeros(N_SAMPLES))
        assert loss_value(network, train.targets, ws, sample_weight=np.zeros(N_SAMPLES)) == 0.0
        assert not grads.vector.any()


@pytest.mark.parametrize(("weight", "words"), [(1e308, "with a finite sum"), (1e-318, "0 or at least 2e-308")])
def test_weights_that_no_sum_or_quotient_can_hold_are_refused(weight: float, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        run(REFERENCE, data("classes", np.random.default_rng(0)), np.full(N_SAMPLES, weight))


def test_a_far_target_is_not_blamed_on_the_starting_weights(engines: list[Engine]) -> None:
    train = data("values", np.random.default_rng(0), 20_000)
    train.targets[sample_order(20_000, 1, 3, 1)[0]] = 1e9
    assert train.targets[:10_000].max() < 1e9
    for each in engines:
        with pytest.raises(DivergenceError, match=r"at step 0 .* a target of this batch lies far from all others"):
            run(each, train, None)
