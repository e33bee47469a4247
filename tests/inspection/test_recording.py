"""What a recorder keeps, against what a callback sees that keeps everything."""

import numpy as np
import pytest

from deltarule.errors import DataError
from deltarule.inspection.recording import MOST_EPOCHS, N_BINS, QUANTITIES, Recorder, Recording, histogram
from deltarule.nn.network import Network
from deltarule.nn.optimizers import SGD
from deltarule.training.callbacks import Callback, TrainingState
from deltarule.training.fit import fit


class Everything(Callback):
    """Keeps the parameters and gradients of every step."""

    def train_begin(self, state: TrainingState) -> None:
        self.vectors, self.gradients = [state.network.parameters.copy()], []
        self.limits = []

    def step_end(self, state: TrainingState) -> None:
        self.vectors.append(state.network.parameters.copy())
        self.gradients.append(state.grads.copy())
        self.limits.append([(each.min(), each.max()) for each in state.workspace.a])


def recorded(epochs: int = 3) -> tuple[Recording, Everything]:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 6)), rng.integers(0, 3, 50)
    recorder, everything = Recorder(), Everything()
    network = Network((6, 5, 3), dtype=np.float64)
    fit(
        network,
        X,
        y,
        epochs=epochs,
        batch_size=10,
        learning_rate=0.1,
        optimizer=SGD(),
        callbacks=[recorder, everything],
    )
    assert recorder.recording is not None
    return recorder.recording, everything


def test_snapshots_are_the_parameters_after_each_epoch() -> None:
    recording, everything = recorded()
    assert recording.epochs.tolist() == [0, 1, 2, 3]
    assert recording.measured.tolist() == [0, 1, 2]
    for k, vector in enumerate(recording.parameters):
        np.testing.assert_array_equal(vector, everything.vectors[5 * k].vector)


def test_norms_and_ratios_are_those_of_the_first_step_after_an_epoch() -> None:
    """Plain descent moves by the rate times the gradient, so the ratio follows from the norm."""
    recording, everything = recorded()
    for k in range(3):
        for l in range(2):
            norm = np.sqrt((everything.gradients[5 * k].weights[l] ** 2).sum())
            length = np.sqrt((everything.vectors[5 * k].weights[l] ** 2).sum())
            assert recording.gradient_norm[k, l] == pytest.approx(norm, rel=1e-12)
            assert recording.update_ratio[k, l] == pytest.approx(0.1 * norm / length, rel=1e-9)


def test_histograms_count_every_number() -> None:
    recording, everything = recorded()
    sizes = {"weights": (30, 15), "gradients": (30, 15), "activations": (50, 30), "deltas": (50, 30)}
    for quantity in QUANTITIES:
        assert recording.counts[quantity].shape == (3, 2, N_BINS)
        assert recording.counts[quantity].sum(axis=2).tolist() == [list(sizes[quantity])] * 3
    for k in range(3):
        W = everything.vectors[5 * k].weights[0]
        assert recording.limits["weights"][k, 0].tolist() == [W.min(), W.max()]
        np.testing.assert_array_equal(recording.limits["activations"][k], everything.limits[5 * k])
        np.testing.assert_array_equal(recording.counts["weights"][k, 0], np.histogram(W, N_BINS)[0])


def test_a_large_array_is_sampled_and_what_is_not_finite_left_out() -> None:
    counts, limits = histogram(np.random.default_rng(0).normal(size=(400, 300)).astype(np.float32))
    assert counts.sum() == 4096
    centers = np.linspace(*limits, 2 * N_BINS + 1)[1::2]
    assert np.average(centers**2, weights=counts) == pytest.approx(1.0, rel=0.1)
    counts, limits = histogram(np.array([1.0, np.inf, 3.0, np.nan]))
    assert (counts.sum(), limits.tolist()) == (2, [1.0, 3.0])


@pytest.mark.parametrize("numbers", [[2.0], [2.0, 2.0, np.nan], [np.inf], []])
def test_a_histogram_of_one_number_or_none(numbers: list[float]) -> None:
    counts, limits = histogram(np.array(numbers))
    assert counts.sum() == np.isfinite(numbers).sum()
    assert limits.tolist() == ([1.5, 2.5] if 2.0 in numbers else [0.0, 1.0])


def test_of_a_long_run_some_epochs_are_kept() -> None:
    recording = recorded(epochs=100)[0]
    assert len(recording.epochs) <= MOST_EPOCHS
    assert set(np.diff(recording.epochs)) == {4.0}
    assert recording.epochs[-1] == 100


def test_a_run_without_a_step_leaves_nothing() -> None:
    recorder = Recorder()
    fit(Network((2, 3)), np.eye(2), np.array([0, 1]), epochs=0, callbacks=[recorder])
    assert recorder.recording is None


def test_arrays_and_back() -> None:
    recording = recorded()[0]
    arrays = recording.to_arrays()
    again = Recording.from_arrays(arrays).to_arrays()
    assert again.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(again[name], array)


def test_arrays_that_are_no_recording() -> None:
    arrays = recorded()[0].to_arrays()
    for name in arrays:
        with pytest.raises(DataError, match=f"got one without {name}"):
            Recording.from_arrays({key: array for key, array in arrays.items() if key != name})
    for name in ("epochs", "parameters", "gradient_norm", "update_ratio", "counts.deltas", "limits.weights"):
        with pytest.raises(DataError, match="of as many epochs and layers"):
            Recording.from_arrays(arrays | {name: arrays[name][:-1]})
