"""Randomness in training: every stream keyed, so that a run can be repeated, resumed and compared."""

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from batch_order import batches

from deltarule.data.augment import Deformation, deform
from deltarule.data.dataset import Dataset
from deltarule.native.loader import available, library
from deltarule.nn.arrays import Array
from deltarule.nn.network import Network
from deltarule.nn.optimizers import SGD
from deltarule.randomness import generator
from deltarule.training.callbacks import Callback, TrainingState
from deltarule.training.evaluation import evaluate
from deltarule.training.plan import PIECE_ROWS
from deltarule.training.trainer import Trainer

BEND = Deformation(rotation=15.0, scale=0.2, shift=1.0, elastic_alpha=10.0, fade=0.5)
BATCHES = 3  # batches of 10 an epoch, the last of 4

PROGRAM = """
import hashlib
import numpy as np
import deltarule as dr

rng = np.random.default_rng(0)
X, y = rng.integers(256, size=(500, 12, 12), dtype=np.uint8), rng.integers(10, size=500)
network = dr.Network((144, 64, 32, 10), dropout=(0.2, 0.5), rng=3)
dr.fit(
    network, X, y, epochs=3, batch_size=64, optimizer=dr.AdamW(), learning_rate=dr.OneCycle(0.01, 24), average=0.9,
    augment=dr.Deformation(rotation=10, scale=0.1, shift=1, elastic_alpha=20), penalty=dr.L2(1e-4), clip=1.0, seed=7,
)
print(hashlib.sha256(network.parameters.vector.tobytes()).hexdigest(), np.isfinite(network.parameters.vector).all())
print(hashlib.sha256(np.exp(np.linspace(-5, 5, 1000)).tobytes()).hexdigest())
"""


def images(n_samples: int = 24) -> Dataset:
    rng = np.random.default_rng(n_samples)
    inputs, classes = rng.integers(256, size=(n_samples, 64), dtype=np.uint8), rng.integers(3, size=n_samples)
    return Dataset(inputs, classes, class_names=("a", "b", "c"), image_shape=(8, 8))


class Streams(Callback):
    """What each step, by epoch and step, read from the data, and which neurons it dropped."""

    def __init__(self) -> None:
        self.inputs: dict[tuple[int, int], Array] = {}
        self.masks: dict[tuple[int, int], Array] = {}

    def step_end(self, state: TrainingState) -> None:
        key = (state.epoch, state.step)
        self.inputs[key] = state.workspace.inputs[0].copy()
        if state.workspace.masks is not None:
            self.masks[key] = state.workspace.masks[0].copy()


class StartAtEpoch(Callback):
    """A run that has already come to an epoch, as one that is resumed."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def epoch_end(self, state: TrainingState) -> None:
        if state.epoch == 0:
            state.epoch, state.step = self.epoch - 1, BATCHES * (self.epoch - 1)


def streams(*others: Callback, dropout: float = 0.5, **settings: Any) -> Streams:
    """A run of 4 epochs with dropout and deformation, unless `settings` say otherwise."""
    seen = Streams()
    settings = {"augment": BEND, "epochs": 4, "batch_size": 10, "optimizer": SGD()} | settings
    network = Network((64, 6, 3), dropout=dropout)
    Trainer(network=network, callbacks=[*others, seen], **settings).fit(images())
    return seen


def assert_same(found: dict[tuple[int, int], Array], expected: dict[tuple[int, int], Array]) -> None:
    assert found.keys() == expected.keys()
    for key, array in expected.items():
        np.testing.assert_array_equal(found[key], array)


def test_the_streams_of_a_run_do_not_touch_each_other() -> None:
    both = streams()
    assert len(both.inputs) == len(both.masks) == 4 * BATCHES
    assert_same(streams(dropout=0.0).inputs, both.inputs)
    assert_same(streams(augment=None).masks, both.masks)
    assert_same(streams(optimizer=SGD(), schedule=lambda _: 3.0).inputs, both.inputs)


def test_a_run_that_starts_at_an_epoch_draws_what_the_whole_run_drew() -> None:
    whole, resumed = streams(), streams(StartAtEpoch(3))
    assert {epoch for epoch, _ in resumed.inputs} == {3, 4}
    assert_same(resumed.inputs, {key: array for key, array in whole.inputs.items() if key[0] >= 3})
    assert_same(resumed.masks, {key: array for key, array in whole.masks.items() if key[0] >= 3})


def test_every_step_and_every_seed_draws_anew() -> None:
    first, second = streams(), streams(seed=1)
    masks = [mask[:4].tobytes() for seen in (first, second) for mask in seen.masks.values()]
    assert len(set(masks)) == 2 * 4 * BATCHES
    bent = [first.inputs[1, 3], first.inputs[2, 6], second.inputs[1, 3]]
    assert len({array.tobytes() for array in bent}) == 3


def test_deformation_is_that_of_the_batchs_images() -> None:
    """Each image that a step reads is one of its batch, bent: with no more than half a pixel of shift, still alike."""
    shift = Deformation(shift=0.5)
    seen = streams(augment=shift)
    plain = streams(augment=None)
    for key, bent in seen.inputs.items():
        distances = ((bent[:, None, :] - plain.inputs[key][None, :, :]) ** 2).sum(axis=2)
        assert distances.argmin(axis=1).tolist() == list(range(len(bent)))
        assert distances.diagonal().min() > 0.0
    nothing = streams(augment=Deformation())
    assert_same(nothing.inputs, plain.inputs)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_data_stay_as_they_are(dtype: type) -> None:
    """Also those that have the network's dtype, and could be worked on in place."""
    data = Dataset(images().inputs.astype(dtype), images().targets, image_shape=(8, 8))
    Trainer(network=Network((64, 6, 3), dropout=0.5), epochs=2, batch_size=10, augment=BEND).fit(data, data)
    np.testing.assert_array_equal(data.inputs, images().inputs)
    np.testing.assert_array_equal(data.targets, images().targets)


def test_the_pieces_of_a_batch_are_bent_and_dropped_each_its_own_way() -> None:
    """Two equal images, one in the first piece of a batch and one in the second, do not meet the same fate."""
    data = images(2 * PIECE_ROWS)
    data.inputs[PIECE_ROWS:] = data.inputs[:PIECE_ROWS]

    class Pieces(Callback):
        def step_end(self, state: TrainingState) -> None:
            self.second = state.workspace.inputs[0].copy()
            assert state.workspace.masks is not None
            self.mask = state.workspace.masks[0].copy()

    pieces = Pieces()
    settings: dict[str, Any] = {"augment": Deformation(rotation=15.0), "epochs": 1, "batch_size": None}
    Trainer(network=Network((64, 6, 3), dropout=0.5), callbacks=[pieces], **settings).fit(data)
    half = data.take(slice(PIECE_ROWS))
    first = Pieces()
    Trainer(network=Network((64, 6, 3), dropout=0.5), callbacks=[first], **settings).fit(half)
    assert (pieces.second != first.second).any(axis=1).mean() > 0.9
    assert (pieces.mask != first.mask).any(axis=1).mean() > 0.9


def test_dropout_acts_in_training_only() -> None:
    data, network, plain = images(), Network((64, 6, 3), dropout=0.5), Network((64, 6, 3), pixels=True)
    seen = Streams()
    trainer = Trainer(network=network, epochs=2, batch_size=10, callbacks=[seen])
    history = trainer.fit(data, data)
    assert {0.0, 2.0} == {value for mask in seen.masks.values() for value in mask.ravel().tolist()}
    plain.parameters.vector[:] = network.parameters.vector
    assert history["validation_loss"][history.best_epoch] == evaluate(plain, data)[0]
    np.testing.assert_array_equal(network.outputs(data.inputs), plain.outputs(data.inputs))
    undropped = Network((64, 6, 3))
    Trainer(network=undropped, epochs=2, batch_size=10).fit(data, data)
    assert (undropped.parameters.vector != network.parameters.vector).any()


def test_deformation_is_drawn_from_its_own_key() -> None:
    """The engine is called with the images of the batch, in order, and nothing else moves its numbers."""
    seen = streams(dropout=0.0, seed=5)
    for epoch, bend in ((2, BEND), (4, BEND.at_epoch(4, 4))):
        batch = list(batches(24, 10, 5, epoch))[1]
        floats = images().inputs[batch].astype(np.float32) / np.float32(255.0)
        expected = deform(floats, (8, 8), bend, generator(5, "augment 0", epoch, BATCHES * (epoch - 1) + 1))
        np.testing.assert_array_equal(seen.inputs[epoch, BATCHES * (epoch - 1) + 2], expected)
    assert BEND.at_epoch(4, 4) != BEND


def test_another_process_with_older_libraries_ends_with_the_same_bytes() -> None:
    """What NumPy and libm compute for a float32 network is rounded to float32 before it is used.

    The second process has the fewest instructions: ours, NumPy's and libm's, whose e^x is another then.
    """

    def output(**environment: str) -> list[str]:
        command = [sys.executable, "-c", PROGRAM]
        done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    found = np.show_config("dicts")["SIMD Extensions"].get("found", [])
    older = {"NPY_DISABLE_CPU_FEATURES": " ".join(found), "DELTARULE_INSTRUCTIONS": available(library())[-1]}
    older["GLIBC_TUNABLES"] = "glibc.cpu.hwcaps=-AVX2,-AVX2_Usable,-FMA,-FMA_Usable,-AVX512F"
    first, second = output(PYTHONHASHSEED="1"), output(PYTHONHASHSEED="2", DELTARULE_THREADS="3", **older)
    assert first[0].endswith(" True")
    assert second[0] == first[0]
    assert second[1] != first[1] or not any(each.startswith(("AVX512", "X86_V4")) for each in found)


@pytest.mark.parametrize("seed", [0, 2**63])
def test_one_seed_one_result(seed: int) -> None:
    vectors = []
    for given_seed in (seed, seed, seed + 1):
        network = Network((64, 6, 3), dropout=0.5)
        Trainer(network=network, epochs=2, batch_size=10, augment=BEND, seed=given_seed).fit(images())
        vectors.append(network.parameters.vector)
    np.testing.assert_array_equal(vectors[0], vectors[1])
    assert (vectors[0] != vectors[2]).any()
