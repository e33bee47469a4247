"""What a recorder keeps, against what a callback sees that keeps everything."""

import numpy as np
import pytest

from deltarule.data.dataset import Dataset
from deltarule.errors import DataError
from deltarule.inspection.measures.layer_history import (
    MOST_EPOCHS,
    LayerHistory,
    Recorder,
)
from deltarule.nn.network import Network, loss_and_gradient, with_meaning
from deltarule.nn.optimizers import SGD, Adam, Optimizer
from deltarule.training.callbacks import Callback, TrainingState
from deltarule.training.schedules import Constant
from deltarule.training.trainer import Trainer


class Snapshots(Callback):
    """Keeps the network after every epoch."""

    def train_begin(self, state: TrainingState) -> None:
        self.networks: list[Network] = []

    def epoch_end(self, state: TrainingState) -> None:
        self.networks.append(with_meaning(state.network, parameters=state.network.parameters.copy()))


def data() -> Dataset:
    rng = np.random.default_rng(0)
    return Dataset(rng.normal(size=(50, 6)), rng.integers(0, 3, 50))


def recorded(epochs: int = 3, optimizer: Optimizer | None = None) -> tuple[LayerHistory, list[Network]]:
    recorder, snapshots = Recorder(data().take(slice(20))), Snapshots()
    network = Network((6, 5, 3), dtype=np.float64)
    trainer = Trainer(
        network=network, optimizer=optimizer or SGD(), schedule=Constant(0.1), epochs=epochs, batch_size=10
    )
    trainer.callbacks = [recorder, snapshots]
    trainer.fit(data())
    assert recorder.recording is not None
    return recorder.recording, snapshots.networks


def test_snapshots_are_the_parameters_after_each_epoch() -> None:
    recording, networks = recorded()
    assert recording.epochs.tolist() == [0, 1, 2, 3]
    for vector, network in zip(recording.parameters, networks, strict=True):
        np.testing.assert_array_equal(vector, network.parameters.vector)


def test_norms_are_those_of_the_gradient_on_the_probe() -> None:
    """Plain descent moves by the rate times the gradient, so the ratio follows from the norm."""
    recording, networks = recorded()
    for k, network in enumerate(networks):
        grads = loss_and_gradient(network, data().inputs[:20], data().targets[:20])[1]
        for l, W in enumerate(network.weights):
            norm = np.sqrt((grads.weights[l] ** 2).sum())
            assert recording.gradient_norm[k, l] == pytest.approx(norm, rel=1e-12)
            assert recording.update_ratio[k, l] == pytest.approx(0.1 * norm / np.sqrt((W**2).sum()), rel=1e-9)


def test_an_update_takes_the_optimizers_memory_into_account() -> None:
    """Adam's first step has the size of the rate, whatever the gradient, for every weight that has one."""
    recording, networks = recorded(optimizer=Adam())
    W = networks[0].weights[1]
    assert recording.update_ratio[0, 1] == pytest.approx(0.1 * np.sqrt(W.size) / np.sqrt((W**2).sum()), rel=1e-3)
    assert (recording.update_ratio[1:, 1] < 0.9 * recording.update_ratio[0, 1]).all()


def test_a_recorded_run_is_the_same_run() -> None:
    network = Network((6, 5, 3), dtype=np.float64)
    Trainer(network=network, optimizer=Adam(), schedule=Constant(0.1), epochs=3, batch_size=10).fit(data())
    np.testing.assert_array_equal(recorded(optimizer=Adam())[0].parameters[-1], network.parameters.vector)


def test_of_a_long_run_some_epochs_are_kept() -> None:
    recording = recorded(epochs=100)[0]
    assert len(recording.epochs) <= MOST_EPOCHS
    assert set(np.diff(recording.epochs)) == {4.0}
    assert recording.epochs[-1] == 100


def test_before_a_run_there_is_nothing() -> None:
    assert Recorder(data()).recording is None


def test_a_network_without_weights_has_no_ratio() -> None:
    network = Network((6, 3), dtype=np.float64)
    network.parameters.vector[:] = 0.0
    recorder = Recorder(data())
    Trainer(network=network, epochs=0, callbacks=[recorder]).fit(data())
    assert recorder.recording is not None
    assert np.isnan(recorder.recording.update_ratio).all()


def test_arrays_and_back() -> None:
    recording = recorded()[0]
    arrays = vars(recording)
    again = vars(LayerHistory.from_arrays(arrays))
    assert again.keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(again[name], array)


def test_arrays_that_are_no_recording() -> None:
    arrays = vars(recorded()[0])
    for name in arrays:
        with pytest.raises(DataError, match=f"got one without {name}"):
            LayerHistory.from_arrays({key: array for key, array in arrays.items() if key != name})
    for name in ("epochs", "parameters", "gradient_norm", "update_ratio"):
        with pytest.raises(DataError, match="of as many epochs and layers"):
            LayerHistory.from_arrays(arrays | {name: arrays[name][:-1]})
