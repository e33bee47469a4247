"""The loop: what a step does, what an epoch reports, and what happens around the gradient."""

from typing import Any

import numpy as np
import pytest
from batch_order import batches

from deltarule.data.dataset import Dataset
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network, loss_and_gradient, with_meaning
from deltarule.nn.optimizers import SGD, Adam, Momentum, Optimizer
from deltarule.nn.parameters import Parameters
from deltarule.nn.penalties import L1, L2, Penalty
from deltarule.training.callbacks import Callback, TrainingState
from deltarule.training.clip_and_average import ClipNorm
from deltarule.training.history import History
from deltarule.training.plan import PIECE_ROWS
from deltarule.training.schedules import Constant
from deltarule.training.trainer import FIRST_LOOK, Trainer


def examples(n_samples: int, n_features: int = 4) -> Dataset:
    rng = np.random.default_rng(n_samples)
    X, y = rng.normal(size=(n_samples, n_features)), rng.integers(3, size=n_samples)
    return Dataset(X, y, class_names=("a", "b", "c"))


def small(**more: Any) -> Network:
    return Network((4, 6, 3), dtype=np.float64, rng=3, **more)


def train(network: Network, data: Dataset, sample_weight: Array | None = None, **settings: Any) -> History:
    """One epoch of plain gradient descent at a rate of 0.5, unless `settings` say otherwise."""
    settings = {"optimizer": SGD(), "schedule": Constant(0.5), "epochs": 1} | settings
    return Trainer(network=network, **settings).fit(data, sample_weight=sample_weight)


class Recorder(Callback):
    """What every step left behind."""

    def __init__(self) -> None:
        self.vectors: list[Array] = []
        self.states: list[tuple[int, int, float, float]] = []

    def train_begin(self, state: TrainingState) -> None:
        self.vectors.append(state.network.parameters.vector.copy())

    def step_end(self, state: TrainingState) -> None:
        self.vectors.append(state.network.parameters.vector.copy())
        self.states.append((state.epoch, state.step, state.learning_rate, state.batch_loss))


@pytest.mark.parametrize("optimizer", [SGD, Momentum, Adam])
def test_steps_are_gradient_then_update(optimizer: type[Optimizer]) -> None:
    data, network, recorder = examples(23), small(), Recorder()
    by_hand, update, rates = network.parameters.copy(), optimizer(), [0.5, 0.25, 0.125, 0.0625, 0.03125]
    train(network, data, optimizer=optimizer(), schedule=rates.__getitem__, batch_size=5, callbacks=[recorder], seed=9)
    for step, batch in enumerate(batches(23, 5, 9, 1)):
        at_hand = with_meaning(small(), parameters=by_hand)
        loss, grads = loss_and_gradient(at_hand, data.inputs[batch], data.targets[batch])
        update.step(by_hand, grads, rates[step])
        np.testing.assert_array_equal(recorder.vectors[step + 1], by_hand.vector)
        assert recorder.states[step] == (1, step + 1, rates[step], loss)
    assert len(recorder.states) == 5


def test_epoch_0_is_the_untrained_network() -> None:
    data, network = examples(23), small(dropout=0.5)
    a = network.outputs(data.inputs)
    history = train(network, data, epochs=0)
    (row,) = history.rows
    assert row == {
        "epoch": 0,
        "step": 0,
        "learning_rate": 0.5,
        "seconds": 0.0,
        "train_loss": pytest.approx(-np.log(a[np.arange(23), data.targets]).mean(), rel=1e-12),
        "train_accuracy": (a.argmax(axis=1) == data.targets).mean(),
    }
    np.testing.assert_array_equal(network.parameters.vector, small().parameters.vector)
    assert (history.best_epoch, history.stop_reason) == (0, None)


def test_epoch_0_looks_at_10_000_samples() -> None:
    data = examples(FIRST_LOOK + 50)
    data.inputs[FIRST_LOOK:] = 1e6
    only = data.take(slice(FIRST_LOOK))
    assert train(small(), data, epochs=0)["train_loss"] == train(small(), only, epochs=0)["train_loss"]


@pytest.mark.parametrize("batch_size", [5, 23, 40, None])
@pytest.mark.parametrize("weighted", [False, True])
def test_an_epochs_loss_is_the_mean_over_samples(batch_size: int | None, weighted: bool) -> None:
    """At a rate of 0 the network stays as it is, so the short last batch must count for no more than its samples."""
    data, network = examples(23), small()
    weights = np.arange(23.0) % 4 if weighted else np.ones(23)
    losses = -np.log(network.outputs(data.inputs)[np.arange(23), data.targets])
    history = train(network, data, weights if weighted else None, schedule=Constant(0.0), batch_size=batch_size)
    assert history["train_loss"][1] == pytest.approx(np.average(losses, weights=weights), rel=1e-12)
    assert history["train_accuracy"][1] == history["train_accuracy"][0]
    assert {type(value) for row in history for value in row.values()} == {int, float}


@pytest.mark.parametrize("batch_size", [None, 2 * PIECE_ROWS + 1, PIECE_ROWS + 1, PIECE_ROWS])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_batch_in_pieces_is_one_batch(batch_size: int | None, weighted: bool) -> None:
    n_samples = 2 * PIECE_ROWS + 300
    data, network, by_hand = examples(n_samples), small(), small()
    weights = np.arange(float(n_samples)) % 3 if weighted else None
    history = train(network, data, weights, batch_size=batch_size)
    losses, shares = [], []
    for batch in batches(n_samples, batch_size, 0, 1):
        part = None if weights is None else weights[batch]
        loss, grads = loss_and_gradient(by_hand, data.inputs[batch], data.targets[batch], sample_weight=part)
        by_hand.parameters.vector[:] -= 0.5 * grads.vector
        losses.append(loss)
        shares.append(len(batch) if part is None else part.sum())
    np.testing.assert_allclose(network.parameters.vector, by_hand.parameters.vector, rtol=1e-12, atol=1e-12)
    assert history["train_loss"][1] == pytest.approx(np.average(losses, weights=shares), rel=1e-12)


def test_a_weight_counts_as_that_many_samples() -> None:
    data = examples(30)
    weights = np.random.default_rng(0).integers(0, 4, 30)
    repeated, weighted = small(), small()
    settings: dict[str, Any] = {"epochs": 20, "batch_size": None, "penalty": L2(0.1)}
    expected = train(repeated, data.take(np.repeat(np.arange(30), weights)), optimizer=Momentum(), **settings)
    found = train(weighted, data, weights.astype(float), optimizer=Momentum(), **settings)
    np.testing.assert_allclose(weighted.parameters.vector, repeated.parameters.vector, rtol=1e-12, atol=1e-12)
    assert found["train_loss"][1:] == pytest.approx(expected["train_loss"][1:], rel=1e-12)


def test_equal_weights_count_as_none() -> None:
    plain, weighted = small(), small()
    train(plain, examples(23), batch_size=5)
    train(weighted, examples(23), np.full(23, 7.0), batch_size=5)
    np.testing.assert_allclose(weighted.parameters.vector, plain.parameters.vector, rtol=1e-12, atol=1e-12)


def test_a_batch_without_weight_changes_nothing() -> None:
    data, network, recorder = examples(8), small(), Recorder()
    weights = np.zeros(8)
    weights[3] = 2.0
    history = train(network, data, weights, batch_size=2, callbacks=[recorder])
    counted = [3 in batch for batch in batches(8, 2, 0, 1)]
    moved = [(late != early).any() for early, late in zip(recorder.vectors, recorder.vectors[1:], strict=False)]
    assert moved == counted
    a = small().outputs(data.inputs[3:4])
    assert history["train_loss"][1] == pytest.approx(-np.log(a[0, data.targets[3]]), rel=1e-12)
    assert [loss for *_, loss in recorder.states if loss] == [history["train_loss"][1]]


@pytest.mark.parametrize("penalty", [L2(0.3), L1(0.3)])
def test_a_penalty_pulls_the_weights_and_not_the_biases(penalty: Penalty) -> None:
    data, network = examples(23), small()
    network.biases[0][:] = 1.0
    loss, grads = loss_and_gradient(network, data.inputs, data.targets)
    pull = network.parameters.vector.copy() if isinstance(penalty, L2) else np.sign(network.parameters.vector)
    pull[network.parameters.weight_block.size :] = 0.0
    expected = network.parameters.vector - 0.5 * (grads.vector + 0.3 * pull)
    history = train(network, data, penalty=penalty, batch_size=None)
    np.testing.assert_allclose(network.parameters.vector, expected, rtol=1e-12, atol=1e-15)
    assert history["train_loss"] == pytest.approx([loss, loss], rel=1e-12)


@pytest.mark.parametrize("limit", [1e-3, 1e3])
def test_clipping_shortens_a_step_and_keeps_its_direction(limit: float) -> None:
    """The penalty's part of the gradient is clipped with the rest: what is too long is the step."""
    data, free, clipped, start = examples(23), small(), small(), small().parameters.vector
    train(free, data, penalty=L2(0.1), batch_size=None)
    train(clipped, data, penalty=L2(0.1), batch_size=None, clip=ClipNorm(limit))
    unbound, step = free.parameters.vector - start, clipped.parameters.vector - start
    length = np.linalg.norm(unbound)
    assert 1e-3 < length / 0.5 < 1e3
    np.testing.assert_allclose(step, unbound * min(1.0, 0.5 * limit / length), rtol=1e-9, atol=1e-15)


def test_short_gradients_are_not_touched() -> None:
    grads = Parameters((1, 2), np.array([3.0, 4.0, 0.0, 12.0]))
    ClipNorm(13.0).apply(grads)
    assert grads.vector.tolist() == [3.0, 4.0, 0.0, 12.0]
    ClipNorm(6.5).apply(grads)
    np.testing.assert_allclose(grads.vector, [1.5, 2.0, 0.0, 6.0], rtol=1e-15)


def test_the_rate_is_a_python_float_whatever_the_schedule_returns() -> None:
    """NumPy would turn float32 parameters times a NumPy float64 into float64: twice the memory, other bits."""
    vectors = []
    for rate in (0.1, np.float64(0.1)):
        network, recorder = Network((4, 6, 3), rng=3), Recorder()
        train(
            network,
            examples(23),
            optimizer=Adam(),
            schedule=lambda _, rate=rate: rate,
            batch_size=5,
            callbacks=[recorder],
        )
        assert {type(rate) for _, _, rate, _ in recorder.states} == {float}
        vectors.append(network.parameters.vector)
    np.testing.assert_array_equal(vectors[0], vectors[1])


def test_a_second_fit_goes_on_where_the_first_ended() -> None:
    once, twice = small(), small()
    data = examples(12)
    train(once, data, optimizer=Adam(), epochs=6, batch_size=None)
    trainer = Trainer(network=twice, optimizer=Adam(), schedule=Constant(0.5), epochs=3, batch_size=None)
    trainer.fit(data)
    trainer.fit(data)
    np.testing.assert_array_equal(twice.parameters.vector, once.parameters.vector)
